"""``Servicers``: where generated code registers servicers that live in this process."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

import grpc
import grpc.aio

from asgi_grpc.calls._handlers import behaviour_of, deserialized_type
from asgi_grpc.calls._interceptors import Interceptor, sort_interceptors
from asgi_grpc.errors import ConfigurationError, UsageError
from asgi_grpc.schema import Method, Schema

_FIELDS = ("request_streaming", "response_streaming", "request_deserializer", "response_serializer")


class Servicers(grpc.aio.Server):
    """Stands where a ``grpc.aio.Server`` would, and listens nowhere: give it to ``GrpcMiddleware(servicers=...)``.

    ``add_XServicer_to_server(servicer, registry)`` of generated modules works unchanged, for async and sync servicers.

    Args:
        interceptors: ``grpc.aio.ServerInterceptor`` objects, then ``grpc.ServerInterceptor`` objects; the first is
            outermost. Sync ones run in a thread.
        max_workers: threads for sync servicers; each call keeps one from its beginning to its end.
        max_queue: calls of sync servicers that wait for a thread; more end with RESOURCE_EXHAUSTED.

    Raises:
        ConfigurationError: an option is wrong.
    """

    def __init__(
        self, *, interceptors: Sequence[Interceptor] = (), max_workers: int | None = None, max_queue: int = 100
    ) -> None:
        self.sorted_interceptors: tuple[tuple[grpc.aio.ServerInterceptor, ...], tuple[grpc.ServerInterceptor, ...]] = (
            sort_interceptors(interceptors)
        )
        self.max_workers: int = min(32, (os.cpu_count() or 1) + 4) if max_workers is None else max_workers
        self.max_queue = max_queue
        if self.max_workers < 1 or self.max_queue < 0:
            raise ConfigurationError(
                f"max_workers: expected at least 1, got {max_workers}; max_queue: at least 0, got {max_queue}"
            )
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}  # by path
        self._generic: list[grpc.GenericRpcHandler] = []
        self._names: dict[str, None] = {}
        self._sealed = False

    @property
    def service_names(self) -> list[str]:
        """Full names of the registered services, in order. Handlers without a service name add none."""
        return list(self._names)

    def add_registered_method_handlers(self, service_name: str, method_handlers: Mapping[str, Any]) -> None:
        """Register the methods of a service; generated code calls this.

        Args:
            service_name: full name.
            method_handlers: by the method's simple name.

        Raises:
            ConfigurationError: a handler can't be called, or the method has another one.
            UsageError: the registry is in use.
        """
        self._check_open()
        for name, handler in method_handlers.items():
            self._add(f"/{service_name}/{name}", handler)
        self._names[service_name] = None

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Iterable[Any]) -> None:
        """Register handlers that find methods themselves; generated code calls this, too.

        Raises:
            ConfigurationError: one is no ``grpc.GenericRpcHandler``, or as above.
            UsageError: the registry is in use.
        """
        self._check_open()
        for generic in generic_rpc_handlers:
            if not isinstance(generic, grpc.GenericRpcHandler):
                raise ConfigurationError(f"expected a grpc.GenericRpcHandler, got {type(generic).__name__}")
            methods = getattr(generic, "_method_handlers", None)  # of what grpc.method_handlers_generic_handler makes
            if isinstance(generic, grpc.ServiceRpcHandler):
                self._names[generic.service_name()] = None
            if isinstance(methods, dict):
                for path, handler in methods.items():
                    self._add(path, handler)
            else:
                self._generic.append(generic)

    def find(self, details: Any) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The handler of a call: a registered one, else the first that a generic handler knows.

        Args:
            details: a ``grpc.HandlerCallDetails``.
        """
        if (found := self._handlers.get(details.method)) is not None:
            return found
        answers = (generic.service(details) for generic in self._generic)
        return next((handler for handler in answers if handler is not None), None)

    def is_fixed(self, path: str) -> bool:
        """Whether every call of a path finds the same handler."""
        return path in self._handlers

    def seal(self, schema: Schema | None = None) -> Schema:
        """Check all registrations against the services that will be served, and take no more.

        Args:
            schema: the services; None: the registered ones, by the descriptors of their modules.

        Returns:
            The schema.

        Raises:
            ConfigurationError: a handler has no method, another kind than its method, or reads another message;
                nothing is registered; nothing tells its service; or no imported module defines a registered service.
        """
        if not self._handlers and not self._generic:
            raise ConfigurationError("no servicer is registered: call add_...Servicer_to_server(servicer, registry)")
        if schema is None and not self._names:
            raise ConfigurationError("no registered handler names its service: give a schema that has their methods")
        schema = schema or Schema.from_pool(*self._names)
        methods = {method.path: method for method in schema.methods}
        for path, handler in self._handlers.items():
            service = path[1:].partition("/")[0]
            if path in methods:
                _check(handler, methods[path])
            elif service in schema.services:
                raise ConfigurationError(f"{_dotted(path)} is registered, and {service} has no such method")
        self._sealed = True
        return schema

    def _add(self, path: str, handler: Any) -> None:
        missing = [name for name in _FIELDS if not hasattr(handler, name)]
        if missing or not callable(behaviour_of(handler)):
            raise ConfigurationError(f"{_dotted(path)}: expected a grpc.RpcMethodHandler with a function")
        if _wants_callback(behaviour_of(handler)):
            raise ConfigurationError(f"{_dotted(path)}: experimental_non_blocking is not supported")
        known = self._handlers.setdefault(path, handler)
        if known is not handler and known != handler:  # generated code registers each one in both ways
            raise ConfigurationError(f"{_dotted(path)} is registered twice")

    def _check_open(self) -> None:
        if self._sealed:
            raise UsageError("a servicer was registered when its registry was in use")

    def add_insecure_port(self, address: str) -> NoReturn:
        """Refused: the ASGI server listens.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{address}: Servicers listens nowhere; give it to GrpcMiddleware(servicers=...)")

    def add_secure_port(self, address: str, server_credentials: Any) -> NoReturn:  # noqa: ARG002 - grpcio's signature
        """Refused, as above."""
        self.add_insecure_port(address)

    async def start(self) -> None:
        """Nothing: calls are served as soon as the ASGI server runs."""

    async def stop(self, grace: float | None) -> None:
        """Nothing: calls end with the ASGI server."""

    async def wait_for_termination(self, timeout: float | None = None) -> bool:  # noqa: ARG002, ASYNC109 - grpcio's
        """Refused: nothing here terminates.

        Raises:
            UsageError: always.
        """
        raise UsageError("Servicers does not run; the ASGI server does")


def _check(handler: Any, method: Method) -> None:
    """Refuse a handler that is not its method's."""
    if (bool(handler.request_streaming), bool(handler.response_streaming)) != (
        method.client_streaming,
        method.server_streaming,
    ):
        raise ConfigurationError(f"{method.full_name} is {method.kind}, and its handler is registered as another kind")
    message = deserialized_type(handler)
    if message is not None and message.full_name != method.input.full_name:
        raise ConfigurationError(
            f"{method.full_name} takes {method.input.full_name}, and its handler reads {message.full_name}"
        )


def _wants_callback(behaviour: Any) -> bool:
    """Whether a function replies by a third argument only; that of ``grpc_health`` can do without."""
    if not getattr(behaviour, "experimental_non_blocking", False):
        return False
    try:
        inspect.signature(behaviour).bind(None, None)
    except TypeError:
        return True
    return False


def _dotted(path: str) -> str:
    return path.removeprefix("/").replace("/", ".")
