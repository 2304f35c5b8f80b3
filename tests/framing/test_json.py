"""Values and arrays: the same bytes, cut otherwise, give the same events."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.errors import UsageError
from asgi_grpc.framing import Broken, End, Event, Fault, Frame, JsonFramer, cut_message
from tests.framing.models import model_json

LIMIT, DEPTH = 24, 3


def play(chunks: list[bytes], limit: int = LIMIT, depth: int = DEPTH) -> list[Event]:
    framer = JsonFramer(max_frame_bytes=limit, max_depth=depth)
    events: list[Event] = []
    for chunk in chunks:
        events += framer.feed(chunk)
        assert framer.held_bytes <= limit
        if events and isinstance(events[-1], Broken):
            assert framer.held_bytes == 0
            return events
    return events + framer.close()


CASES = [
    pytest.param(b"", [End()], id="nothing"),
    pytest.param(b" \r\n\t\n", [End()], id="white-space"),
    pytest.param(b'{"a":1}\n{"b":2}\n', [Frame(b'{"a":1}', 0), Frame(b'{"b":2}', 8), End()], id="lines"),
    pytest.param(b'{"a":1}\r\n\r\n{}\r\n', [Frame(b'{"a":1}', 0), Frame(b"{}", 11), End()], id="crlf-blank-line"),
    pytest.param(b'{"a":1}\n{"b":2}', [Frame(b'{"a":1}', 0), Frame(b'{"b":2}', 8), End()], id="last-needs-no-lf"),
    pytest.param(b"\xef\xbb\xbf{}\n", [Frame(b"{}", 3), End()], id="byte-order-mark"),
    pytest.param(b"\xef\xbb{}", [Frame(b"\xef\xbb", 0), Frame(b"{}", 2), End()], id="half-a-mark"),
    pytest.param(b"\xef\xbb", [Frame(b"\xef\xbb", 0), End()], id="only-half-a-mark"),
    pytest.param(b"{} {}{}\n{}", [Frame(b"{}", n) for n in (0, 3, 5, 8)] + [End()], id="several-a-line"),
    pytest.param(b'{\n"a":\n[1]}\n', [Frame(b'{\n"a":\n[1]}', 0), End()], id="value-spans-lines"),
    pytest.param(b'{"}\\"{":"]"}{}', [Frame(b'{"}\\"{":"]"}', 0), Frame(b"{}", 12), End()], id="brackets-in-strings"),
    pytest.param(b'"\xc3\xa9\\\\" 12\ntrue', [Frame(b'"\xc3\xa9\\\\"', 0), Frame(b"12", 7), Frame(b"true", 10), End()],
                 id="scalars"),
    pytest.param(b'1"x"2[3]', [Frame(b"1", 0), Frame(b'"x"', 1), Frame(b"2", 4), Frame(b"[3]", 5), End()],
                 id="adjacent-scalars"),
    pytest.param(b'{"a":{"b":1}\n{"c":2}\n', [Frame(b'{"a":{"b":1}\n', 0), Frame(b'{"c":2}', 13), End()],
                 id="a-line-that-lacks-its-end-is-handed-on"),
    pytest.param(b'{"a":"x\n{"c":2}\n', [Frame(b'{"a":"x', 0), Frame(b'{"c":2}', 8), End()], id="lf-in-string"),
    pytest.param(b'{"a":"x\\\n{}', [Frame(b'{"a":"x\\', 0), Frame(b"{}", 9), End()], id="lf-behind-backslash"),
    pytest.param(b'{} } x {}', [Frame(b"{}", 0), Frame(b"}", 3), Frame(b"x", 5), Frame(b"{}", 7), End()], id="garbage"),
    pytest.param(b'{}\n{"a":', [Frame(b"{}", 0), Broken(Fault.TRUNCATED, 3)], id="ends-in-a-value"),
    pytest.param(b'"a', [Broken(Fault.TRUNCATED, 0)], id="ends-in-a-string"),
    pytest.param(b"{}\n" + b"9" * LIMIT + b"\n", [Frame(b"{}", 0), Frame(b"9" * LIMIT, 3), End()], id="at-the-limit"),
    pytest.param(b"{}\n" + b"9" * LIMIT + b"9", [Frame(b"{}", 0), Broken(Fault.FRAME_TOO_LARGE, 3)], id="one-over"),
    pytest.param(b'{"a":"' + b"x" * 16 + b'"}\n', [Frame(b'{"a":"' + b"x" * 16 + b'"}', 0), End()], id="object-at-limit"),
    pytest.param(b'{"a":"' + b"x" * 17 + b'"}\n', [Broken(Fault.FRAME_TOO_LARGE, 0)], id="object-one-over"),
    pytest.param(b" " * 99 + b"{}" + b" " * 99, [Frame(b"{}", 99), End()], id="white-space-is-not-counted"),
    pytest.param(b'{"a":[[1]]}', [Frame(b'{"a":[[1]]}', 0), End()], id="deep-enough"),
    pytest.param(b'{}\n{"a":[[[', [Frame(b"{}", 0), Broken(Fault.TOO_DEEP, 3)], id="too-deep"),
    pytest.param(b'{"a":[[[1]]]}\n{}\n', [Broken(Fault.TOO_DEEP, 0)], id="too-deep-line"),
    pytest.param(b"[]", [End()], id="empty-array"),
    pytest.param(b' [ {"a":[1]} , 2,\n"]" ,{}]\n', [Frame(b'{"a":[1]}', 3), Frame(b"2", 15), Frame(b'"]"', 18),
                 Frame(b"{}", 23), End()], id="array"),
    pytest.param(b"[1,2", [Frame(b"1", 1), Broken(Fault.TRUNCATED, 3)], id="array-ends-in-a-number"),
    pytest.param(b"[1,", [Frame(b"1", 1), Broken(Fault.TRUNCATED, 3)], id="array-ends-behind-a-comma"),
    pytest.param(b"[1,]", [Frame(b"1", 1), Broken(Fault.NOT_JSON, 3)], id="trailing-comma"),
    pytest.param(b"[,1]", [Broken(Fault.NOT_JSON, 1)], id="leading-comma"),
    pytest.param(b"[{} {}]", [Frame(b"{}", 1), Broken(Fault.NOT_JSON, 4)], id="missing-comma"),
    pytest.param(b"[1}", [Frame(b"1", 1), Broken(Fault.NOT_JSON, 2)], id="wrong-closer"),
    pytest.param(b"[1] []", [Frame(b"1", 1), Broken(Fault.TRAILING_DATA, 4)], id="behind-the-array"),
    pytest.param(b"[" + b"1," * 40 + b"1]", [Frame(b"1", 1 + 2 * n) for n in range(41)] + [End()], id="long-array"),
    pytest.param(b"{}\n[1,2]\n", [Frame(b"{}", 0), Frame(b"[1,2]", 3), End()], id="a-later-bracket-is-a-value"),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "events"), CASES)
def test_a_cut_anywhere_changes_nothing(wire: bytes, events: list[Event]) -> None:
    assert model_json(wire, LIMIT, DEPTH) == events
    for cut in range(len(wire) + 1):
        assert play([wire[:cut], b"", wire[cut:]]) == events, f"cut at {cut}"
    assert play([wire[at : at + 1] for at in range(len(wire))]) == events


PIECES = st.sampled_from(
    [b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"\n", b"\r\n", b" ", b"1", b"true", b"\xef\xbb\xbf", b"\xc3\xa9"]
    + [
        b"{}\n",
        b'{"a":1}\n',
        b'{"a":1}\r\n',
        b'{"a":{"b":2}}\n',
        b'{"a":[1]}\n',
        b'"x"',
        b'{"}":"{"}\n',
        b"},{",
        b"9" * 23,
    ]
    + [b'{"a":[[[1]]]}\n', b'{"a":"xxxxxxxxxxxxxxxx"}\n', b'{"a":"xxxxxxxxxxxxxxxxx"}\n', b'"\\"', b"\x00", b"\xff"]
)


@st.composite
def cut_bodies(draw: st.DrawFn) -> list[bytes]:
    body = draw(st.sampled_from([b"", b"[", b"{}\n"])) + b"".join(draw(st.lists(PIECES, max_size=24)))
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=6)))
    return [body[a:b] for a, b in pairwise([0, *cuts, len(body)])]


@given(cut_bodies(), st.sampled_from([(LIMIT, DEPTH), (1000, 2), (3, 100), (1000, 100)]))
def test_every_chunking_agrees_with_the_model(chunks: list[bytes], limits: tuple[int, int]) -> None:
    assert play(chunks, *limits) == model_json(b"".join(chunks), *limits)


@given(cut_bodies())
def test_the_events_so_far_depend_on_the_bytes_so_far_only(chunks: list[bytes]) -> None:
    body = b"".join(chunks)
    whole, single = (JsonFramer(max_frame_bytes=LIMIT, max_depth=DEPTH) for _ in range(2))
    events = whole.feed(body)
    singles: list[Event] = []
    for at in range(len(body)):
        singles += single.feed(body[at : at + 1])
        if singles and isinstance(singles[-1], Broken):
            break
    assert singles == events


@given(cut_bodies())
def test_a_message_is_cut_as_the_model_says(chunks: list[bytes]) -> None:
    text = b"".join(chunks)
    assert cut_message(text, max_frame_bytes=LIMIT, max_depth=DEPTH) == model_json(text, LIMIT, DEPTH, message=True)


@pytest.mark.parametrize("last", [b"[1]x", None])
def test_nothing_is_taken_after_the_end(last: bytes | None) -> None:
    framer = JsonFramer(max_frame_bytes=LIMIT, max_depth=DEPTH)
    if last is None:
        framer.close()
    else:
        framer.feed(last)
    with pytest.raises(UsageError, match="after the end"):
        framer.feed(b"")
    with pytest.raises(UsageError, match="after the end"):
        framer.close()


def test_a_message_is_one_value_or_several() -> None:
    def cut(text: bytes) -> list[Event]:
        return cut_message(text, max_frame_bytes=LIMIT, max_depth=DEPTH)

    assert cut(b"") == [End()]
    assert cut(b'{"a":1}') == [Frame(b'{"a":1}', 0), End()]
    assert cut(b"[1,2]") == [Frame(b"[1,2]", 0), End()]
    assert cut(b"{}\n{}\n") == [Frame(b"{}", 0), Frame(b"{}", 3), End()]
    assert cut(b'{}\n{"a"') == [Frame(b"{}", 0), Broken(Fault.TRUNCATED, 3)]
    assert cut(b"[[[[1]]]]") == [Broken(Fault.TOO_DEEP, 0)]
    assert cut(b"9" * 25) == [Broken(Fault.FRAME_TOO_LARGE, 0)]
