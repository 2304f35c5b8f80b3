"""What a plan's client writes, and what it makes of an answer: bytes, and no sockets."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from typing import Any

import msgspec

from tests.soak.plans import SOCKETS, Plan

CONTENT_TYPES = {
    "ndjson": "application/x-ndjson",
    "array": "application/json",
    "seq": "application/json-seq",
    "spaced": "application/json",
}
ACCEPTED = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "array": "application/json",
    "seq": "application/json-seq",
    "sse": "text/event-stream",
}

Record = tuple[str, Any]
"""``response``, ``complete`` or ``error``, and what came with it."""


def requests(plan: Plan) -> list[bytes]:
    """The documents of the requests, the bad one in its place."""
    documents = [b'{"number":%d,"pad":"%b"}' % (n, b"q" * pad) for n, pad in enumerate(plan.pads, 1)]
    if plan.bad:
        documents[plan.bad_at - 1 : plan.bad_at] = [plan.bad]
    return documents


def body_pieces(plan: Plan) -> list[bytes]:
    """The body of a request, cut into the client's writes."""
    rng = random.Random(plan.number)
    documents = requests(plan)
    if plan.body == "array":
        parts = [(b",\n" if place else b"[") + document for place, document in enumerate(documents)]
        parts = [*parts, b"]"] if parts else [b"[]"]
    elif plan.body == "seq":
        parts = [b"\x1e" + document + b"\n" for document in documents]
    elif plan.body == "spaced":
        parts = [document + rng.choice([b" ", b"\r\n", b"\n\n", b"\t"]) for document in documents]
    else:
        parts = [document + b"\n" for document in documents]
    if plan.compressed:
        parts = [gzip.compress(b"".join(parts), 1)]
    return list(cut(plan.cuts, parts, rng))


def cut(cuts: str, parts: list[bytes], rng: random.Random) -> Iterator[bytes]:
    """Cut what is to be sent; the parts are the requests."""
    whole = b"".join(parts)
    match cuts:
        case "each":
            yield from parts
        case "whole":
            yield whole
        case "bytes":
            yield from (whole[at : at + 1] for at in range(len(whole)))
        case "random":
            places = sorted(rng.randint(0, len(whole)) for _ in range(rng.randint(1, 12)))
            for start, end in zip([0, *places], [*places, len(whole)], strict=True):
                yield whole[start:end]


def texts(plan: Plan) -> list[str]:
    """The text messages of a WebSocket, without the end of the input."""
    documents = [document.decode() for document in requests(plan)]
    if plan.door == "records":
        documents = [f'{{"type":"request","data":{document}}}' for document in documents]
    if plan.cuts != "random" or not plan.streams_up:
        return documents
    rng, joined, at = random.Random(plan.number), list[str](), 0
    while at < len(documents):
        step = rng.randint(1, 40)
        joined.append("\n".join(documents[at : at + step]))
        at += step
    return joined


def records(door: str, body: bytes) -> list[Record]:
    """The records of a whole answer.

    Raises:
        ValueError: it is not made of records.
    """
    match door:
        case "array":
            documents = msgspec.json.decode(body)
        case "seq":
            documents = [msgspec.json.decode(part) for part in body.split(b"\x1e")[1:]]
        case "sse":
            return [_event(block) for block in body.decode().split("\n\n") if block.strip() and block[0] != ":"]
        case _:
            documents = [msgspec.json.decode(line) for line in body.splitlines() if line.strip()]
    return [record(document) for document in documents]


def record(document: Any) -> Record:
    """One record of the dialect ``envelope``."""
    kind = document["type"]
    return kind, document["data"] if kind == "response" else document


def _event(block: str) -> Record:
    fields = dict(line.split(": ", 1) for line in block.splitlines())
    return fields["event"], msgspec.json.decode(fields["data"])


def is_socket(plan: Plan) -> bool:
    """The call goes over a WebSocket."""
    return plan.door in SOCKETS
