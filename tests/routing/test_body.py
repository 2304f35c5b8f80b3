"""Replies of which one field is the body."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.codec import CodecOptions, EncodeError
from tests.routing.library import METHODS, REQUEST, matched


def written(field: str, reply: dict[str, Any], options: CodecOptions | None = None, name: str = "Do") -> str:
    """Encode one reply whose body is one field."""
    match = matched("/a", "/a", response_body=field, options=options, name=name)
    message = json_format.ParseDict(reply, GetMessageClass(METHODS[name].output)())
    twice = match.route.encode([message, message])
    assert twice[0] == twice[1]
    return twice[0].decode()


@pytest.mark.parametrize(
    ("field", "value", "json"),
    [
        ("book", {"name": "n", "pages": "3"}, '{"name":"n","pages":"3"}'),
        ("book", {}, "{}"),
        ("tags", ["a", "b"], '["a","b"]'),
        ("books", [{"name": "n"}, {}], '[{"name":"n"},{}]'),
        ("shelf", {"k": {"name": "n"}}, '{"k":{"name":"n"}}'),
        ("shelf", {'"\n': {}}, '{"\\"\\n":{}}'),
        ("labels", {"7": "x"}, '{"7":"x"}'),
        ("flags", {"true": "1"}, '{"true":"1"}'),
        ("by_flag", {"false": {"name": "n"}}, '{"false":{"name":"n"}}'),
        ("number", "9007199254740993", '"9007199254740993"'),
        ("loud", True, "true"),
        ("raw", "/w==", '"/w=="'),
        ("weight", "NaN", '"NaN"'),
        ("genre", "POEM", '"POEM"'),
        ("genres", ["POEM", "NONE"], '["POEM","NONE"]'),
        ("note", "", '""'),
        ("maybe", "NONE", '"NONE"'),
        ("since", "2000-01-01T00:00:00Z", '"2000-01-01T00:00:00Z"'),
        ("limit", 0, "0"),
        ("limits", [1, 2], "[1,2]"),
        ("extra", {"a": 1}, '{"a":1.0}'),
        ("value", None, "null"),
        ("user", "", '""'),
        ("strange", "x", '"x"'),
        ("a_b", "x", '"x"'),
        ("swapped", "x", '"x"'),
        ("weights", [1.5, "Infinity"], '[1.5,"Infinity"]'),
    ],
)
def test_a_field_of_any_type_is_written_like_in_its_message(field: str, value: object, json: str) -> None:
    name = REQUEST.DESCRIPTOR.fields_by_name[field].json_name
    assert written(field, {name: value, "badge": 1} if field != "user" else {name: value}) == json


@pytest.mark.parametrize(
    ("field", "json"),
    [
        ("book", "{}"),
        ("tags", "[]"),
        ("books", "[]"),
        ("shelf", "{}"),
        ("labels", "{}"),
        ("number", '"0"'),
        ("loud", "false"),
        ("name", '""'),
        ("genre", '"NONE"'),
        ("nothing", "null"),
        ("note", "null"),
        ("maybe", "null"),
        ("user", "null"),
        ("pupil", "{}"),
        ("since", "null"),
        ("limit", "null"),
        ("value", "null"),
        ("extra", "{}"),
        ("any", "{}"),
        ("update_mask", "null"),
    ],
)
def test_a_field_that_is_not_set_is_its_default_or_null(field: str, json: str) -> None:
    assert written(field, {}) == json


def test_the_options_of_the_codec_hold_inside() -> None:
    options = CodecOptions(proto_names=True, enums_as_numbers=True, int64_as_numbers=True)
    assert written("book", {"book": {"pageTitle": "t", "genre": "POEM"}}, options) == '{"page_title":"t","genre":3}'
    assert written("genre", {}, options) == "0"
    assert written("a_b", {"swapped": "x"}, options) == '"x"'
    assert written("strange", {"very strange \\ name": "x"}, options) == '"x"'
    assert written("number", {"number": "5"}, options) == "5"
    defaults = CodecOptions(print_defaults=True)
    full = '{"name":"","pageTitle":"","pages":"0","genre":"NONE","tags":[],"copies":{},"parts":[]}'
    assert written("books", {"books": [{}]}, defaults) == f"[{full}]"
    assert written("shelf", {"shelf": {"k": {}}}, defaults) == f'{{"k":{full}}}'
    assert written("book", {"book": {}}, defaults) == full
    assert written("number", {"number": "5"}, defaults) == '"5"'
    assert written("book", {}, defaults) == "{}"


def test_proto2_defaults_and_required_fields() -> None:
    assert written("number", {"name": "x", "number": 5}, name="Old") == "5"
    assert written("number", {"name": "x"}, name="Old") == "null"
    assert written("numbers", {"name": "x"}, name="Old") == "[]"
    assert written("inner", {"name": "x"}, name="Old") == "{}"


def test_a_reply_without_response_body_is_written_whole() -> None:
    match = matched("/a", "/a")
    assert match.route.encode([REQUEST(name="n"), REQUEST()]) == [b'{"name":"n"}', b"{}"]


def test_a_field_that_has_no_json_is_the_codecs_error() -> None:
    match = matched("/a", "/a", response_body="since")
    message: Any = REQUEST()
    message.since.seconds = 1 << 60
    with pytest.raises(EncodeError):
        match.route.encode([message])
