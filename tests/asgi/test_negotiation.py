"""``Accept``, ``Content-Type`` and ``Content-Encoding``."""

from __future__ import annotations

import pytest

from asgi_grpc.asgi._negotiation import (
    choose_framer,
    choose_inflater,
    choose_single,
    choose_writer,
    media_type,
)
from asgi_grpc.errors import RequestError
from asgi_grpc.framing import Inflater, JsonFramer, JsonSeqFramer, SseWriter, WholeFramer
from asgi_grpc.limits import Limits

NDJSON = b"application/x-ndjson"
ACCEPTED = [
    pytest.param(None, NDJSON, id="no-header"),
    pytest.param("", NDJSON, id="empty"),
    pytest.param("*/*", NDJSON, id="anything"),
    pytest.param("application/*", NDJSON, id="any-application"),
    pytest.param("application/x-ndjson", NDJSON, id="ndjson"),
    pytest.param("application/ndjson", b"application/ndjson", id="ndjson-without-x"),
    pytest.param("application/jsonl", b"application/jsonl", id="json-lines"),
    pytest.param("application/json", b"application/json", id="array"),
    pytest.param("application/json-seq", b"application/json-seq", id="rfc-7464"),
    pytest.param("text/event-stream", b"text/event-stream", id="sse"),
    pytest.param("text/*", b"text/event-stream", id="any-text"),
    pytest.param("TEXT/Event-Stream", b"text/event-stream", id="case"),
    pytest.param("text/html, text/event-stream;q=0.5", b"text/event-stream", id="list"),
    pytest.param("application/json;q=0.5, text/event-stream;q=0.9", b"text/event-stream", id="quality"),
    pytest.param("application/json; charset=utf-8; q=0.9, */*;q=0.1", b"application/json", id="parameters"),
    pytest.param("application/x-ndjson;q=0, */*", b"application/ndjson", id="all-but"),
    pytest.param("application/json, text/plain, */*", b"application/json", id="named-beats-star"),
    pytest.param("application/json;q=oops", b"application/json", id="quality-that-is-none"),
    pytest.param("application/json,,", b"application/json", id="empty-elements"),
]


@pytest.mark.parametrize(("accept", "expected"), ACCEPTED)
def test_the_best_acceptable_framing_is_chosen(accept: str | None, expected: bytes) -> None:
    assert choose_writer(accept, named_events=True).media_type == expected


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "*/*;q=0", "image/*", "nonsense"])
def test_nothing_acceptable_is_406(accept: str) -> None:
    with pytest.raises(RequestError, match="application/x-ndjson") as caught:
        choose_writer(accept, named_events=True)
    assert caught.value.http_status == 406


def test_a_dialect_may_leave_the_events_without_names() -> None:
    writer = choose_writer("text/event-stream", named_events=False)
    assert isinstance(writer, SseWriter)
    assert b"event:" not in writer.messages([b"{}"])


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/*;q=0.1", "application/json"),
        ("text/html, */*", "application/json"),
        ("application/x-protobuf, application/json", "application/json"),
        ("application/x-protobuf", "application/x-protobuf"),
        ("application/protobuf, */*", "application/protobuf"),
        ("application/json;q=0.5, application/protobuf", "application/protobuf"),
        ("application/json;q=0, */*", "application/protobuf"),
    ],
)
def test_one_message_is_json_unless_the_client_wants_its_wire_form(accept: str | None, chosen: str) -> None:
    assert choose_single(accept, wire=True) == chosen


@pytest.mark.parametrize(
    ("accept", "wire"), [("application/x-ndjson", True), ("application/protobuf", False), ("*/*;q=0", True)]
)
def test_one_message_that_the_client_does_not_want_is_406(accept: str, wire: bool) -> None:
    with pytest.raises(RequestError, match="it offers application/json") as caught:
        choose_single(accept, wire=wire)
    assert caught.value.http_status == 406


@pytest.mark.parametrize(
    ("content_type", "streaming", "kind"),
    [
        ("", True, JsonFramer),
        ("application/x-ndjson", True, JsonFramer),
        ("application/ndjson", True, JsonFramer),
        ("application/jsonl", True, JsonFramer),
        ("application/json; charset=utf-8", True, JsonFramer),
        ("application/json-seq", True, JsonSeqFramer),
        ("", False, WholeFramer),
        ("Application/JSON", False, WholeFramer),
        ("application/x-ndjson", False, WholeFramer),
        ("application/merge-patch+json", False, WholeFramer),
    ],
)
def test_the_content_type_says_how_to_cut(content_type: str, streaming: bool, kind: type) -> None:
    assert isinstance(choose_framer(content_type, streaming=streaming, limits=Limits()), kind)


@pytest.mark.parametrize(
    ("content_type", "streaming"),
    [
        ("text/plain", True),
        ("application/x-www-form-urlencoded", False),
        ("application/json-seq", False),
        ("\xff", True),
    ],
)
def test_other_content_types_are_415(content_type: str, streaming: bool) -> None:
    with pytest.raises(RequestError, match="is not supported here: send application/") as caught:
        choose_framer(content_type, streaming=streaming, limits=Limits())
    assert caught.value.http_status == 415


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "deflate", " gzip "])
def test_two_codings_are_inflated(coding: str) -> None:
    assert isinstance(choose_inflater(coding, Limits()), Inflater)


@pytest.mark.parametrize("coding", ["", "identity"])
def test_no_coding_needs_no_stage(coding: str) -> None:
    assert choose_inflater(coding, Limits()) is None


@pytest.mark.parametrize("coding", ["br", "gzip, gzip"])
def test_other_codings_are_415_and_told_what_would_do(coding: str) -> None:
    with pytest.raises(RequestError, match="send gzip, deflate or none") as caught:
        choose_inflater(coding, Limits())
    assert caught.value.http_status == 415
    assert caught.value.headers == ((b"accept-encoding", b"gzip, deflate"),)


def test_media_types_lose_their_parameters() -> None:
    assert media_type(" Application/JSON ; charset=utf-8") == "application/json"
