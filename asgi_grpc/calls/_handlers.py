"""A registered handler, looked at once: how it is called, and what its messages need."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.schema import Method


@dataclass(frozen=True, kw_only=True)
class Handler:
    """What a servicer registered for one method.

    Attributes:
        behaviour: the function.
        is_async: it is a coroutine function or an async generator function; all others run in a thread.
        is_generator: it is an async generator function.
        request_streaming: it takes an iterator.
        response_streaming: it replies with a stream.
        read: from our request to the servicer's; None where they are the same.
        own: from the servicer's reply to a message of ours, which the servicer can't change any more.
    """

    behaviour: Callable[..., Any]
    is_async: bool
    is_generator: bool
    request_streaming: bool
    response_streaming: bool
    read: Callable[[Message], Any] | None
    own: Callable[[Any], Message]

    @property
    def may_be_inline(self) -> bool:
        """It is a coroutine function from one message of ours to one reply."""
        streaming = self.request_streaming or self.response_streaming
        return self.is_async and not self.is_generator and not streaming and self.read is None


def behaviour_of(handler: grpc.RpcMethodHandler[Any, Any]) -> Any:
    """The function of a handler: the one of its four that belongs to its kind."""
    match handler.request_streaming, handler.response_streaming:
        case False, False:
            return handler.unary_unary
        case False, True:
            return handler.unary_stream
        case True, False:
            return handler.stream_unary
        case _:
            return handler.stream_stream


def inspect_handler(handler: grpc.RpcMethodHandler[Any, Any], method: Method) -> Handler:
    """Look at a handler that serves a method. Costs a few microseconds."""
    behaviour = behaviour_of(handler)
    is_generator = inspect.isasyncgenfunction(behaviour)
    return Handler(
        behaviour=behaviour,
        is_async=is_generator or inspect.iscoroutinefunction(behaviour),
        is_generator=is_generator,
        request_streaming=bool(handler.request_streaming),
        response_streaming=bool(handler.response_streaming),
        read=_reader(handler.request_deserializer, GetMessageClass(method.input)),
        own=_owner(handler.response_serializer, GetMessageClass(method.output)),
    )


def deserialized_type(handler: grpc.RpcMethodHandler[Any, Any]) -> Descriptor | None:
    """The message that a handler's deserializer makes, where it is a class's own ``FromString``."""
    message = getattr(handler.request_deserializer, "__self__", None)
    return getattr(message, "DESCRIPTOR", None)


def _reader(deserialize: Any, message: type[Message]) -> Callable[[Message], Any] | None:
    """How a request reaches the servicer: as it is where it would only be serialized and parsed to the same class."""
    if getattr(deserialize, "__self__", None) is message and deserialize.__name__ == "FromString":
        return None
    if deserialize is None:
        return message.SerializeToString
    return lambda request: deserialize(request.SerializeToString())


def _owner(serialize: Any, message: type[Message]) -> Callable[[Any], Message]:
    """How a reply becomes ours: by a copy, because grpcio would serialize it at once.

    A servicer may change a reply and send it again. A copy costs 0.27 microseconds for a small message, where to find
    out whether somebody else holds a reference costs 0.04, but can't see one to a part of it.
    """
    through_bytes: Callable[[bytes], Message] = message.FromString

    def copy(reply: Any) -> Message:
        if type(reply) is message:
            mine: Message = message()
            mine.CopyFrom(reply)
            return mine
        if isinstance(reply, Message) and reply.DESCRIPTOR.full_name == message.DESCRIPTOR.full_name:
            return through_bytes(reply.SerializeToString())
        raise TypeError(f"expected a reply of type {message.DESCRIPTOR.full_name}, got {type(reply).__name__}")

    if serialize is None:
        return through_bytes
    if getattr(serialize, "__name__", "") == "SerializeToString" and serialize == message.SerializeToString:
        return copy

    def through(reply: Any) -> Message:
        parsed: Message = through_bytes(serialize(reply))
        return parsed

    return through
