"""For tests of ASGI applications and of streams: scripted peers, and strategies that draw bodies and their cuts."""

from __future__ import annotations

from asgi_grpc.testing._exchange import Application, Exchange, ExchangeEndedError, Message, Scope
from asgi_grpc.testing._http import HttpExchange
from asgi_grpc.testing._websocket import WebSocketExchange

__all__ = ["Application", "Exchange", "ExchangeEndedError", "HttpExchange", "Message", "Scope", "WebSocketExchange"]
