"""The limits that users write: none that nothing can be served with; and those of single methods, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.limits import Limits
from asgi_grpc.schema import Schema

LONGEST_S = 99_999_999 * 3600
"""What the longest ``Grpc-Timeout`` says; gRPC's clocks overflow not far behind it."""

_MAY_BE_NOTHING = ("max_streams", "drain_timeout_s")


def check_limits(limits: Limits) -> None:
    """Refuse a size or a time that is not above 0; only ``max_streams`` and ``drain_timeout_s`` may be 0.

    Raises:
        ConfigurationError: the text names the limit.
    """
    for field in fields(limits):
        name, value = field.name, getattr(limits, field.name)
        if name.endswith("_s"):
            kind, good = "a time in seconds", value is None or 0 <= value <= LONGEST_S
        else:
            kind, good = "a whole number", value >= 0 and value == int(value)
        if not good or (value == 0 and name not in _MAY_BE_NOTHING):
            least = "0 or more" if name in _MAY_BE_NOTHING else "above 0"
            raise ConfigurationError(f"limits: {name}: expected {kind}, {least}, got {value!r}")


def check_silences(**silences_s: float | None) -> None:
    """Refuse times of silence, by the name of their option, that would be over at once.

    Raises:
        ConfigurationError: the text names the option.
    """
    for name, silence_s in silences_s.items():
        if silence_s is not None and not silence_s > 0:
            raise ConfigurationError(f"{name}: expected seconds above 0, or None, got {silence_s!r}")


def limits_by_method(given: Mapping[str, Limits], schema: Schema) -> dict[str, Limits]:
    """The limits of each method that has its own, by full name.

    Args:
        given: by a method's or a service's full name; a method's own go before its service's.
        schema: what is served.

    Raises:
        ConfigurationError: a name is neither a served method's nor a served service's; or its limits leave nothing.
    """
    for limits in given.values():
        check_limits(limits)
    methods = {method.full_name for method in schema.methods}
    for name in given:
        if name not in methods and name not in schema.services:
            raise ConfigurationError(f"method_limits: {name!r} is neither a method nor a service that is served here")
    own = {name: given.get(name) or given.get(name.rpartition(".")[0]) for name in methods}
    return {name: found for name, found in own.items() if found is not None}
