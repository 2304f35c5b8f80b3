from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from asgi_grpc.cli._source import Source, SourceError


class Stdin:
    """Standard input with a descriptor of our choice."""

    def __init__(self, fd: int) -> None:
        self.fileno = lambda: fd


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    reading, writing = os.pipe()
    monkeypatch.setattr(sys, "stdin", Stdin(reading))
    with os.fdopen(reading), os.fdopen(writing, "wb", closefd=False):
        yield writing
        with suppress(OSError):  # the test has done so
            os.close(writing)


async def read_all(source: Source) -> list[int]:
    """The sizes of all chunks."""
    sizes = []
    while chunk := await source.read():
        sizes.append(len(chunk))
    return sizes


async def test_a_file_comes_in_large_chunks(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"x" * 600_000)
    with Source(str(file)) as source:
        assert await read_all(source) == [262144, 262144, 75712]


async def test_a_pipe_is_read_as_it_fills(pipe: int) -> None:
    with Source("-") as source:
        reading = asyncio.create_task(source.read())
        await asyncio.sleep(0)
        assert not reading.done()
        os.write(pipe, b"one")
        assert await reading == b"one"
        os.write(pipe, b"two")
        assert await source.read() == b"two"
        os.close(pipe)
        assert await source.read() == b""


async def test_waiting_for_a_pipe_can_be_cancelled(pipe: int) -> None:
    with Source("-") as source:
        reading = asyncio.create_task(source.read())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        os.write(pipe, b"still there")
        assert await source.read() == b"still there"


def test_a_missing_file_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        Source(str(tmp_path / "missing"))
    assert str(caught.value) == f"can't read {tmp_path}/missing: no such file or directory"


async def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path: Path) -> None:
    with Source(str(tmp_path)) as source, pytest.raises(SourceError) as caught:
        await source.read()
    assert str(caught.value) == f"can't read {tmp_path}: is a directory"


def test_a_closed_standard_input_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SourceError, match="can't read standard input: it is closed"):
        Source("-")
