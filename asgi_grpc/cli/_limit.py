"""``--limit NAME=VALUE``: a word of the command line to a field of ``Limits``."""

from __future__ import annotations

import argparse
import math
import re
from dataclasses import fields

from asgi_grpc.limits import Limits

LimitValue = int | float | None

_FIELDS = {field.name.replace("_", "-"): field for field in fields(Limits)}
_SIZE = re.compile(r"([0-9]+)(|B|KiB|MiB|GiB)")
_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)(|ms|s|m|h)")
_BYTES = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

LIMIT_NAMES = tuple(_FIELDS)
"""The names that are taken, as ``Limits`` has them, with ``-`` for ``_``."""


def read_limit(text: str) -> tuple[str, LimitValue]:
    """Read one limit: the name of a field of ``Limits``, and its value.

    Sizes are whole numbers of bytes, ``KiB``, ``MiB`` or ``GiB``; times are numbers of seconds, ``ms``, ``m`` or ``h``;
    ``none`` lifts a limit that may be lifted.

    Raises:
        argparse.ArgumentTypeError: there is no such limit, the text lists them; or its value is not of its kind.
    """
    name, given, value = text.partition("=")
    name = name.replace("_", "-")
    if not given or name not in _FIELDS:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, NAME one of {', '.join(LIMIT_NAMES)}; got {text!r}")
    field = _FIELDS[name]
    optional = "None" in str(field.type)
    if optional and value == "none":
        return field.name, None
    number, expected = _read(field.name, value)
    if number is None or not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{name}: expected {expected}{', or none' * optional}; got {value!r}")
    return field.name, number


def _read(name: str, value: str) -> tuple[int | float | None, str]:
    """The number in a text, if it is one; and what is expected there."""
    if name.endswith("_bytes"):
        size = _SIZE.fullmatch(value)
        return size and int(size[1]) * _BYTES[size[2]], "a size above 0 such as 65536, 64KiB or 4MiB"
    if name.endswith("_s"):
        time = _TIME.fullmatch(value)
        return time and float(time[1]) * _SECONDS[time[2]], "a time above 0 such as 30, 30s, 500ms or 5m"
    return int(value) if value.isascii() and value.isdecimal() else None, "a whole number above 0"
