"""Transcripts: load them, and play them to the framer and the model that they are about."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from asgi_grpc.framing import (
    Broken,
    Closed,
    EmptyMessage,
    End,
    Fault,
    FlaggedFrame,
    Frame,
    Inflater,
    JsonFramer,
    JsonSeqFramer,
    Ping,
    Pong,
    PrefixedFramer,
    SseEvent,
    SseReader,
    WebSocketFramer,
    WholeFramer,
)
from asgi_grpc.framing._json import MessageFramer
from tests.framing.model_inflate import joined, model_inflate
from tests.framing.model_websocket import model_websocket
from tests.framing.models import model_json, model_json_seq, model_prefixed, model_sse, model_whole

FOLDER = Path(__file__).parent / "transcripts"
PREFIX, CONTROL_FRAME, CHARACTER = 5, 14 + 125, 3
Options = dict[str, Any]
Step = Callable[[bytes], Sequence[object]]


class Kind(NamedTuple):
    """What a framer's name in a file stands for."""

    framer: Callable[..., Any]
    options: tuple[str, ...]  # names of the framer's arguments
    model: Callable[[bytes, Options], Sequence[object]]
    besides: int = 0  # bytes that it may hold besides one frame


KINDS = {
    "json": Kind(
        JsonFramer,
        ("max_frame_bytes", "max_depth"),
        lambda wire, options: model_json(wire, options["max_frame_bytes"], options["max_depth"]),
    ),
    "json-message": Kind(
        MessageFramer,
        ("max_frame_bytes", "max_depth"),
        lambda wire, options: model_json(wire, options["max_frame_bytes"], options["max_depth"], message=True),
    ),
    "json-seq": Kind(
        JsonSeqFramer, ("max_frame_bytes",), lambda wire, options: model_json_seq(wire, options["max_frame_bytes"])
    ),
    "whole": Kind(
        WholeFramer, ("max_frame_bytes",), lambda wire, options: model_whole(wire, options["max_frame_bytes"])
    ),
    "length-prefixed": Kind(
        PrefixedFramer,
        ("max_frame_bytes", "flags"),
        lambda wire, options: model_prefixed(wire, options["max_frame_bytes"], options["flags"]),
        PREFIX,
    ),
    "sse": Kind(SseReader, ("max_event_bytes",), lambda wire, options: model_sse(wire, options["max_event_bytes"])),
    "inflate": Kind(
        Inflater,
        ("encoding", "max_inflation", "free_bytes"),
        lambda wire, options: model_inflate(wire, options["encoding"], options["max_inflation"], options["free_bytes"]),
        1,
    ),
    "websocket": Kind(
        WebSocketFramer,
        ("max_frame_bytes", "max_depth", "deflate", "keeps_window", "max_inflation", "free_bytes"),
        lambda wire, options: model_websocket(
            wire,
            options["max_frame_bytes"],
            options["max_depth"],
            deflate=options["deflate"],
            keeps_window=options["keeps_window"],
            ratio=options["max_inflation"],
            free=options["free_bytes"],
        ),
        CONTROL_FRAME + CHARACTER,
    ),
}


class Transcript:
    """One case of a file.

    Attributes:
        name: of the file and the case.
        framer: the framer's name, a key of ``KINDS``.
        wire: the body.
        events: what the framer must say about it.
        after: for each event, how many bytes it needs; None where only the end tells. None for all where nothing is
            said.
        options: the limits.
    """

    def __init__(self, stem: str, file: dict[str, Any], case: dict[str, Any]) -> None:
        self.name = f"{stem}-{case['name']}"
        self.framer: str = file["framer"]
        self.wire: bytes = case["bytes"].encode("latin-1")
        self.events = [event(*parts) for parts in case["events"]]
        self.after: list[int | None] | None = case.get("after")
        self.options: Options = {
            key: value for key, value in (file | case).items() if key in KINDS[self.framer].options
        }

    def play(self, chunks: Sequence[bytes]) -> list[object]:
        """Feed a new framer, close it, and return all events."""
        return [event for _, event in self.timed(chunks)]

    def timed(self, chunks: Sequence[bytes]) -> list[tuple[int | None, object]]:
        """All events, each with the number of bytes that were fed when it came; None for those of ``close()``."""
        kind = KINDS[self.framer]
        framer = kind.framer(**self.options)
        limit: int = self.options.get("max_frame_bytes") or self.options.get("max_event_bytes") or 0
        events: list[tuple[int | None, object]] = []
        fed = 0
        for chunk in chunks:
            fed += len(chunk)
            events += [(fed, event) for event in framer.feed(chunk)]
            assert framer.held_bytes <= limit + kind.besides
            if events and isinstance(events[-1][1], (Broken, Closed)):
                break
        else:
            events += [(None, event) for event in framer.close()]
        assert framer.held_bytes == 0
        return events

    def check(self) -> None:
        """Play it with every cut in two, and byte by byte.

        Raises:
            AssertionError: the events differ, from each other, from the model's, or from those in the file.
        """
        wire, events = self.wire, self.events
        assert self.model() == events, "the model"
        for cut in range(len(wire) + 1):
            assert plain(self.play([wire[:cut], b"", wire[cut:]])) == events, f"cut at {cut}"
        timed = self.timed([wire[at : at + 1] for at in range(len(wire))])
        assert plain([event for _, event in timed]) == events, "byte by byte"
        assert self.after in (None, [fed for fed, _ in timed]), "an event comes with the byte that completes it"

    def model(self) -> list[object]:
        """What the slow, obvious model says."""
        said = KINDS[self.framer].model(self.wire, self.options)
        return plain(said)


def plain(events: Sequence[object]) -> list[object]:
    """The events, pieces of inflated bytes as one: how they are cut depends on the chunks, and may."""
    return joined(events) if any(isinstance(event, bytes) for event in events) else list(events)


def event(kind: str, *parts: Any) -> object:
    """What stands in a file for an event: see ``transcripts/README.md``."""
    match kind, parts:
        case "frame", (offset, data):
            return Frame(data.encode("latin-1"), offset)
        case "message", (offset, data, flags):
            return FlaggedFrame(data.encode("latin-1"), offset, flags)
        case "broken", (offset, fault):
            return Broken(Fault[fault], offset)
        case "event", (name, data, last_id):
            return SseEvent(name, data.encode("latin-1"), last_id)
        case "data", (data,):
            return data.encode("latin-1")
        case "ping" | "pong", (data,):
            return (Ping if kind == "ping" else Pong)(data.encode("latin-1"))
        case "closed", (code, reason):
            return Closed(code, reason)
        case "empty", ():
            return EmptyMessage()
        case "end", ():
            return End()
    raise ValueError(f"{kind} is no event")


def load() -> Iterator[Transcript]:
    """All cases of all files."""
    for path in sorted(FOLDER.glob("*.json")):
        file = json.loads(path.read_text())
        for case in file.pop("cases"):
            yield Transcript(path.stem, file, case)


def first_failure() -> str | None:
    """The name of the first transcript that its framer does not keep to."""
    for transcript in load():
        try:
            transcript.check()
        except Exception:  # noqa: BLE001 - whatever a broken framer raises
            return transcript.name
    return None


if __name__ == "__main__":
    print(first_failure() or "")
