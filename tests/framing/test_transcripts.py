"""The transcripts, played with every cut in two, byte by byte, and as Hypothesis cuts them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.framing import Broken, End, Event, Fault, Frame, JsonFramer, JsonSeqFramer, WholeFramer
from asgi_grpc.testing import Framer, chunkings, play
from tests.framing.models import model_json, model_json_seq, model_whole

FILES = sorted((Path(__file__).parent / "transcripts").glob("*.json"))


class Transcript:
    """One case of a file."""

    def __init__(self, file: dict[str, Any], case: dict[str, Any]) -> None:
        self.wire = case["bytes"].encode("latin-1")
        self.events = [self._event(*event) for event in case["events"]]
        self.limit: int = file["max_frame_bytes"]
        depth: int = file.get("max_depth", 0)
        makers: dict[str, Callable[[], Framer[Event]]] = {
            "json": lambda: JsonFramer(max_frame_bytes=self.limit, max_depth=depth),
            "json-seq": lambda: JsonSeqFramer(max_frame_bytes=self.limit),
            "whole": lambda: WholeFramer(max_frame_bytes=self.limit),
        }
        self.make = makers[file["framer"]]
        self.model: Callable[[], list[Event]] = {
            "json": lambda: model_json(self.wire, self.limit, depth),
            "json-seq": lambda: model_json_seq(self.wire, self.limit),
            "whole": lambda: model_whole(self.wire, self.limit),
        }[file["framer"]]

    @staticmethod
    def _event(kind: str, offset: int = 0, text: str = "") -> Event:
        match kind:
            case "frame":
                return Frame(text.encode("latin-1"), offset)
            case "broken":
                return Broken(Fault[text], offset)
            case _:
                return End()


LOADED = [(path.stem, json.loads(path.read_text())) for path in FILES]
CASES = [
    pytest.param(Transcript(file, case), id=f"{name}-{case['name']}") for name, file in LOADED for case in file["cases"]
]


@pytest.mark.parametrize("transcript", CASES)
def test_a_cut_anywhere_changes_nothing(transcript: Transcript) -> None:
    wire, events = transcript.wire, transcript.events
    assert transcript.model() == events
    for cut in range(len(wire) + 1):
        chunks = [wire[:cut], b"", wire[cut:]]
        assert play(transcript.make, chunks, most_held=transcript.limit) == events, f"cut at {cut}"
    assert play(transcript.make, [wire[at : at + 1] for at in range(len(wire))], most_held=transcript.limit) == events


@given(st.data())
def test_any_cuts_change_nothing(data: st.DataObject) -> None:
    transcript = data.draw(st.sampled_from([case.values[0] for case in CASES]))
    assert isinstance(transcript, Transcript)
    chunks = data.draw(chunkings(transcript.wire))
    assert play(transcript.make, chunks, most_held=transcript.limit) == transcript.events
