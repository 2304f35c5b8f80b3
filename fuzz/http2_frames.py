"""What a service may send over HTTP/2: frames that are legal in some state, frames that are nearly so, and noise."""

from __future__ import annotations

from hypothesis import strategies as st

HEAD = b"\x88\x5f\x10application/grpc"  # HPACK: status 200, and a content type that goes into the table
STATUS = b"\x40\x0bgrpc-status\x010"
BLOCKS = [
    HEAD,
    STATUS,
    b"\x88",
    b"\x88\x0f\x10\x10application/grpc",
    b"\xbe",
    b"\xbf",
    b"\xff\x80\x01",
    b"\x20",
    b"\x3f\xe1\x1f",
]
BLOCKS += [b"", b"\x40\x01a", b"\x48\x03100", b"\x48\x03503", b"\x00\x81\xff\x00", b"\x10\x00\x00", b"\xff" * 20]
STREAMS = [1, 3, 5, 7, 2, 0, 0x7FFFFFFF]
VALUES = [0, 1, 10, 300, 65_535, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 16_384, 16_383, (1 << 24) - 1]


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """One frame."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def of_four(value: int) -> bytes:
    """A number of 32 bits."""
    return value.to_bytes(4, "big")


VALUE = st.sampled_from(VALUES).map(of_four)
STREAM = st.sampled_from(STREAMS)
PAYLOADS = st.one_of(
    st.sampled_from([b"", b"x", b"\0\0\0\0\1x", b"\5abcde", b"\6abcde", b"\1\0", bytes(300), bytes(301)]),
    st.binary(max_size=20),
)
FRAMES = st.one_of(
    st.builds(frame, st.just(0), st.sampled_from([0, 1, 8, 9]), STREAM, PAYLOADS),
    st.builds(
        frame, st.sampled_from([1, 9]), st.sampled_from([0, 1, 4, 5, 4, 5, 12, 36]), STREAM, st.sampled_from(BLOCKS)
    ),
    st.builds(frame, st.sampled_from([3, 8]), st.just(0), STREAM, VALUE),
    st.builds(
        lambda names, values: frame(
            4, 0, 0, b"".join(b"\0" + bytes((n,)) + v for n, v in zip(names, values, strict=False))
        ),
        st.lists(st.integers(0, 7), max_size=3),
        st.lists(VALUE, min_size=3, max_size=3),
    ),
    st.builds(
        frame,
        st.sampled_from([4, 6]),
        st.sampled_from([0, 1]),
        st.sampled_from([0, 0, 1]),
        st.sampled_from([b"", bytes(8)]),
    ),
    st.builds(lambda last, code: frame(7, 0, 0, of_four(last) + code), STREAM, VALUE),
    st.builds(frame, st.integers(0, 11), st.integers(0, 255), STREAM, PAYLOADS),
)


def http2_streams() -> st.SearchStrategy[bytes]:
    """Draw what a service sends: frames, and sometimes noise behind them."""
    frames = st.lists(FRAMES, max_size=12).map(b"".join)
    return st.one_of(frames, frames, st.tuples(frames, st.binary(max_size=12)).map(b"".join))
