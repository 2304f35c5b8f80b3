"""Handlers whose own serializers fail."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from asgi_grpc.errors import Code
from asgi_grpc.schema import Method
from tests.calls.facts import AIO, SYNC, Outcome, serving
from tests.calls.servers import BIDI, ENDS, KINDS


def read(data: bytes) -> list[str]:
    if b"bad" in data:
        raise ValueError("secret")
    return [*StringValue.FromString(data).value]


def write(reply: list[str]) -> bytes:
    return StringValue(value="".join(reply)).SerializeToString()


class Echo:
    """Handlers of lists of letters."""

    async def unary(self, request: Any, context: Any) -> Any:
        return request

    async def down(self, request: Any, context: Any) -> Any:
        yield request

    async def up(self, requests: Any, context: Any) -> Any:
        return [letter async for request in requests for letter in request]

    async def bidi(self, requests: Any, context: Any) -> Any:
        async for request in requests:
            yield request


class SyncEcho:
    """The same."""

    def unary(self, request: Any, context: Any) -> Any:
        return request

    def down(self, request: Any, context: Any) -> Any:
        yield request

    def up(self, requests: Any, context: Any) -> Any:
        return [letter for request in requests for letter in request]

    def bidi(self, requests: Any, context: Any) -> Any:
        yield from requests


def registered(name: str) -> dict[str, Any]:
    echo: Any = Echo() if name in AIO else SyncEcho()
    return {
        "Unary": grpc.unary_unary_rpc_method_handler(echo.unary, read, write),
        "Down": grpc.unary_stream_rpc_method_handler(echo.down, read, write),
        "Up": grpc.stream_unary_rpc_method_handler(echo.up, read, write),
        "Bidi": grpc.stream_stream_rpc_method_handler(echo.bidi, read, write),
    }


# Not for streams of requests at a grpc.server: its thread waits for ever.
CASES = [
    (end, kind) for end in ENDS for kind in KINDS if end not in SYNC or "server" not in end or not kind.client_streaming
]


@pytest.mark.parametrize(("name", "kind"), CASES, ids=lambda case: getattr(case, "kind", case))
async def test_a_request_that_the_servicer_cannot_read_ends_its_call(name: str, kind: Method) -> None:
    async with serving(name, registered=registered(name)) as call:
        assert await call(kind, ["good"]) == Outcome(["good"])
        outcome = await call(kind, ["bad"])
    assert outcome.status == ([], Code.UNKNOWN if name in AIO else Code.INTERNAL)
    if name not in AIO:
        assert outcome.message == "Exception deserializing request!"


@pytest.mark.parametrize("name", [*AIO, SYNC[1]])
async def test_requests_before_one_that_cannot_be_read_are_served(name: str) -> None:
    async with serving(name, registered=registered(name)) as call:
        assert await call(BIDI, ["a", "b"]) == Outcome(["a", "b"])
        outcome = await call(BIDI, ["a", "bad", "b"], None)
    assert outcome.status == (["a"], Code.UNKNOWN if name in AIO else Code.INTERNAL)
