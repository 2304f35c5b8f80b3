"""A Greeter that ends as the name that it is given says; by itself, a server that serves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import greeter_pb2
import greeter_pb2_grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # type: ignore[import-untyped]


class Greeter(greeter_pb2_grpc.GreeterServicer):
    """``fail`` fails, ``hang`` never ends, everybody else is greeted; streams reply once before."""

    async def SayHello(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        await self._behave(request.name, context)
        return greeter_pb2.HelloReply(message=request.name)

    async def SayHelloServerStream(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802 - as above
        yield greeter_pb2.HelloReply(message=request.name)
        await self._behave(request.name, context)

    async def SayHelloClientStream(self, requests: Any, context: Any) -> Any:  # noqa: N802 - as above
        names = [request.name async for request in requests]
        return greeter_pb2.HelloReply(message=" ".join(names))

    async def SayHelloBidiStream(self, requests: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802 - as above
        async for request in requests:
            yield greeter_pb2.HelloReply(message=request.name)
            await self._behave(request.name, context)

    async def _behave(self, name: str, context: Any) -> None:
        if name == "fail":
            await context.abort(grpc.StatusCode.ABORTED, "as you like it")
        if name == "hang":
            await asyncio.Event().wait()


def register(server: Any) -> None:
    """Add the Greeter, and a health service that says that it is up."""
    greeter_pb2_grpc.add_GreeterServicer_to_server(Greeter(), server)
    servicer = health.aio.HealthServicer()
    servicer._server_status = {"": health_pb2.HealthCheckResponse.SERVING}
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)


async def main() -> None:
    """Serve until the process ends."""
    server = grpc.aio.server()
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening on 127.0.0.1:{port}")
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
