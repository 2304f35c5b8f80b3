"""The text of a document in, a tree of JSON values out; and what is wrong with text that is no JSON."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from asgi_grpc.codec._refusal import Refusal, too_deep
from asgi_grpc.codec._scalars import OutOfRange

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_POSITION = re.compile(r"\(byte (\d+)\)")
_UNPAIRED = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)


def _float(text: str) -> float | OutOfRange:
    number = float(text)
    return number if number - number == 0.0 else OutOfRange()


_decode = msgspec.json.Decoder(float_hook=_float).decode


def read_tree(data: bytes | str | msgspec.Raw, max_depth: int) -> Any:
    """Parse one JSON document. Of equal keys in one object the last wins.

    Raises:
        Refusal: the text is not JSON, or nests deeper than the interpreter can follow.
    """
    try:
        return _decode(data)
    except msgspec.ValidationError:
        raise Refusal("expected numbers of a sane length, got a longer one") from None
    except msgspec.DecodeError as error:
        raise Refusal(_what_is_wrong(data, str(error))) from None
    except UnicodeDecodeError:
        raise Refusal("expected JSON in UTF-8, got other bytes") from None
    except UnicodeEncodeError:
        raise Refusal("expected Unicode text, got an unpaired surrogate") from None
    except RecursionError:
        raise too_deep(max_depth) from None


def _what_is_wrong(data: bytes | str | msgspec.Raw, reason: str) -> str:
    """Our own words: of the parser's we take nothing but the position."""
    raw = data.encode() if isinstance(data, str) else bytes(data)
    if not raw.strip(b" \t\r\n"):
        return "expected JSON, got nothing"
    if raw.startswith(_BYTE_ORDER_MARK):
        return "expected JSON, got a byte order mark before it"
    if _UNPAIRED.search(raw):
        return "expected Unicode text, got the escape of an unpaired surrogate"
    position = _POSITION.search(reason)
    if position is None:
        return "expected a whole JSON document, got one that ends too early"
    return f"expected JSON, got something else near byte {position[1]}"
