"""A store has whole files only, whatever happened before."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
import streaming_pb2_grpc
from streaming_pb2 import DownloadFileRequest, FileMetadata
from streaming_store import WRITE_BYTES, FileStore

from tests.examples.speaking import failure, upload
from tests.processes import STREAMING, python, started

METADATA = FileMetadata(filename="a", total_size=3)


async def stored(store: FileStore, data: bytes) -> str:
    """The id of a new file."""
    with store.incoming() as file:
        await file.write(data)
        await file.keep(METADATA)
    return file.file_id


async def test_a_kept_file_is_found_after_a_restart(tmp_path: Path) -> None:
    file_id = await stored(FileStore(tmp_path, max_file_bytes=10), b"one")
    found = FileStore(tmp_path, max_file_bytes=10).find(file_id)
    assert found is not None
    assert (found[0], found[1].read_bytes()) == (METADATA, b"one")


async def test_what_a_crash_left_behind_is_removed(tmp_path: Path) -> None:
    (tmp_path / f"{'0' * 32}.part").write_bytes(b"half")
    FileStore(tmp_path, max_file_bytes=10)
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_was_not_kept_is_gone(tmp_path: Path) -> None:
    store = FileStore(tmp_path, max_file_bytes=10)
    with store.incoming() as file:
        await file.write(bytes(WRITE_BYTES))
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []
    assert store.find(file.file_id) is None


async def test_a_file_that_could_not_be_kept_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="no space"):
        await stored(FileStore(tmp_path, max_file_bytes=10), b"one")
    assert list(tmp_path.iterdir()) == []


async def test_the_checksum_is_of_all_that_was_written(tmp_path: Path) -> None:
    with FileStore(tmp_path, max_file_bytes=10).incoming() as file:
        for piece in (b"a" * WRITE_BYTES, b"b", b""):
            await file.write(piece)
        assert await file.sha256() == hashlib.sha256(b"a" * WRITE_BYTES + b"b").hexdigest()
        assert file.size == WRITE_BYTES + 1


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda path: path.write_bytes(b"0123"), (grpc.StatusCode.DATA_LOSS, "the stored file ends after 4 bytes")),
        (Path.unlink, (grpc.StatusCode.NOT_FOUND, "there is no file with this file_id")),
    ],
)
def test_a_damaged_file_does_not_pass_for_a_whole_one(
    stub: streaming_pb2_grpc.StreamingServiceStub,
    store: Path,
    damage: Callable[[Path], object],
    expected: tuple[grpc.StatusCode, str],
) -> None:
    file_id = stub.UploadFile(iter(upload(b"0123456789"))).file_id
    damage(store / f"{file_id}.data")
    assert failure(lambda: list(stub.DownloadFile(DownloadFileRequest(file_id=file_id)))) == expected


def test_a_file_that_grew_comes_down_as_it_was(stub: streaming_pb2_grpc.StreamingServiceStub, store: Path) -> None:
    file_id = stub.UploadFile(iter(upload(b"0123456789"))).file_id
    (store / f"{file_id}.data").write_bytes(b"0123456789!")
    _, piece = stub.DownloadFile(DownloadFileRequest(file_id=file_id))
    assert piece.chunk == b"0123456789"


def test_a_store_that_cannot_be_written_is_the_servers_secret(tmp_path: Path) -> None:
    folder = tmp_path / "secret"
    with (
        started(*python(STREAMING, "--port", "0", "--store", str(folder))) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        shutil.rmtree(folder)
        stub = streaming_pb2_grpc.StreamingServiceStub(channel)
        answer = failure(lambda: stub.UploadFile(iter(upload(b"one"))))
    assert answer == (grpc.StatusCode.INTERNAL, "the file could not be stored")
    assert "secret" in server.stderr
    assert "Traceback" not in server.stderr
