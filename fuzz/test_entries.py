"""Every entry point plays its corpus, and some inputs that Hypothesis draws."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.testing import array_bodies, json_seq_bodies, ndjson_bodies, sse_bodies, websocket_streams
from fuzz import fuzz_http2, fuzz_inflate, fuzz_json, fuzz_json_seq, fuzz_prefixed, fuzz_sse, fuzz_websocket
from fuzz.http2_frames import http2_streams

CORPUS = Path(__file__).parent / "corpus"
Entry = Callable[[bytes], None]
ENTRIES: dict[str, tuple[Entry, st.SearchStrategy[bytes]]] = {
    "http2": (fuzz_http2.one_input, http2_streams()),
    "json": (fuzz_json.one_input, st.one_of(ndjson_bodies(limit=24, depth=3), array_bodies(limit=24, depth=3))),
    "json_seq": (fuzz_json_seq.one_input, json_seq_bodies(limit=24)),
    "sse": (fuzz_sse.one_input, sse_bodies(limit=24)),
    "websocket": (fuzz_websocket.one_input, st.booleans().flatmap(lambda agreed: websocket_streams(deflate=agreed))),
    "prefixed": (fuzz_prefixed.one_input, st.binary(max_size=20).map(lambda data: bytes(4) + data)),
    "inflate": (fuzz_inflate.one_input, st.binary(max_size=99)),
}
FILES = [
    pytest.param(ENTRIES[folder.name][0], file, id=f"{folder.name}-{file.name}")
    for folder in sorted(CORPUS.iterdir())
    for file in sorted(folder.iterdir())
]


@pytest.mark.parametrize(("entry", "file"), FILES)
def test_a_find_stays_mended(entry: Entry, file: Path) -> None:
    entry(file.read_bytes())


@given(st.data())
@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_accepts_any_bytes(name: str, data: st.DataObject) -> None:
    entry, bodies = ENTRIES[name]
    entry(data.draw(st.integers(0, 255)).to_bytes() + data.draw(st.one_of(bodies, st.binary(max_size=40))))
