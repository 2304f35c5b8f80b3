"""What the client may send and wants to get: ``Content-Type``, ``Content-Encoding`` and ``Accept``.

Sources: RFC 9110 sections 8.3, 8.4 and 12.5.1; the media types are those of the streams page in ``docs/``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol

from asgi_grpc.errors import Code, RequestError
from asgi_grpc.framing import (
    ArrayWriter,
    Event,
    Inflater,
    JsonFramer,
    JsonSeqFramer,
    NdjsonWriter,
    SeqWriter,
    SseWriter,
    WholeFramer,
    Writer,
)
from asgi_grpc.limits import Limits


class Framer(Protocol):
    """What all framers can do. See ``asgi_grpc.framing``."""

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that a chunk completes."""

    def close(self) -> list[Event]:
        """The last events."""


_NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_JSON_TYPES = frozenset({"", "application/json", *_NDJSON_TYPES})
_JSON_SEQ = "application/json-seq"
PROTOBUF_TYPES = ("application/protobuf", "application/x-protobuf")
_SINGLE_OFFERS = ("application/json",)
_WIRE_OFFERS = (*_SINGLE_OFFERS, *PROTOBUF_TYPES)
_SHORT = 256  # characters of an Accept that is worth to be kept
_STREAM_OFFERS = (*_NDJSON_TYPES, "application/json", "text/event-stream", _JSON_SEQ)


def media_type(value: str) -> str:
    """The type and subtype of a ``Content-Type``, in lower case, without parameters."""
    return value.partition(";")[0].strip().lower()


def choose_framer(content_type: str, *, streaming: bool, limits: Limits) -> Framer:
    """How to cut a request's body.

    Raises:
        RequestError: 415, the type is not one that this method takes.
    """
    kind = content_type if content_type in _JSON_TYPES else media_type(content_type)
    if kind == _JSON_SEQ and streaming:
        return JsonSeqFramer(max_frame_bytes=limits.max_message_bytes)
    if kind in _JSON_TYPES or (kind.endswith("+json") and not streaming):
        if streaming:
            return JsonFramer(max_frame_bytes=limits.max_message_bytes, max_depth=limits.max_depth)
        return WholeFramer(max_frame_bytes=limits.max_message_bytes)
    expected = f"application/x-ndjson, application/json or {_JSON_SEQ}" if streaming else "application/json"
    raise RequestError(f"Content-Type {_shown(kind)} is not supported here: send {expected}", http_status=415)


def choose_inflater(content_encoding: str, limits: Limits) -> Inflater | None:
    """The stage that inflates a request's body; None where nothing is compressed.

    Raises:
        RequestError: 415, the encoding is none that we know.
    """
    coding = content_encoding.strip().lower()
    match "gzip" if coding == "x-gzip" else coding:
        case "" | "identity":
            return None
        case "gzip" | "deflate" as known:
            return Inflater(known, max_inflation=limits.max_inflation)
        case _:
            text = f"Content-Encoding {_shown(coding)} is not supported: send gzip, deflate or none"
            raise RequestError(text, http_status=415, headers=[(b"accept-encoding", b"gzip, deflate")])


def choose_writer(accept: str | None, *, named_events: bool) -> Writer:
    """How to frame a stream of records.

    Raises:
        RequestError: 406, nothing that we can write is acceptable.
    """
    writers: dict[str, Callable[[], Writer]] = {
        "application/json": ArrayWriter,
        "text/event-stream": lambda: SseWriter(named=named_events),
        _JSON_SEQ: SeqWriter,
    }
    chosen = _choose(accept, _STREAM_OFFERS)
    return NdjsonWriter(chosen.encode()) if chosen in _NDJSON_TYPES else writers[chosen]()


def choose_single(accept: str | None, *, wire: bool) -> str:
    """The media type of an answer that is one message: JSON, or, where there is one, its protobuf wire form.

    Raises:
        RequestError: 406, the client wants something else.
    """
    return _choose(accept, _WIRE_OFFERS if wire else _SINGLE_OFFERS)


def _choose(accept: str | None, offers: tuple[str, ...]) -> str:
    """The acceptable offer of the highest quality; of equals the one that is named most exactly, then our first.

    Clients send the same few values all the time; to look again costs a third of a small call.
    """
    if accept is None or accept == "*/*":
        return offers[0]
    return (_weighed if len(accept) <= _SHORT else _weighed.__wrapped__)(accept, offers)


@lru_cache(maxsize=256)
def _weighed(accept: str, offers: tuple[str, ...]) -> str:
    """See ``_choose``."""
    if not accept.strip():
        return offers[0]
    ranges = [_parse_range(part) for part in accept.split(",") if part.strip()]
    best = max(
        ((*_quality(offer, ranges), -place, offer) for place, offer in enumerate(offers)), key=lambda found: found[:3]
    )
    if best[0] <= 0:
        text = f"nothing that this method can answer is acceptable: it offers {', '.join(offers)}"
        raise RequestError(text, code=Code.INVALID_ARGUMENT, http_status=406)
    return best[3]


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> tuple[float, int]:
    """The quality of the range that names the offer most exactly, and how exact it is."""
    main = offer.partition("/")[0]
    exactness = {"*/*": 1, f"{main}/*": 2, offer: 3}
    found = [(exactness[name], quality) for name, quality in ranges if name in exactness]
    exact, quality = max(found, default=(0, 0.0))
    return quality, exact


def _parse_range(text: str) -> tuple[str, float]:
    """One element of ``Accept``; a quality that is no number counts as 1, as if it were another parameter."""
    name, *parameters = (part.strip() for part in text.split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            try:
                quality = min(max(float(value), 0.0), 1.0)
            except ValueError:
                quality = 1.0
    return name.lower(), quality


def _shown(text: str) -> str:
    """A header's value as an error may show it: short, and printable ASCII."""
    return repr(text[:60].encode("ascii", "replace").decode())
