"""Nine kinds of traffic, made by a seeded generator: the same texts in every run, no two alike."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

WORDS = [
    "stream",
    "garden",
    "copper",
    "Ærø",
    "lantern",
    "river",
    "quiet",
    "seven",
    "naïve",
    "harbour",
    "table",
    "\u65e5\u672c",
]


def word(rng: Random) -> str:
    """A token that hardly ever comes twice."""
    return "".join(rng.choices(string.ascii_lowercase + string.digits, k=10))


def sentence(rng: Random, words: int) -> str:
    """Text for people."""
    return " ".join(rng.choices(WORDS, k=words))


def time(rng: Random) -> str:
    """A time within one year, with 0, 3 or 6 digits of a fraction."""
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(365 * 86400))
    return (
        moment.strftime("%Y-%m-%dT%H:%M:%S")
        + rng.choice(["", f".{rng.randrange(1000):03}", f".{rng.randrange(10**6):06}"])
        + "Z"
    )


def hello(rng: Random) -> Any:
    return {"name": sentence(rng, 3), "visits": rng.randrange(10**6)}


def chat(rng: Random) -> Any:
    return {
        "id": word(rng),
        "roomId": word(rng),
        "author": word(rng),
        "text": sentence(rng, 8),
        "sentAt": time(rng),
        "mentions": [word(rng), word(rng)],
        "edited": rng.random() < 0.5,
        "mood": rng.choice(["MOOD_CHEERFUL", "MOOD_GRUMPY"]),
    }


def event(rng: Random) -> Any:
    payload = {
        "@type": "type.googleapis.com/samples.Signup",
        "userName": word(rng),
        "userId": str(rng.randrange(2**60)),
    }
    return {"id": word(rng), "occurredAt": time(rng), "payload": payload}


def metric(rng: Random) -> Any:
    return {
        "name": word(rng),
        "labels": {word(rng): word(rng) for _ in range(4)},
        "sum": rng.random() * 1e6,
        "count": str(rng.randrange(10**9)),
        "bounds": [round(rng.random() * 1000, 3) for _ in range(8)],
        "buckets": [str(rng.randrange(10**6)) for _ in range(8)],
        "at": time(rng),
        "quantile": rng.random(),
        "host": word(rng),
    }


def money(rng: Random) -> Any:
    return {"currencyCode": "EUR", "units": str(rng.randrange(10**6)), "nanos": rng.randrange(10**9)}


def address(rng: Random) -> Any:
    return {"lines": [sentence(rng, 2), word(rng)], "city": word(rng), "postalCode": "1000", "countryCode": "DK"}


def line_item(rng: Random) -> Any:
    return {
        "sku": word(rng),
        "productId": str(rng.randrange(2**50)),
        "quantity": rng.randrange(1, 9),
        "unitPrice": money(rng),
        "status": rng.choice(["LINE_STATUS_RESERVED", "LINE_STATUS_SHIPPED"]),
        "giftWrap": rng.random() < 0.5,
        "attributes": {word(rng): word(rng), word(rng): word(rng)},
        "discountPercent": round(rng.random(), 3),
    }


def order(rng: Random) -> Any:
    return {
        "id": word(rng),
        "number": str(rng.randrange(10**9)),
        "customer": {
            "id": word(rng),
            "displayName": sentence(rng, 2),
            "address": address(rng),
            "nickname": word(rng),
        },
        "items": [line_item(rng) for _ in range(6)],
        "total": money(rng),
        "createdAt": time(rng),
        "updatedAt": time(rng),
        "card": {"lastFour": "4242", "expiryYear": 2030},
        "counters": {word(rng): str(rng.randrange(10**6)) for _ in range(2)},
        "note": sentence(rng, 4),
        "shipTo": address(rng),
    }


def file(rng: Random) -> Any:
    return {"name": word(rng), "content": base64.b64encode(rng.randbytes(65536)).decode(), "size": "65536"}


def series(rng: Random) -> Any:
    start = rng.randrange(10**15, 10**16)
    return {
        "name": word(rng),
        "at": [str(start + i * 1000) for i in range(10_000)],
        "values": [rng.random() * 100 for _ in range(10_000)],
    }


def document(rng: Random) -> Any:
    values: list[Callable[[], Any]] = [
        lambda: sentence(rng, 2),
        lambda: rng.random() * 1000,
        lambda: rng.random() < 0.5,
        lambda: None,
        lambda: {word(rng): word(rng), word(rng): rng.randrange(100)},
        lambda: [rng.randrange(100), word(rng)],
    ]
    return {"body": {word(rng): rng.choices(values, [4, 3, 1, 1, 1, 1])[0]() for _ in range(50)}}


def tree(rng: Random, nodes: int = 50) -> Any:
    node: dict[str, Any] = {"label": word(rng), "weight": rng.randrange(1, 1000)}
    rest = nodes - 1
    if rest:
        node["children"] = []
    while rest:
        size = rng.randint(1, min(rest, 1 + nodes // 3))
        node["children"].append(tree(rng, size))
        rest -= size
    return node


MAKERS: dict[str, tuple[str, Callable[[Random], Any]]] = {
    "hello": ("samples.Hello", hello),
    "chat": ("samples.Chat", chat),
    "event": ("samples.Event", event),
    "metric": ("samples.Metric", metric),
    "order": ("samples.Order", order),
    "file": ("samples.File", file),
    "series": ("samples.Series", series),
    "document": ("samples.Document", document),
    "tree": ("samples.Tree", tree),
}


def texts(name: str, count: int, seed: int = 1) -> list[bytes]:
    """``count`` JSON documents of one kind of traffic, compact and in UTF-8."""
    rng = Random(seed)
    make = MAKERS[name][1]
    return [json.dumps(make(rng), ensure_ascii=False, separators=(",", ":")).encode() for _ in range(count)]


def renamed(value: Any, names: dict[str, str]) -> Any:
    """The same document with some of its keys spelled otherwise."""
    if isinstance(value, dict):
        return {names.get(key, key): renamed(element, names) for key, element in value.items()}
    return [renamed(element, names) for element in value] if isinstance(value, list) else value
