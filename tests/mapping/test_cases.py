"""The table of the HTTP mapping: each line of ``cases.jsonl`` is a request, and what becomes of it.

``source`` says which rule a case shows: google/api/http.proto, google/api/httpbody.proto, google/rpc/code.proto, the
ProtoJSON format, AIP-127, or a decision of ours where these are silent (``docs/map-urls.md``).

In comes ``request`` (method and target), ``headers``, ``body`` (or ``body_base64``), ``options`` of the middleware,
``sends`` (metadata and trailers of the service) or ``fails`` (its status). Out go ``status``, ``method``, the request
``message`` (or ``messages``) by proto names, ``metadata``, ``deadline_s``. Of the answer: ``data`` (of the envelope),
``answer_base64`` (all of it), ``answer_headers``, ``answer_trailers``, ``says`` (a part of an error's text).
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from asgi_grpc import CallError, Code, GrpcMiddleware, Limits
from asgi_grpc.testing import HttpExchange
from tests.asgi.fakes import FakeBackend, FakeCall
from tests.mapping.playing import echo, mapped

CASES: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("cases.jsonl").read_text("utf-8").splitlines()
]
SOURCES = ("http.proto", "httpbody.proto", "code.proto", "ProtoJSON", "AIP-127", "decision")
PEER = "127.0.0.1"


def binary(value: str) -> str | bytes:
    """A metadata value: bytes are written ``base64:…``."""
    return base64.b64decode(value[7:]) if value.startswith("base64:") else value


async def play(case: dict[str, Any], call: FakeCall) -> AsyncIterator[list[Message]]:
    """What the service of a case does."""
    sends = case.get("sends", {})
    call.initial_metadata = [(key, binary(value)) for key, value in sends.get("metadata", {}).items()]
    async for messages in echo(call):
        if "fails" in case:
            code, text = case["fails"]
            raise CallError(Code[code], text)
        yield messages
    call.trailers = [(key, binary(value)) for key, value in sends.get("trailers", {}).items()]


@cache
def wired(options: str) -> tuple[GrpcMiddleware, FakeBackend]:
    """A gateway for each set of options: to wire it takes longer than to play a case."""
    given = json.loads(options)
    if "limits" in given:
        given["limits"] = Limits(**given["limits"])
    return mapped(**given)


def gateway(options: str) -> tuple[GrpcMiddleware, FakeBackend]:
    """A gateway that remembers nothing."""
    app, backend = wired(options)
    backend.requests.clear()
    backend.calls.clear()
    backend.metadata = ()
    return app, backend


@pytest.mark.parametrize("case", [pytest.param(case, id=f"line {n}") for n, case in enumerate(CASES, 1)])
async def test_each_request_becomes_what_the_table_says(case: dict[str, Any]) -> None:
    app, backend = gateway(json.dumps(case.get("options", {})))
    backend.handler = lambda call: play(case, call)
    x = await ask(app, case)

    assert x.status == case["status"], x.body
    names = [call.method.full_name for call in backend.calls]
    called = [f"mapping.v1.Mapping.{case['method']}"] if "method" in case else []
    assert names[: len(called)] == called
    if "method" in case:
        expected = [case["message"]] if "message" in case else case["messages"]
        assert [MessageToDict(message, preserving_proto_field_name=True) for message in backend.requests] == expected
    else:
        assert backend.requests == []
    check_metadata(case, dict(backend.metadata))
    if "deadline_s" in case:
        assert backend.calls[0].deadline_s == case["deadline_s"]
    check_answer(case, x)


CUT_BY_NOTHING = [
    pytest.param(case, id=f"line {n}")
    for n, case in enumerate(CASES, 1)
    if "body" in case and case.get("method") not in ("UploadPieces", "RawPieces")  # there a piece is a message
]


@pytest.mark.parametrize("case", CUT_BY_NOTHING)
async def test_a_body_in_pieces_is_answered_like_a_whole_one(case: dict[str, Any]) -> None:
    app, backend = gateway(json.dumps(case.get("options", {})))
    backend.handler = lambda call: play(case, call)
    whole, pieces = [await ask(app, case, pieces=number) for number in (1, 2)]
    assert pieces.sent == whole.sent
    half = len(backend.requests) // 2
    assert backend.requests[half:] == backend.requests[:half]


async def ask(app: GrpcMiddleware, case: dict[str, Any], *, pieces: int = 1) -> HttpExchange:
    """Send a case's request, and wait for the end of the answer."""
    verb, _, target = case["request"].partition(" ")
    headers = [(name.encode(), value.encode("latin-1")) for name, value in case.get("headers", {}).items()]
    body = base64.b64decode(case["body_base64"]) if "body_base64" in case else case.get("body", "").encode()
    if body:
        headers.append((b"content-length", b"%d" % len(body)))  # as every client says
    extensions: dict[str, dict[str, Any]] = {"http.response.trailers": {}}
    async with HttpExchange(app, method=verb, path=target, headers=headers, extensions=extensions) as x:
        cuts = [len(body) * piece // pieces for piece in range(pieces + 1)]
        for start, stop in pairwise(cuts):
            await x.send_body(body[start:stop], more=stop < len(body))
        await x.ended()
    return x


def check_metadata(case: dict[str, Any], metadata: dict[str, str | bytes]) -> None:
    """Compare all metadata but those that every call has."""
    if "metadata" in case:
        if metadata.get("x-forwarded-for") == PEER:
            del metadata["x-forwarded-for"]
        assert metadata == {key: binary(value) for key, value in case["metadata"].items()}


def check_answer(case: dict[str, Any], x: HttpExchange) -> None:
    """Compare what a case says of the answer."""
    found = {name.decode(): value.decode() for name, value in x.headers}
    assert found.items() >= case.get("answer_headers", {}).items()
    if "data" in case:
        assert json.loads(x.body)["data"] == case["data"]
    if "answer_base64" in case:
        assert x.body == base64.b64decode(case["answer_base64"])
    if "says" in case:
        assert case["says"] in json.loads(x.body)["message"]
    if "answer_trailers" in case:
        assert x.sent[-1]["headers"] == [(k.encode(), v.encode()) for k, v in case["answer_trailers"].items()]


def test_the_table_is_large_and_every_case_has_a_source() -> None:
    assert len(CASES) >= 400
    assert all(case["source"].partition(": ")[0] in SOURCES for case in CASES)
    played = [json.dumps({**case, "source": ""}, sort_keys=True) for case in CASES]
    assert len(set(played)) == len(played)
