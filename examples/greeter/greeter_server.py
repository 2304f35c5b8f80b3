"""The Greeter: an ordinary grpc.aio server that has never heard of HTTP."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator

import greeter_pb2
import greeter_pb2_grpc
import grpc
from greeter_pb2 import HelloReply, HelloRequest

try:
    from grpc_reflection.v1alpha import reflection
except ModuleNotFoundError:  # grpcio-reflection is optional: clients then need the descriptors from elsewhere
    reflection = None

GREETINGS = {"en": "Hello, {}!", "es": "¡Hola, {}!", "zh": "你好, {}!"}
MAX_NAMES_CHARS = 1 << 20  # of one reply: gRPC refuses messages over 4 MiB, and a character takes up to 4 bytes


def greet(name: str, language: str) -> HelloReply:
    """Greet one person, in English where the language is not known."""
    language = language if language in GREETINGS else "en"
    return HelloReply(message=GREETINGS[language].format(name), language=language)


class Greeter(greeter_pb2_grpc.GreeterServicer):
    """All four kinds of method."""

    async def SayHello(
        self, request: HelloRequest, context: grpc.aio.ServicerContext[HelloRequest, HelloReply]
    ) -> HelloReply:
        """Greet one person."""
        await self._check(request, context)
        return greet(request.name, request.language)

    async def SayHelloServerStream(
        self, request: HelloRequest, context: grpc.aio.ServicerContext[HelloRequest, HelloReply]
    ) -> AsyncIterator[HelloReply]:
        """Greet one person in every language, beginning with the one asked for."""
        await self._check(request, context)
        for language in sorted(GREETINGS, key=lambda known: (known != request.language, known)):
            yield greet(request.name, language)

    async def SayHelloClientStream(
        self,
        request_iterator: AsyncIterator[HelloRequest],
        context: grpc.aio.ServicerContext[HelloRequest, HelloReply],
    ) -> HelloReply:
        """Greet everybody at once."""
        names: list[str] = []
        chars = 0
        async for request in request_iterator:
            await self._check(request, context)
            names.append(request.name)
            chars += len(request.name) + len(", ")
            if chars > MAX_NAMES_CHARS:
                problem = f"more than {MAX_NAMES_CHARS} characters of names"
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, problem)
        if not names:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Validation error: at least one name is required")
        return HelloReply(message=f"Hello to all: {', '.join(names)}!", language="en")

    async def SayHelloBidiStream(
        self,
        request_iterator: AsyncIterator[HelloRequest],
        context: grpc.aio.ServicerContext[HelloRequest, HelloReply],
    ) -> AsyncIterator[HelloReply]:
        """Greet each person at once."""
        async for request in request_iterator:
            await self._check(request, context)
            yield greet(request.name, request.language)

    async def _check(self, request: HelloRequest, context: grpc.aio.ServicerContext[HelloRequest, HelloReply]) -> None:
        """Refuse a request without a name."""
        if not request.name:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Validation error: name is required")


async def serve(host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; then let running calls finish for two seconds."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])  # a second server on this port shall fail, not share
    greeter_pb2_grpc.add_GreeterServicer_to_server(Greeter(), server)
    if reflection:
        names = [service.full_name for service in greeter_pb2.DESCRIPTOR.services_by_name.values()]
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
    parser.add_argument("--port", type=int, default=50051, help="0 picks a free one")
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.host, arguments.port))
    except RuntimeError as error:  # grpcio's way to say that the port is taken
        sys.exit(str(error))


if __name__ == "__main__":
    main()
