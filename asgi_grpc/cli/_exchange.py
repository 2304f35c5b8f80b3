"""One call over HTTP or WebSocket: sends the input and prints the replies at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass

from asgi_grpc.cli._output import Output
from asgi_grpc.cli._packing import END, SUBPROTOCOL, LinePacker
from asgi_grpc.cli._progress import Progress
from asgi_grpc.cli._source import Source
from asgi_grpc.cli._verdict import SUCCESS, Verdict, failed, judge_refusal, judge_stream, judge_websocket, media_type
from asgi_grpc.client import ConnectionLostError, HandshakeError, HttpConnection, PeerError, WebSocket

RECORD_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")

_ACCEPT = "application/x-ndjson, application/json;q=0.9"
_OPAQUE_TYPES = ("text/event-stream", "application/json-seq")  # a gateway's, but not ours to read
_MAX_REFUSAL_BYTES = 64 << 10


@dataclass(frozen=True, kw_only=True)
class CallOptions:
    """What to call.

    Attributes:
        url: http, https, ws or wss.
        method: of an HTTP request; None: POST with input, GET without.
        headers: sent as they are, instead of ours of the same names.
    """

    url: str
    method: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


async def call_http(options: CallOptions, source: Source | None, output: Output, progress: Progress) -> Verdict:
    """One call over HTTP.

    Raises:
        ClientError: nobody answers there, or not in HTTP, or the answer is cut off.
        SourceError: the input can't be read.
        OutputClosed: nobody reads the replies.
        UsageError: the method or a header can't be sent.
    """

    async def send() -> None:
        if source is None:
            return
        while chunk := await source.read():
            await connection.send_chunk(chunk)
            progress.sent_bytes += len(chunk)
            progress.sent_messages += chunk.count(b"\n")
        await connection.end()

    async def read() -> Verdict:
        head = await connection.read_head()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
        kind = media_type(headers)
        known = kind == "application/json" or kind in RECORD_TYPES or kind in _OPAQUE_TYPES
        if head.status != 200 or not known:
            body = await connection.read_beginning(max_bytes=_MAX_REFUSAL_BYTES)
            if kind.endswith("json"):
                output.write(body)
                output.end_line()
            return judge_refusal(head.status, headers, body)
        while chunk := await connection.read_chunk():
            output.write(chunk)
        output.end_line()
        return _judge_whole(kind, headers, output)

    async with await HttpConnection.open(options.url) as connection:
        method = options.method or ("GET" if source is None else "POST")
        await connection.send_head(method, headers=_headers(options, method, source), body=source is not None)
        return await _both(send(), read(), has_input=source is not None)


async def call_websocket(options: CallOptions, source: Source | None, output: Output, progress: Progress) -> Verdict:
    """One call over WebSocket. Raises as ``call_http``."""

    async def send() -> None:
        packer = LinePacker()
        more = source is not None
        while more and source is not None:
            chunk = await source.read()
            more = bool(chunk)
            for frame in packer.feed(chunk) if chunk else packer.close():
                await websocket.send_text(frame)
                progress.sent_messages = packer.messages
            progress.sent_bytes += len(chunk)
        await websocket.send_text(END)

    async def read() -> Verdict:
        async for message in websocket:
            output.write(message.encode() if isinstance(message, str) else message)
            output.end_line()
        return judge_websocket(output.last.value(), websocket.close_code or 0, websocket.close_reason)

    try:
        websocket = await WebSocket.connect(options.url, subprotocols=[SUBPROTOCOL], headers=options.headers)
    except HandshakeError as exc:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in exc.headers}
        if media_type(headers).endswith("json"):
            output.write(exc.body)
            output.end_line()
        return judge_refusal(exc.status, headers, exc.body)
    async with websocket:
        if websocket.subprotocol != SUBPROTOCOL:
            websocket.abort()
            raise PeerError(f"the server does not speak {SUBPROTOCOL}")
        return await _both(send(), read(), has_input=source is not None)


def _judge_whole(kind: str, headers: dict[str, str], output: Output) -> Verdict:
    """What an answer with status 200 says that came to its end."""
    if kind in _OPAQUE_TYPES:
        return failed(f"the answer is {kind}, in which no success can be seen; ask for {RECORD_TYPES[0]}")
    framed = "content-length" in headers or "transfer-encoding" in headers
    if kind in RECORD_TYPES:
        return judge_stream(output.last.value(), strict=not framed)
    return SUCCESS if framed else failed("the answer has no length: nobody can see whether it is whole")


async def _both(send: Coroutine[None, None, None], read: Coroutine[None, None, Verdict], *, has_input: bool) -> Verdict:
    """Send and read at the same time, until the answer has ended: what is left of the input is then not sent."""
    sender = asyncio.create_task(send)
    reader = asyncio.create_task(read)
    try:
        await asyncio.wait({sender, reader}, return_when=asyncio.FIRST_COMPLETED)
        if not reader.done():
            with suppress(ConnectionLostError):  # why the server did not want more, is in its answer
                await sender
        verdict = await reader
        if verdict.success and has_input and not (sender.done() and sender.exception() is None):
            return Verdict(success=True, text="the call succeeded before all of the input was sent")
        return verdict
    finally:
        sender.cancel()
        reader.cancel()
        await asyncio.gather(sender, reader, return_exceptions=True)


def _headers(options: CallOptions, method: str, source: Source | None) -> list[tuple[str, str]]:
    """The user's headers, and ours where the user has none of the name."""
    ours = [("Accept", _ACCEPT)]
    if source is not None:
        ours.append(("Content-Type", RECORD_TYPES[0]))
    elif method not in {"GET", "HEAD"}:
        ours.append(("Content-Length", "0"))
    names = {name.lower() for name, _ in options.headers}
    return [*options.headers, *(field for field in ours if field[0].lower() not in names)]
