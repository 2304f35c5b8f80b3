"""The short way of a text message: what it takes, the long way would make the same of."""

from __future__ import annotations

import pytest

from asgi_grpc.asgi._requests import Input
from asgi_grpc.asgi._websocket_input import cut_bare, holds_one_value
from asgi_grpc.framing import Frame
from asgi_grpc.limits import Limits

LIMITS = Limits(max_message_bytes=64, max_depth=3)


@pytest.mark.parametrize("text", [b"{}", b'{"name":"Ada"}', b"[]", b'[[["a"]]]', b"{" + b" " * 62 + b"}"])
def test_one_value_is_its_own_frame(text: bytes) -> None:
    assert holds_one_value(text, LIMITS)
    assert list(cut_bare(text, LIMITS)) == [Input([Frame(text, 0)])]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"", id="the end"),
        pytest.param(b" ", id="white space"),
        pytest.param(b"{} ", id="white space behind"),
        pytest.param(b"{}{}", id="two values"),
        pytest.param(b'{"name":"Ada}', id="a broken value"),
        pytest.param(b"7", id="a number"),
        pytest.param(b'{"__end_stream__":true}', id="the end mark"),
        pytest.param(b'{"name":["__end_stream__"]}', id="what looks like it"),
        pytest.param(b"{" + b" " * 63 + b"}", id="a byte too long"),
        pytest.param(b"[[[[" + b" " * 8 + b"]]]]", id="a level too deep"),
    ],
)
def test_the_rest_is_cut(text: bytes) -> None:
    assert not holds_one_value(text, LIMITS)
