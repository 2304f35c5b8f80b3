"""From a method to its handler, by way of the interceptors."""

from __future__ import annotations

import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import grpc
import grpc.aio

from asgi_grpc.calls._handlers import Handler, inspect_handler
from asgi_grpc.calls._serving import Registered
from asgi_grpc.calls._state import CallState
from asgi_grpc.calls._sync import Workers
from asgi_grpc.errors import ConfigurationError
from asgi_grpc.schema import Method

Interceptor = grpc.ServerInterceptor | grpc.aio.ServerInterceptor
_Found = Any  # a grpc.RpcMethodHandler or None


class CallDetails(NamedTuple):
    """See ``grpc.HandlerCallDetails``."""

    method: str
    invocation_metadata: tuple[Any, ...]


grpc.HandlerCallDetails.register(CallDetails)


def sort_interceptors(
    interceptors: Sequence[Interceptor],
) -> tuple[tuple[grpc.aio.ServerInterceptor, ...], tuple[grpc.ServerInterceptor, ...]]:
    """The async ones and the sync ones.

    Raises:
        ConfigurationError: one is neither, or an async one comes after a sync one, which could not wait for it.
    """
    asynchronous: list[grpc.aio.ServerInterceptor] = []
    synchronous: list[grpc.ServerInterceptor] = []
    for interceptor in interceptors:
        name = type(interceptor).__name__
        if isinstance(interceptor, grpc.aio.ServerInterceptor):
            if synchronous:
                raise ConfigurationError(f"interceptors: {name} is async and has to stand before the sync ones")
            asynchronous.append(interceptor)
        elif isinstance(interceptor, grpc.ServerInterceptor):
            synchronous.append(interceptor)
        else:
            raise ConfigurationError(
                f"interceptors: expected a grpc.aio.ServerInterceptor or a grpc.ServerInterceptor, got {name}"
            )
    return tuple(asynchronous), tuple(synchronous)


def fixed_handler(registry: Registered, method: Method) -> Handler | None:
    """The handler that every call of a method finds; None where interceptors or generic handlers decide each time."""
    if any(registry.sorted_interceptors) or not registry.is_fixed(method.path):
        return None
    found = registry.find(CallDetails(method.path, ()))
    return None if found is None else inspect_handler(found, method)


async def find_handler(registry: Registered, method: Method, state: CallState, workers: Workers) -> Handler | None:
    """The handler of a method for this call.

    Args:
        registry: has the handlers and the interceptors.
        method: that is called.
        state: of the call.
        workers: run the sync interceptors, which may block.

    Raises:
        Exception: what an interceptor raised.
    """
    details = CallDetails(method.path, state.invocation)
    asynchronous, synchronous = registry.sorted_interceptors
    if not asynchronous and not synchronous:
        found = registry.find(details)
        return None if found is None else inspect_handler(found, method)

    async def innermost(details: Any) -> _Found:
        if not synchronous:
            return registry.find(details)
        return await _in_thread(_chain(synchronous, registry.find), details, workers)

    found = await _async_chain(asynchronous, innermost)(details)
    return None if found is None else inspect_handler(found, method)


def _async_chain(
    interceptors: Sequence[grpc.aio.ServerInterceptor], innermost: Callable[[Any], Awaitable[_Found]]
) -> Callable[[Any], Awaitable[_Found]]:
    """Async interceptors round a continuation; the first one is outermost."""
    continuation = innermost
    for interceptor in reversed(interceptors):
        continuation = _async_link(interceptor, continuation)
    return continuation


def _async_link(
    interceptor: grpc.aio.ServerInterceptor, continuation: Callable[[Any], Awaitable[_Found]]
) -> Callable[[Any], Awaitable[_Found]]:
    async def link(details: Any) -> _Found:
        return await interceptor.intercept_service(continuation, details)

    return link


def _chain(
    interceptors: Sequence[grpc.ServerInterceptor], innermost: Callable[[Any], _Found]
) -> Callable[[Any], _Found]:
    """The same for sync interceptors."""
    continuation = innermost
    for interceptor in reversed(interceptors):
        continuation = _link(interceptor, continuation)
    return continuation


def _link(interceptor: grpc.ServerInterceptor, continuation: Callable[[Any], _Found]) -> Callable[[Any], _Found]:
    return lambda details: interceptor.intercept_service(continuation, details)


async def _in_thread(chain: Callable[[Any], _Found], details: Any, workers: Workers) -> _Found:
    """Run sync interceptors in a worker; what they put into context variables reaches the servicer."""
    context = contextvars.copy_context()
    found = await workers.run(context.run, chain, details)
    for variable, value in context.items():
        if variable.get(None) is not value:
            variable.set(value)
    return found
