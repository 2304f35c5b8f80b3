"""Health of the services, as ``grpc.health.v1`` tells it, for those who ask by HTTP.

Source: grpc/health/v1/health.proto and the gRPC health checking protocol.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from functools import cache
from urllib.parse import parse_qs

import msgspec
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.asgi._gateway import error_log
from asgi_grpc.asgi._pages import Content
from asgi_grpc.asgi._types import Scope
from asgi_grpc.calls import Backend
from asgi_grpc.errors import CallError, Code
from asgi_grpc.schema import Method

DEADLINE_S = 2.0
"""Of the question. Probes give up after a second by default, or after a few."""

_SERVING = 1
_STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")


class HealthPages:
    """Two pages: whether the services can be used (readiness), and whether this process runs at all (liveness).

    Args:
        backend: is asked.
        is_draining: whether new calls are refused at this moment.
    """

    def __init__(self, backend: Backend, is_draining: Callable[[], bool]) -> None:
        self._backend = backend
        self._is_draining = is_draining

    async def readiness(self, scope: Scope) -> Content:
        """200 where the service says SERVING, or where it answers and has no health service; else 503.

        The query may name one: ``?service=helloworld.Greeter``; without it the question is about the whole server.
        """
        if self._is_draining():
            return _content(503, "NOT_SERVING")
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        try:
            status = await self._ask(query.get("service", [""])[-1])
        except CallError as exc:
            if exc.code is Code.UNIMPLEMENTED:
                return _content(200, exc.code.name)
            return _content(503, "SERVICE_UNKNOWN" if exc.code is Code.NOT_FOUND else exc.code.name)
        except Exception as exc:  # noqa: BLE001 - a probe is told that something is wrong, whatever it is
            error_log.error("asking for health failed", exc_info=exc)
            return _content(503, Code.INTERNAL.name)
        return _content(200 if status == _SERVING else 503, _STATUSES[status] if status < len(_STATUSES) else "UNKNOWN")

    async def liveness(self, _scope: Scope) -> Content:
        """200: that somebody answers is the answer."""
        return _content(200, "ALIVE")

    async def _ask(self, service: str) -> int:
        """The number of the status that ``Check`` gives."""
        method = _check_method()
        request = GetMessageClass(method.input)(service=service)

        async def requests() -> list[Message]:
            return [request]

        await self._backend.open()
        call = self._backend.start(method, requests, deadline_s=DEADLINE_S)
        status = 0
        async with aclosing(call.replies()) as replies:
            async for (reply,) in replies:
                status = reply.status  # type: ignore[attr-defined]  # a class made at run time
        return status


def _content(status: int, text: str) -> Content:
    return Content(status, "application/json", msgspec.json.encode({"status": text}))


@cache
def _check_method() -> Method:
    """``grpc.health.v1.Health/Check``, in a pool of its own: the service's own code may be in the default one."""
    file = FileDescriptorProto(name="asgi_grpc/health.proto", package="grpc.health.v1", syntax="proto3")
    string, enum = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_ENUM
    request = file.message_type.add(name="HealthCheckRequest")
    request.field.add(name="service", number=1, type=string, label=FieldDescriptorProto.LABEL_OPTIONAL)
    response = file.message_type.add(name="HealthCheckResponse")
    values = response.enum_type.add(name="ServingStatus")
    for number, name in enumerate(_STATUSES):
        values.value.add(name=name, number=number)
    kind = ".grpc.health.v1.HealthCheckResponse.ServingStatus"
    response.field.add(name="status", number=1, type=enum, type_name=kind, label=FieldDescriptorProto.LABEL_OPTIONAL)
    pool = DescriptorPool()
    pool.Add(file)
    return Method(
        full_name="grpc.health.v1.Health.Check",
        path="/grpc.health.v1.Health/Check",
        input=pool.FindMessageTypeByName("grpc.health.v1.HealthCheckRequest"),
        output=pool.FindMessageTypeByName("grpc.health.v1.HealthCheckResponse"),
        client_streaming=False,
        server_streaming=False,
        bindings=(),
    )
