"""The machine of one HTTP/2 connection: calls on one side, a service that may do anything on the other.

Whatever the order: nothing is raised out of the connection, what is sent obeys the windows that were given and comes
on streams that are open, what is kept is bounded, and each stream ends once and for all.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from asgi_grpc.errors import CallError, Code
from asgi_grpc.http2._errors import ErrorCode
from asgi_grpc.http2._stream import Stream
from fuzz.http2_frames import FRAMES, HEAD, STATUS, frame, http2_streams, of_four
from tests.http2.peer import REQUEST, Peer, settings, update

WINDOW, MOST_HEADERS, MOST_HELD = 300, 1 << 18, 9 + (1 << 14)
MOST_WINDOW = (1 << 31) - 1
TURNS = 6  # of the loop, after which nothing more happens by itself
PICK = st.integers(0, 99)
RARELY = st.integers(0, 99)  # Hypothesis likes small numbers: what is rare hangs on others
CUTS = st.lists(st.integers(0, 60), max_size=3).map(sorted)


class Ledger:
    """What the service has allowed, read frame by frame from all that it ever sent: the slow, obvious way.

    Frames behind the end of the connection count too: what is allowed is never less than what was.
    """

    def __init__(self, wire: bytes) -> None:
        self.initial, self.of_connection = 65_535, 65_535
        self.most_initial = self.initial
        self.added: Counter[int] = Counter()
        while len(wire) >= 9:
            length, kind, flags, stream = int.from_bytes(wire[:3], "big"), wire[3], wire[4], wire[5:9]
            payload, wire = wire[9 : 9 + length], wire[9 + length :]
            if len(payload) < length:
                return
            if kind == 8 and length == 4:
                self.added[int.from_bytes(stream, "big") & MOST_WINDOW] += int.from_bytes(payload, "big") & MOST_WINDOW
            if kind == 4 and not flags & 1 and length % 6 == 0:
                for at in range(0, length, 6):
                    if payload[at : at + 2] == b"\0\4":
                        self.initial = int.from_bytes(payload[at + 2 : at + 6], "big")
                        self.most_initial = max(self.most_initial, self.initial)


class Http2Machine(RuleBasedStateMachine):
    """Open, send, take, fail and close on this side; legal frames, odd ones and noise on the other, cut anywhere."""

    @initialize(greet=st.sampled_from([True, True, True, False]))
    def begin(self, greet: bool) -> None:
        """A new connection."""
        self.runner = asyncio.Runner()
        self.peer = self.run(self.connect(greet=greet))
        self.connection = self.peer.connection
        self.fed = b""
        self.streams: list[Stream] = []
        self.left: set[int] = set()  # streams whose call has gone
        self.senders: dict[int, asyncio.Task[None]] = {}
        self.taken: Counter[int] = Counter()
        self.sent: Counter[int] = Counter()
        self.half_closed: set[int] = set()  # streams on which we have said all
        self.over: set[int] = set()  # streams that we have reset
        self.lost = False
        for size in (None, None, 0):
            self.open(size)

    async def connect(self, *, greet: bool) -> Peer:
        """Within a loop."""
        return Peer(window_bytes=WINDOW, greet=greet)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run something, and then whatever waits, until it is quiet."""

        async def quietly() -> Any:
            result = await coroutine
            for _ in range(TURNS):
                await asyncio.sleep(0)
            return result

        return self.runner.run(quietly())

    def feed(self, wire: bytes, cuts: list[int]) -> None:
        """What the service sends, in some chunks; a transport that was lost or let go of hands over nothing."""

        async def chunks() -> None:
            begin = 0
            for cut in [*cuts, len(wire)]:
                self.connection.data_received(wire[begin:cut])
                begin = max(begin, cut)

        if not self.lost:
            self.fed += wire
            self.run(chunks())

    def pick(self, choice: int) -> Stream:
        """One of the streams, whatever its state."""
        return self.streams[choice % len(self.streams)]

    # This side

    @rule(size=st.sampled_from([None, 0, 10, 300, 70_000]))
    def open(self, size: int | None) -> None:
        """Begin a request, if there is room."""

        async def opened() -> None:
            self.streams.append(self.connection.open(REQUEST, None if size is None else bytes(size)))

        if self.connection.has_room and not self.lost:
            self.run(opened())

    @precondition(lambda self: self.streams)
    @rule(choice=PICK, size=st.sampled_from([0, 1, 300, 40_000, 70_000]), end=st.booleans())
    def send(self, choice: int, size: int, end: bool) -> None:
        """Send a piece; it waits until there is room."""

        async def begun() -> None:
            self.senders[stream.number] = asyncio.create_task(self.connection.send(stream, bytes(size), end=end))

        stream = self.pick(choice)
        before = self.senders.get(stream.number)
        if stream.number not in self.left and (before is None or before.done()) and (size or end):
            self.run(begun())

    @precondition(lambda self: self.streams)
    @rule(choice=PICK)
    def take(self, choice: int) -> None:
        """Take what is there."""
        if self.pick(choice).number not in self.left:
            self.run(self.took(self.pick(choice)))

    async def took(self, stream: Stream) -> None:
        """One chunk at most; nobody waits."""
        if stream._chunks:
            chunk = await stream.chunk()
            assert 0 < len(chunk) <= WINDOW, "more than the window is kept"
            self.taken[stream.number] += len(chunk)

    @precondition(lambda self: self.streams)
    @rule(choice=PICK, how=st.sampled_from(["fail", "close", "both"]))
    def end_stream(self, choice: int, how: str) -> None:
        """The deadline has passed, or the call is left."""
        stream = self.pick(choice)
        if how != "close":
            stream.fail(CallError(Code.DEADLINE_EXCEEDED, "late"))
        if how != "fail":
            self.connection.close_stream(stream)
            self.left.add(stream.number)
            if stream.number in self.senders:
                self.senders[stream.number].cancel()
        self.run(asyncio.sleep(0))

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        """The network is slow, or no more."""
        (self.connection.pause_writing if paused else self.connection.resume_writing)()
        self.run(asyncio.sleep(0))

    @rule(choice=RARELY)
    def end(self, choice: int) -> None:
        """Close or lose the connection; rarely: there is no way back."""
        if choice == 77:
            self.connection.close(CallError(Code.CANCELLED, "closed"))
        elif choice == 78:
            self.lost = True
            self.connection.connection_lost(None)
        self.run(asyncio.sleep(0))

    # The service

    @precondition(lambda self: self.streams)
    @rule(choice=PICK, cuts=CUTS, end=st.booleans())
    def answer(self, choice: int, cuts: list[int], end: bool) -> None:
        """A head and a reply, perhaps the end, on a stream in whichever state."""
        number = self.pick(choice).number
        wire = frame(1, 4, number, HEAD) + frame(0, 0, number, b"reply")
        self.feed(wire + (frame(1, 5, number, STATUS) if end else b""), cuts)

    @precondition(lambda self: self.streams)
    @rule(choice=PICK, size=st.sampled_from([0, 1, 5, 290]), padding=st.sampled_from([None, 0, 9]), end=st.booleans())
    def more(self, choice: int, size: int, padding: int | None, end: bool) -> None:
        """A piece of an answer."""
        number = self.pick(choice).number
        if padding is None:
            self.feed(frame(0, int(end), number, bytes(size)), [])
        else:
            self.feed(frame(0, 8 | end, number, bytes((padding,)) + bytes(size + padding)), [])

    @precondition(lambda self: self.streams)
    @rule(choice=PICK, number=st.integers(0, 14))
    def reset(self, choice: int, number: int) -> None:
        """RST_STREAM."""
        self.feed(frame(3, 0, self.pick(choice).number, of_four(number)), [])

    @precondition(lambda self: self.streams)
    @rule(choice=PICK, increment=st.sampled_from([1, 300, 40_000]), whole=st.booleans())
    def widen(self, choice: int, increment: int, whole: bool) -> None:
        """WINDOW_UPDATE."""
        self.feed(update(0 if whole else self.pick(choice).number, increment), [])

    @rule(window=st.sampled_from([0, 10, 300, 65_535, 100_000]), most=st.sampled_from([100, 5, 3, 0]))
    def set(self, window: int, most: int) -> None:
        """SETTINGS."""
        self.feed(settings(INITIAL_WINDOW_SIZE=window, MAX_CONCURRENT_STREAMS=most), [])

    @rule(choice=RARELY, wire=FRAMES, cuts=CUTS)
    def say(self, choice: int, wire: bytes, cuts: list[int]) -> None:
        """A frame that may be legal; not often, as it ends most connections."""
        if choice % 4 == 3:
            self.feed(wire, cuts)

    @rule(choice=RARELY, wire=http2_streams(), cuts=CUTS)
    def babble(self, choice: int, wire: bytes, cuts: list[int]) -> None:
        """Whatever."""
        if choice % 9 == 7:
            self.feed(wire, cuts)

    # What always holds

    @invariant()
    def what_is_sent_obeys(self) -> None:
        """Nothing behind our end, nothing over a window."""
        ledger = Ledger(self.fed)
        for kind, number, said, *flags in self.peer.sent():
            if kind in ("Data", "Headers", "RstStream"):
                assert number not in self.over, f"{kind} behind the end of {number}"
                assert number not in self.half_closed or kind == "RstStream"
                assert kind != "RstStream" or said in set(ErrorCode)
            if kind == "Data":
                self.sent[number] += len(said)
                assert len(said) <= 1 << 16
                # The very window may have come and gone within one chunk; it is never more than this.
                assert not said or self.sent[number] <= ledger.most_initial + ledger.added[number]
                assert self.sent.total() <= ledger.of_connection + ledger.added[0]
            if "END_STREAM" in flags and kind == "Data":
                self.half_closed.add(number)
            if kind == "RstStream":
                self.over.add(number)

    @invariant()
    def little_is_kept(self) -> None:
        """Of a frame, of a header block, and of each answer."""
        assert self.connection._reader.held_bytes < MOST_HELD
        assert len(self.connection._blocks._held) <= MOST_HEADERS + MOST_HELD
        for stream in self.streams:
            assert sum(len(chunk) for chunk in stream._chunks) <= WINDOW

    @invariant()
    def an_ending_connection_was_dropped_once(self) -> None:
        """``on_end`` is called once."""
        assert len(self.peer.ended) == int(self.connection._is_ending)
        assert not (self.connection._is_ending and self.connection.has_room)

    def teardown(self) -> None:
        """Whatever has been: all can be closed, and then each stream has one end."""
        if not hasattr(self, "runner"):
            return
        self.connection.close(CallError(Code.CANCELLED, "closed"))
        self.connection.connection_lost(None)
        self.run(self.all_end())
        assert len(self.peer.ended) == 1
        self.runner.close()

    async def all_end(self) -> None:
        """Wait for every writer and every reader."""
        async with asyncio.timeout(5):
            for number, task in self.senders.items():
                await asyncio.wait({task})
                assert task.cancelled() <= (number in self.left)
            assert self.connection.ready.done()
            for stream in self.streams:
                if stream.number in self.left:
                    continue
                ends = [await end_of(stream), await end_of(stream)]
                assert ends[0] == ends[1], "it ended twice"
                assert stream.is_over
                self.connection.close_stream(stream)


async def end_of(stream: Stream) -> str:
    """How it ends."""
    try:
        await stream.answered()
        while await stream.chunk():
            pass
    except CallError as exc:
        return f"{exc.code}: {exc}"
    except Exception as exc:  # noqa: BLE001 - StreamRefused, or a finding: it is compared
        return type(exc).__name__
    return f"ended: {stream.trailers}"


TestHttp2 = Http2Machine.TestCase
