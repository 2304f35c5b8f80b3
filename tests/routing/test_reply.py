"""Replies: the part that is the body, in each of its forms."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.errors import UsageError
from asgi_grpc.routing import Reply
from tests.routing.library import METHODS, matched


def reply(name: str, field: str = "") -> Reply:
    """How a method's replies are written."""
    return matched("/a", "/a", name=name, response_body=field).route.reply


def message(name: str, /, **fields: Any) -> Message:
    """A reply of a method."""
    return GetMessageClass(METHODS[name].output)(**fields)


def test_a_whole_message_has_json_and_a_wire_form() -> None:
    there = reply("Do")
    assert (there.gives_wire, there.gives_bytes) == (True, False)
    assert there.encode([message("Do", name="x")]) == [b'{"name":"x"}']
    assert there.wire(message("Do", name="x")) == b"\x0a\x01x"
    with pytest.raises(UsageError):
        there.content(message("Do"))


def test_a_field_that_is_a_message_has_both_too() -> None:
    there = reply("Do", "book")
    assert (there.gives_wire, there.gives_bytes) == (True, False)
    assert there.encode([message("Do", book={"name": "x"})]) == [b'{"name":"x"}']
    assert there.wire(message("Do", book={"name": "x"})) == b"\x0a\x01x"


@pytest.mark.parametrize("field", ["name", "books", "labels", "tags"])
def test_other_fields_are_json_only(field: str) -> None:
    there = reply("Do", field)
    assert (there.gives_wire, there.gives_bytes) == (False, False)
    with pytest.raises(UsageError):
        there.wire(message("Do"))


@pytest.mark.parametrize(("name", "field"), [("Raw", ""), ("Upload", "file"), ("Upload", "other")])
def test_an_http_body_has_bytes(name: str, field: str) -> None:
    there = reply(name, field)
    body = {"content_type": "image/png", "data": b"\x00\n"}
    assert there.gives_bytes
    assert there.content(message(name, **({field: body} if field else body))) == ("image/png", b"\x00\n")
    assert there.content(message(name)) == ("", b"")


def test_a_list_of_http_bodies_is_json() -> None:
    assert not reply("Upload", "files").gives_bytes
