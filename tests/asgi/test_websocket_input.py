"""The short way of a text message: what it takes, the long way would make the same of."""

from __future__ import annotations

import pytest

from asgi_grpc.asgi._requests import Input
from asgi_grpc.asgi._websocket_input import SHORT, cut_bare, find_cancel, holds_one_value
from asgi_grpc.errors import Code
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


LONG = b" " * SHORT
CANCEL = b'{"type":"cancel"}'
REQUEST = b'{"type":"request","data":{"type":"cancel"}}'


@pytest.mark.parametrize(
    ("text", "cancelled"),
    [
        pytest.param(CANCEL, True, id="alone"),
        pytest.param(REQUEST + CANCEL + REQUEST, True, id="between"),
        pytest.param(b"{x}" + CANCEL, False, id="behind garbage"),
        pytest.param(REQUEST, False, id="in a message"),
        pytest.param(LONG + CANCEL + b"\n", True, id="long"),
        pytest.param(REQUEST + LONG + CANCEL + LONG, True, id="long, behind"),
        pytest.param(CANCEL + LONG + REQUEST, False, id="long, in front: in its turn"),
        pytest.param(REQUEST + LONG + REQUEST, False, id="long, in a message"),
        pytest.param(LONG + b'{"text":"cancel"', False, id="long, cut short"),
        pytest.param(LONG + b'{"type":"cancel\xff"}', False, id="long, not UTF-8"),
        pytest.param(LONG + b'"cancel"', False, id="long, no record"),
    ],
)
def test_a_cancel_is_found_ahead_of_its_turn_where_that_is_cheap(text: bytes, cancelled: bool) -> None:
    found = find_cancel(text, LIMITS)
    assert (found is not None) is cancelled
    assert found is None or (found.code, str(found)) == (Code.CANCELLED, "the client cancelled the call")
