"""The clients of a soak: each makes one call over a socket as its plan says, and notes what it sees."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from asgi_grpc.client import ClientError, ConnectionLostError, HandshakeError, HttpConnection, WebSocket
from asgi_grpc.errors import Code, UsageError
from tests.soak.plans import Plan
from tests.soak.wire import ACCEPTED, CONTENT_TYPES, Record, body_pieces, is_socket, record, records, texts

_PAUSES = 4
"""Pauses of one client at most: a soak is made of many calls, not of long ones."""

STUCK_S = 60.0


@dataclass
class Seen:
    """What a client saw.

    Attributes:
        outcome: ``"OK"``, a code's name, ``"left"``, ``"broken"``, ``"stuck"``, or a sentence about what was wrong.
        text: of a failure.
        replies: messages of them, in order.
        trailers: of the last record.
        began: on the loop's clock.
        ended: as well.
        reused: the connection has served a call before.
        status: of HTTP, once the head was read.
        body_bytes: read of the answer's body.
    """

    outcome: str = ""
    text: str = ""
    replies: list[dict[str, Any]] = field(default_factory=list)
    trailers: dict[str, str] = field(default_factory=dict)
    began: float = 0.0
    ended: float = 0.0
    reused: bool = False
    status: int = 0
    body_bytes: int = 0

    @property
    def story(self) -> str:
        """How it went, for people."""
        again = "a connection that had served before" if self.reused else "a connection of its own"
        answer = f"status {self.status}, {self.body_bytes} bytes, {len(self.replies)} replies"
        return f"{answer} in {self.ended - self.began:.3f} s, ended at {self.ended:.3f} s, over {again}"


class Caller:
    """Makes one call after the other; HTTP connections are used again where they can be.

    Args:
        address: of the gateway, host and port.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._kept: HttpConnection | None = None

    async def call(self, plan: Plan) -> Seen:
        """Make one call, whatever comes of it."""
        seen = Seen(began=asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(STUCK_S):
                await (self._socket if is_socket(plan) else self._http)(plan, seen)
        except TimeoutError:
            seen.outcome = "stuck"
        except (ConnectionLostError, UsageError) as exc:
            seen.outcome, seen.text = seen.outcome or "broken", str(exc)
        except (ClientError, msgspec.MsgspecError, ValueError, KeyError, TypeError) as exc:
            seen.outcome = seen.outcome or f"odd: {type(exc).__name__}: {exc}"
        seen.ended = asyncio.get_running_loop().time()
        return seen

    def close(self) -> None:
        """Let go of the connection that is kept."""
        if self._kept is not None:
            self._kept.close()

    async def _http(self, plan: Plan, seen: Seen) -> None:
        kept, self._kept = self._kept, None
        seen.reused = kept is not None
        connection = kept or await HttpConnection.open(f"http://{self._address}/")
        writer = _Writer(seen)
        try:
            with _leaving(plan, seen, connection.abort, connection.close):
                await connection.send_head("POST", plan.path, _headers(plan, accept=ACCEPTED[plan.door]))
                writer.start(_write_body(plan, connection, writer))
                await _read_answer(plan, connection, writer, seen)
                clean = await writer.finished() and not plan.after_end and not seen.outcome.startswith("odd")
        finally:
            await writer.stop()
            if seen.outcome in ("", "stuck"):
                connection.abort()
        if clean and plan.number % 2 and seen.outcome == "OK" and not plan.leave:
            self._kept = connection
        else:
            connection.close()

    async def _socket(self, plan: Plan, seen: Seen) -> None:
        subprotocols = ["asgi-grpc.records.v1"] if plan.door == "records" else []
        url = f"ws://{self._address}{plan.path}"
        try:
            socket = await WebSocket.connect(url, subprotocols=subprotocols, headers=_headers(plan))
        except HandshakeError as exc:
            _refused(exc.status, exc.body, seen)
            return
        writer = _Writer(seen)
        try:
            async with socket:
                with _leaving(plan, seen, socket.abort, lambda: writer.start(_close(plan, socket))):
                    writer.start(_write_texts(plan, socket, writer))
                    await _read_records(plan, socket, writer, seen)
        finally:
            await writer.stop()


def _headers(plan: Plan, accept: str = "") -> list[tuple[str | bytes, str | bytes]]:
    headers: list[tuple[str | bytes, str | bytes]] = [
        ("Grpc-Metadata-Soak-Id", str(plan.number)),
        ("Grpc-Metadata-Soak-Script", msgspec.json.encode(plan.script)),
    ]
    if accept:
        headers += [("Accept", accept), ("Content-Type", CONTENT_TYPES[plan.body])]
    if plan.compressed:
        headers.append(("Content-Encoding", "gzip"))
    if plan.timeout:
        headers.append(("Grpc-Timeout", plan.timeout))
    if plan.send_fails >= 0:
        headers.append(("X-Soak-Send-Fails", str(plan.send_fails)))
    return headers


class _Writer:
    """The task that writes, and what the reader tells it."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._tasks: list[asyncio.Task[None]] = []
        self._started: list[Coroutine[object, object, None]] = []
        self.replied = asyncio.Condition()

    def start(self, work: Coroutine[object, object, None]) -> None:
        """Write in the background; what is left of it ends with the call."""
        self._started.append(work)
        self._tasks.append(asyncio.create_task(self._guarded(work)))

    async def finished(self) -> bool:
        """Whether everything has been written. To be asked when the answer is complete."""
        await asyncio.sleep(0)
        return all(task.done() for task in self._tasks)

    async def stop(self) -> None:
        """Write no more."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for work in self._started:
            work.close()  # one that was cancelled before its first step would complain otherwise

    async def wait_for(self, replies: int) -> None:
        """Wait until so many replies have come."""
        async with self.replied:
            await self.replied.wait_for(lambda: len(self._seen.replies) >= replies)

    async def told(self) -> None:
        """A reply has come."""
        async with self.replied:
            self.replied.notify_all()

    async def _guarded(self, work: Coroutine[object, object, None]) -> None:
        with suppress(ConnectionLostError, UsageError):  # how the call ended is for the reader to say
            await work


@contextmanager
def _leaving(plan: Plan, seen: Seen, reset: Callable[[], None], close: Callable[[], None]) -> Iterator[None]:
    """Go away in the middle of the block, where the plan says so."""

    def leave() -> None:
        if not seen.outcome:
            if plan.leave != "cancel":
                seen.outcome = "left"
            (reset if plan.leave == "reset" else close)()

    timer = asyncio.get_running_loop().call_later(plan.leave_s, leave) if plan.leave else None
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()


async def _close(plan: Plan, socket: WebSocket) -> None:
    """Cancel the call, or close without having ended the input."""
    if plan.leave == "cancel":
        await socket.send_text('{"type":"cancel"}')
    else:
        await socket.close()


async def _write_body(plan: Plan, connection: HttpConnection, writer: _Writer) -> None:
    pauses = 0
    for place, piece in enumerate(body_pieces(plan)):
        if plan.ping_pong and place:
            await writer.wait_for(place)
        await connection.send_chunk(piece)
        if plan.write_pause_s and pauses < _PAUSES:
            pauses += 1
            await asyncio.sleep(plan.write_pause_s)
    await connection.end()
    if plan.after_end == "garbage":
        await connection.send_raw(b"\x00\xff GARBAGE\r\n\r\n" * 3)
    elif plan.after_end == "eof":
        await connection.send_eof()


async def _write_texts(plan: Plan, socket: WebSocket, writer: _Writer) -> None:
    pauses = 0
    for place, text in enumerate(texts(plan)):
        if plan.ping_pong and place:
            await writer.wait_for(place)
        await _send_text(plan, socket, text)
        if plan.write_pause_s and pauses < _PAUSES:
            pauses += 1
            await asyncio.sleep(plan.write_pause_s)
    if plan.streams_up:
        await socket.send_text('{"type":"end"}' if plan.door == "records" else "")
    if plan.after_end == "garbage":
        await socket.send_bytes(b"\x00\xff GARBAGE")


async def _send_text(plan: Plan, socket: WebSocket, text: str) -> None:
    """Send one message, in one frame or in small ones."""
    if plan.cuts != "bytes":
        await socket.send_text(text)
        return
    step = 7
    for at in range(0, len(text), step):
        await socket.send_fragment(text[at : at + step], last=at + step >= len(text))


async def _read_answer(plan: Plan, connection: HttpConnection, writer: _Writer, seen: Seen) -> None:
    head = await connection.read_head()
    seen.status, body, counted, pauses = head.status, bytearray(), 0, 0
    while chunk := await connection.read_chunk():
        body += chunk
        seen.body_bytes = len(body)
        if plan.ping_pong and head.status == 200:
            whole = body.rfind(b"\n") + 1
            _take(records("ndjson", bytes(body[counted:whole])), seen, ended=False)
            counted = whole
            await writer.told()
        if plan.read_pause_s and pauses < _PAUSES:
            pauses += 1
            await asyncio.sleep(plan.read_pause_s)
    if seen.outcome:  # it left, and the answer was complete before
        return
    if head.status != 200 or plan.door == "json":
        _refused(head.status, bytes(body), seen)
    elif head.header("content-type") != ACCEPTED[plan.door]:
        seen.outcome = f"odd: Content-Type {head.header('content-type')}"
    else:
        seen.replies.clear()
        _take(records(plan.door, bytes(body)), seen, ended=True)


async def _read_records(plan: Plan, socket: WebSocket, writer: _Writer, seen: Seen) -> None:
    outcome, pauses, found = "", 0, list[Record]()
    while (text := await socket.receive()) is not None:
        assert isinstance(text, str)
        found.append(record(msgspec.json.decode(text)))
        if found[-1][0] == "response":
            seen.replies.append(found[-1][1])
        if plan.ping_pong:
            await writer.told()
        if plan.read_pause_s and pauses < _PAUSES:
            pauses += 1
            await asyncio.sleep(plan.read_pause_s)
    if seen.outcome:
        return
    if not found or found[-1][0] == "response":
        seen.outcome, seen.text = "broken", f"{socket.close_code} {socket.close_reason}"
        return
    seen.replies.clear()
    _take(found, seen, ended=True)
    outcome = seen.outcome
    right = {"OK": [1000], "RESOURCE_EXHAUSTED": [1009, 4008]}.get(outcome)
    if right is None and outcome in Code.__members__:
        right = [Code[outcome].close_code]
    if socket.close_code not in (right or []):
        seen.outcome = f"odd: {outcome} with close code {socket.close_code}"


def _take(found: list[Record], seen: Seen, *, ended: bool) -> None:
    """Records, in order; the last one says how it ended."""
    for place, (kind, content) in enumerate(found, 1):
        if kind == "response":
            seen.replies.append(content)
            continue
        if place != len(found):
            seen.outcome = f"odd: {len(found) - place} records behind the end"
        elif kind == "complete":
            seen.outcome, seen.trailers = "OK", content.get("trailers", {})
        else:
            seen.outcome, seen.text = content["code"], content["error"]
        return
    if ended:
        seen.outcome = "odd: whole, and without a last record"


def _refused(status: int, body: bytes, seen: Seen) -> None:
    """An answer that is one document."""
    if status == 500 and body == b"Internal Server Error":  # what uvicorn says where an application says nothing
        seen.outcome = "broken"
        return
    document = msgspec.json.decode(body)
    if status == 200:
        seen.outcome = "OK"
        seen.replies.append(document["data"])
        return
    seen.outcome, seen.text = document["status"], document["message"]
    right = {413} if status == 413 else {Code[seen.outcome].http_status}
    if status not in right or document["code"] != status:
        seen.outcome = f"odd: {seen.outcome} with status {status}"
