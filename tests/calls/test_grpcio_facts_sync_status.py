"""Facts of grpcio's tests of codes, details and metadata of sync handlers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import grpc
import pytest

from asgi_grpc.errors import Code, Metadata
from asgi_grpc.schema import Method
from tests.calls.facts import SYNC, Outcome, serving, sync_fact, text
from tests.calls.servers import BIDI, DOWN, UNARY, UP

ASKED = (("client-md-key", "client-md-key"), ("client-md-key-bin", b"\x00\x01"))
INITIAL = (("server-initial-md-key", "initial"), ("server-initial-md-key-bin", b"\x00\x02"))
TRAILING = (("server-trailing-md-key", "trailing"), ("server-trailing-md-key-bin", b"\x00\x03"))
REQUESTS = {UNARY: ["a"], DOWN: ["a"], UP: ["a"] * 200, BIDI: ["a"] * 200}
REPLIES = {UNARY: 1, DOWN: 100, UP: 1, BIDI: 66}
NAMES = {UNARY: "UnaryUnary", DOWN: "UnaryStream", UP: "StreamUnary", BIDI: "StreamStream"}


@dataclass
class Servicer:
    """Sends metadata in both places, then does what it is told to.

    Attributes:
        code: of an abort, or to be set.
        details: of an abort, or to be set.
        aborts: by ``abort()``.
        raises: at its end.
        returns_none: instead of a reply.
    """

    code: Any = None
    details: str | None = None
    aborts: bool = False
    raises: bool = False
    returns_none: bool = False
    asked: list[Any] = field(default_factory=list)
    read_back: list[Any] = field(default_factory=list)

    def begin(self, context: Any) -> None:
        self.asked += [tuple(pair) for pair in context.invocation_metadata() if pair[0] != "user-agent"]
        context.send_initial_metadata(INITIAL)
        context.set_trailing_metadata(TRAILING)

    def status(self, context: Any) -> None:
        if self.aborts:
            context.abort(self.code, self.details)
        if self.code is not None:
            context.set_code(self.code)
        if self.details is not None:
            context.set_details(self.details)
        self.read_back += [context.code(), context.details(), context.trailing_metadata()]

    def end(self) -> Any:
        if self.raises:
            raise RuntimeError
        return None if self.returns_none else text("r")

    def unary(self, request: Any, context: Any) -> Any:
        self.begin(context)
        self.status(context)
        return self.end()

    def down(self, request: Any, context: Any) -> Iterator[Any]:
        self.begin(context)
        self.status(context)
        for _ in range(REPLIES[DOWN]):
            yield text("r")
        self.end()

    def up(self, requests: Iterator[Any], context: Any) -> Any:
        self.begin(context)
        assert len(list(requests)) == len(REQUESTS[UP])
        self.status(context)
        return self.end()

    def bidi(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        self.begin(context)
        assert len(list(requests)) == len(REQUESTS[BIDI])
        self.status(context)
        for _ in range(REPLIES[BIDI]):
            yield text("r")
        self.end()

    async def outcome(self, name: str, kind: Method) -> Outcome:
        """Of one call, which has shown the request's metadata."""
        async with serving(name, unary=self.unary, down=self.down, up=self.up, bidi=self.bidi) as call:
            outcome = await call(kind, REQUESTS[kind], metadata=ASKED)
        assert self.asked == list(ASKED)
        if "server" in name and kind.server_streaming and not outcome.initial:
            outcome.initial = INITIAL  # grpcio's async channel may lose it where the status comes at the same time
        return outcome


def expected(
    kind: Method, code: Code = Code.OK, message: str = "", *, replies: int | None = None, initial: Metadata = INITIAL
) -> Outcome:
    if replies is None:
        replies = REPLIES[kind] if code is Code.OK or kind.server_streaming else 0
    return Outcome(["r"] * replies, code, message, initial, TRAILING)


def each_kind(of: str) -> pytest.MarkDecorator:
    """Run a test for all kinds, each of which has a test in grpcio."""
    return pytest.mark.parametrize(
        ("name", "kind"),
        [
            pytest.param(end, kind, id=f"_metadata_code_details_test.{of}{NAMES[kind]} @ {end}")
            for kind in REQUESTS
            for end in SYNC
        ],
    )


@each_kind("Successful")
async def test_metadata_passes_and_details_without_a_code_do_not(name: str, kind: Method) -> None:
    assert await Servicer(details="Test").outcome(name, kind) == expected(kind)


@each_kind("Aborted")
@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        pytest.param(grpc.StatusCode.NOT_FOUND, Code.NOT_FOUND, "Test", id="a-code"),
        pytest.param(3, Code.UNKNOWN, "Test", id="a-number"),
        pytest.param(grpc.StatusCode.OK, Code.UNKNOWN, "", id="ok"),
    ],
)
async def test_an_abort_fails_whatever_its_code(name: str, kind: Method, given: Any, code: Code, message: str) -> None:
    servicer = Servicer(code=given, details="Test", aborts=True)
    assert await servicer.outcome(name, kind) == expected(kind, code, message, replies=0)


@each_kind("CustomCode")
async def test_a_code_that_was_set_comes_after_the_replies(name: str, kind: Method) -> None:
    servicer = Servicer(code=grpc.StatusCode.NOT_FOUND, details="Test")
    assert await servicer.outcome(name, kind) == expected(kind, Code.NOT_FOUND, "Test")


@each_kind("CustomCodeException")
async def test_an_exception_keeps_what_was_set(name: str, kind: Method) -> None:
    servicer = Servicer(code=grpc.StatusCode.NOT_FOUND, details="Test", raises=True)
    assert await servicer.outcome(name, kind) == expected(kind, Code.NOT_FOUND, "Test")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param(end, kind, id=f"_metadata_code_details_test.CustomCodeReturnNone{NAMES[kind]} @ {end}")
        for kind in (UNARY, UP)
        for end in SYNC
    ],
)
async def test_a_code_needs_no_reply(name: str, kind: Method) -> None:
    servicer = Servicer(code=grpc.StatusCode.NOT_FOUND, details="Test", returns_none=True)
    assert await servicer.outcome(name, kind) == expected(kind, Code.NOT_FOUND, "Test")


@sync_fact("_metadata_code_details_test.CodeDetailsInContext")
async def test_what_was_set_is_read_back(name: str) -> None:
    servicer = Servicer(code=grpc.StatusCode.NOT_FOUND, details="Test")
    await servicer.outcome(name, UNARY)
    assert servicer.read_back == [grpc.StatusCode.NOT_FOUND, b"Test", TRAILING]


@sync_fact("_metadata_code_details_test.CodeDetailsInContext, before anything is set")
async def test_what_was_not_set_is_none(name: str) -> None:
    seen: list[Any] = []

    def unary(request: Any, context: Any) -> Any:
        seen.extend([context.code(), context.details(), context.trailing_metadata()])
        return request

    async with serving(name, unary=unary) as call:
        assert await call(UNARY, ["a"]) == Outcome(["a"])
    assert seen == [None, None, None]


class Status(NamedTuple):
    """As ``grpc.Status``."""

    code: Any
    details: str
    trailing_metadata: Any


grpc.Status.register(Status)


@sync_fact("_abort_test.abort")
async def test_nothing_runs_after_an_abort(name: str, caplog: pytest.LogCaptureFixture) -> None:
    went_on: list[str] = []

    def unary(request: Any, context: Any) -> None:
        context.abort(grpc.StatusCode.INTERNAL, "Abandon")
        went_on.append("never")

    async with serving(name, unary=unary) as call:
        assert await call(UNARY, ["a"]) == Outcome(code=Code.INTERNAL, message="Abandon")
    assert went_on == []
    assert caplog.records == []


@sync_fact("_abort_test.abort_with_status")
async def test_a_status_has_trailing_metadata(name: str) -> None:
    def unary(request: Any, context: Any) -> None:
        context.abort_with_status(Status(grpc.StatusCode.INTERNAL, "Abandon", (("a-trailing-metadata", "42"),)))

    async with serving(name, unary=unary) as call:
        outcome = await call(UNARY, ["a"])
    assert outcome == Outcome([], Code.INTERNAL, "Abandon", trailers=(("a-trailing-metadata", "42"),))


@sync_fact("_abort_test.invalid_code")
async def test_an_invalid_code_is_unknown(name: str) -> None:
    def bidi(requests: Any, context: Any) -> None:
        context.abort(42, "Abandon")

    async with serving(name, bidi=bidi) as call:
        assert await call(BIDI, ["a"]) == Outcome(code=Code.UNKNOWN, message="Abandon")


@pytest.mark.parametrize("name", SYNC)
@pytest.mark.parametrize("kind", [pytest.param(kind, id=f"_metadata_test.{NAMES[kind]}") for kind in REQUESTS])
async def test_metadata_keys_may_be_bytes(name: str, kind: Method) -> None:
    def begin(context: Any) -> None:
        context.send_initial_metadata(((b"initial-md-key", "initial"), ("initial-md-key-bin", b"\x00\x02")))
        context.set_trailing_metadata(TRAILING)

    def one(request_or_requests: Any, context: Any) -> Any:
        begin(context)
        if kind.client_streaming:
            list(request_or_requests)
        return text("r")

    def many(request_or_requests: Any, context: Any) -> Iterator[Any]:
        begin(context)
        if kind.client_streaming:
            list(request_or_requests)
        for _ in range(REPLIES[kind]):
            yield text("r")

    async with serving(name, unary=one, down=many, up=one, bidi=many) as call:
        outcome = await call(kind, REQUESTS[kind])
    initial = (("initial-md-key", "initial"), ("initial-md-key-bin", b"\x00\x02"))
    assert outcome == expected(kind, initial=initial)


@pytest.mark.parametrize("name", SYNC)
@pytest.mark.parametrize(
    "message",
    [
        pytest.param("\u201d", id="_error_message_encoding_test.MessageEncoding, a quote"),
        pytest.param("abc\x80\xd0\xaf", id="_error_message_encoding_test.MessageEncoding, controls"),
        pytest.param("\u00e9", id="_error_message_encoding_test.MessageEncoding, a letter"),
    ],
)
async def test_details_are_any_text(name: str, message: str) -> None:
    def unary(request: Any, context: Any) -> Any:
        context.set_code(grpc.StatusCode.UNKNOWN)
        context.set_details(request.value)
        return request

    async with serving(name, unary=unary) as call:
        assert await call(UNARY, [message]) == Outcome(code=Code.UNKNOWN, message=message)
