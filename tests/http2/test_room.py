"""The door of the room."""

from __future__ import annotations

import importlib
import sys

import pytest

from asgi_grpc import http2
from asgi_grpc.errors import ConfigurationError


def test_without_the_extra_the_room_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asgi_grpc.http2._backend", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'asgi_grpc\[http2\]'"):
        importlib.reload(http2)


def test_the_door_has_one_name() -> None:
    assert importlib.reload(http2).__all__ == ["Http2Backend"]
