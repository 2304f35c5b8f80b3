"""Limits of single methods."""

from __future__ import annotations

import asyncio

import pytest

from asgi_grpc import ConfigurationError, Limits
from asgi_grpc.asgi._method_limits import limits_by_method
from asgi_grpc.testing import HttpExchange
from tests.asgi.fakes import BIDI, GREETER, HELLO, UP, FakeCall, gateway

SERVICE = "helloworld.Greeter"
SMALL = Limits(max_message_bytes=20)


async def status(app: object, path: str, body: bytes) -> int | None:
    """The status of an answer."""
    async with HttpExchange(app, method="POST", path=path) as x:  # type: ignore[arg-type]  # an ASGI application
        await x.send_body(body, more=False)
        await x.ended()
    return x.status


def test_a_methods_own_limits_go_before_its_services() -> None:
    large = Limits(max_message_bytes=1 << 30)
    found = limits_by_method({SERVICE: SMALL, f"{SERVICE}.SayHello": large}, GREETER)
    assert found.pop(f"{SERVICE}.SayHello") is large
    assert len(found) == 3
    assert set(found.values()) == {SMALL}


def test_a_name_that_nobody_has_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"'helloworld.Greeter.SayHelo' is neither a method nor a service"):
        gateway(method_limits={"helloworld.Greeter.SayHelo": SMALL})


async def test_only_that_method_is_bounded() -> None:
    app, _ = gateway(method_limits={f"{SERVICE}.SayHello": SMALL})
    body = b'{"name":"Ada Lovelace"}'
    assert (await status(app, HELLO, body), await status(app, UP, body)) == (413, 200)


async def test_depth_is_bounded_too() -> None:
    app, _ = gateway(method_limits={f"{SERVICE}.SayHelloClientStream": Limits(max_depth=1)})
    nested = b'{"name":[[1]]}'
    async with HttpExchange(app, method="POST", path=UP) as x:
        await x.send_body(nested, more=False)
        await x.ended()
    assert (x.status, b"nested too deeply" in x.body) == (400, True)


async def test_objects_are_bounded_too() -> None:
    app, _ = gateway(method_limits={f"{SERVICE}.SayHello": Limits(max_message_objects=1)})
    assert [await status(app, path, b'{"name":[]}') for path in (HELLO, UP)] == [413, 400]


async def test_a_method_may_have_fewer_calls_than_the_gateway() -> None:
    proceed = asyncio.Event()

    async def wait(call: FakeCall):  # type: ignore[no-untyped-def]  # see fakes.Handler
        async for name in call.names():
            await proceed.wait()
            yield [call.reply(name)]

    app, backend = gateway(wait, method_limits={f"{SERVICE}.SayHello": Limits(max_streams=1)})
    async with HttpExchange(app, method="POST", path=HELLO) as first:
        await first.send_body(b'{"name":"Ada"}', more=False)
        while not backend.names:
            await asyncio.sleep(0)
        assert await status(app, HELLO, b'{"name":"Bob"}') == 503
        proceed.set()
        assert await status(app, BIDI, b'{"name":"Bob"}') == 200
        await first.ended()
    assert await status(app, HELLO, b'{"name":"Bob"}') == 200
