"""A bare ``grpc.aio`` client that makes the calls which a gateway makes: ``tests.soak.control LOOP SYNC AIO``.

It obeys the lines of its standard input: a call's plan begins that call, ``?`` is answered with what the process holds,
``??`` with what it holds object by object. Whatever it loses with a call, grpcio loses.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from functools import partial
from typing import Any

import grpc
import grpc.aio
import msgspec
import uvloop

from tests.soak.gateway import RECONNECT
from tests.soak.holdings import Holder
from tests.soak.plans import Plan
from tests.soak.service import Reply, Request

NUMBERS = 10_000_000_000
"""Added to the number of a call, so that the servicers know who calls."""

_MAKE = {"Unary": "unary_unary", "Down": "unary_stream", "Up": "stream_unary", "Bidi": "stream_stream"}
STUCK_S = 60.0
_ADDED = (("x-forwarded-for", "127.0.0.1"), ("x-forwarded-host", "127.0.0.1:8000"))
"""What a gateway adds to the metadata of each call."""

_PAUSES = 4


class Control:
    """Calls through channels of its own.

    Args:
        targets: by the service's name.
        idle_s: as long a call may stand still.
        options: of the channels, besides.
    """

    def __init__(self, targets: dict[str, str], idle_s: float, options: list[tuple[str, Any]] | None = None) -> None:
        self._channels = {
            service: grpc.aio.insecure_channel(target, options=[*RECONNECT, *(options or [])])
            for service, target in targets.items()
        }
        self._idle_s = idle_s
        self._methods: dict[tuple[str, str], Any] = {}

    async def close(self) -> None:
        """Close the channels."""
        for channel in self._channels.values():
            await channel.close()

    async def call(self, plan: Plan) -> str:
        """Make one call as a gateway would that is asked to: how it ended."""
        if plan.bad_at and not plan.streams_up:
            return "refused"  # a gateway doesn't call a service with a bad request
        call: Any = None
        try:
            async with asyncio.timeout(self._patience_s(plan)):
                timeout = int(plan.timeout[:-1]) / 1000 if plan.timeout else None
                metadata = (
                    ("soak-id", str(plan.number + NUMBERS)),
                    ("soak-script", msgspec.json.encode(plan.script).decode()),
                    *_ADDED,
                )
                make = self._method(plan)
                if plan.streams_up:
                    call = make(timeout=timeout, metadata=metadata)
                else:
                    call = make(Request(number=1, pad="q" * plan.pads[0]), timeout=timeout, metadata=metadata)
                await self._exchange(plan, call)
        except TimeoutError:
            return "left"
        except grpc.aio.AioRpcError as exc:
            return exc.code().name
        finally:
            if call is not None:
                call.cancel()
        return "refused" if plan.bad_at else "OK"

    def _patience_s(self, plan: Plan) -> float:
        """After so long the call is cancelled: its client leaves, or is told that nothing happens."""
        if plan.leave:
            return plan.leave_s
        return self._idle_s if plan.script.end == "hang" else STUCK_S

    def _method(self, plan: Plan) -> Any:
        found = self._methods.get((plan.service, plan.kind))
        if found is None:
            found = self._methods[plan.service, plan.kind] = getattr(self._channels[plan.service], _MAKE[plan.kind])(
                f"/soak.{plan.service}/{plan.kind}",
                request_serializer=Request.SerializeToString,
                response_deserializer=Reply.FromString,
            )
        return found

    async def _exchange(self, plan: Plan, call: Any) -> None:
        replied = asyncio.Condition()
        seen = 0

        def answered(before: int) -> bool:
            return seen >= before

        async def write() -> None:
            with suppress(grpc.aio.AioRpcError, grpc.aio.InternalError, asyncio.InvalidStateError):
                for place, pad in enumerate(plan.pads, 1):
                    if place == plan.bad_at:
                        call.cancel()
                        return
                    if plan.ping_pong:
                        async with replied:
                            await replied.wait_for(partial(answered, place - 1))
                    await call.write(Request(number=place, pad="q" * pad))
                    if plan.write_pause_s and place <= _PAUSES:
                        await asyncio.sleep(plan.write_pause_s)
                await call.done_writing()

        writer = asyncio.create_task(write()) if plan.streams_up else None
        try:
            if plan.kind in ("Unary", "Up"):
                await call
                return
            async for _ in call:
                seen += 1
                async with replied:
                    replied.notify_all()
                if 0 <= plan.send_fails < seen:
                    return
                if plan.read_pause_s and seen <= _PAUSES:
                    await asyncio.sleep(plan.read_pause_s)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
        finally:
            if writer is not None:
                writer.cancel()
                await asyncio.wait({writer})


async def obey(idle_s: str, *targets: str) -> None:
    """Obey until the standard input ends."""
    control = Control(dict(zip(("Sync", "Async"), targets, strict=True)), float(idle_s))
    holder = Holder()
    calls: set[asyncio.Task[str]] = set()
    lines = asyncio.StreamReader(limit=1 << 24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print("listening on its standard input", flush=True)
    while line := (await lines.readline()).strip():
        if line in (b"?", b"??"):
            held = holder.holdings(len(calls), objects=line == b"??")
            print(msgspec.json.encode(held).decode(), flush=True)
            continue
        task = asyncio.create_task(control.call(msgspec.json.decode(line, type=Plan)))
        calls.add(task)
        task.add_done_callback(calls.discard)
    await control.close()


def main(loop: str, idle_s: str, *targets: str) -> None:
    """On an event loop as the gateway's."""
    factory = uvloop.new_event_loop if loop == "uvloop" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(obey(idle_s, *targets))


if __name__ == "__main__":
    main(*sys.argv[1:])
