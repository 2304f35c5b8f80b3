"""The StreamingService: nine streams in an ordinary grpc.aio server that has never heard of HTTP."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import tempfile
from pathlib import Path

import grpc
import streaming_pb2
import streaming_pb2_grpc
from streaming_calls import log
from streaming_documents import CollaborationMethods, Document
from streaming_feeds import PAST, Feed, FeedMethods, demo_past
from streaming_files import FileMethods
from streaming_metrics import MetricMethods
from streaming_pb2 import Notification, UserEvent
from streaming_records import RecordMethods
from streaming_rooms import ChatMethods, Rooms
from streaming_store import FileStore

try:
    from grpc_reflection.v1alpha import reflection
except ModuleNotFoundError:  # grpcio-reflection is optional: clients then need the descriptors from elsewhere
    reflection = None


class StreamingService(FeedMethods, FileMethods, MetricMethods, RecordMethods, ChatMethods, CollaborationMethods):
    """All nine methods, and the state that they share; everything but the files is forgotten when the server ends."""

    def __init__(self, store: FileStore) -> None:
        self.store = store
        self.events: Feed[UserEvent] = Feed(remembers=PAST)
        self.notifications: Feed[Notification] = Feed(remembers=0)
        self.rooms = Rooms(self.events, self.notifications)
        self.documents: dict[str, Document] = {}
        for event in demo_past():
            self.events.publish(event)


async def serve(host: str, port: int, store: FileStore) -> None:
    """Serve until SIGTERM or SIGINT; then let running calls finish for two seconds."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])  # a second server on this port shall fail, not share
    streaming_pb2_grpc.add_StreamingServiceServicer_to_server(StreamingService(store), server)
    if reflection:
        names = [service.full_name for service in streaming_pb2.DESCRIPTOR.services_by_name.values()]
        reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], server)
    port = server.add_insecure_port(f"{host}:{port}")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await server.start()
    print(f"listening on {host}:{port}", flush=True)
    await stop.wait()
    await server.stop(grace=2)


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=50052, help="0 picks a free one")
    parser.add_argument("--store", type=Path, help="folder for uploaded files; default: one that ends with the server")
    parser.add_argument("--max-file-bytes", type=int, default=1 << 30, help="largest file taken; default: 1 GiB")
    parser.add_argument("--verbose", action="store_true", help="say on stderr how each call ends")
    arguments = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    log.setLevel(logging.INFO if arguments.verbose else logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="streaming-") as folder:
        store = FileStore(arguments.store or Path(folder), max_file_bytes=arguments.max_file_bytes)
        try:
            asyncio.run(serve(arguments.host, arguments.port, store))
        except RuntimeError as error:  # grpcio's way to say that the port is taken
            sys.exit(str(error))


if __name__ == "__main__":
    main()
