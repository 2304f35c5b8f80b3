"""Percent-encoded bytes to text: path segments, variables, query strings.

Which escapes stay depends on where the bytes stand, so everything stays encoded until that is known, and nothing is
ever decoded twice. Source: RFC 3986, section 2.1; google/api/http.proto, the rules for ``Segments``.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from itertools import product

from asgi_grpc.errors import RequestError

_DIGITS = "0123456789abcdefABCDEF"
_PAIRS = [high + low for high, low in product(_DIGITS, _DIGITS)]


def _table(kept: str) -> Mapping[bytes, bytes]:
    """Two hexadecimal digits to what their escape becomes: one byte, or itself for the characters kept."""
    return {
        pair.encode(): f"%{pair}".encode() if chr(int(pair, 16)) in kept else bytes.fromhex(pair) for pair in _PAIRS
    }


_ALL = _table("")


class Unescape(enum.Enum):
    """Which escapes of a variable of several segments are decoded.

    Source: google/api/http.proto says the first at ``fully_decode_reserved_expansion``, the second about templates.
    """

    EXCEPT_RESERVED = "except_reserved"
    """All but RFC 6570's reserved set: the value can be put back into a URL as it is. The default."""
    EXCEPT_SLASH = "except_slash"
    """All but ``%2F``: a segment's own slashes can still be told from those between segments."""
    ALL = "all"
    """All."""


_TABLES = {
    Unescape.EXCEPT_RESERVED: _table("!#$&'()*+,/:;=?@[]"),
    Unescape.EXCEPT_SLASH: _table("/"),
    Unescape.ALL: _ALL,
}


def plain_segment(raw: bytes) -> bytes | None:
    """Decode a segment for comparison with literals; None if it is malformed and so equals none."""
    if b"%" not in raw:
        return raw
    try:
        return _unescape(raw, _ALL)
    except KeyError:
        return None


def variable_text(raw: bytes, table: Mapping[bytes, bytes] = _ALL) -> str:
    """Decode a path variable's text.

    Raises:
        RequestError: a malformed escape, or bytes that are not UTF-8.
    """
    return _text(raw, table, "the path")


def multi_segment_table(mode: Unescape) -> Mapping[bytes, bytes]:
    """The second argument of ``variable_text`` for a variable of several segments."""
    return _TABLES[mode]


def query_pairs(query: bytes, where: str = "the query") -> Iterator[tuple[str, str]]:
    """Cut a query string, or a form that is spelled like one, into names and values; ``+`` is a space.

    A name without ``=`` has the empty value; nothing between two ``&`` is nothing. ``where`` is for errors.

    Raises:
        RequestError: a malformed escape, or bytes that are not UTF-8.

    Source: the URL Standard, section 5.1, but stricter.
    """
    for pair in query.split(b"&"):
        if pair:
            name, _, value = pair.replace(b"+", b" ").partition(b"=")
            yield _text(name, _ALL, where), _text(value, _ALL, where)


def _unescape(raw: bytes, table: Mapping[bytes, bytes]) -> bytes:
    """Replace every escape; KeyError if one is malformed."""
    head, *rest = raw.split(b"%")
    return head + b"".join([table[part[:2]] + part[2:] for part in rest])


def _text(raw: bytes, table: Mapping[bytes, bytes], where: str) -> str:
    """Decode escapes, then UTF-8."""
    try:
        return str(_unescape(raw, table) if b"%" in raw else raw, "utf-8")
    except KeyError:
        raise RequestError(f"{where} has a '%' without two hexadecimal digits after it") from None
    except UnicodeDecodeError:
        raise RequestError(f"{where} is not UTF-8") from None
