"""``GrpcMiddleware``: the one ASGI callable."""

from __future__ import annotations

import signal
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from asgi_grpc.asgi._document import document_page
from asgi_grpc.asgi._gateway import Gateway
from asgi_grpc.asgi._head import Head, read_head, routing_path
from asgi_grpc.asgi._health import HealthPages
from asgi_grpc.asgi._http import HttpExchange
from asgi_grpc.asgi._lifespan import run_lifespan
from asgi_grpc.asgi._method_limits import check_limits, check_silences, limits_by_method
from asgi_grpc.asgi._pages import Pages, answer_with, metrics_page
from asgi_grpc.asgi._response import HttpResponse
from asgi_grpc.asgi._signals import DrainSignals
from asgi_grpc.asgi._types import Application, Receive, Scope, Send
from asgi_grpc.asgi._watched import WatchedCall, wire_observers
from asgi_grpc.asgi._websocket import WebSocketAnswer, WebSocketExchange
from asgi_grpc.calls import (
    Backend,
    ChannelBackend,
    ChannelOptions,
    Credentials,
    MetadataRule,
    Preset,
    ServicerBackend,
    Servicers,
    Upstream,
    connection,
    metadata_rule,
)
from asgi_grpc.codec import CodecOptions
from asgi_grpc.dialects import Dialect, find_dialect
from asgi_grpc.errors import ConfigurationError, MethodNotAllowed, NoSuchRoute, RequestError
from asgi_grpc.limits import Limits
from asgi_grpc.openapi import openapi_document
from asgi_grpc.routing import Match, Router
from asgi_grpc.schema import Schema
from asgi_grpc.telemetry import Observer

_LARGEST_ARGUMENT = (1 << 31) - 1  # of a channel; and no message of protobuf is larger


class GrpcMiddleware:
    """Serves the methods of a schema to HTTP and WebSocket clients; hands everything else on untouched.

    It is an ASGI 3 application. Wrap any other one with it, or use it alone. All faults of the wiring are raised here.

    Args:
        app: gets every request that no method serves, with the server's own scope, receive and send. None: such
            requests get 404 or 405.
        schema: the services and their HTTP rules; None: those that are registered in ``servicers``.
        upstream: where the services answer: a gRPC target, a ready ``grpc.aio`` channel of the server's own event loop,
            or any object that is a ``Backend``.
        servicers: the services themselves, in this process, instead of an ``upstream``. Takes no more registrations
            from then on.
        credentials: for an ``upstream`` target, and refused without one, e.g. ``grpc.ssl_channel_credentials()``; None:
            without encryption.
        services: full names of those to serve; None: all of the schema.
        limits: bounds on what one peer can make us hold.
        method_limits: of single methods instead, by full name, or of all methods of a service by its name, e.g.
            ``{"media.v1.Media.Upload": Limits(max_message_bytes=64 << 20)}``. ``max_streams`` counts the method's own
            calls there, besides the count of all; ``drain_timeout_s`` is the whole gateway's alone.
        dialect: how answers are spelled: ``"envelope"``, ``"grpc-gateway"``, ``"bare"``, or an object of your own.
        codec_options: how messages are read and printed, instead of as the dialect has it.
        metadata: which request headers become gRPC metadata: ``"default"``, ``"safe"``, ``"grpc-gateway"``, or a
            callable from a header's lower-case name to a key or None.
        response_metadata: from a metadata key of the service to a header's name or None, for its header metadata. None:
            each becomes ``Grpc-Metadata-<key>``.
        origins: whose pages may open WebSockets besides pages of the same origin, e.g. ``["https://app.example"]``;
            ``"*"`` for all.
        half_close_after_idle_s: over WebSocket, end the input of a client-streaming method when it has begun and then
            nothing came for so long; for clients that never say that they are done. None: never.
        early_headers: send the head of a stream as soon as the call is accepted. Otherwise it waits up to 200 ms for
            the first message, so that an early failure still gets its HTTP status.
        heartbeat_s: silence after which an HTTP stream gets a sign of life: an SSE comment, a blank line. None: never.
        channel_options: of the channel made for an ``upstream`` target, and refused without one; grpcio documents them.
        ignore_trailing_slash: serve ``/a/`` as ``/a``; else it is another path.
        unescape: which escapes of path variables that hold several segments are decoded: ``"except_reserved"``,
            ``"except_slash"`` or ``"all"``.
        ignore_unknown_query: skip query parameters that name no field; False: refuse them; None: as the dialect has it.
        strict_body: refuse a body that says something else than the path, of one message too; else the path wins there.
        method_override: let ``X-HTTP-Method-Override`` of a ``POST`` name the HTTP method that is meant.
        openapi_path: where ``GET`` gets an OpenAPI 3.1 document of the services, e.g. ``"/openapi.json"``, before any
            binding does. None: nowhere.
        observers: are told of every call, e.g. ``[AccessLog()]`` of ``asgi_grpc.telemetry``. Where there are none,
            nothing is counted.
        metrics_path: where ``GET`` gets Prometheus metrics, e.g. ``"/metrics"``, before any binding does: those of the
            ``PrometheusMetrics`` among the observers; if there is none, one is added. None: nowhere.
        health_path: where ``GET`` is told whether the services can be used, e.g. ``"/healthz"``, and below it at
            ``/live`` whether this process runs. None: nowhere.
        drain_signals: at which the calls that run get ``Limits.drain_timeout_s`` to finish before the server hears of
            the signal, e.g. ``[signal.SIGTERM, signal.SIGINT]``; for servers that set their handlers with
            ``signal.signal`` before start-up, as uvicorn does. None: a shutdown begins when the server says so.

    While a method serves a request, two keys of the scope say so, for applications that are wrapped round this one and
    want to log it afterwards: ``scope["asgi_grpc.method"]`` is its full name, e.g. ``"helloworld.Greeter.SayHello"``,
    ``scope["asgi_grpc.route"]`` the template that matched, e.g. ``"/v1/helloworld/{name}"``. They are keys of the scope
    itself, since a server may share ``scope["state"]`` between connections; an application between that hands on a copy
    of the scope keeps them to itself. The scope of a request that no method serves is left as it is.

    Raises:
        ConfigurationError: the wiring can't work; the text names the method, the service or the option.
    """

    def __init__(
        self,
        app: Application | None = None,
        *,
        schema: Schema | None = None,
        upstream: Upstream | Backend | None = None,
        servicers: Servicers | None = None,
        credentials: Credentials | None = None,
        services: Sequence[str] | None = None,
        limits: Limits | None = None,
        method_limits: Mapping[str, Limits] | None = None,
        dialect: str | Dialect = "envelope",
        codec_options: CodecOptions | None = None,
        metadata: Preset | MetadataRule = "default",
        response_metadata: MetadataRule | None = None,
        origins: Collection[str] | Literal["*"] = (),
        half_close_after_idle_s: float | None = None,
        early_headers: bool = False,
        heartbeat_s: float | None = None,
        channel_options: ChannelOptions = (),
        ignore_trailing_slash: bool = False,
        unescape: Literal["except_reserved", "except_slash", "all"] = "except_reserved",
        ignore_unknown_query: bool | None = None,
        strict_body: bool = False,
        method_override: bool = False,
        openapi_path: str | None = None,
        observers: Sequence[Observer] = (),
        metrics_path: str | None = None,
        health_path: str | None = None,
        drain_signals: Collection[signal.Signals] = (),
    ) -> None:
        if servicers is not None:
            if upstream is not None:
                raise ConfigurationError("the services have two places: give either an upstream or servicers")
            _check_channel(credentials, channel_options, place="the servicers are in this process")
            upstream = ServicerBackend(servicers, schema)
            schema = upstream.schema
        if schema is None:
            raise ConfigurationError("there is nothing to serve: give a schema, e.g. Schema.from_modules(greeter_pb2)")
        if upstream is None:
            raise ConfigurationError('the services are nowhere: give an upstream, e.g. "localhost:50051"; or servicers')
        if not isinstance(upstream, str):
            _check_channel(credentials, channel_options, place="the upstream is no target but an object")
        if isinstance(origins, str) and origins != "*":
            raise ConfigurationError(f'origins: expected a list or "*", got the text {origins!r}')
        limits = limits or Limits()
        check_limits(limits)
        check_silences(heartbeat_s=heartbeat_s, half_close_after_idle_s=half_close_after_idle_s)
        spelled = find_dialect(dialect)
        options = _within(limits, replace(codec_options or spelled.codec_options, registry=schema.pool))
        served = schema if services is None else schema.only(services)
        own_limits = limits_by_method(method_limits or {}, served)
        self._app = app
        self._method_override = method_override
        pages = Pages()
        if metrics_path is not None:
            page, observers = metrics_page(observers)
            pages.add("metrics_path", metrics_path, page)
        self._gateway = Gateway(
            router=Router(
                served.methods,
                codec_options=options,
                own_codec_options={name: _within(own, options) for name, own in own_limits.items()},
                ignore_unknown_query=spelled.ignore_unknown_query
                if ignore_unknown_query is None
                else ignore_unknown_query,
                ignore_trailing_slash=ignore_trailing_slash,
                unescape=unescape,
            ),
            backend=upstream
            if isinstance(upstream, Backend)
            else ChannelBackend(
                upstream,
                credentials=credentials,
                options=[*_channel_limits([limits, *own_limits.values()]), *channel_options],
            ),
            dialect=spelled,
            codec_options=options,
            limits=limits,
            own_limits=own_limits,
            metadata_rule=metadata_rule(metadata),
            header_rule=response_metadata,
            strict_body=strict_body,
            origins=origins,
            half_close_after_idle_s=half_close_after_idle_s,
            early_headers=early_headers,
            heartbeat_s=heartbeat_s,
            observers=wire_observers(observers, upstream) if observers else None,
        )
        if health_path is not None:
            running = self._gateway.running
            health = HealthPages(self._gateway.backend, lambda: running.draining)
            pages.add("health_path", health_path, health.readiness)
            pages.add("health_path", f"{health_path.rstrip('/')}/live", health.liveness)
        if openapi_path is not None:
            describe = partial(openapi_document, dialect=spelled, codec_options=options, comments=schema.comments)
            routes = self._gateway.router.routes
            pages.add("openapi_path", openapi_path, document_page(lambda servers: describe(routes, servers=servers)))
        self._pages = pages or None
        self._stage = _Stage(self._gateway, DrainSignals(drain_signals, self.drain, self._gateway.running.hurry))

    async def drain(self, timeout_s: float | None = None) -> int:
        """Take no more calls, and wait for the running ones; those that are left then end with UNAVAILABLE.

        For servers that run in your own code: to be called before they stop. New calls get 503 from now on.

        Args:
            timeout_s: how long to wait; None: ``Limits.drain_timeout_s``.

        Returns:
            How many calls were left.
        """
        if timeout_s is None:
            timeout_s = self._gateway.limits.drain_timeout_s
        return await self._gateway.running.drain(timeout_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI 3 has it."""
        match scope["type"]:
            case "http":
                await self._http(scope, receive, send)
            case "websocket":
                await self._websocket(scope, receive, send)
            case "lifespan":
                await run_lifespan(self._app, self._stage, scope, receive, send)
            case _ if self._app is not None:
                await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._pages is not None and (page := self._pages.find(scope)) is not None:
            await answer_with(page, scope, send)
            return
        head = read_head(scope)
        try:
            match = self._gateway.router.match(self._http_method(head), routing_path(scope))
        except RequestError as exc:
            if self._app is not None and isinstance(exc, NoSuchRoute | MethodNotAllowed):
                await self._app(scope, receive, send)
            elif scope["method"] == "OPTIONS" and isinstance(exc, MethodNotAllowed):
                await HttpResponse(self._gateway, head, send).options(exc.headers)
            else:
                await HttpResponse(self._gateway, head, send).failure(self._gateway.failure(exc), exc.headers)
            return
        _tell(scope, match)
        watched, receive, send = self._watched(match, scope, receive, send)
        await HttpExchange(self._gateway, match, head, receive, send, watched=watched).run()

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            match = self._gateway.router.match_any(routing_path(scope))
        except RequestError as exc:
            if self._app is not None and isinstance(exc, NoSuchRoute):
                await self._app(scope, receive, send)
            elif (await receive())["type"] == "websocket.connect":
                await WebSocketAnswer(self._gateway, scope, send).failure(self._gateway.failure(exc), exc.headers)
            return
        _tell(scope, match)
        if (await receive())["type"] == "websocket.connect":
            watched, receive, send = self._watched(match, scope, receive, send)
            await WebSocketExchange(self._gateway, match, read_head(scope), receive, send, watched=watched).run()

    def _watched(
        self, match: Match, scope: Scope, receive: Receive, send: Send
    ) -> tuple[WatchedCall | None, Receive, Send]:
        """What counts a call, and the connection that goes through it; the connection itself where nobody observes."""
        if self._gateway.observers is None:
            return None, receive, send
        watched = WatchedCall(self._gateway.observers, match, scope, receive, send)
        return watched, watched.receive, watched.send

    def _http_method(self, head: Head) -> str:
        """The method of a request, or the one that it says is meant."""
        method: str = head.scope["method"]
        if not self._method_override or method != "POST":
            return method
        return (head.get(b"x-http-method-override") or method).strip().upper()


class _Stage:
    """The gateway's own start and end. See ``asgi_grpc.asgi._lifespan.Stage``."""

    def __init__(self, gateway: Gateway, signals: DrainSignals) -> None:
        self._gateway = gateway
        self._signals = signals

    async def start(self) -> None:
        """Connect."""
        self._gateway.running.draining = False
        await self._gateway.backend.open()
        self._signals.install()

    async def stop(self) -> None:
        """Drain."""
        await self._gateway.running.drain(self._gateway.limits.drain_timeout_s)

    async def close(self) -> None:
        """Disconnect."""
        self._signals.remove()
        await self._gateway.backend.close()


def _tell(scope: Scope, match: Match) -> None:
    """Tell whoever is round us which method serves a request, and by which template; and the method who asks."""
    connection.set(scope)
    scope["asgi_grpc.method"] = match.route.method.full_name
    scope["asgi_grpc.route"] = match.route.binding.template


def _within(limits: Limits, options: CodecOptions) -> CodecOptions:
    """The limits that the codec keeps."""
    return replace(options, max_depth=limits.max_depth, max_objects=limits.max_message_objects)


def _check_channel(credentials: Credentials | None, options: ChannelOptions, *, place: str) -> None:
    """Refuse what is only for a channel that is made here, where none is."""
    for name, given in [("credentials", credentials), ("channel_options", options)]:
        if given:
            raise ConfigurationError(f"{name}: they are for the channel to an upstream target, and {place}")


def _channel_limits(limits: Sequence[Limits]) -> list[tuple[str, int]]:
    """grpcio's own limits, set to ours: on a message, and on what it reads ahead of each stream of replies.

    A channel is shared by all methods: the largest of their limits count.

    Left to itself it widens its windows to what the network could carry, however slowly a client reads.
    """
    largest = min(max(each.max_message_bytes for each in limits), _LARGEST_ARGUMENT)
    return [
        ("grpc.max_send_message_length", largest),
        ("grpc.max_receive_message_length", largest),
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", min(max(each.read_ahead_bytes for each in limits), _LARGEST_ARGUMENT)),
    ]
