"""Bindings: path, query and body to messages."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.codec import Codec, CodecOptions
from asgi_grpc.errors import Code, ConfigurationError, DecodeError, RequestError, UsageError
from asgi_grpc.routing import Decoded, Router
from tests.routing.library import METHODS, REQUEST, bound, matched, method, plain, played, rule

POST: dict[str, Any] = {"http_method": "POST"}


def test_a_binding_that_adds_nothing_is_the_codec_itself() -> None:
    there = bound("/a", "/a", "x=1", body="*", strict=True, **POST)
    assert there.decode.__func__ is Codec.decode_batch  # type: ignore[attr-defined]
    assert there.empty is REQUEST
    assert played(there, '{"name":"n"}', "[]") == (
        [{"name": "n"}],
        "library.Request: expected an object, got an array at $",
    )


@pytest.mark.parametrize(
    ("template", "path", "message"),
    [
        ("/a/{name}", "/a/b%2Fc+%2B", {"name": "b/c++"}),
        ("/{name=a/*}", "/a/b%2Fc%20", {"name": "a/b%2Fc "}),
        ("/{name=**}", "/", {}),
        ("/a/{number}", "/a/010", {"number": "10"}),
        ("/a/{loud}/{genre}/{raw}", "/a/true/POEM/_w", {"loud": True, "genre": "POEM", "raw": "/w=="}),
        ("/a/{book.sequel.page_title}", "/a/x", {"book": {"sequel": {"page_title": "x"}}}),
        ("/a/{since}/{wait}", "/a/2000-01-01T00:00:00Z/1s", {"since": "2000-01-01T00:00:00Z", "wait": "1s"}),
        ("/a/{limit}/{update_mask}", "/a/0/aB,c", {"limit": 0, "update_mask": "aB,c"}),
        ("/a/{value}/{extra}", "/a/null/%7B%22k%22:1%7D", {"value": None, "extra": {"k": 1.0}}),
        ("/a/{user}", "/a/u", {"user": "u"}),
        ("/a/{note}", "/a/n", {"note": "n"}),
        ("/a/{book.edition}", "/a/0", {"book": {"edition": 0}}),
        ("/a/{book.pages}", "/a/0", {"book": {}}),
        ("/a/{swapped}", "/a/x", {"swapped": "x"}),
    ],
)
def test_path_variables_are_set_by_the_rules_of_their_types(template: str, path: str, message: dict[str, Any]) -> None:
    assert plain(bound(template, path).empty()) == message
    if path != "/":
        contents = played(bound(template, path, body="*", **POST), '{"small":1}', "{}")
        assert contents == ([{**message, "small": 1}, message], None)


@pytest.mark.parametrize("path", ["/a/x", "/a/1.5", "/a/+1", "/a/%201", "/a/99999999999999999999"])
def test_a_path_variable_of_another_type_is_refused(path: str) -> None:
    with pytest.raises(RequestError, match=r'^the path variable "number": expected an integer') as caught:
        bound("/a/{number}", path)
    assert caught.value.http_status == 400


def test_path_variables_overwrite_what_the_body_sets() -> None:
    there = bound("/{name=a/*}/{book.pages}/{since}", "/a/b/0/2000-01-01T00:00:00.5Z", body="*", **POST)
    assert played(
        there, '{"name":"x","book":{"name":"n","pages":"5"},"since":"1999-01-01T00:00:00.7Z","loud":true}'
    ) == (
        [{"name": "a/b", "book": {"name": "n"}, "since": "2000-01-01T00:00:00.500Z", "loud": True}],
        None,
    )


def test_path_variables_overwrite_another_member_of_their_oneof() -> None:
    assert played(bound("/a/{user}", "/a/u", body="*", **POST), '{"badge":1}') == ([{"user": "u"}], None)


def test_streams_refuse_what_contradicts_the_path() -> None:
    there = bound("/{name=a/*}/{book.edition}/{user}/{limit}/{weight}", "/a/b/0/u/5/NaN", body="*", strict=True, **POST)
    whole = {"name": "a/b", "book": {"edition": 0}, "user": "u", "limit": 5, "weight": "NaN"}
    assert played(
        there,
        "{}",
        '{"name":"a/b"}',
        '{"book":{"edition":0},"user":"u","limit":5,"weight":"NaN"}',
        '{"name":"","book":{},"weight":0,"limit":null}',
    ) == ([whole] * 4, None)
    for body, field in [
        ('{"name":"a/c"}', "name"),
        ('{"book":{"edition":1}}', "book.edition"),
        ('{"user":""}', "user"),
        ('{"badge":0}', "user"),
        ('{"pupil":{}}', "user"),
        ('{"limit":0}', "limit"),
        ('{"weight":1}', "weight"),
    ]:
        assert played(there, "{}", body, "{}", "nonsense") == (
            [whole],
            f"the body: expected in {field} what the URL says, got something else",
        )


def test_the_first_of_two_errors_counts() -> None:
    there = bound("/a/{name}", "/a/x", body="*", strict=True, **POST)
    assert (
        played(there, '{"name":"y"}', "nonsense")[1]
        == "the body: expected in name what the URL says, got something else"
    )
    messages, error = there.decode([b"{}", b"[]", b'{"name":"y"}'])
    assert (len(messages), type(error), str(error)) == (
        1,
        DecodeError,
        "library.Request: expected an object, got an array at $",
    )


def test_without_a_body_there_must_be_none() -> None:
    there = bound("/a/{name}", "/a/x", "number=1")
    assert plain(there.empty()) == {"name": "x", "number": "1"}
    assert there.empty() is not there.empty()
    assert played(there) == ([], None)
    assert played(there, "{}") == ([], "expected no body here, got one")


def test_a_body_field_that_is_a_message() -> None:
    there = bound("/a/{name}", "/a/x", "number=1&tags=t", body="book", **POST)
    frames = ['{"pageTitle":"t"}', "{}", ' {"sequel":{"pages":"x"}} ']
    assert played(there, *frames) == (
        [
            {"name": "x", "number": "1", "tags": ["t"], "book": {"page_title": "t"}},
            {"name": "x", "number": "1", "tags": ["t"], "book": {}},
        ],
        "library.Book: expected an integer, got a string that is not a number at $.sequel.pages",
    )
    assert plain(there.empty()) == {"name": "x", "number": "1", "tags": ["t"]}


def test_path_variables_inside_the_body_field() -> None:
    template, path = "/{book.name=a/*}/{book.pages}", "/a/b/0"
    there = bound(template, path, "number=1", body="book", **POST)
    assert played(there, '{"name":"x","pages":7,"genre":"POEM"}', "{}") == (
        [{"number": "1", "book": {"name": "a/b", "genre": "POEM"}}, {"number": "1", "book": {"name": "a/b"}}],
        None,
    )
    strict = bound(template, path, "number=1", body="book", strict=True, **POST)
    assert played(strict, '{"name":"a/b","pages":0}', '{"pages":7}') == (
        [{"number": "1", "book": {"name": "a/b"}}],
        "the body: expected in book.pages what the URL says, got something else",
    )


def test_a_path_variable_inside_a_body_field_that_is_in_a_oneof() -> None:
    there = bound("/{pupil.name}", "/n", body="pupil", **POST)
    assert played(there, '{"pages":"1"}') == ([{"pupil": {"name": "n", "pages": "1"}}], None)


@pytest.mark.parametrize(
    ("field", "body", "value"),
    [
        ("tags", '["a","b"]', ["a", "b"]),
        ("tags", " [] ", None),
        ("books", '[{"name":"n"},{}]', [{"name": "n"}, {}]),
        ("shelf", '{"k":{"name":"n"}}', {"k": {"name": "n"}}),
        ("labels", '{"7":"x"}', {"7": "x"}),
        ("number", '"9007199254740993"', "9007199254740993"),
        ("name", '"a\\"}"', 'a"}'),
        ("loud", "true\n", True),
        ("loud", "null", None),
        ("genre", '"POEM"', "POEM"),
        ("genre", "3", "POEM"),
        ("note", '""', ""),
        ("raw", '"_w"', "/w=="),
        ("user", '"u"', "u"),
        ("strange", '"x"', "x"),
        ("a_b", '"x"', "x"),
        ("swapped", '"x"', "x"),
        ("since", '"2000-01-01T00:00:00Z"', "2000-01-01T00:00:00Z"),
        ("limit", "0", 0),
        ("value", "null", None),
        ("extra", '{"a":1}', {"a": 1.0}),
        ("genres", '["POEM",1]', ["POEM", "NOVEL"]),
    ],
)
def test_a_body_field_may_be_of_any_type(field: str, body: str, value: object) -> None:
    there = bound("/a", "/a", body=field, **POST)
    absent = value is None and field != "value"
    assert played(there, body) == ([{} if absent else {field: value}], None)


@pytest.mark.parametrize(
    ("field", "body", "path"),
    [
        ("tags", "{}", "$"),
        ("tags", '["a",{}]', "$[1]"),
        ("books", '[{},{"sequel":{"pages":{}}}]', "$[1].sequel.pages"),
        ("labels", '{"7":"x","8":[]}', '$["8"]'),
        ("shelf", '{"a.b":{"nope":1}}', '$["a.b"].nope'),
        ("shelf", '{"$.a":{"nope":1}}', '$["$.a"].nope'),
        ("number", '"x"', "$"),
        ("genre", '"LOUD"', "$"),
        ("strange", "1", "$"),
        ("limit", "{}", "$"),
        ("book", '{"tags":[1]}', "$.tags[0]"),
    ],
)
def test_the_path_of_an_error_is_that_in_the_clients_own_document(field: str, body: str, path: str) -> None:
    messages, error = bound("/a", "/a", body=field, **POST).decode([body.encode()])
    assert messages == []
    assert isinstance(error, DecodeError)
    assert error.path == path


@pytest.mark.parametrize("field", ["books", "book"])
def test_a_body_with_too_much_in_it_is_refused_as_one_that_is_too_large(field: str) -> None:
    there = bound("/a", "/a", body=field, options=CodecOptions(max_objects=2), **POST)
    _, error = there.decode([b"[{},{},{}]" if field == "books" else b'{"tags":[[[]]]}'])
    assert error is not None
    assert (error.code, error.http_status) == (Code.RESOURCE_EXHAUSTED, 413)
    assert str(error).endswith(": expected at most 2 objects and arrays in one message, got more at $")


@pytest.mark.parametrize(
    "body",
    [b'"a"],"name":["x"', b'["a"],"name":"x"', b'["a"],"name":"x"}{', b'["a"]}', b'["a"]} {', b"", b" ", b"[", b'["a"',
     b'["a"] 1', b"]", b'["a"]]', b'["a"],', b"a", b'["\xff', b'["\xff"]', b"[" * 3000 + b"]" * 3000, b"\xef\xbb\xbf[]",
     b'["a"]//', b"[1,]", b'{"a":1}}', b'"\xc0"'],
)  # fmt: skip
@pytest.mark.parametrize("field", ["tags", "name", "labels", "number"])
def test_a_body_cannot_break_out_of_its_field(field: str, body: bytes) -> None:
    messages, error = bound("/a", "/a", body=field, **POST).decode([body])
    assert messages == []
    assert isinstance(error, DecodeError)
    assert error.path == "$" or set(error.path) <= set("$[]0123456789")


def test_a_bad_body_after_good_ones_loses_none() -> None:
    there = bound("/a/{name}", "/a/x", body="tags", **POST)
    good = {"name": "x", "tags": ["a"]}
    assert [played(there, *frames)[0] for frames in (['["a"]', "["], ['["a"]', "{}"], ["[", '["a"]'])] == [
        [good],
        [good],
        [],
    ]


def test_whole_requests_on_any_binding() -> None:
    frames = ["{}", '{"book":{"genre":"POEM"},"tags":["t"],"labels":{"1":"x"}}', '{"number":1}']
    there = bound("/a/{name}", "/a/x", "book.pages=3", strict=True, whole=True)
    both = {"name": "x", "book": {"pages": "3"}}
    assert played(there, *frames) == (
        [
            both,
            {**both, "book": {"genre": "POEM", "pages": "3"}, "tags": ["t"], "labels": {"1": "x"}},
            {**both, "number": "1"},
        ],
        None,
    )
    assert plain(there.empty()) == both
    beside_body = bound("/a/{name}", "/a/x", "book.pages=3", strict=True, whole=True, body="book", **POST)
    assert played(beside_body, *frames) == played(there, *frames)
    assert (
        played(there, '{"book":{"pages":4}}')[1]
        == "the body: expected in book.pages what the URL says, got something else"
    )


def test_lists_and_maps_of_a_query_beside_whole_requests() -> None:
    query = "tags=a&labels[1]=x"
    both = {"tags": ["a"], "labels": {"1": "x"}}
    strict = bound("/a", "/a", query, strict=True, whole=True)
    assert played(strict, "{}", '{"tags":["a"],"labels":{"1":"x"}}', '{"tags":["a","b"]}') == (
        [both, both],
        "the body: expected in tags what the URL says, got something else",
    )
    assert played(strict, '{"labels":{"2":"x"}}')[0] == []
    assert played(bound("/a", "/a", query, whole=True), '{"tags":["b"],"labels":{"2":"x"}}') == ([both], None)


def decoded(found: Decoded) -> tuple[list[Any], str | None]:
    messages, error = found
    return [plain(message) for message in messages], None if error is None else str(error)


def test_a_form_binds_like_a_query_where_the_body_is_all() -> None:
    there = bound("/a/{name}", "/a/x", body="*", **POST)
    long = {
        "name": "x",
        "number": "10",
        "tags": ["a b", "c"],
        "book": {"name": "&"},
        "labels": {"1": "x"},
    }
    assert decoded(there.form([b"number=010&tags=a+b&tags=c&book.name=%26&labels[1]=x", b""])) == (
        [long, {"name": "x"}],
        None,
    )
    assert decoded(bound("/a", "/a", body="*", **POST).form([b"loud=1"])) == ([{"loud": True}], None)
    assert decoded(there.form([b"", b"name=y", b""])) == (
        [{"name": "x"}],
        'the form field "name": expected what the path says, got something else',
    )
    assert decoded(there.form([b"&" * 9_999])) == ([{"name": "x"}], None)
    assert decoded(there.form([b"&" * 10_000])) == ([], "the form: expected at most 10000 parameters, got more")
    assert decoded(there.form([b"name=%zz"])) == ([], "the form has a '%' without two hexadecimal digits after it")
    with pytest.raises(UsageError):
        bound("/a", "/a", body="book", **POST).form([b""])


def test_the_values_in_all_parameters_of_a_form_are_bounded_together() -> None:
    there = bound("/a", "/a", body="*", options=CodecOptions(max_objects=2), **POST)
    some = b"value=[1,1,1,1]&book.free=[1,1,1,1]&tags=,,,,,,,,,"
    messages, refusal = there.form([some, some + b"&pupil.free=[1,1,1,1]"])
    assert len(messages) == 1
    assert isinstance(refusal, RequestError)
    assert (refusal.code, refusal.http_status) == (Code.RESOURCE_EXHAUSTED, 413)
    assert str(refusal) == "the form: expected at most 8 values, got more"


def test_the_wire_form_of_the_whole_message() -> None:
    there = bound("/a/{name}", "/a/x", body="*", **POST)
    bodies = [b"\x10\x05", b"", b"\x0a\x01y"]  # number: 5, nothing, name: "y"
    assert decoded(there.wire(bodies)) == ([{"name": "x", "number": "5"}, {"name": "x"}, {"name": "x"}], None)
    refusal = "library.Request: expected the protobuf wire form of the message"
    assert decoded(there.wire([b"", b"\x0a\x09y", b""])) == ([{"name": "x"}], refusal)
    assert decoded(bound("/a", "/a", body="*", **POST).wire(bodies[:1])) == ([{"number": "5"}], None)
    strict = bound("/a/{name}", "/a/x", strict=True, body="*", **POST)
    assert decoded(strict.wire(bodies)) == (
        [{"name": "x", "number": "5"}, {"name": "x"}],
        "the body: expected in name what the URL says, got something else",
    )


def test_the_wire_form_of_one_field() -> None:
    there = bound("/a/{name}", "/a/x", "loud=1", body="book", **POST)
    assert decoded(there.wire([b"\x18\x05", b""])) == (
        [{"name": "x", "loud": True, "book": {"pages": "5"}}, {"name": "x", "loud": True, "book": {}}],
        None,
    )
    assert decoded(there.wire([b"\xff"])) == ([], "library.Book: expected the protobuf wire form of the message")
    other = bound("/a", "/a", "user=x", body="pupil", **POST)
    assert decoded(other.wire([b""])) == (
        [],
        "the query: expected one member of the oneof who, got another one as well",
    )
    for field in ("number", "tags", "books", "labels"):
        with pytest.raises(UsageError):
            bound("/a", "/a", body=field, **POST).wire([b""])


def test_what_the_wire_form_would_become_is_bounded() -> None:
    there = bound("/a", "/a", body="*", options=CodecOptions(max_objects=2), **POST)
    book = there.decode([b'{"book":{}}'])[0][0].SerializeToString()
    assert decoded(there.wire([book, book * 2, book * 3, book])) == (
        [{"book": {}}] * 2,
        "library.Request: expected at most 2 messages in one message, got more at $",
    )
    _, refusal = there.wire([book * 3])
    assert isinstance(refusal, RequestError)
    assert (refusal.code, refusal.http_status) == (Code.RESOURCE_EXHAUSTED, 413)


def test_required_fields_in_the_wire_form() -> None:
    there = bound("/a/{name}", "/a/x", body="*", name="Old", **POST)
    assert decoded(there.wire([b"\x12\x02\x08\x01"])) == ([{"name": "x", "inner": {"a": 1}}], None)
    assert decoded(there.wire([b"\x12\x00"])) == ([], "old.Request: expected the required fields inner.a, got none")


def test_pieces_of_a_body_that_is_the_whole_message() -> None:
    raw = bound("/a", "/a", body="*", name="Raw", **POST).pieces("image/png; q=1")
    assert decoded(raw([b"\x00", b""])) == ([{"content_type": "image/png; q=1", "data": "AA=="}, {}], None)
    assert decoded(raw([b"\x01"])) == ([{"data": "AQ=="}], None)


def test_pieces_of_a_body_that_is_one_field() -> None:
    there = bound("/a/{name}", "/a/x", "note=n", body="file", name="Upload", **POST)
    raw = there.pieces("text/plain")
    assert decoded(raw([])) == ([], None)
    assert decoded(raw([b"", b"\x01"])) == (
        [{"name": "x", "note": "n", "file": {"content_type": "text/plain"}}, {"file": {"data": "AQ=="}}],
        None,
    )
    assert decoded(there.pieces("")([b"\x02"])) == ([{"name": "x", "note": "n", "file": {"data": "Ag=="}}], None)
    for body in ("*", "files", "note"):
        with pytest.raises(UsageError):
            bound("/a", "/a", body=body, name="Upload", **POST).pieces("")


def test_pieces_that_contradict_the_query() -> None:
    there = bound("/a", "/a", "file.content_type=a/b", body="file", name="Upload", **POST)
    assert decoded(there.pieces("a/b")([b""])) == ([{"file": {"content_type": "a/b"}}], None)
    refusal = "the query: expected in file.content_type what the body says, got something else"
    assert decoded(there.pieces("a/c")([b"", b""])) == ([], refusal)
    other = bound("/a", "/a", "text=x", body="file", name="Upload", **POST)
    refusal = "the query: expected one member of the oneof what, got another one as well"
    assert decoded(other.pieces("a/b")([b""])) == ([], refusal)


def test_required_fields_may_come_from_the_path() -> None:
    there = bound("/a/{name}", "/a/x", body="*", name="Old", **POST)
    missing = "old.Request: expected the required fields inner.a, got none"
    assert played(there, "{}", '{"inner":{"a":1}}', '{"inner":{"b":1}}') == (
        [{"name": "x"}, {"name": "x", "inner": {"a": 1}}],
        missing,
    )
    inside = bound("/a/{inner.a}", "/a/5", "name=x", body="inner", name="Old", **POST)
    assert played(inside, '{"b":1}') == ([{"name": "x", "inner": {"a": 5, "b": 1}}], None)
    nowhere = bound("/a/{inner.a}", "/a/5", body="inner", name="Old", **POST)
    assert played(nowhere, "{}") == ([], "old.Request: expected the required fields name, got none")
    with pytest.raises(RequestError, match="the required fields name"):
        nowhere.empty()
    assert played(bound("/a", "/a", body="numbers", name="Old", **POST), "[1]")[0] == []


def test_required_fields_without_bindings() -> None:
    there = bound("/a", "/a", body="*", name="Old", **POST)
    assert played(there, '{"name":"x"}', "{}") == (
        [{"name": "x"}],
        "old.Request: expected this required field, got none at $.name",
    )
    with pytest.raises(RequestError, match="the required fields name"):
        there.empty()
    assert decoded(there.form([b"number=1"])) == ([], "old.Request: expected the required fields name, got none")
    assert decoded(there.form([b"name=x"])) == ([{"name": "x"}], None)


def test_unknown_fields_follow_the_codecs_options() -> None:
    options = CodecOptions(ignore_unknown=True)
    there = bound("/a/{name}", "/a/x", body="book", options=options, **POST)
    assert played(there, '{"nope":1}') == ([{"name": "x", "book": {}}], None)


@pytest.mark.parametrize(
    ("binding", "problem"),
    [
        (rule("/a", response_body="nope"), "expected the response_body to name a field of REQUEST, but it has no nope"),
        (rule("/a", response_body="a.b"), "expected the response_body to name a field at the top level, not a.b"),
        (rule("/{nope}"), "expected a field of library.Request, but it has no nope"),
        (rule("/{book.nope}"), "expected a field of library.Request, but it has no book.nope"),
        (rule("/{updateMask}"), "expected a field of library.Request, but it has no updateMask"),
        (rule("/{name.x}"), "expected a message before the '.', got the field name, which has no parts"),
        (rule("/{books.name}"), "expected a message before the '.', got the field books, which has no parts"),
        (rule("/{tags}"), "expected a singular field in the path, but tags is repeated"),
        (rule("/{labels}"), "expected a singular field in the path, but labels is repeated"),
        (rule("/{book}"), "expected a field in the path that one text can hold, but book is a library.Book"),
        (rule("/{any}"), "expected a field in the path that one text can hold, but any is a google.protobuf.Any"),
        (rule("/{user}/{badge}"), "expected one member of the oneof who, but badge is a second one"),
        (rule("/{user}/{pupil.name}"), "expected one member of the oneof who, but pupil.name is a second one"),
        (rule("/{user}", "pupil"), "expected one member of the oneof who, but user is a second one"),
        (rule("/a", "nope"), "expected the body to name a field of library.Request, but it has no nope"),
        (rule("/a", "book.name"), "expected the body to name a field at the top level, not book.name"),
        (rule("/{name}", "name"), "expected the path and the body to set different fields, but both set name"),
        (rule("a"), "the path template 'a': expected a '/' at the start"),
    ],
)  # fmt: skip
def test_a_rule_that_does_not_fit_the_messages_is_refused_while_wiring(binding: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Router([method("Do", binding)])
    assert str(caught.value) == f"library.Library.Do: GET {binding.template}: {problem}".replace(
        "REQUEST", "library.Request"
    )


def test_messages_are_of_the_methods_own_class() -> None:
    assert REQUEST is GetMessageClass(METHODS["Do"].input)
    for template, body in [("/a", "*"), ("/a/{name}", "*"), ("/a", "book"), ("/a", "tags")]:
        match = matched(template, template.replace("{name}", "x"), body=body, **POST)
        there = match.bind(b"", strict=False)
        messages, _ = there.decode([b"[]" if body == "tags" else b"{}"])
        assert [type(message) for message in [*messages, there.empty()]] == [REQUEST, REQUEST]


PIECES = st.sampled_from(
    ['"a"', '["a"', "[", "]", "{", "}", ",", ":", '"name"', '"name":"x"', '"tags"', "null", "1", " ", "\\", '"', '\\"']
)  # fmt: skip


@given(
    st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=8),
    st.sampled_from(["tags", "number", "labels", "note"]),
)
def test_no_body_sets_another_field(body: str, field: str) -> None:
    messages, error = FIELDS[field].decode([body.encode("utf-8", "surrogatepass")])
    assert len(messages) == (error is None)
    for message in messages:
        assert [descriptor.name for descriptor, _ in message.ListFields()] in ([], [field])


FIELDS = {field: bound("/a", "/a", body=field, **POST) for field in ("tags", "number", "labels", "note")}
