"""For tests of ASGI applications and of streams: scripted peers, byte-level clients, strategies for bodies and cuts.

The strategies need Hypothesis (the extra ``test``); they are imported when the first of them is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from asgi_grpc.client import HttpConnection, WebSocket
from asgi_grpc.testing._connect import connect_http, connect_websocket
from asgi_grpc.testing._exchange import Application, Exchange, ExchangeEndedError, Message, Scope
from asgi_grpc.testing._http import HttpExchange
from asgi_grpc.testing._play import Framer, play, play_prefixes
from asgi_grpc.testing._websocket import WebSocketExchange

if TYPE_CHECKING:
    from asgi_grpc.testing._binary_bodies import compressed_bodies, prefixed_bodies, prefixed_frame
    from asgi_grpc.testing._json_messages import json_messages, messages, wrong_json_messages
    from asgi_grpc.testing._strategies import (
        array_bodies,
        chunkings,
        json_seq_bodies,
        json_values,
        ndjson_bodies,
        sse_bodies,
        websocket_texts,
    )
    from asgi_grpc.testing._websocket_streams import websocket_frame, websocket_streams

__all__ = [
    "Application",
    "Exchange",
    "ExchangeEndedError",
    "Framer",
    "HttpConnection",
    "HttpExchange",
    "Message",
    "Scope",
    "WebSocket",
    "WebSocketExchange",
    "array_bodies",
    "chunkings",
    "compressed_bodies",
    "connect_http",
    "connect_websocket",
    "json_messages",
    "json_seq_bodies",
    "json_values",
    "messages",
    "ndjson_bodies",
    "play",
    "play_prefixes",
    "prefixed_bodies",
    "prefixed_frame",
    "sse_bodies",
    "websocket_frame",
    "websocket_streams",
    "websocket_texts",
    "wrong_json_messages",
]


_ROOMS = {
    "compressed_bodies": "_binary_bodies",
    "json_messages": "_json_messages",
    "messages": "_json_messages",
    "prefixed_bodies": "_binary_bodies",
    "prefixed_frame": "_binary_bodies",
    "websocket_frame": "_websocket_streams",
    "websocket_streams": "_websocket_streams",
    "wrong_json_messages": "_json_messages",
}  # the file of each strategy that does not stand with the others


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS.get(name, '_strategies')}"), name)  # Hypothesis is an extra
