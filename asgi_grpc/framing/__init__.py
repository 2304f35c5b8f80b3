"""The framers: bytes in any chunking to frames, and records to bytes."""

from __future__ import annotations

from asgi_grpc.framing._events import Broken, End, Event, Fault, FlaggedFrame, Frame
from asgi_grpc.framing._inflate import Inflater
from asgi_grpc.framing._json import JsonFramer, cut_long_message, cut_message
from asgi_grpc.framing._json_seq import JsonSeqFramer
from asgi_grpc.framing._pieces import in_pieces
from asgi_grpc.framing._prefixed import PrefixedFramer
from asgi_grpc.framing._shortcut import is_one_value
from asgi_grpc.framing._sse import SseEvent, SseReader, SseStreamEvent, SseWriter
from asgi_grpc.framing._websocket import Closed, EmptyMessage, Ping, Pong, WebSocketEvent, WebSocketFramer
from asgi_grpc.framing._whole import WholeFramer
from asgi_grpc.framing._writers import ArrayWriter, NdjsonWriter, SeqWriter, Writer

__all__ = [
    "ArrayWriter",
    "Broken",
    "Closed",
    "EmptyMessage",
    "End",
    "Event",
    "Fault",
    "FlaggedFrame",
    "Frame",
    "Inflater",
    "JsonFramer",
    "JsonSeqFramer",
    "NdjsonWriter",
    "Ping",
    "Pong",
    "PrefixedFramer",
    "SeqWriter",
    "SseEvent",
    "SseReader",
    "SseStreamEvent",
    "SseWriter",
    "WebSocketEvent",
    "WebSocketFramer",
    "WholeFramer",
    "Writer",
    "cut_long_message",
    "cut_message",
    "in_pieces",
    "is_one_value",
]
