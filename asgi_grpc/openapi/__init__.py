"""Routes and their messages, described as OpenAPI: for people who read, and for programs that make clients.

In come routes, a dialect and comments; out goes plain JSON data. The rule that the room obeys: what the gateway prints
always validates.
"""

from __future__ import annotations

from asgi_grpc.openapi._document import openapi_document

__all__ = ["openapi_document"]
