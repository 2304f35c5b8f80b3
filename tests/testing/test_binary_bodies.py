"""Bodies that are not text: every rule's edge is drawn, and a slow reading of them agrees with the framers."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asgi_grpc.framing import Broken, End, Event, Fault, FlaggedFrame, Inflater, PrefixedFramer
from asgi_grpc.testing import chunkings, compressed_bodies, play, prefixed_bodies, prefixed_frame

ALWAYS = settings(max_examples=250, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
GRPC_WEB = (0, 1, 0x80, 0x81)


def drawn(strategy: st.SearchStrategy[bytes]) -> list[bytes]:
    """Some draws, the same at every run."""
    found: list[bytes] = []

    @ALWAYS
    @given(strategy)
    def collect(body: bytes) -> None:
        found.append(body)

    collect()
    return found


def framed(chunks: list[bytes], flags: tuple[int, ...] = (0, 1)) -> list[Event]:
    return play(lambda: PrefixedFramer(max_frame_bytes=8, flags=flags), chunks)


def test_a_frame_says_its_flags_and_its_length() -> None:
    assert prefixed_frame(b"{}", flags=1) == b"\1\0\0\0\2{}"
    assert prefixed_frame(b"{}", length=2**32 - 1) == b"\0\xff\xff\xff\xff{}"


@pytest.mark.parametrize("flags", [(0, 1), GRPC_WEB, tuple(range(256))], ids=["grpc", "grpc-web", "any"])
def test_prefixed_bodies_end_in_every_way(flags: tuple[int, ...]) -> None:
    played = [framed([body], flags) for body in drawn(prefixed_bodies(limit=8, flags=flags))]
    faults = {event.fault for events in played for event in events if isinstance(event, Broken)}
    assert faults == {Fault.TRUNCATED, Fault.FRAME_TOO_LARGE} | ({Fault.BAD_FLAGS} if len(flags) < 256 else set())
    frames = [event for events in played for event in events if isinstance(event, FlaggedFrame)]
    seen = {frame.flags for frame in frames}
    assert seen == set(flags) or len(seen) > 20
    assert {0, 7, 8} <= {len(frame.data) for frame in frames}
    whole = [events for events in played if events[-1] == End()]
    assert len(whole) > len(played) // 3, "most bodies are right"
    assert {len(events) for events in whole} >= {1, 2, 3, 4, 5}


@given(chunkings(prefixed_bodies(limit=8)))
def test_a_cut_changes_no_frame(chunks: list[bytes]) -> None:
    assert framed(chunks) == framed([b"".join(chunks)])


def inflated(body: bytes, encoding: Literal["gzip", "deflate"]) -> bytes | Fault:
    """All of a body, or what is wrong with it."""
    inflater = Inflater(encoding, max_inflation=10, free_bytes=1 << 16)
    out = b""
    for piece in inflater.feed(body):
        if isinstance(piece, Broken):
            return piece.fault
        out += piece
    (end,) = inflater.close()
    return end.fault if isinstance(end, Broken) else out


def gunzip(body: bytes) -> bytes:
    return gzip.decompress(body)


def inflate(body: bytes) -> bytes:
    zlib_format = body[0] & 15 == 8 and int.from_bytes(body[:2]) % 31 == 0
    reader = zlib.decompressobj(15 if zlib_format else -15)
    content = reader.decompress(body) + reader.flush()
    assert reader.eof
    assert not reader.unused_data
    return content


@pytest.mark.parametrize(("encoding", "oracle"), [("gzip", gunzip), ("deflate", inflate)])
def test_compressed_bodies_end_in_every_way(
    encoding: Literal["gzip", "deflate"], oracle: Callable[[bytes], bytes]
) -> None:
    faults = set()
    whole = []
    for body in drawn(compressed_bodies(encoding=encoding)):
        content = inflated(body, encoding)
        if isinstance(content, Fault):
            faults.add(content)
        else:
            whole.append(body)
            assert oracle(body) == content
    assert faults == {Fault.TRUNCATED, Fault.BAD_COMPRESSION, Fault.INFLATES_TOO_MUCH}
    assert len(whole) > 50


def test_the_compressed_bodies_are_ours() -> None:
    bodies = drawn(compressed_bodies(st.just(b"ours"), bomb_bytes=1000))
    contents = {content for content in (inflated(body, "gzip") for body in bodies) if not isinstance(content, Fault)}
    assert {b"ours", b"ours" + bytes(1000)} <= contents
    assert any(body.count(b"\x1f\x8b\x08") == 2 for body in bodies), "members in a row"
