"""HTTP headers to gRPC metadata and back.

Sources: the HTTP/2 protocol mapping of gRPC (``-bin`` keys, reserved ``grpc-`` keys), RFC 9110 section 7.6.1 for the
headers that belong to one hop, and grpc-gateway's documented header rules for its preset.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

from google.protobuf.message import DecodeError as WireError
from google.rpc import status_pb2

from asgi_grpc.errors import Code, ConfigurationError, Detail, Metadata, RequestError

Headers = Sequence[tuple[bytes, bytes]]
"""ASGI headers: lower-case names, raw values."""

MetadataRule = Callable[[str], str | None]
"""From a lower-case header name to a metadata key, or None to leave the header out."""

Preset = Literal["default", "safe", "grpc-gateway"]

_LEGAL_KEY = re.compile(r"[a-z0-9_.-]+")
_PREFIX = "grpc-metadata-"
_ALLOWED = frozenset({"authorization", "traceparent", "tracestate", "baggage", "x-request-id"})
_ONE_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "host", "cookie"}
)
_PERMANENT = frozenset(
    {"accept", "accept-charset", "accept-language", "accept-ranges", "authorization", "cache-control", "content-type"}
    | {"cookie", "date", "expect", "from", "host", "if-match", "if-modified-since", "if-none-match"}
    | {"if-schedule-tag-match", "if-unmodified-since", "max-forwards", "origin", "pragma", "referer", "user-agent"}
    | {"via", "warning"}
)
_COMMON = (
    *(b"accept", b"accept-encoding", b"accept-language", b"authorization", b"cache-control", b"connection"),
    *(b"content-encoding", b"content-length", b"content-type", b"cookie", b"dnt", b"host", b"origin", b"pragma"),
    *(b"priority", b"referer", b"sec-ch-ua", b"sec-ch-ua-mobile", b"sec-ch-ua-platform", b"sec-fetch-dest"),
    *(b"sec-fetch-mode", b"sec-fetch-site", b"sec-gpc", b"sec-websocket-extensions", b"sec-websocket-key"),
    *(b"sec-websocket-version", b"te", b"traceparent", b"transfer-encoding", b"upgrade", b"user-agent"),
)
"""What clients send with nearly every request: the rules of a preset are asked for these once."""


def _default_rule(name: str) -> str | None:
    if name in _ALLOWED:
        return name
    return "x-forwarded-user-agent" if name == "user-agent" else _prefixed(name)


def _safe_rule(name: str) -> str | None:
    if name.startswith(_PREFIX):
        return _prefixed(name)
    return None if name in _ONE_HOP or name.startswith(("grpc-", "content-", "sec-websocket-", ":")) else name


def _gateway_rule(name: str) -> str | None:
    return f"grpcgateway-{name}" if name in _PERMANENT else _prefixed(name)


def _prefixed(name: str) -> str | None:
    """``grpc-metadata-x`` gives ``x``."""
    return name[len(_PREFIX) :] if name.startswith(_PREFIX) else None


_RULES: dict[str, MetadataRule] = {"default": _default_rule, "safe": _safe_rule, "grpc-gateway": _gateway_rule}

_KNOWN: dict[MetadataRule, dict[bytes, str | None]] = {}
_OURS: dict[bytes, str | None] = {b"x-forwarded-for": None, b"x-forwarded-host": None}  # no rule is asked
_OUR_KEYS = frozenset(name.decode() for name in _OURS)
_FRAMING = _ONE_HOP | {"content-length", "content-type"}  # of an answer: the server's business, or ours


def metadata_rule(rule: Preset | MetadataRule) -> MetadataRule:
    """The rule of a preset's name; a callable is a rule already.

    Raises:
        ConfigurationError: no preset has this name.
    """
    if callable(rule):
        return rule
    if rule not in _RULES:
        raise ConfigurationError(
            f"there is no metadata preset {rule!r}; choose one of {', '.join(_RULES)}, or a callable"
        )
    preset = _RULES[rule]
    _KNOWN.setdefault(preset, {name: preset(name.decode()) for name in _COMMON} | _OURS)
    return preset


def request_metadata(headers: Headers, rule: MetadataRule, peer: str | None) -> Metadata:
    """What a request's headers become.

    Args:
        headers: as in an ASGI scope.
        rule: names the metadata key of each header.
        peer: the client's address; it is appended to ``x-forwarded-for``.

    Returns:
        Legal pairs only. Illegal keys and values that are not printable ASCII are left out, as are keys that start
        with ``grpc-``, which belong to gRPC itself. ``x-forwarded-for`` and ``x-forwarded-host`` come once at most:
        no other header becomes one of them.

    Raises:
        RequestError: a value under a ``-bin`` key is not base64.
    """
    pairs: list[tuple[str, str | bytes]] = []
    known = _KNOWN.get(rule, _OURS)
    for raw_name, value in headers:
        key = known[raw_name] if raw_name in known else rule(raw_name.decode("latin-1"))
        if key is not None:
            pairs += _pairs(key, value)
        if raw_name == b"authorization" and rule is _gateway_rule:
            pairs += _pairs("authorization", value)
    fields = dict(headers)
    forwarded_for = peer or ""
    if b"x-forwarded-for" in fields:
        lines = [value.decode("latin-1") for raw_name, value in headers if raw_name == b"x-forwarded-for"]
        forwarded_for = ", ".join([*lines, forwarded_for] if forwarded_for else lines)
    forwarded_host = (fields.get(b"x-forwarded-host") or fields.get(b"host", b"")).decode("latin-1")
    if forwarded_for and _is_legal(forwarded_for):
        pairs.append(("x-forwarded-for", forwarded_for))
    if forwarded_host and _is_legal(forwarded_host):
        pairs.append(("x-forwarded-host", forwarded_host))
    return pairs


def _pairs(key: str, value: bytes) -> Metadata:
    """The legal pairs of one header; a ``-bin`` header may hold several values, split by commas."""
    if not value or not _LEGAL_KEY.fullmatch(key) or key.startswith("grpc-") or key in _OUR_KEYS:
        return ()
    if key.endswith("-bin"):
        return [(key, _from_base64(key, part.strip())) for part in value.split(b",")]
    text = value.decode("latin-1")
    return [(key, text)] if _is_legal(text) else ()


def _is_legal(text: str) -> bool:
    """Whether a value is printable ASCII, from the space to the tilde. Source: ``ASCII-Value`` of gRPC over HTTP/2."""
    return text.isascii() and text.isprintable()


def _from_base64(key: str, text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text.rstrip(b"=") + b"=" * (-len(text.rstrip(b"=")) % 4), strict_mode=True)
    except binascii.Error as exc:
        raise RequestError(f"the metadata {key} is not base64") from exc


def to_text(pairs: Metadata) -> dict[str, str]:
    """Metadata as text by key: repeated keys joined by commas as in HTTP, ``-bin`` values as unpadded base64."""
    found: dict[str, str] = {}
    for key, value in pairs:
        text = value if isinstance(value, str) else binascii.b2a_base64(value, newline=False).decode().rstrip("=")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def response_headers(pairs: Metadata, prefix: str = "grpc-metadata-") -> list[tuple[bytes, bytes]]:
    """Header metadata as HTTP headers: each key behind the prefix, in lower case as ASGI wants it.

    Values that HTTP can't carry (CR, LF, NUL, other controls, not ASCII) are left out, as are headers that say where
    the answer ends and what it is (``content-length``, ``transfer-encoding``, ``connection``, ``content-type``, ...).
    """
    return [
        (f"{prefix}{key}".encode("ascii"), text.encode("ascii"))
        for key, text in to_text(pairs).items()
        if text.isascii() and text.isprintable() and f"{prefix}{key}" not in _FRAMING
    ]


def from_grpc(metadata: Any) -> Metadata:
    """grpcio's metadata (or None) as pairs, without the keys that belong to gRPC itself."""
    return [(key, value) for key, value in metadata or () if not key.startswith("grpc-")]


def status_details(trailers: Any) -> Sequence[Detail]:
    """The details of a status, from the ``grpc-status-details-bin`` trailer; damaged ones count as none."""
    for key, value in trailers or ():
        if key == "grpc-status-details-bin":
            try:
                status = status_pb2.Status.FromString(value)
            except WireError:
                return ()
            return [(detail.type_url, detail.value) for detail in status.details]
    return ()


_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_UNIT_S = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_CENTURY_S = 100 * 365 * 86400.0


def parse_timeout(text: str) -> float:
    """Seconds of a ``Grpc-Timeout`` header: 1 to 8 digits and one of ``H M S m u n``.

    More than a century counts as one: grpcio 1.85 takes a deadline behind the year 2262 for one that has passed.

    Raises:
        RequestError: anything else.
    """
    found = _TIMEOUT.fullmatch(text)
    if found is None:
        raise RequestError(
            "Grpc-Timeout: expected 1 to 8 digits and one of H M S m u n, e.g. 500m", code=Code.INVALID_ARGUMENT
        )
    return min(int(found[1]) * _UNIT_S[found[2]], _CENTURY_S)
