"""Event streams: the same bytes, cut otherwise, give the same events."""

from __future__ import annotations

import pytest
from hypothesis import given

from asgi_grpc.errors import UsageError
from asgi_grpc.framing import Broken, End, Fault, SseEvent, SseReader, SseStreamEvent
from asgi_grpc.testing import chunkings, play, sse_bodies
from tests.framing.models import model_sse

LIMIT = 24


def read(chunks: list[bytes]) -> list[SseStreamEvent]:
    return play(lambda: SseReader(max_event_bytes=LIMIT), chunks, most_held=LIMIT)


CASES = [
    pytest.param(b"", [End()], id="nothing"),
    pytest.param(b"data: 1\n\n", [SseEvent("message", b"1", ""), End()], id="data"),
    pytest.param(b"data:1\ndata\ndata: 2\n\n", [SseEvent("message", b"1\n\n2", ""), End()], id="data-lines"),
    pytest.param(b"event: a\nid: 7\ndata:  1\n\ndata:2\n\n",
                 [SseEvent("a", b" 1", "7"), SseEvent("message", b"2", "7"), End()], id="the-id-stays"),
    pytest.param(b"event: a\n\ndata:1\n\n", [SseEvent("message", b"1", ""), End()], id="no-data-no-event"),
    pytest.param(b"\xef\xbb\xbfdata:1\r\n\r\ndata:2\r\rdata:3\n\r\n",
                 [SseEvent("message", b"%d" % n, "") for n in (1, 2, 3)] + [End()], id="line-ends"),
    pytest.param(b":x\nretry: 1\nfoo: bar\n:\ndata:1\n\n", [SseEvent("message", b"1", ""), End()], id="skipped"),
    pytest.param(b"id: b\nid\nid: a\0\ndata:1\n\n", [SseEvent("message", b"1", ""), End()], id="ids"),
    pytest.param(b"event:\xff\ndata:\xff\n\n", [SseEvent("\ufffd", b"\xff", ""), End()], id="not-utf8"),
    pytest.param(b"\n\ndata:1\n", [Broken(Fault.TRUNCATED, 2)], id="truncated"),
    pytest.param(b"data:1\n\n\r\ndata", [SseEvent("message", b"1", ""), Broken(Fault.TRUNCATED, 10)], id="cut-line"),
    pytest.param(b"data:1\n\n:", [SseEvent("message", b"1", ""), End()], id="ends-in-a-comment"),
    pytest.param(b"data:" + b"x" * 19 + b"\n\n", [SseEvent("message", b"x" * 19, ""), End()], id="at-the-limit"),
    pytest.param(b"\ndata:" + b"x" * 20 + b"\n\n", [Broken(Fault.FRAME_TOO_LARGE, 1)], id="one-over"),
    pytest.param(b"data:1\n\ndata:2\nid:" + b"x" * 16 + b"\n\n",
                 [SseEvent("message", b"1", ""), Broken(Fault.FRAME_TOO_LARGE, 8)], id="one-over-in-all"),
    pytest.param(b":\n" * 99 + b"data:1\n\n", [SseEvent("message", b"1", ""), End()], id="comments-do-not-add-up"),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "events"), CASES)
def test_a_cut_anywhere_changes_nothing(wire: bytes, events: list[SseStreamEvent]) -> None:
    assert model_sse(wire, LIMIT) == events
    for cut in range(len(wire) + 1):
        assert read([wire[:cut], b"", wire[cut:]]) == events, f"cut at {cut}"
    assert read([wire[at : at + 1] for at in range(len(wire))]) == events


@given(chunkings(sse_bodies(limit=LIMIT)))
def test_every_chunking_agrees_with_the_model(chunks: list[bytes]) -> None:
    assert read(chunks) == model_sse(b"".join(chunks), LIMIT)


def test_nothing_is_taken_after_the_end() -> None:
    reader = SseReader(max_event_bytes=LIMIT)
    reader.close()
    with pytest.raises(UsageError, match="after the end"):
        reader.feed(b"")
    with pytest.raises(UsageError, match="after the end"):
        reader.close()
