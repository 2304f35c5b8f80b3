"""Random calls: what the client does, what the servicer does, and which outcomes are then right."""

from __future__ import annotations

import random
from collections.abc import Sequence

import grpc
import msgspec

from tests.soak.gateway import LIMITS
from tests.soak.service import NATURAL_END, Script

KINDS = ["Unary", "Down", "Up", "Bidi"]
DOORS = {
    "Unary": ["json", "ws", "records"],
    "Down": ["ndjson", "array", "seq", "sse", "ws", "records"],
    "Up": ["json", "ws", "records"],
    "Bidi": ["ndjson", "array", "seq", "sse", "ws", "records"],
}
SOCKETS = ("ws", "records")
ANY = frozenset({"anything"})
_CODES = [code.name for code in grpc.StatusCode if code is not grpc.StatusCode.OK]

THEMES = {
    "fine": 46,
    "abort": 12,
    "raise": 3,
    "early": 4,
    "bad": 9,
    "large": 1,
    "leave": 10,
    "leave-hung": 6,
    "deadline": 5,
    "tight": 2,
    "silent": 0.2,
}
FAULTS = {"send": 4, "garbage": 2, "eof": 2, "stall": 2, "trickle": 2}

BAD = [
    b'{"number":}',
    b'{"number":"x"}',
    b'{"nope":1}',
    b'{"pad":"\xff"}',
    b"[1]x",
    b'{"pad":7}',
    b'{"number":1',
    b'{"pad":"x',
]


class Plan(msgspec.Struct, kw_only=True):
    """One call.

    Attributes:
        number: of the call in its soak; with the soak's seed it decides everything.
        theme: what kind of end is meant.
        back_end: ``"in-process"`` or ``"channel"``.
        service: ``"Async"`` or ``"Sync"``.
        kind: of the method.
        door: how the answer is framed, or which WebSocket subprotocol is spoken.
        body: how the request is framed: ``"ndjson"``, ``"array"``, ``"seq"``, ``"spaced"``.
        compressed: by gzip.
        pads: bytes of text in each request; as many as there are requests.
        cuts: how the body is cut into writes, or text messages into frames: ``"whole"``, ``"each"``, ``"random"``,
            ``"bytes"``.
        write_pause_s: between two writes, now and then.
        read_pause_s: between two reads, now and then.
        ping_pong: the next request waits for the reply to the last.
        script: of the servicer.
        timeout: ``Grpc-Timeout``, or empty.
        leave: ``"reset"``, ``"close"``, ``"cancel"``, or empty.
        leave_s: when.
        bad: what stands in the place of a request, or empty.
        bad_at: its place, from 1.
        send_fails: after so many events; -1: never.
        after_end: what follows the request: ``"garbage"``, ``"eof"``, or nothing.
        allowed: outcomes: a code's name, ``"left"``, ``"broken"``.
    """

    number: int
    theme: str
    back_end: str
    service: str
    kind: str
    door: str
    body: str = "ndjson"
    compressed: bool = False
    pads: list[int] = []
    cuts: str = "whole"
    write_pause_s: float = 0.0
    read_pause_s: float = 0.0
    ping_pong: bool = False
    script: Script = msgspec.field(default_factory=Script)
    timeout: str = ""
    leave: str = ""
    leave_s: float = 0.0
    bad: bytes = b""
    bad_at: int = 0
    send_fails: int = -1
    after_end: str = ""
    allowed: frozenset[str] = frozenset({"OK"})

    @property
    def path(self) -> str:
        """Where the method is."""
        return f"/{self.back_end}/soak.{self.service}/{self.kind}"

    @property
    def streams_up(self) -> bool:
        """The method takes a stream."""
        return self.kind in ("Up", "Bidi")

    @property
    def read(self) -> int:
        """Requests that the servicer reads, if nothing disturbs it."""
        sent, after = len(self.pads), self.script.after
        return min(sent, after) if self.streams_up and after != NATURAL_END else sent

    @property
    def replied(self) -> int:
        """Replies that it then writes, if it does not fail."""
        if self.kind == "Down":
            after = self.script.after
            return self.script.replies if after == NATURAL_END else min(self.script.replies, after)
        return self.read if self.kind == "Bidi" else 1


def draw(seed: int, number: int, *, back_ends: Sequence[str], faults: bool, longest_pause_s: float) -> Plan:
    """One call of a soak.

    Args:
        seed: of the soak.
        number: of the call.
        back_ends: to choose from.
        faults: whether the call itself may have one.
        longest_pause_s: of a client.
    """
    rng = random.Random(f"{seed}/{number}")
    themes = {**THEMES, **(FAULTS if faults else {})}
    theme = rng.choices(list(themes), list(themes.values()))[0]
    kind = rng.choice(KINDS)
    plan = Plan(
        number=number,
        theme=theme,
        back_end=rng.choice(back_ends),
        service=rng.choice(["Async", "Async", "Sync"]),
        kind=kind,
        door=rng.choice(DOORS[kind]),
    )
    _draw_input(rng, plan)
    _draw_pace(rng, plan)
    script = plan.script = _draw_script(rng, plan)
    match theme:
        case "abort":
            script.end = rng.choice(_CODES)
            _draw_after(rng, plan)
            plan.allowed = frozenset({script.end})
        case "raise":
            script.end = "raise"
            _draw_after(rng, plan)
            plan.allowed = frozenset({"UNKNOWN"})
        case "early":
            _draw_after(rng, plan)
        case "bad":
            _draw_bad(rng, plan)
        case "large":
            plan.bad_at = rng.randint(1, max(1, len(plan.pads)))
            plan.bad = b'{"pad":"' + b"x" * LIMITS.max_message_bytes + b'"}'
            plan.allowed = frozenset({"RESOURCE_EXHAUSTED"})
        case "leave" | "leave-hung":
            _draw_leave(rng, plan)
        case "deadline":
            script.end = "hang"
            plan.timeout = f"{rng.randint(20, 600)}m"
            plan.allowed = frozenset({"DEADLINE_EXCEEDED"})
        case "tight":
            plan.timeout = f"{rng.randint(1, 200)}m"
            plan.allowed = frozenset({"OK", "DEADLINE_EXCEEDED"})
        case "silent":
            script.end = "hang"
            plan.allowed = frozenset({"DEADLINE_EXCEEDED"})
        case "send":
            plan.send_fails = rng.randint(0, 6)
            plan.allowed = frozenset({"OK", "broken"})
        case "garbage" | "eof":
            plan.after_end = theme
            plan.allowed = ANY if theme == "garbage" else frozenset({"OK", "broken"})
        case "stall":
            plan.read_pause_s = plan.write_pause_s = rng.choice([0.5, 1.5])
        case "trickle":
            plan.cuts, plan.compressed, plan.ping_pong = "bytes", False, False
            plan.pads = [min(pad, 50) for pad in plan.pads[:20]]
    plan.write_pause_s = min(plan.write_pause_s, longest_pause_s)
    plan.read_pause_s = min(plan.read_pause_s, longest_pause_s)
    return plan


def _draw_input(rng: random.Random, plan: Plan) -> None:
    """The requests, and how they are written."""
    number = rng.choice([0, 1, 1, 2, 3, rng.randint(4, 60), rng.randint(4, 60), rng.randint(100, 1500)])
    if not plan.streams_up:
        number = 1
    small = rng.choice([0, 10, 200])
    plan.pads = [rng.randint(0, small) for _ in range(number)]
    if rng.random() < 0.1 and number:
        plan.pads[rng.randrange(number)] = rng.choice([5_000, 65_536, 300_000])
    if plan.door in SOCKETS:
        plan.cuts = rng.choice(["each", "each", "random"])
    else:
        plan.body = rng.choice(["ndjson", "ndjson", "array", "seq", "spaced"]) if plan.streams_up else "ndjson"
        plan.cuts = rng.choice(["whole", "each", "random"])
        plan.compressed = rng.random() < 0.15
    plan.ping_pong = plan.kind == "Bidi" and plan.door in ("ndjson", *SOCKETS) and rng.random() < 0.3
    if plan.ping_pong:
        plan.pads, plan.cuts, plan.body, plan.compressed = plan.pads[:40], "each", "ndjson", False


def _draw_pace(rng: random.Random, plan: Plan) -> None:
    """Slow readers, slow writers, idle ones."""
    if rng.random() < 0.15:
        plan.write_pause_s = rng.choice([0.001, 0.02, 0.3])
    if rng.random() < 0.15:
        plan.read_pause_s = rng.choice([0.001, 0.02, 0.3])
    if rng.random() < 0.01:
        plan.write_pause_s = 2.5


def _draw_script(rng: random.Random, plan: Plan) -> Script:
    """A servicer that does as it should."""
    script = Script(explicit=rng.random() < 0.3, pad=rng.choice([0, 0, 20, 300]))
    if plan.kind == "Down":
        script.replies = rng.choice([0, 1, 2, rng.randint(3, 60), rng.randint(3, 60), rng.randint(100, 3000)])
        if script.replies < 60 and rng.random() < 0.2:
            script.pad = rng.choice([5_000, 60_000])
    if rng.random() < 0.3:
        script.pause_every = rng.choice([1, 3, 10, 100])
        script.pause_s = rng.choice([0.0001, 0.001, 0.01])
        if max(len(plan.pads), script.replies) // script.pause_every > 100:
            script.pause_every = 100
    return script


def _draw_after(rng: random.Random, plan: Plan) -> None:
    """Where in its stream a servicer ends."""
    longest = plan.script.replies if plan.kind == "Down" else len(plan.pads)
    if plan.kind != "Unary":
        plan.script.after = rng.choice([NATURAL_END, 0, rng.randint(0, longest)])


def _draw_bad(rng: random.Random, plan: Plan) -> None:
    """What a client may not send, and where."""
    if not plan.pads:
        plan.pads = [0]
    plan.bad_at = rng.randint(1, len(plan.pads))
    plan.bad = rng.choice([bad for bad in BAD if plan.door not in SOCKETS or b"\xff" not in bad])
    plan.ping_pong = False
    plan.allowed = frozenset({"INVALID_ARGUMENT"})


def _draw_leave(rng: random.Random, plan: Plan) -> None:
    """A client that goes away; where the servicer hangs, there is nothing else that can end the call."""
    hung = plan.theme == "leave-hung"
    plan.leave = rng.choice(["reset", "close", "cancel"] if plan.door == "records" else ["reset", "close"])
    plan.leave_s = rng.choice([0.0, 0.0005, 0.002, 0.005, 0.02, 0.1, 0.4])
    if hung:
        plan.script.end = "hang"
    told = {"CANCELLED"} if plan.leave == "cancel" else {"left"}
    plan.allowed = frozenset(told if hung else told | {"OK"})
