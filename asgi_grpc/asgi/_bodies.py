"""Request bodies of each media type: how to cut them, and what makes messages of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from google.protobuf.message import Message

from asgi_grpc.asgi._negotiation import PROTOBUF_TYPES, Framer, choose_framer, media_type
from asgi_grpc.errors import RequestError
from asgi_grpc.framing import Broken, End, Event, Fault, Frame
from asgi_grpc.limits import Limits
from asgi_grpc.routing import Bound, Decode, Decoded, Route

PIECE_BYTES = 64 << 10
"""Of a raw body that is streamed: what servers read at once. A message of it stays far below everybody's limits."""

_FORM = "application/x-www-form-urlencoded"


class BytesFramer:
    """Collect a body of any bytes; hand it on as one frame at the end. An empty body gives none."""

    def __init__(self, *, max_frame_bytes: int) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._held = bytearray()

    def feed(self, chunk: bytes) -> list[Event]:
        """Nothing, or ``Broken`` at the first byte over the limit."""
        if len(self._held) + len(chunk) > self._max_frame_bytes:
            self._held.clear()
            return [Broken(Fault.FRAME_TOO_LARGE, 0)]
        self._held += chunk
        return []

    def close(self) -> list[Event]:
        """The frame."""
        data = bytes(self._held)
        self._held.clear()
        return [Frame(data, 0), End()] if data else [End()]


class PieceFramer:
    """Hand a body of any bytes on as it comes, in frames that are not too long. An empty body gives one empty frame."""

    def __init__(self, *, max_frame_bytes: int) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._offset = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """The chunk, cut if need be."""
        step, start = self._max_frame_bytes, self._offset
        self._offset += len(chunk)
        return [Frame(chunk[at : at + step], start + at) for at in range(0, len(chunk), step)]

    def close(self) -> list[Event]:
        """The end; there has been a frame then."""
        return [End()] if self._offset else [Frame(b"", 0), End()]


class Reading(NamedTuple):
    """How a body is read.

    Attributes:
        framer: cuts it.
        decode: frames to messages.
        empty: makes the message of a body without a frame.
    """

    framer: Framer
    decode: Decode
    empty: Callable[[], Message]


def choose_reading(content_type: str, route: Route, bound: Bound, limits: Limits) -> Reading:
    """How to read a request's body.

    Args:
        content_type: of the request, as it came; empty if there was none.
        route: the binding.
        bound: with the path and the query of the request.
        limits: on its size.

    Raises:
        RequestError: 415, the type is not one that this binding takes.
    """
    method = route.method
    if route.takes_bytes:
        decode = bound.pieces(content_type)
        if method.client_streaming:
            longest = min(PIECE_BYTES, (limits.max_message_bytes + 1) // 2)  # a channel counts what is round them, too
            return Reading(PieceFramer(max_frame_bytes=longest), decode, bound.empty)
        return Reading(BytesFramer(max_frame_bytes=limits.max_message_bytes), decode, lambda: _only(decode([b""])))
    kind = media_type(content_type) if route.binding.body else ""
    if kind in PROTOBUF_TYPES and method.kind == "unary" and route.takes_wire:
        return Reading(BytesFramer(max_frame_bytes=limits.max_message_bytes), bound.wire, bound.empty)
    if kind == _FORM and not method.client_streaming and route.takes_form:
        decode = _form_decoder(bound)
        return Reading(BytesFramer(max_frame_bytes=limits.max_message_bytes), decode, bound.empty)
    streaming = method.client_streaming and bool(route.binding.body)
    return Reading(choose_framer(kind, streaming=streaming, limits=limits), bound.decode, bound.empty)


def _form_decoder(bound: Bound) -> Decode:
    """``Bound.form``, with a word for those whose client says "form" of everything, as ``curl -d`` does."""

    def decode(bodies: Sequence[bytes]) -> Decoded:
        if any(body.lstrip()[:1] in (b"{", b"[") for body in bodies):
            text = "the body looks like JSON, but its Content-Type says a form: send Content-Type: application/json"
            return [], RequestError(text, http_status=415)
        return bound.form(bodies)

    return decode


def _only(decoded: Decoded) -> Message:
    """The one message that was decoded."""
    messages, refusal = decoded
    if refusal is not None:
        raise refusal
    return messages[0]
