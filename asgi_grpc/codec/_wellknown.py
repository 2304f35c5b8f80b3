"""Well-known types: their JSON strings, read strictly and written canonically.

Source: the comments of google/protobuf/timestamp.proto, duration.proto and field_mask.proto.
"""

from __future__ import annotations

import re
import string
from datetime import date

from asgi_grpc.codec._refusal import Refusal

_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_DURATION = re.compile(r"(-?)([0-9]+)(?:\.([0-9]{1,9}))?s")
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_TIMESTAMP_MIN, _TIMESTAMP_MAX = -62135596800, 253402300799  # 0001-01-01T00:00:00Z, 9999-12-31T23:59:59Z
_DURATION_MAX = 315_576_000_000  # 10 000 years of 365.25 days
_UPPER = re.compile(r"[A-Z]")
_CASES = [(letter, "_" + letter.lower()) for letter in string.ascii_uppercase]  # 26 passes in C, whatever the length


def read_timestamp(text: str) -> tuple[int, int]:
    """RFC 3339 with an upper-case ``T``, and ``Z`` or an offset -> seconds since 1970, nanoseconds."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise Refusal('expected a time such as "2000-01-31T23:59:59.5Z", got a string of another form')
    day, hours, minutes, seconds, fraction, sign, offset_hours, offset_minutes = match.groups()
    try:
        days = date.fromisoformat(day).toordinal() - _EPOCH_DAY
    except ValueError:
        raise Refusal("expected a day of the calendar, got none") from None
    if hours > "23" or minutes > "59" or seconds > "59":
        raise Refusal("expected a time of day up to 23:59:59, got a later one")
    total = days * 86400 + int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    if sign:
        if offset_hours > "23" or offset_minutes > "59":
            raise Refusal("expected an offset up to 23:59, got a larger one")
        offset = int(offset_hours) * 3600 + int(offset_minutes) * 60
        total += offset if sign == "-" else -offset
        if not _TIMESTAMP_MIN <= total <= _TIMESTAMP_MAX:
            raise Refusal("expected a time in the years 1 to 9999, got one outside")
    return total, _nanos(fraction)


def write_timestamp(seconds: int, nanos: int) -> str:
    """Always in UTC, with 0, 3, 6 or 9 digits of a fraction."""
    if not _TIMESTAMP_MIN <= seconds <= _TIMESTAMP_MAX:
        raise Refusal("expected a Timestamp in the years 1 to 9999, got one outside")
    if not 0 <= nanos < 10**9:
        raise Refusal("expected the nanos of a Timestamp from 0 to 999999999, got others")
    days, rest = divmod(seconds, 86400)
    minutes, second = divmod(rest, 60)
    day = date.fromordinal(days + _EPOCH_DAY).isoformat()
    return f"{day}T{minutes // 60:02}:{minutes % 60:02}:{second:02}{_fraction(nanos)}Z"


def read_duration(text: str) -> tuple[int, int]:
    """Decimal seconds with an ``s`` -> seconds, nanoseconds, both with the sign."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise Refusal('expected a duration such as "1.5s", got a string of another form')
    sign, whole, fraction = match.groups()
    whole = whole.lstrip("0") or "0"
    if len(whole) > 12 or int(whole) > _DURATION_MAX:
        raise Refusal("expected a duration up to 315576000000 seconds, got a longer one")
    seconds, nanos = int(whole), _nanos(fraction)
    return (-seconds, -nanos) if sign else (seconds, nanos)


def write_duration(seconds: int, nanos: int) -> str:
    """Decimal seconds, with 0, 3, 6 or 9 digits of a fraction."""
    if not -_DURATION_MAX <= seconds <= _DURATION_MAX:
        raise Refusal("expected a Duration up to 315576000000 seconds, got a longer one")
    if not -(10**9) < nanos < 10**9:
        raise Refusal("expected the nanos of a Duration from -999999999 to 999999999, got others")
    if (seconds < 0 < nanos) or (nanos < 0 < seconds):
        raise Refusal("expected the seconds and nanos of a Duration to have one sign, got two")
    sign = "-" if seconds < 0 or nanos < 0 else ""
    return f"{sign}{abs(seconds)}{_fraction(abs(nanos))}s"


def _nanos(fraction: str | None) -> int:
    return int(fraction.ljust(9, "0")) if fraction else 0


def _fraction(nanos: int) -> str:
    if not nanos:
        return ""
    if nanos % 1000:
        return f".{nanos:09}"
    return f".{nanos // 1000:06}" if nanos % 1_000_000 else f".{nanos // 1_000_000:03}"


def read_field_mask(text: str) -> list[str]:
    """Paths in lowerCamelCase between commas -> paths in snake_case; no text is no paths."""
    if "_" in text:
        raise Refusal('expected the paths of a FieldMask in lowerCamelCase, got "_" in one')
    if not text:
        return []
    if not text.islower():
        for camel, snake in _CASES:
            text = text.replace(camel, snake)
    return text.split(",")


def write_field_mask(paths: list[str]) -> str:
    """Only paths that come back the same can be written."""
    text = camel = ",".join(paths)
    if "_" in text:
        for upper, snake in _CASES:
            camel = camel.replace(snake, upper)
    if "_" in camel or _UPPER.search(text) or not all(paths) or text.count(",") > max(len(paths) - 1, 0):
        raise Refusal("expected paths of a FieldMask that survive lowerCamelCase, got one that does not")
    return camel
