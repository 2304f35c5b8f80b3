"""Limits of single methods: from what users write to a table by method."""

from __future__ import annotations

from collections.abc import Mapping

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.limits import Limits
from asgi_grpc.schema import Schema


def limits_by_method(given: Mapping[str, Limits], schema: Schema) -> dict[str, Limits]:
    """The limits of each method that has its own, by full name.

    Args:
        given: by a method's or a service's full name; a method's own go before its service's.
        schema: what is served.

    Raises:
        ConfigurationError: a name is neither a served method's nor a served service's.
    """
    methods = {method.full_name for method in schema.methods}
    for name in given:
        if name not in methods and name not in schema.services:
            raise ConfigurationError(f"method_limits: {name!r} is neither a method nor a service that is served here")
    own = {name: given.get(name) or given.get(name.rpartition(".")[0]) for name in methods}
    return {name: limits for name, limits in own.items() if limits is not None}
