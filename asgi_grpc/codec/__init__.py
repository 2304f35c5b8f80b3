"""JSON to protobuf messages and back: all of ProtoJSON, at msgspec's speed.

In come one document's bytes, out goes a message; and the other way round. Everything is known from descriptors, no
generated code is needed. The rule that the room obeys: a fast path compiled from the descriptor may refuse anything,
and then a complete path decides; what the fast path accepts is what the complete path makes of it.
"""

from __future__ import annotations

from asgi_grpc.codec._codec import Codec, check_wire, encode_any
from asgi_grpc.codec._options import CodecOptions
from asgi_grpc.codec._plan import EnumPlan, FieldPlan, Kind, MessagePlan, plan_message
from asgi_grpc.codec._refusal import EncodeError
from asgi_grpc.codec._text import set_map_text, set_text

__all__ = [
    "Codec",
    "CodecOptions",
    "EncodeError",
    "EnumPlan",
    "FieldPlan",
    "Kind",
    "MessagePlan",
    "check_wire",
    "encode_any",
    "plan_message",
    "set_map_text",
    "set_text",
]
