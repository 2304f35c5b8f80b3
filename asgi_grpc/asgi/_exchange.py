"""One call between a client and a method: what HTTP and WebSocket have in common."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import aclosing
from typing import Protocol

from google.protobuf.message import Message

from asgi_grpc.asgi._ending import ClientGone, Ending, HeadSent
from asgi_grpc.asgi._gateway import Gateway
from asgi_grpc.asgi._head import Head
from asgi_grpc.asgi._inbox import Inbox, Open
from asgi_grpc.asgi._probe import break_off
from asgi_grpc.asgi._running import FAREWELL_S, going_away
from asgi_grpc.asgi._timer import SilenceTimer
from asgi_grpc.asgi._types import Headers, Receive
from asgi_grpc.asgi._watched import Deliver, Flow, WatchedCall
from asgi_grpc.calls import Call, Requests
from asgi_grpc.dialects import Failure
from asgi_grpc.errors import Code, RequestError
from asgi_grpc.routing import Match
from asgi_grpc.telemetry import Transport

CANCELLED_FAREWELL_S = 1.0
"""The same for a call that the server cancels: it waits for nobody long."""


class Answer(Protocol):
    """Our side of a connection. Each method may raise ``ClientGone``.

    Attributes:
        is_told: the success was said, and only the connection is still to be closed: a client that goes then has heard.
    """

    @property
    def is_told(self) -> bool: ...

    async def accepted(self, call: Call) -> None:
        """All that can be refused beforehand was not; the call is about to start."""
        ...

    async def messages(self, messages: list[Message]) -> None:
        """Some replies. Raises ``EncodeError`` for one that can't be written."""
        ...

    async def success(self) -> None:
        """The call ended with OK."""
        ...

    async def failure(self, failure: Failure, headers: Headers) -> None:
        """The call failed, or was refused; the headers belong to a refusal. Nothing, if the answer ended before."""
        ...

    async def stop(self) -> None:
        """Nothing will be written any more. Idempotent."""
        ...


class Exchange(ABC):
    """One call, from its request to the end of its answer: the state of one connection.

    Subclasses say how input is read and how output is written. ``run`` is called once.
    """

    _transport: Transport = "http"  # as far as it is known

    def __init__(
        self,
        gateway: Gateway,
        match: Match,
        head: Head,
        receive: Receive,
        *,
        opener: Open,
        answer: Answer,
        watched: WatchedCall | None,
    ) -> None:
        self._gateway = gateway
        self._match = match
        self._route = match.route
        self.method = match.route.method
        self._limits = gateway.limits_of(self.method)
        self._strict = gateway.strict_body or self.method.client_streaming
        self._head = head
        self._answer = answer
        self._watched = watched  # None: nobody observes, and nothing is counted
        self._ending = Ending()
        self._idle = SilenceTimer(self._limits.idle_timeout_s)
        self._receive = receive
        self._opener = opener
        self._made_inbox: Inbox | None = None
        self._running_call: Call | None = None
        self._taken = 0  # by the call, when we looked last
        self._slow = False
        self._is_complete = False  # what the client has to say was read, and nobody watches it yet

    async def run(self) -> None:
        """Serve; whatever happens, the client is told how it ended, unless it is gone."""
        running = self._gateway.running
        has_begun = False
        try:
            running.begin(self)
            has_begun = True
            with self._ending:
                await self._call()
                await self._answer.success()
                if self._watched is not None:
                    self._watched.note_code(Code.OK)
        except ClientGone as exc:
            if self._watched is not None and (self._answer.is_told or isinstance(exc, HeadSent)):
                self._watched.note_code(Code.OK)
        except asyncio.CancelledError:  # the server's own, past the time that it grants at shutdown
            await self._fail(going_away(), CANCELLED_FAREWELL_S)
            raise
        except Exception as exc:  # noqa: BLE001 - the last line of defence; the gateway logs what is our bug
            await self._fail(exc, FAREWELL_S)
        finally:
            if has_begun:  # not before the client was told: a drain waits for that
                running.end(self)
            if self._watched is not None:
                self._watched.end()
            self._idle.stop()
            if self._made_inbox is not None:
                await self._made_inbox.stop()
            await self._answer.stop()
            # All these lead back here, and what a call has read would wait for a garbage collection with them.
            self._running_call = self._made_inbox = None
            del self._opener, self._answer

    def end(self, reason: RequestError) -> None:
        """End the call from outside; the client is told the reason."""
        self._end(reason)

    def _end(self, reason: Exception) -> None:
        """End the call, gently if its back end knows how."""
        self._ending.end(reason, getattr(self._running_call, "leave", None))

    async def _fail(self, exc: Exception, within_s: float) -> None:
        """Tell the client, unless it is gone or does not read."""
        headers = exc.headers if isinstance(exc, RequestError) else ()
        failure = self._gateway.failure(
            exc,
            {
                "method": self.method.full_name,
                "kind": self.method.kind,
                "route": self._route.binding.template,
                "transport": self._transport,
            },
        )
        if self._watched is not None:
            self._watched.note_code(failure.code)
        try:
            async with asyncio.timeout(within_s):
                await self._answer.failure(failure, headers)
        except ClientGone:
            pass
        except TimeoutError:
            if self._head.scope.get("http_version") != "2":  # which carries the streams of others too
                break_off(self._receive)
                await asyncio.sleep(0)  # the server hears of it, and does not complain of an answer without an end

    @property
    def _inbox(self) -> Inbox:
        """What the client sends; not made before it is needed."""
        if self._made_inbox is None:
            self._made_inbox = Inbox(
                self._receive,
                self._opener,
                read_ahead_bytes=self._limits.read_ahead_bytes,
                on_end=self._end,
                on_event=self._idle.note,
            )
        return self._made_inbox

    @abstractmethod
    def _prepare(self) -> Requests:
        """Check the rest of the request's head, and say where the call's requests come from."""

    async def _call(self) -> None:
        """From the request's head to the last reply."""
        requests = self._prepare()
        metadata = self._gateway.metadata(self._head)
        deadline_s = self._gateway.deadline_s(self._head, self._limits)
        deliver: Deliver = self._answer.messages
        if self._watched is not None:
            flow = Flow(requests, metadata, deliver)
            requests, metadata, deliver = self._watched.start(self._transport, flow, self._held_bytes)
        await self._gateway.backend.open()
        call = self._gateway.backend.start(self.method, requests, metadata=metadata, deadline_s=deadline_s)
        await self._answer.accepted(call)
        self._running_call = call
        if not self.method.server_streaming and (only_reply := getattr(call, "only_reply", None)) is not None:
            await deliver([await only_reply()])
            return
        async with aclosing(call.replies()) as replies:
            async for messages in replies:
                await deliver(messages)
                self._idle.note()

    def _held_bytes(self) -> int:
        """What was read from the client and not yet taken by the call."""
        return 0 if self._made_inbox is None else self._made_inbox.held_bytes

    def _complete(self) -> None:
        """The whole request was read: a disconnect shows only to a watcher now."""
        if self._slow:
            self._inbox.watch()
        else:
            self._is_complete = True

    def note_slowness(self) -> None:
        """See ``RunningCall``."""
        self._slow = True
        self._idle.start(self._end_idle)
        if self._is_complete:
            self._inbox.watch()

    def _end_idle(self) -> None:
        taken = getattr(self._running_call, "taken", 0)
        if taken != self._taken:  # of what was pulled long ago
            self._taken = taken
            return
        text = f"no input and no output for {self._limits.idle_timeout_s:g} s"
        self._end(RequestError(text, code=Code.DEADLINE_EXCEEDED))
