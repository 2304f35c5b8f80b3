"""The contexts have all that grpcio's have: as documented, and as its servers hand them out."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import grpc
import grpc._server
import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from asgi_grpc.calls._context import AsyncContext
from asgi_grpc.calls._sync import SyncContext
from tests.calls.facts import AIO, SYNC, Outcome, serving
from tests.calls.servers import UNARY


def public(kind: type) -> list[str]:
    return [name for name in dir(kind) if not name.startswith("_")]


def documented() -> Iterator[Any]:
    for theirs, ours in [(grpc.aio.ServicerContext, AsyncContext), (grpc.ServicerContext, SyncContext)]:
        for name in public(theirs):
            yield pytest.param(theirs, ours, name, id=f"{ours.__name__}.{name}")


@pytest.mark.parametrize(("theirs", "ours", "name"), list(documented()))
def test_every_documented_method_is_there_and_called_alike(theirs: type, ours: type, name: str) -> None:
    their_method, our_method = getattr(theirs, name), getattr(ours, name)
    assert our_method.__module__.startswith("asgi_grpc."), "it is grpcio's own, which raises NotImplementedError"
    assert inspect.iscoroutinefunction(our_method) == inspect.iscoroutinefunction(their_method)
    expected = list(inspect.signature(their_method).parameters.values())
    found = list(inspect.signature(our_method).parameters.values())
    assert [each.name for each in found[: len(expected)]] == [each.name for each in expected]
    for each, like in zip(found, expected, strict=False):
        assert each.kind is like.kind
        assert like.default is inspect.Parameter.empty or each.default == like.default
    assert all(each.default is not inspect.Parameter.empty for each in found[len(expected) :])


@pytest.mark.parametrize("name", [AIO[0], SYNC[0]])
async def test_every_method_that_a_server_hands_out_is_there(name: str) -> None:
    handed_out: list[str] = []

    async def unary(request: StringValue, context: Any) -> StringValue:
        handed_out.extend(public(type(context)))
        return request

    def sync_unary(request: StringValue, context: Any) -> StringValue:
        handed_out.extend(public(type(context)))
        return request

    behaviour: Any = unary if name == AIO[0] else sync_unary
    async with serving(name, unary=behaviour) as call:
        assert await call(UNARY, ["a"]) == Outcome(["a"])
    ours = AsyncContext if name == AIO[0] else SyncContext
    assert [each for each in handed_out if not hasattr(ours, each)] == []


@pytest.mark.parametrize("ours", [AsyncContext, SyncContext])
def test_what_means_nothing_here_says_so(ours: type[Any]) -> None:
    for method in (ours.set_compression, ours.disable_next_message_compression):
        assert method.__doc__.startswith("Nothing")
