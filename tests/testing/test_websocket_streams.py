"""Frames as RFC 6455, section 5.2 lays them out."""

from __future__ import annotations

import pytest

from asgi_grpc.testing import websocket_frame


@pytest.mark.parametrize(
    ("size", "length"),
    [
        (0, b"\x80"),
        (125, b"\xfd"),
        (126, b"\xfe\x00\x7e"),
        (65535, b"\xfe\xff\xff"),
        (65536, b"\xff" + (65536).to_bytes(8)),
    ],
)
def test_the_length_has_three_forms(size: int, length: bytes) -> None:
    assert websocket_frame(1, b"\0" * size, mask=b"\0\0\0\0") == b"\x81" + length + bytes(4 + size)


def test_the_payload_is_masked() -> None:
    assert websocket_frame(9, b"abc", fin=False, rsv=0x40, mask=b"\1\2\3\4") == b"\x49\x83\1\2\3\4" + bytes(
        [ord("a") ^ 1, ord("b") ^ 2, ord("c") ^ 3]
    )
