"""The context of async servicers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NoReturn

import grpc
import grpc.aio
from google.protobuf.message import Message

from asgi_grpc.calls._peer import auth_context_of, peer_of
from asgi_grpc.calls._serving import Serving
from asgi_grpc.calls._state import checked
from asgi_grpc.errors import CallError, Code


class ContextBase:
    """What the contexts of async and of sync servicers have in common. The names and their meaning are grpcio's."""

    def __init__(self, call: Serving, loop: asyncio.AbstractEventLoop) -> None:
        self._call = call
        self._state = call.state
        self._loop = loop

    def invocation_metadata(self) -> Any:
        """The request's metadata, as pairs with ``key`` and ``value``."""
        return self._state.invocation

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        """Set what follows the last reply.

        Raises:
            TypeError, ValueError: it is no metadata.
        """
        self._state.trailing = checked(trailing_metadata)

    def trailing_metadata(self) -> Any:
        """What was set."""
        return tuple(self._state.trailing)

    def set_code(self, code: Any) -> None:
        """Set the status code that the call ends with."""
        self._state.code = code

    def code(self) -> Any:
        """The code that was set, or None."""
        return self._state.code

    def set_details(self, details: str) -> None:
        """Set the status message."""
        self._state.details = details

    def set_compression(self, compression: grpc.Compression) -> None:
        """Nothing: no gRPC message is compressed here. HTTP compression belongs in front of the gateway."""

    def disable_next_message_compression(self) -> None:
        """Nothing, as above."""

    def peer(self) -> str:
        """The client's address as the ASGI server knows it, e.g. ``"ipv4:127.0.0.1:50000"``; else ``"unknown"``."""
        return peer_of(self._state.scope)

    def auth_context(self) -> Any:
        """What the ASGI server's TLS extension tells of the client; empty without one."""
        return auth_context_of(self._state.scope)

    def peer_identity_key(self) -> str | None:
        """``"x509_common_name"`` where a client certificate has one; else None."""
        return "x509_common_name" if "x509_common_name" in auth_context_of(self._state.scope) else None

    def peer_identities(self) -> Iterable[bytes] | None:
        """The common name of the client's certificate, if there is one."""
        return auth_context_of(self._state.scope).get("x509_common_name")

    def is_active(self) -> bool:
        """Whether anybody still waits for this call."""
        return self._state.active and not self._call.is_abandoned

    def _remaining(self) -> float | None:
        deadline = self._state.deadline
        return None if deadline is None else max(deadline - self._loop.time(), 0.0)


class AsyncContext(ContextBase, grpc.aio.ServicerContext[Any, Any]):
    """See ``grpc.aio.ServicerContext``; of the sync one, ``is_active``, ``cancel`` and ``add_callback`` as well."""

    async def read(self) -> Any:
        """The next request, or ``grpc.aio.EOF``.

        Raises:
            grpc.aio.UsageError: the call has ended, or another task is reading.
        """
        return await self._call.read()

    async def write(self, message: Message) -> None:
        """Send a reply.

        Raises:
            grpc.aio.UsageError: the call has ended.
        """
        await self._call.write(message)

    async def send_initial_metadata(self, initial_metadata: Any) -> None:
        """Set the header metadata; it leaves with the answer's head.

        Raises:
            grpc.aio.UsageError: it has left already.
        """
        self._state.send_initial(initial_metadata)

    async def abort(self, code: Any, details: str = "", trailing_metadata: Any = ()) -> NoReturn:
        """End the call with this status, and raise.

        Raises:
            grpc.aio.AbortError: always.
        """
        error = self._state.abort(code, details, trailing_metadata)
        self._call.wake()
        raise error

    async def abort_with_status(self, status: grpc.Status) -> NoReturn:
        """End the call with this status, and raise."""
        await self.abort(status.code, status.details or "", status.trailing_metadata or ())

    def details(self) -> str:
        """The message that was set."""
        return self._state.details

    def time_remaining(self) -> float:
        """Seconds until the deadline; None without one (its type is grpcio's, which is wrong there)."""
        return self._remaining()  # type: ignore[return-value]

    def cancel(self) -> None:
        """End the call with CANCELLED."""
        self._call.end(CallError(Code.CANCELLED, "the service cancelled the call"))

    def cancelled(self) -> bool:
        """Whether the call was cancelled, by the client or by a status."""
        return self._state.status is Code.CANCELLED or self._call.is_abandoned

    def done(self) -> bool:
        """Whether the status is decided: nothing can be sent any more."""
        return self._state.aborted is not None or not self.is_active()

    def add_callback(self, callback: Callable[[], object]) -> bool:
        """Call something without arguments when the call has ended; False if it has."""
        return self._state.add_callback(callback)

    def add_done_callback(self, callback: Callable[[Any], object]) -> None:
        """Call something with this context when the call has ended."""
        self.add_callback(partial(callback, self))
