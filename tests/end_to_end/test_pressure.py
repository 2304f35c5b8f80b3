"""Memory stays flat under pressure: a brief run of ``tests/bench/pressure.py``, on its peaks alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.bench.pressing.memory import KNOWN, MIB
from tests.bench.pressing.rows import ROWS
from tests.bench.pressure import gateway, service

pytestmark = pytest.mark.skipif(not KNOWN, reason="memory is read from /proc, which this system does not have")

BYTES = 32 * MIB
STREAMS = 100


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with service() as address:
        yield address


@pytest.mark.parametrize(
    ("name", "back"),
    [
        ("upload, 64 KiB a message", "async"),
        ("upload, 64 KiB a message", "channel"),
        ("upload, 2 B a message", "async"),
        ("upload, 2 B a message", "http2"),
        ("download, NDJSON", "http2"),
        ("download, NDJSON", "channel"),
        ("WebSocket up, 64 KiB a message", "sync"),
        ("WebSocket down", "async"),
        ("1000 idle WebSockets", "async"),
    ],
)
def test_the_peak_over_the_idle_size_is_bounded(
    target: str, name: str, back: str, record_property: Callable[[str, object], None]
) -> None:
    row = ROWS[name]
    with gateway("httptools", back, target, BYTES) as pressed:
        row.press(pressed._replace(streams=STREAMS, pause_s=0.1))
        grown = pressed.memory.growth()
    record_property("gateway_growth_mib", round(grown / MIB, 1))
    most = row.most * STREAMS // 1000 if "idle" in name else row.most
    assert grown <= most, f"{grown / MIB:.1f} MiB"
