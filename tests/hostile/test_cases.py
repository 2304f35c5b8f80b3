"""Every hostile input gets exactly its answer, and costs nobody else anything."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.hostile import (
    cases_bodies,
    cases_frames,
    cases_handshakes,
    cases_heads,
    cases_metadata,
    cases_paths,
    cases_requests,
    cases_sockets,
    cases_streams,
    cases_types,
    cases_uploads,
)
from tests.hostile.cases import SECRET, Case, Expected
from tests.hostile.conftest import Attacked
from tests.hostile.wire import Closed, Peer, Reply, closed, replies

_TABLES = (
    *(cases_requests, cases_heads, cases_metadata, cases_paths, cases_bodies, cases_types),
    *(cases_uploads, cases_streams, cases_handshakes, cases_frames, cases_sockets),
)
CASES: list[Case] = [case for table in _TABLES for case in table.CASES]

LEAKS = re.compile(
    rb"Traceback|asgi_grpc\.|msgspec|google\.protobuf|google/protobuf|uvicorn|grpcio|grpc\._|httptools|h11|wsproto"
    rb"|site-packages|\.py\b|/work|/home|/usr| at 0x|Error\(|Exception"
)
"""What no peer is told: our inside, and where it is."""


async def answer_of(address: str, case: Case) -> bytes:
    """All that a client gets."""
    peer = await Peer.connect(address)
    try:
        if case.upgrade:
            await peer.write(case.upgrade)
            await peer.hear(b"\r\n\r\n")
            if not peer.heard.startswith(b"HTTP/1.1 101 "):
                return await peer.hear_out()
        await peer.write(case.send, drip=case.drip)
        return await peer.hear_out(is_socket=bool(case.upgrade))
    finally:
        await peer.gone()


def outcome(raw: bytes, expected: Expected) -> Expected:
    """An answer, as far as its case says something of it."""
    if raw.startswith(b"HTTP/1.1 101 "):
        return closed(raw)
    found = replies(raw)
    wanted: list[dict[str, str | None]] = [] if isinstance(expected, Closed) else [each.headers for each in expected]
    wanted += [{}] * (len(found) - len(wanted))
    return [
        Reply(reply.status, reply.body, {name: reply.headers.get(name) for name in names})
        for reply, names in zip(found, wanted, strict=False)
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name[:80])
async def test_a_hostile_input_gets_its_answer(attacked: Attacked, case: Case) -> None:
    raw = await answer_of(attacked.address, case)
    expected = case.expected(attacked.stack)
    assert outcome(raw, expected) == expected
    assert LEAKS.findall(raw) == []
    assert SECRET.encode() not in raw or SECRET in repr(expected)
    after = await attacked.look()
    assert after.alive
    assert after.errors == [] or attacked.stack in case.logged_by
    assert after.grown_mib < case.mib


def test_the_table_is_long_and_each_case_stands_in_it_once() -> None:
    assert len(CASES) >= 90
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []
