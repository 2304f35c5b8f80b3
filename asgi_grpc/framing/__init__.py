"""The framers: bytes in any chunking to frames, and records to bytes."""

from __future__ import annotations

from asgi_grpc.framing._events import Broken, End, Event, Fault, Frame

__all__ = ["Broken", "End", "Event", "Fault", "Frame"]
