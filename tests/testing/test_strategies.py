"""The bodies that the strategies draw reach every end of their framer; the toolkit's door needs no Hypothesis."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import asgi_grpc.testing as door
from asgi_grpc.framing import Broken, Closed, End, Fault, JsonFramer, JsonSeqFramer, SseReader, WebSocketFramer
from asgi_grpc.testing import (
    array_bodies,
    chunkings,
    json_seq_bodies,
    ndjson_bodies,
    play,
    play_prefixes,
    sse_bodies,
    websocket_streams,
    websocket_texts,
)

LIMITS: dict[str, int] = {"max_frame_bytes": 64, "max_depth": 4}


def drawn(strategy: st.SearchStrategy[Any], count: int = 250) -> list[Any]:
    """Some draws, the same at every run."""
    found: list[Any] = []

    @settings(max_examples=count, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(body: Any) -> None:
        found.append(body)

    collect()
    return found


def json_framer() -> Any:
    return JsonFramer(**LIMITS)


def seq_framer() -> Any:
    return JsonSeqFramer(max_frame_bytes=64)


@pytest.mark.parametrize(
    ("strategy", "make", "faults"),
    [
        pytest.param(
            ndjson_bodies(), json_framer, {Fault.TRUNCATED, Fault.FRAME_TOO_LARGE, Fault.TOO_DEEP}, id="ndjson"
        ),
        pytest.param(array_bodies(), json_framer, {Fault.TRUNCATED, Fault.FRAME_TOO_LARGE, Fault.TOO_DEEP}, id="array"),
        pytest.param(json_seq_bodies(), seq_framer, {Fault.FRAME_TOO_LARGE, Fault.TRUNCATED}, id="json-seq"),
        pytest.param(sse_bodies(), lambda: SseReader(max_event_bytes=64), {Fault.FRAME_TOO_LARGE}, id="sse"),
    ],
)
def test_bodies_end_well_and_in_the_ways_that_matter(
    strategy: st.SearchStrategy[bytes], make: Callable[[], Any], faults: set[Fault]
) -> None:
    ends = [play(make, [body])[-1] for body in drawn(strategy)]
    assert faults <= {end.fault for end in ends if isinstance(end, Broken)}
    assert ends.count(End()) > len(ends) // 10


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        door.nope  # noqa: B018 - asking is the test


def test_the_door_opens_without_hypothesis() -> None:
    code = "import sys, asgi_grpc.testing; print([name for name in sys.modules if name.startswith('hypothesis')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, encoding="utf-8")
    assert done.stdout.strip() == "[]"


def test_every_name_of_the_door_is_there() -> None:
    assert [name for name in door.__all__ if getattr(door, name, None) is None] == []


@pytest.mark.parametrize("deflate", [False, True])
def test_websocket_streams_end_well_and_broken(deflate: bool) -> None:
    def last(stream: bytes) -> Any:
        events = WebSocketFramer(max_frame_bytes=64, max_depth=4, deflate=deflate).feed(stream)
        return events[-1] if events else None

    ends = [last(stream) for stream in drawn(websocket_streams(deflate=deflate), 100)]
    faults = {end.fault for end in ends if isinstance(end, Broken)}
    assert Fault.BAD_WEBSOCKET_FRAME in faults
    assert any(isinstance(end, Closed) for end in ends)


def test_the_texts_of_a_websocket_are_bodies() -> None:
    assert {len(texts) for texts in drawn(websocket_texts(), 60)} >= {0, 1, 2}


def test_chunkings_join_to_the_body() -> None:
    ways = drawn(chunkings(b"abcdef"))
    assert {b"".join(chunks) for chunks in ways} == {b"abcdef"}
    assert [b"abcdef"] in ways
    assert [bytes([byte]) for byte in b"abcdef"] in ways
    assert any(b"" in chunks for chunks in ways)
    assert drawn(chunkings(st.just(b"")), 5)


def test_prefixes_tell_when_each_event_came() -> None:
    assert play_prefixes(json_framer, b"1\n2\n3") == [0, 1, 1, 2, 2]
    assert play_prefixes(json_framer, b"1\n" + b"9" * 70)[-1] == 2
    assert len(play_prefixes(json_framer, b"1\n" + b"9" * 70)) == 2 + 65


def test_a_framer_that_holds_too_much_fails_the_play() -> None:
    with pytest.raises(AssertionError, match="4 bytes held"):
        play(json_framer, [b'"abc'], most_held=3)
