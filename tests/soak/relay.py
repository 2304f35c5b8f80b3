"""A wire that can be cut: ``python -m tests.soak.relay PORT TARGET [PORT TARGET ...]`` copies bytes between ports.

It obeys the lines of its standard input: ``reset`` resets all connections, ``refuse`` does so and takes no more,
``hang`` lets nothing through, ``pass`` is as usual again.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from contextlib import suppress

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER for no time at all: closing sends RST


class Relay:
    """Copies between one port and one target."""

    def __init__(self, port: int, target: int) -> None:
        self._port = port
        self._target = target
        self._server: asyncio.Server | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def obey(self, word: str) -> None:
        """One line of the standard input."""
        if word == "hang":
            self._open.clear()
        else:
            self._open.set()
        if word == "refuse" and self._server is not None:
            self._server.close()
            self._server = None
        if word in ("reset", "refuse"):
            for writer in self._writers:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                writer.transport.abort()
        if word == "pass" and self._server is None:
            self._server = await asyncio.start_server(self._relay, "127.0.0.1", self._port)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(self._copy(reader, other_writer), self._copy(other_reader, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        self._writers.discard(writer)
        writer.close()


async def main(ports: list[int]) -> None:
    """Relay until the standard input ends."""
    relays = [Relay(*pair) for pair in zip(ports[::2], ports[1::2], strict=True)]
    for relay in relays:
        await relay.obey("pass")
    print("listening on all ports", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        for relay in relays:
            await relay.obey(line.strip())


if __name__ == "__main__":
    asyncio.run(main([int(port) for port in sys.argv[1:]]))
