"""The example services as servicers in this process."""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path

from asgi_grpc.calls import ServicerBackend, Servicers
from asgi_grpc.cli._examples import examples_folder

_MAX_FILE_BYTES = 1 << 30


class ExampleServicers:
    """Both examples' servicers, with a folder for the files that are uploaded to them.

    Attributes:
        backends: of the greeter and of the streaming example.

    Raises:
        DemoError: the examples are not there.
    """

    def __init__(self) -> None:
        # The examples are scripts, which find each other in their own folders.
        sys.path[:0] = [str(examples_folder() / name) for name in ("greeter", "streaming")]
        self._store = tempfile.TemporaryDirectory(prefix="streaming-")
        self.backends = [self._greeter(), self._streaming(Path(self._store.name))]

    async def close(self) -> None:
        """End all calls with UNAVAILABLE, and remove the files."""
        for backend in self.backends:
            await backend.close()
        self._store.cleanup()

    def _greeter(self) -> ServicerBackend:
        registry = Servicers()
        server, generated = importlib.import_module("greeter_server"), importlib.import_module("greeter_pb2_grpc")
        generated.add_GreeterServicer_to_server(server.Greeter(), registry)
        return ServicerBackend(registry)

    def _streaming(self, folder: Path) -> ServicerBackend:
        registry = Servicers()
        server, generated = importlib.import_module("streaming_server"), importlib.import_module("streaming_pb2_grpc")
        store = importlib.import_module("streaming_store").FileStore(folder, max_file_bytes=_MAX_FILE_BYTES)
        generated.add_StreamingServiceServicer_to_server(server.StreamingService(store), registry)
        return ServicerBackend(registry)
