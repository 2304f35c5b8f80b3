"""The framers: bytes in any chunking to frames, and records to bytes."""

from __future__ import annotations

from asgi_grpc.framing._events import Broken, End, Event, Fault, Frame
from asgi_grpc.framing._inflate import Inflater
from asgi_grpc.framing._json import JsonFramer, cut_message
from asgi_grpc.framing._json_seq import JsonSeqFramer
from asgi_grpc.framing._sse import SseEvent, SseReader, SseStreamEvent, SseWriter
from asgi_grpc.framing._whole import WholeFramer
from asgi_grpc.framing._writers import ArrayWriter, NdjsonWriter, SeqWriter, Writer

__all__ = [
    "ArrayWriter",
    "Broken",
    "End",
    "Event",
    "Fault",
    "Frame",
    "Inflater",
    "JsonFramer",
    "JsonSeqFramer",
    "NdjsonWriter",
    "SeqWriter",
    "SseEvent",
    "SseReader",
    "SseStreamEvent",
    "SseWriter",
    "WholeFramer",
    "Writer",
    "cut_message",
]
