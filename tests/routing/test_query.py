"""Query strings to fields."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.codec import CodecOptions
from asgi_grpc.errors import Code, RequestError
from tests.routing.library import bound, matched, plain, played


def read(query: str, **options: Any) -> dict[str, Any]:
    return plain(bound("/a", "/a", query, **options).empty())


def refused(query: str, template: str = "/a", path: str = "/a", **options: Any) -> str:
    with pytest.raises(RequestError) as caught:
        bound(template, path, query, **options)
    assert (caught.value.code, caught.value.http_status) == (Code.INVALID_ARGUMENT, 400)
    return str(caught.value)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", {}),
        ("name=a+b%2Bc", {"name": "a b+c"}),
        ("name&note", {"note": ""}),
        ("number=-9007199254740993", {"number": "-9007199254740993"}),
        ("number=010&small=00&limit=-007", {"number": "10", "limit": -7}),
        ("small=4294967295", {"small": 4294967295}),
        ("loud=true", {"loud": True}),
        ("loud=1", {"loud": True}),
        ("raw=-_8", {"raw": "+/8="}),
        ("raw=%2B/8=", {"raw": "+/8="}),
        ("weight=NaN&height=-Infinity", {"weight": "NaN", "height": "-Infinity"}),
        ("genre=POEM", {"genre": "POEM"}),
        ("genre=3", {"genre": "POEM"}),
        ("note=", {"note": ""}),
        ("tags=a,b&tags=c", {"tags": ["a,b", "c"]}),
        ("genres=NOVEL&genres=3", {"genres": ["NOVEL", "POEM"]}),
        ("limits=1&limits=2", {"limits": [1, 2]}),
        ("weights=1&weights=1e3", {"weights": [1.0, 1000.0]}),
        ("since=2000-01-01T00:00:00.5Z", {"since": "2000-01-01T00:00:00.500Z"}),
        ("wait=1.5s", {"wait": "1.500s"}),
        ("limit=0", {"limit": 0}),
        ("update_mask=pageTitle,book.name", {"update_mask": "pageTitle,book.name"}),
        ("updateMask=pages", {"update_mask": "pages"}),
        ('extra={"a":[1]}', {"extra": {"a": [1.0]}}),
        ("value=null", {"value": None}),
        ("book.page_title=x&book.pageTitle=y", None),
        ("book.sequel.pageTitle=x&book.pages=3", {"book": {"sequel": {"page_title": "x"}, "pages": "3"}}),
        ("book.copies[a.b]=1&book.copies[]=2", {"book": {"copies": {"a.b": 1, "": 2}}}),
        ("labels[7]=seven&labels%5B8%5D=eight", {"labels": {"7": "seven", "8": "eight"}}),
        ("labels[7]=a]b", {"labels": {"7": "a]b"}}),
        ("flags[true]=1", {"flags": {"true": "1"}}),
        ("shelf[x]=1", None),
        ("user=u", {"user": "u"}),
        ("pupil.name=n&pupil.pages=1", {"pupil": {"name": "n", "pages": "1"}}),
        ("very+strange+%5C+name=x", {"strange": "x"}),
        ("swapped=x", {"a_b": "x"}),
        ("aB=x", {"swapped": "x"}),
        ("a_b=x", {"a_b": "x"}),
        ("since.seconds=1&since.nanos=500000000", {"since": "1970-01-01T00:00:01.500Z"}),
        ("&&loud=1&", {"loud": True}),
    ],
)
def test_every_remaining_field_can_be_set(query: str, message: dict[str, Any] | None) -> None:
    if message is None:
        refused(query)
    else:
        assert read(query) == message


@pytest.mark.parametrize(
    ("query", "parameter", "problem"),
    [
        ("nope=1", "nope", "expected a field of library.Request, got an unknown name"),
        ("book.nope=1", "book.nope", "expected a field of library.Request, got an unknown name"),
        ("=1", "", "expected a field of library.Request, got an unknown name"),
        ("book..name=1", "book..name", "expected a field of library.Request, got an unknown name"),
        ("n%00%22=1", "n\ufffd\ufffd", "expected a field of library.Request, got an unknown name"),
        (f"{'x' * 90}=1", "x" * 59 + "\u2026", "expected a field of library.Request, got an unknown name"),
        ("name.x=1", "name.x", "expected a message before the '.', got the field name, which has no parts"),
        ("books.name=1", "books.name", "expected a message before the '.', got the field books, which has no parts"),
        ("labels.7=a", "labels.7", "expected a message before the '.', got the field labels, which has no parts"),
        ("name=a&name=a", "name", "expected a singular field once, got it again"),
        ("updateMask=a&update_mask=b", "update_mask", "expected a singular field once, got it again"),
        ("labels=7", "labels", "expected a map's parameter to be written name[key]=value"),
        ("labels[7=a", "labels[7", "expected a map's parameter to be written name[key]=value"),
        ("labels[7]x=a", "labels[7]x", "expected a map's parameter to be written name[key]=value"),
        ("tags[]=a", "tags[]", "expected a '[' only after a map, got one after another field"),
        ("book[name]=a", "book[name]", "expected a '[' only after a map, got one after another field"),
        ("labels[7]=a&labels[7]=b", "labels[7]", "expected a map's key once, got it again"),
        ("user=u&badge=1", "badge", "expected one member of a oneof, got another one as well"),
        ("user=u&pupil.name=n", "pupil.name", "expected one member of a oneof, got another one as well"),
        ("book.cents=1&book.barter=b", "book.barter", "expected one member of a oneof, got another one as well"),
    ],
)  # fmt: skip
def test_what_a_query_cannot_say_names_the_parameter(query: str, parameter: str, problem: str) -> None:
    assert refused(query) == f'the query parameter "{parameter}": {problem}'


@pytest.mark.parametrize(
    "query",
    ["number=1.5", "number=0x1f", "number=1_0", "number=", "number=-0x1", "small=-1", "small=4294967296", "loud=yes",
     "raw=!", "weight=x", "genre=LOUD", "genre=2", "since=now", "wait=1h", "limit=x", "book=x", "books=x", "extra={",
     "extra=[]", "labels[x]=a", "any=x", "update_mask=a_b"],
)  # fmt: skip
def test_a_text_of_another_type_is_refused_without_repeating_it(query: str) -> None:
    name, _, text = query.partition("=")
    said = refused(query)
    assert said.startswith(f'the query parameter "{name}": expected ')
    assert len(text) < 2 or repr(text) not in said


def test_two_branches_of_one_oneof_in_different_messages_are_fine() -> None:
    assert read("book.cents=1&book.sequel.barter=b&user=u") == {
        "user": "u",
        "book": {"cents": 1, "sequel": {"barter": "b"}},
    }


def test_unknown_names_are_skipped_if_asked_for() -> None:
    query = "nope=1&book.nope=1&loud=1&nope[x]=1&utm_source=%20"
    assert read(query, ignore_unknown_query=True) == {"loud": True}
    assert refused("name.x=1", ignore_unknown_query=True).startswith('the query parameter "name.x": expected a message')


def test_recursive_messages_end_at_the_depth_limit() -> None:
    options = CodecOptions(max_depth=5)
    assert read("book.sequel.sequel.sequel.name=x", options=options)
    assert refused("book.sequel.sequel.sequel.sequel.name=x", options=options).endswith(
        "expected at most 5 levels, got more"
    )
    assert refused("book." + "sequel." * 5000 + "name=x").endswith("expected at most 100 levels, got more")


def test_more_keys_than_are_remembered_still_work() -> None:
    match = matched("/a", "/a")
    for depth in [*range(90), 3, 1]:
        for leaf in ("name", "pages", "genre", "edition"):
            query = "book." + "sequel." * depth + leaf + "=1"
            assert match.bind(query.encode(), strict=False).empty().HasField("book")


@pytest.mark.parametrize("query", ["number=7", "number=007", "number=7&number=7"])
def test_a_query_may_repeat_the_path(query: str) -> None:
    assert plain(bound("/a/{number}", "/a/7", query).empty()) == {"number": "7"}


@pytest.mark.parametrize(
    ("template", "path", "query"),
    [
        ("/a/{number}", "/a/7", "number=8"),
        ("/a/{since}", "/a/2000-01-01T00:00:00Z", "since.seconds=946684800"),
        ("/a/{book.name}", "/a/x", "book.name=y"),
    ],
)
def test_a_query_may_not_contradict_the_path(template: str, path: str, query: str) -> None:
    name = query.partition("=")[0]
    said = refused(query, template, path)
    assert said == f'the query parameter "{name}": expected what the path says, got something else'


def test_a_query_may_repeat_not_a_number_of_the_path() -> None:
    assert plain(bound("/a/{weight}", "/a/NaN", "weight=NaN").empty()) == {"weight": "NaN"}
    assert refused("weight=1", "/a/{weight}", "/a/NaN").endswith("expected what the path says, got something else")


def test_a_query_may_not_set_another_member_of_the_paths_oneof() -> None:
    assert plain(bound("/a/{user}", "/a/u", "loud=1").empty()) == {"user": "u", "loud": True}
    assert refused("badge=1", "/a/{user}", "/a/u").endswith("expected one member of a oneof, got another one as well")


def test_a_query_may_repeat_the_body() -> None:
    query = "book.name=n&book.tags=a&book.tags=b&book.copies[x]=1&number=3"
    there = bound("/a", "/a", query, body="book", http_method="POST")
    good = '{"name":"n","tags":["a","b"],"copies":{"x":1},"pages":5}'
    assert played(there, good)[0] == [
        {"number": "3", "book": {"name": "n", "tags": ["a", "b"], "copies": {"x": 1}, "pages": "5"}}
    ]
    for bad, field in [
        ('{"name":"n","tags":["a"],"copies":{"x":1}}', "tags"),
        ('{"name":"n","tags":["a","b"],"copies":{"x":2}}', "copies"),
        ('{"tags":["a","b"],"copies":{"x":1}}', "name"),
    ]:
        messages, error = played(there, good, bad, good)
        assert len(messages) == 1
        assert error == f"the query: expected in book.{field} what the body says, got something else"
    with pytest.raises(RequestError, match=r"^the query: expected in book.name what the body says"):
        there.empty()


def test_a_query_may_say_of_an_absent_body_that_it_is_empty() -> None:
    assert plain(bound("/a", "/a", "book.pages=0&loud=1", body="book", http_method="POST").empty()) == {"loud": True}


def test_a_query_beside_a_body_of_all_is_nobodys_business() -> None:
    there = bound("/a/{number}", "/a/1", "nope=1&number=7&%zz", body="*", http_method="POST")
    assert plain(there.empty()) == {"number": "1"}


def test_a_query_and_the_body_field_may_not_be_members_of_one_oneof() -> None:
    there = bound("/a", "/a", "user=u", body="pupil", http_method="POST")
    assert plain(there.empty()) == {"user": "u"}
    assert played(there) == ([], None)
    assert played(there, "{}") == (
        [],
        "the query: expected one member of the oneof who, got another one as well",
    )


NAMES = st.sampled_from(
    ["name", "number", "book", "book.name", "books", "labels[1]", "labels[", "flags[true]", "user", "badge", "value",
     "x", "extra", "since", "", ".", "[]", "book.copies[k]", "%", "%zz", "%ff", "tags", "pupil.sequel.tags", "any"]
)  # fmt: skip
TEXTS = (
    st.sampled_from(["", "1", "true", "{}", "x", "+", "%20", "%", "%c0", "null", "9" * 400, "1e999", "="]) | st.text()
)


@given(st.lists(st.tuples(NAMES, TEXTS), max_size=5).map(lambda pairs: "&".join("=".join(pair) for pair in pairs)))
def test_a_query_gives_a_message_or_a_refusal(query: str) -> None:
    for raw in (query.encode("utf-8", "surrogatepass"), query.encode("utf-16", "surrogatepass")):
        try:
            message = EVERYTHING.bind(raw, strict=True).empty()
        except RequestError:
            continue
        assert message.IsInitialized()


EVERYTHING = matched("/a/{note}", "/a/n")
