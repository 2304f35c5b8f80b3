"""Every public class, function and method has a docstring of its own."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import pytest

import asgi_grpc


def public_modules() -> list[str]:
    """The modules without an underscore, the examples that a wheel carries aside."""
    found = (module.name for module in pkgutil.walk_packages(asgi_grpc.__path__, "asgi_grpc."))
    names = (name for name in found if not name.startswith("asgi_grpc.examples"))
    return ["asgi_grpc", *(name for name in names if not any(part.startswith("_") for part in name.split(".")))]


def public_objects(module: ModuleType) -> Iterator[tuple[str, object]]:
    """What ``__all__`` names, or what the module defines; then the members of its classes."""
    names = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
    for name in names:
        value = getattr(module, name)
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            continue  # a constant, or an alias of a type
        yield name, value
        if inspect.isclass(value) and value.__module__.startswith("asgi_grpc"):
            for member, raw in vars(value).items():
                function = raw.__func__ if isinstance(raw, classmethod | staticmethod) else raw
                if not member.startswith("_") and (inspect.isfunction(function) or isinstance(function, property)):
                    yield f"{name}.{member}", function


@pytest.mark.parametrize("name", public_modules())
def test_everything_public_has_a_docstring(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    objects = list(public_objects(module))
    assert [where for where, value in objects if not (getattr(value, "__doc__", None) or "").strip()] == []


def test_the_walk_finds_the_rooms() -> None:
    assert {"asgi_grpc.asgi", "asgi_grpc.calls", "asgi_grpc.framing", "asgi_grpc.limits"} < set(public_modules())
    assert ("GrpcMiddleware", asgi_grpc.GrpcMiddleware) in list(public_objects(asgi_grpc))
