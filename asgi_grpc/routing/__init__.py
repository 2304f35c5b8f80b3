"""Request lines to methods, and requests to messages.

In come an HTTP method, a raw path, a query and the frames of a body; out go a method and its request messages. The rule
that the room obeys is google/api/http.proto; everything that can be wrong with a rule is refused while wiring.
"""

from __future__ import annotations

from asgi_grpc.routing._binding import Bound, Decode, Decoded
from asgi_grpc.routing._reply import Reply
from asgi_grpc.routing._router import Match, Route, Router

__all__ = ["Bound", "Decode", "Decoded", "Match", "Reply", "Route", "Router"]
