"""The middleware round other applications, and alone."""

from __future__ import annotations

from typing import Any

import pytest

from asgi_grpc import ConfigurationError, GrpcMiddleware, Servicers
from asgi_grpc.testing import HttpExchange
from tests.asgi.fakes import GREETER, HELLO, FakeBackend, gateway, greet
from tests.asgi.test_http import ask, refusal
from tests.asgi.test_websocket import ADA, talk
from tests.mapping.playing import mapped


class Wrapped:
    """An application that records what it was called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, Any, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls.append((scope, receive, send))
        if scope["type"] == "lifespan":
            while (event := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{event['type']}.complete"})
            await send({"type": "lifespan.shutdown.complete"})


async def nothing() -> dict[str, Any]:
    return {"type": "http.disconnect"}


async def swallow(_event: Any) -> None:
    pass


class TestWrapping:
    @pytest.mark.parametrize(
        "scope",
        [
            {"type": "http", "method": "GET", "path": "/own", "headers": []},
            {"type": "http", "method": "DELETE", "path": HELLO, "headers": []},
            {"type": "http", "method": "OPTIONS", "path": HELLO, "headers": []},
            {"type": "websocket", "path": "/own", "headers": []},
            {"type": "future"},
        ],
        ids=["http", "another-method", "options", "websocket", "unknown-type"],
    )
    async def test_what_is_not_ours_goes_on_untouched(self, scope: dict[str, Any]) -> None:
        wrapped = Wrapped()
        app, _ = gateway(app=wrapped)
        before = dict(scope)
        await app(scope, nothing, swallow)
        ((seen, receive, send),) = wrapped.calls
        assert seen is scope
        assert scope == before
        assert (receive, send) == (nothing, swallow)

    async def test_what_is_ours_never_reaches_it(self) -> None:
        wrapped = Wrapped()
        app, _ = gateway(app=wrapped)
        assert (await ask(app)).status == 200
        assert (await talk(app, HELLO, ADA)).close_code == 1000
        assert wrapped.calls == []

    async def test_a_malformed_path_of_ours_is_refused_here(self) -> None:
        wrapped = Wrapped()
        app, _ = gateway(app=wrapped)
        assert refusal(await ask(app, "/v1/helloworld/%zz", b"", method="GET"))[0] == 400
        assert (await talk(app, "/v1/helloworld/%zz")).sent[0]["status"] == 400


class TestAlone:
    async def test_unknown_paths_and_methods(self) -> None:
        app, _ = gateway()
        assert refusal(await ask(app, "/nowhere"))[:2] == (404, "NOT_FOUND")
        x = await ask(app, HELLO, b"", method="DELETE")
        assert (x.status, dict(x.headers)[b"allow"]) == (405, b"POST")

    async def test_options_tells_the_methods(self) -> None:
        app, _ = gateway()
        x = await ask(app, HELLO, b"", method="OPTIONS")
        assert (x.status, x.headers, x.body) == (204, [(b"allow", b"POST")], b"")

    async def test_other_scopes_are_let_be(self) -> None:
        app, _ = gateway()
        await app({"type": "future"}, nothing, swallow)

    @pytest.mark.parametrize("raw", [True, False])
    async def test_root_path_is_not_part_of_the_route(self, raw: bool) -> None:
        app, backend = gateway()
        x = HttpExchange(app, path="/prefix%20x/v1/helloworld/A%2Fa")
        x.scope["root_path"] = "/prefix x"
        if not raw:
            x.scope["raw_path"] = None
        async with x:
            await x.send_body(more=False)
            await x.ended()
        assert (x.status, backend.names) == ((200, ["A/a"]) if raw else (404, []))  # only the raw path keeps the escape


async def run_lifespan(app: Any, backend: FakeBackend) -> list[str]:
    """Start and shut down; what was opened, told and closed, in order."""
    events = iter(["lifespan.startup", "lifespan.shutdown"])
    told = backend.log

    async def receive() -> dict[str, Any]:
        return {"type": next(events)}

    async def send(event: Any) -> None:
        told.append(event["type"])

    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
    return told


class TestLifespan:
    @pytest.mark.parametrize("wrapped", [None, Wrapped()], ids=["alone", "wrapped"])
    async def test_the_backend_opens_before_the_application_and_closes_after_it(self, wrapped: Any) -> None:
        app, backend = gateway(app=wrapped)
        assert await run_lifespan(app, backend) == [
            "open",
            "lifespan.startup.complete",
            "lifespan.shutdown.complete",
            "close",
        ]

    async def test_an_application_without_a_lifespan_is_answered_for(self) -> None:
        async def refuses(scope: Any, receive: Any, send: Any) -> None:
            raise ValueError("only HTTP")

        app, backend = gateway(app=refuses)
        told = await run_lifespan(app, backend)
        assert told == ["open", "lifespan.startup.complete", "lifespan.shutdown.complete", "close"]

    async def test_an_application_that_fails_to_start_fails(self) -> None:
        async def fails(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            raise ValueError("no database")

        app, backend = gateway(app=fails)
        with pytest.raises(ValueError, match="no database"):
            await run_lifespan(app, backend)
        assert backend.log == ["open", "close"]


class TestWiring:
    @pytest.mark.parametrize(
        ("options", "text"),
        [
            ({"schema": None}, "give a schema"),
            ({"upstream": None}, "give an upstream"),
            ({"servicers": Servicers()}, "give either an upstream or servicers"),
            ({"upstream": None, "servicers": Servicers()}, "no servicer is registered"),
            ({"upstream": None, "servicers": Servicers(), "credentials": object()}, "credentials: .* in this process"),
            ({"upstream": None, "servicers": Servicers(), "channel_options": [("a", 1)]}, "options: .* in this"),
            ({"credentials": object()}, "credentials: .* the upstream is no target but an object"),
            ({"channel_options": [("a", 1)]}, "channel_options: .* no target"),
            ({"dialect": "soap"}, "no dialect 'soap'"),
            ({"services": ["no.Such"]}, "no.Such"),
            ({"origins": "https://app.example"}, "expected a list"),
            ({"metadata": "everything"}, "everything"),
            ({"unescape": "some"}, "expected one of except_reserved, except_slash, all, got 'some'"),
        ],
    )
    def test_faults_are_told_at_start_up(self, options: dict[str, Any], text: str) -> None:
        with pytest.raises(ConfigurationError, match=text):
            GrpcMiddleware(**{"schema": GREETER, "upstream": FakeBackend(greet), **options})

    def test_only_some_services(self) -> None:
        GrpcMiddleware(schema=GREETER, upstream="localhost:1", services=["helloworld.Greeter"])


class TestRoutingOptions:
    async def test_a_trailing_slash_may_mean_nothing(self) -> None:
        strict, _ = gateway()
        assert (await ask(strict, "/v1/helloworld/", ADA.encode())).status == 404
        app, backend = gateway(ignore_trailing_slash=True)
        assert (await ask(app, "/v1/helloworld/", ADA.encode())).status == 200
        assert backend.names == ["Ada"]

    async def test_escapes_of_long_variables(self) -> None:
        for mode, name in {"except_reserved": "a%2Fb%3A", "except_slash": "a%2Fb:", "all": "a/b:"}.items():
            app, backend = mapped(unescape=mode)
            await ask(app, "/v1/files/a%2Fb%3A", b"", method="GET")
            (message,) = backend.requests
            assert message.name == name  # type: ignore[attr-defined]  # a class made at run time

    @pytest.mark.parametrize(
        ("dialect", "option", "status"),
        [
            ("envelope", None, 400),
            ("envelope", True, 200),
            ("grpc-gateway", None, 200),
            ("grpc-gateway", False, 400),
        ],
    )
    async def test_unknown_parameters(self, dialect: str, option: bool | None, status: int) -> None:
        app, _ = gateway(dialect=dialect, ignore_unknown_query=option)
        assert (await ask(app, "/v1/helloworld/Ada?x=1", b"", method="GET")).status == status

    async def test_an_override_of_the_method_counts_only_where_one_wants_it(self) -> None:
        patch = [(b"x-http-method-override", b" patch ")]
        path = "/v1/items/a"
        assert (await ask(mapped()[0], path, b"{}", headers=patch)).status == 405
        assert (await ask(mapped(method_override=True)[0], path, b"{}", headers=patch)).status == 200
        assert (await ask(mapped(method_override=True)[0], path, b"{}", headers=patch, method="PUT")).status == 200
        app, backend = mapped(method_override=True)
        assert (await ask(app, "/v1/whole", b"{}")).status == 200
        assert backend.calls[0].method.full_name == "mapping.v1.Mapping.Whole"


class TestLogging:
    async def test_whoever_is_round_us_can_tell_what_was_called(self) -> None:
        app, _ = gateway()
        told = {"asgi_grpc.method": "helloworld.Greeter.SayHello", "asgi_grpc.route": "/v1/helloworld/{name}"}
        x = await ask(app, "/v1/helloworld/Ada?nope=1", b"", method="GET")
        assert (x.status, x.scope.items() >= told.items()) == (400, True)
        ws = await talk(app, "/v1/helloworld/Ada")
        assert ws.scope.items() >= told.items()

    async def test_nothing_is_told_of_what_is_not_served(self) -> None:
        app, _ = gateway()
        for x in (await ask(app, "/nowhere"), await ask(app, HELLO, b"", method="DELETE")):
            assert not [key for key in x.scope if key.startswith("asgi_grpc")]
