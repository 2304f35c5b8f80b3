"""The transcripts of all framers, played with every cut in two, byte by byte, and as Hypothesis cuts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.framing import cut_message
from asgi_grpc.testing import chunkings
from tests.framing.transcript import KINDS, Transcript, load, plain

TRANSCRIPTS = list(load())
OF_FRAMER = {kind: [transcript for transcript in TRANSCRIPTS if transcript.framer == kind] for kind in KINDS}


@pytest.mark.parametrize("transcript", [pytest.param(transcript, id=transcript.name) for transcript in TRANSCRIPTS])
def test_a_cut_anywhere_changes_nothing(transcript: Transcript) -> None:
    transcript.check()


@pytest.mark.parametrize("framer", KINDS)
@given(st.data())
def test_any_cuts_change_nothing(framer: str, data: st.DataObject) -> None:
    transcript = data.draw(st.sampled_from(OF_FRAMER[framer]))
    assert plain(transcript.play(data.draw(chunkings(transcript.wire)))) == transcript.events


@pytest.mark.parametrize("transcript", OF_FRAMER["json-message"], ids=lambda transcript: transcript.name)
def test_a_whole_message_gives_the_same_events(transcript: Transcript) -> None:
    assert cut_message(transcript.wire, **transcript.options) == transcript.events
