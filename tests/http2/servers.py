"""Services that follow a script over real sockets: raw bytes, or HTTP/2 by h2."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from google.protobuf.wrappers_pb2 import StringValue
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes, Settings

HEAD = [(":status", "200"), ("content-type", "application/grpc")]
OK = [("grpc-status", "0")]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def packed(*messages: bytes, flag: int = 0) -> bytes:
    """Messages as they travel."""
    return b"".join(struct.pack(">BI", flag, len(message)) + message for message in messages)


def text(value: str) -> bytes:
    """A message of one text."""
    return StringValue(value=value).SerializeToString()


@asynccontextmanager
async def serving(handle: Handler, *, tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[int]:
    """A server on a port; its handlers are cancelled in the end."""
    tasks: set[asyncio.Task[None]] = set()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await handle(reader, writer)
        except asyncio.CancelledError:
            pass  # that is the end
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(accepted, "127.0.0.1", port, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)
        await asyncio.sleep(0)


class Service:
    """One connection of a server, driven by a script.

    Attributes:
        bodies: of the requests so far, by stream.
        ended: streams whose request has ended.
        reset: what the client has reset: stream and code.
        takes: whether windows are given back for what comes.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, **settings: int) -> None:
        self.reader, self.writer = reader, writer
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        values = {SettingCodes[name]: value for name, value in settings.items()}
        self.h2.local_settings = Settings(client=False, initial_values=values)
        self.h2.initiate_connection()
        self.bodies: dict[int, bytearray] = {}
        self.ended: set[int] = set()
        self.reset: dict[int, int] = {}
        self.takes = True
        self.flush()

    def flush(self) -> None:
        """Send what h2 has to say."""
        self.writer.write(self.h2.data_to_send())

    async def read(self) -> None:
        """Take the next chunk.

        Raises:
            IncompleteReadError: there is none.
        """
        chunk = await self.reader.read(1 << 16)
        if not chunk:
            raise asyncio.IncompleteReadError(b"", None)
        for event in self.h2.receive_data(chunk):
            match event:
                case RequestReceived():
                    self.bodies[event.stream_id] = bytearray()
                case DataReceived():
                    self.bodies[event.stream_id] += event.data
                    if self.takes:
                        self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case StreamEnded():
                    self.ended.add(event.stream_id)
                case StreamReset():
                    self.reset[event.stream_id] = int(event.error_code)
        self.flush()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Read until something holds."""
        while not condition():
            await self.read()

    async def asked(self, *numbers: int) -> None:
        """Read until these requests have ended."""
        await self.until(lambda: self.ended.issuperset(numbers))

    async def send(self, number: int, data: bytes) -> None:
        """Send a piece of an answer as the windows allow."""
        while data:
            room = min(self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size, len(data))
            if room:
                self.h2.send_data(number, data[:room])
                data = data[room:]
                self.flush()
                await self.writer.drain()
            else:
                await self.read()

    def head(self, number: int) -> None:
        """Begin an answer."""
        self.h2.send_headers(number, HEAD)
        self.flush()

    def end(self, number: int, trailers: Sequence[tuple[str, str]] = OK) -> None:
        """End an answer."""
        self.h2.send_headers(number, trailers, end_stream=True)
        self.flush()

    async def answer(self, number: int, *texts: str) -> None:
        """A whole answer."""
        self.head(number)
        await self.send(number, packed(*[text(each) for each in texts]))
        self.end(number)

    async def answer_all(self) -> None:
        """Echo to whoever asks, until the client leaves."""
        answered: set[int] = set()
        while True:
            for number in sorted(self.ended - answered):
                answered.add(number)
                await self.answer(number, StringValue.FromString(bytes(self.bodies[number][5:])).value)
            await self.read()
