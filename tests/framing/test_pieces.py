"""A long chunk in shorter ones: at line ends if there are some."""

from __future__ import annotations

import pytest

from asgi_grpc.framing import in_pieces

KIB = 1 << 10


@pytest.mark.parametrize(
    ("chunk", "sizes"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"x" * 16 * KIB, [16 * KIB], id="a short one stays whole"),
        pytest.param(b"0123456\n" * 4 * KIB, [16 * KIB, 16 * KIB], id="lines that fit"),
        pytest.param((b"x" * 6143 + b"\n") * 6, [12 * KIB] * 3, id="lines that do not: behind the last whole one"),
        pytest.param((b"x" * 20479 + b"\n") * 2, [20 * KIB] * 2, id="long lines are not cut"),
        pytest.param(b"x" * 150 * KIB, [150 * KIB], id="nor one that has no end"),
        pytest.param(b"x" * 70 * KIB + b"\n{}\n", [70 * KIB + 1, 3], id="nor if others follow"),
        pytest.param(b"1," * 20 * KIB + b"\n{}", [16 * KIB, 16 * KIB, 8 * KIB + 3], id="one that holds many is"),
        pytest.param(b'{"a":"' + b"{}" * 4096, [8 * KIB + 6], id="not if it is short"),
        pytest.param(
            b"{}" * 20 * KIB + b"\n" + b"x" * 50 * KIB, [16 * KIB, 16 * KIB, 8 * KIB + 1, 50 * KIB], id="no longer then"
        ),
    ],
)
def test_where_a_chunk_is_cut(chunk: bytes, sizes: list[int]) -> None:
    pieces = list(in_pieces(chunk))
    assert [len(piece) for piece in pieces] == sizes
    assert b"".join(pieces) == chunk
