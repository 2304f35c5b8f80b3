"""The end of a server: no new calls, time for the running ones, and an end that is said."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from google.protobuf.message import Message

from asgi_grpc import Limits
from asgi_grpc.asgi import _signals
from asgi_grpc.asgi._signals import DrainSignals
from asgi_grpc.testing import HttpExchange, WebSocketExchange
from tests.asgi.fakes import BIDI, DOWN, HELLO, FakeCall, gateway

ADA = b'{"name":"Ada"}'
GONE = b'{"type":"error","error":"the server is shutting down","code":"UNAVAILABLE","details":[]}'


async def one_then_wait(call: FakeCall) -> AsyncIterator[list[Message]]:
    """A reply, and then nothing more."""
    async for name in call.names():
        yield [call.reply(name)]
        await asyncio.Event().wait()


async def reply_after(proceed: asyncio.Event, call: FakeCall) -> AsyncIterator[list[Message]]:
    """A reply to each, not before it may be given."""
    async for name in call.names():
        await proceed.wait()
        yield [call.reply(name)]


class TestDrain:
    async def test_running_calls_may_finish_and_new_ones_are_refused(self) -> None:
        proceed = asyncio.Event()
        app, backend = gateway(partial(reply_after, proceed))
        async with HttpExchange(app, method="POST", path=HELLO) as running:
            await running.send_body(ADA, more=False)
            while not backend.names:
                await asyncio.sleep(0)
            draining = asyncio.create_task(app.drain())
            await asyncio.sleep(0)
            async with HttpExchange(app, method="POST", path=HELLO) as refused:
                await refused.send_body(ADA, more=False)
                await refused.ended()
            assert (refused.status, dict(refused.headers)[b"retry-after"]) == (503, b"1")
            assert b"the server is shutting down" in refused.body
            proceed.set()
            await running.ended()
            assert await draining == 0
        assert (running.status, running.body) == (200, b'{"code":0,"message":"success","data":{"message":"Ada"}}')

    async def test_a_stream_that_does_not_finish_is_told(self) -> None:
        app, _ = gateway(one_then_wait)
        async with HttpExchange(app, method="POST", path=DOWN) as x:
            await x.send_body(ADA, more=False)
            [await x.receive() for _ in range(2)]  # the head, and the first reply
            assert await app.drain(0.0) == 1
            await x.ended()
        assert x.body.splitlines() == [b'{"type":"response","data":{"message":"Ada"}}', GONE]

    async def test_all_who_drain_hear_when_the_last_call_has_left(self) -> None:
        proceed = asyncio.Event()
        app, backend = gateway(partial(reply_after, proceed))
        async with HttpExchange(app, method="POST", path=HELLO) as x:
            await x.send_body(ADA, more=False)
            while not backend.names:
                await asyncio.sleep(0)
            draining = [asyncio.create_task(app.drain(3600.0)) for _ in range(2)]
            await asyncio.sleep(0)
            proceed.set()
            await x.ended()
            async with asyncio.timeout(5):
                assert await asyncio.gather(*draining) == [0, 0]

    @pytest.mark.parametrize("exchange", [HttpExchange, WebSocketExchange])
    async def test_who_reads_slowly_is_waited_for_until_it_was_told(self, exchange: Any) -> None:
        app, _ = gateway(one_then_wait)
        async with exchange(app, path=DOWN, **({"method": "POST"} if exchange is HttpExchange else {})) as x:
            await (x.send_text(ADA.decode()) if exchange is WebSocketExchange else x.send_body(ADA, more=False))
            [await x.receive() for _ in range(2)]  # the head, and the first reply
            x.hold_sends()
            draining = asyncio.create_task(app.drain(0.0))
            await x.receive()
            await asyncio.sleep(0.01)
            assert not draining.done()
            x.release_sends()
            await x.ended()
            assert await draining == 1

    async def test_who_is_in_a_hurry_grants_the_rest_no_more_time(self) -> None:
        app, _ = gateway(one_then_wait)
        async with HttpExchange(app, method="POST", path=DOWN) as x:
            await x.send_body(ADA, more=False)
            [await x.receive() for _ in range(2)]  # the head, and the first reply
            draining = asyncio.create_task(app.drain(3600.0))
            await asyncio.sleep(0)
            app._gateway.running.hurry()
            await x.ended()
            async with asyncio.timeout(5):
                await draining
        assert x.body.splitlines()[-1] == GONE

    async def test_a_websocket_is_told_and_closed_with_1012(self) -> None:
        app, _ = gateway(one_then_wait)
        async with WebSocketExchange(app, path=BIDI) as x:
            await x.send_text(ADA.decode())
            while not x.texts:
                await x.receive()
            assert await app.drain(0.0) == 1
            await x.ended()
        assert x.texts[-1].encode() == GONE
        assert (x.close_code, x.sent[-1]["reason"]) == (1012, "UNAVAILABLE: the server is shutting down")

    async def test_a_call_that_the_server_cancels_is_told_before_it_is_cancelled(self) -> None:
        app, _ = gateway(one_then_wait)
        async with HttpExchange(app, method="POST", path=DOWN) as x:
            await x.send_body(ADA, more=False)
            [await x.receive() for _ in range(2)]  # the head, and the first reply
            x._running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await x.ended()
        assert x.body.splitlines()[-1] == GONE

    async def test_the_shutdown_event_drains(self) -> None:
        app, _ = gateway(one_then_wait, limits=Limits(drain_timeout_s=0.0))
        events = iter(["lifespan.startup", "lifespan.shutdown"])
        told: list[str] = []
        async with HttpExchange(app, method="POST", path=DOWN) as x:
            await x.send_body(ADA, more=False)
            [await x.receive() for _ in range(2)]  # the head, and the first reply

            async def receive() -> dict[str, Any]:
                return {"type": next(events)}

            async def send(event: Any) -> None:
                told.append(event["type"])

            await app({"type": "lifespan"}, receive, send)
            await x.ended()
        assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        assert x.body.splitlines()[-1] == GONE

    async def test_who_starts_again_takes_calls_again(self) -> None:
        app, _ = gateway()
        await app.drain()
        events = iter(["lifespan.startup"])

        async def receive() -> dict[str, Any]:
            return {"type": next(events)}

        async def send(event: Any) -> None:
            raise ConnectionError("the server of this test goes away")

        with pytest.raises(ConnectionError):
            await app({"type": "lifespan"}, receive, send)
        async with HttpExchange(app, method="POST", path=HELLO) as x:
            await x.send_body(ADA, more=False)
            await x.ended()
        assert x.status == 200


def no_hurry() -> None:
    """Nobody is in a hurry."""
    pytest.fail("nobody was in a hurry")


class TestSignals:
    @pytest.fixture
    def heard(self) -> list[int]:
        """What a server's own handler of SIGUSR1 has heard."""
        return []

    @pytest.fixture(autouse=True)
    def server(self, heard: list[int]) -> Any:
        before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
        yield
        signal.signal(signal.SIGUSR1, before)

    async def test_the_server_hears_a_signal_when_the_drain_has_ended(self, heard: list[int]) -> None:
        begun, proceed = asyncio.Event(), asyncio.Event()

        async def drain() -> None:
            begun.set()
            await proceed.wait()

        signals = DrainSignals([signal.SIGUSR1], drain, no_hurry)
        signals.install()
        signal.raise_signal(signal.SIGUSR1)
        await begun.wait()
        assert heard == []
        proceed.set()
        while not heard:
            await asyncio.sleep(0)
        signals.remove()
        signal.raise_signal(signal.SIGUSR1)
        assert heard == [signal.SIGUSR1] * 2

    async def test_a_second_signal_is_a_hurry_and_a_third_is_the_servers(
        self, heard: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_signals, "SAME_S", 0.0)
        hurried = asyncio.Event()
        signals = DrainSignals([signal.SIGUSR1], hurried.wait, hurried.set)
        signals.install()
        signal.raise_signal(signal.SIGUSR1)
        await asyncio.sleep(0)
        signal.raise_signal(signal.SIGUSR1)
        assert heard == []
        signal.raise_signal(signal.SIGUSR1)
        assert heard == [signal.SIGUSR1]
        while len(heard) < 2:
            await asyncio.sleep(0)
        assert hurried.is_set()
        signals.remove()

    async def test_a_second_signal_behind_the_drain_is_the_servers(
        self, heard: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_signals, "SAME_S", 0.0)
        signals = DrainSignals([signal.SIGUSR1], lambda: asyncio.sleep(0), no_hurry)
        signals.install()
        for number in range(3):
            signal.raise_signal(signal.SIGUSR1)
            while len(heard) == number:
                await asyncio.sleep(0)
        signals.remove()
        assert heard == [signal.SIGUSR1] * 3

    async def test_gateways_round_each_other_drain_together(
        self, heard: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_signals, "SAME_S", 0.0)
        begun: list[str] = []
        hurried = [asyncio.Event(), asyncio.Event()]

        def gateway(name: str, hurry: asyncio.Event) -> DrainSignals:
            async def drain() -> None:
                begun.append(name)
                await hurry.wait()

            return DrainSignals([signal.SIGUSR1], drain, hurry.set)

        outer, inner = gateway("outer", hurried[0]), gateway("inner", hurried[1])
        outer.install()
        inner.install()
        signal.raise_signal(signal.SIGUSR1)
        while len(begun) < 2:
            await asyncio.sleep(0)
        signal.raise_signal(signal.SIGUSR1)
        while not heard:
            await asyncio.sleep(0)
        inner.remove()
        outer.remove()
        signal.raise_signal(signal.SIGUSR1)
        assert (begun, heard) == (["inner", "outer"], [signal.SIGUSR1] * 2)

    async def test_two_signals_at_once_start_one_drain(self, heard: list[int]) -> None:
        drains: list[int] = []

        async def drain() -> None:
            drains.append(1)

        signals = DrainSignals([signal.SIGUSR1], drain, no_hurry)
        signals.install()
        signal.raise_signal(signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR1)
        while not heard:
            await asyncio.sleep(0)
        assert drains == [1]
        signals.remove()

    async def test_a_handler_that_somebody_else_has_set_since_stays(self, heard: list[int]) -> None:
        signals = DrainSignals([signal.SIGUSR1], lambda: asyncio.sleep(0), no_hurry)
        signals.install()
        others: list[int] = []
        signal.signal(signal.SIGUSR1, lambda number, _: others.append(number))
        signals.remove()
        signal.raise_signal(signal.SIGUSR1)
        assert (others, heard) == ([signal.SIGUSR1], [])

    async def test_a_signal_that_nobody_wants_stays_ignored(self) -> None:
        before = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        drained = asyncio.Event()

        async def drain() -> None:
            drained.set()

        signals = DrainSignals([signal.SIGUSR2], drain, no_hurry)
        signals.install()
        signal.raise_signal(signal.SIGUSR2)
        await drained.wait()
        signals.remove()
        assert signals._draining is not None
        await signals._draining
        assert signal.signal(signal.SIGUSR2, before) is signal.SIG_IGN

    async def test_a_signal_without_a_handler_takes_its_default_action(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = signal.signal(signal.SIGUSR2, signal.SIG_DFL)
        drained = asyncio.Event()

        async def drain() -> None:
            drained.set()

        signals = DrainSignals([signal.SIGUSR2], drain, no_hurry)
        signals.install()
        signal.raise_signal(signal.SIGUSR2)
        raised: list[int] = []
        monkeypatch.setattr(signal, "raise_signal", raised.append)
        await drained.wait()
        while not raised:
            await asyncio.sleep(0)
        assert (raised, signal.signal(signal.SIGUSR2, before)) == ([signal.SIGUSR2], signal.SIG_DFL)

    def test_in_another_thread_nothing_is_installed(self, caplog: pytest.LogCaptureFixture) -> None:
        signals = DrainSignals([signal.SIGUSR1], lambda: asyncio.sleep(0), no_hurry)
        before = signal.getsignal(signal.SIGUSR1)
        thread = threading.Thread(target=signals.install)
        thread.start()
        thread.join()
        assert signal.getsignal(signal.SIGUSR1) is before
        assert "main thread" in caplog.text
