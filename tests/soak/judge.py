"""Both sides of a call, compared: whatever was not planned is a finding."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tests.soak.clients import Seen
from tests.soak.ledger import Entry
from tests.soak.plans import ANY, Plan


def judge(plan: Plan, seen: Seen, entry: Entry, *, excused: Collection[str] = ()) -> Iterator[str]:
    """What is wrong with a call.

    Args:
        plan: what was meant.
        seen: what the client saw.
        entry: what the servicer saw.
        excused: outcomes that a fault explains, which was injected while the call ran.
    """
    fine = plan.allowed == ANY or seen.outcome in plan.allowed
    if not fine and seen.outcome not in excused:
        yield f"the client saw {seen.outcome} ({seen.text}), expected one of {sorted(plan.allowed)}"
    if entry.starts > 1 or entry.ends > 1 or (entry.ends != entry.starts and not entry.killed):
        yield f"the servicer started {entry.starts} times and ended {entry.ends} times"
    if not entry.ordered:
        yield "the servicer read requests out of order"
    yield from _replies(seen)
    if seen.outcome == "OK":
        yield from _success(plan, seen, entry)
    elif fine and plan.theme in ("abort", "raise") and seen.outcome not in excused:
        yield from _failure(plan, seen, entry)
    elif fine and plan.theme == "bad":
        yield from _refusal(plan, entry)
    if entry.ends and not excused and entry.how not in _ends(plan, seen):
        yield f"the servicer ended with {entry.how}, the client saw {seen.outcome}"


def _replies(seen: Seen) -> Iterator[str]:
    """Replies come in order, each once, whatever follows."""
    numbers = [reply.get("number", 0) for reply in seen.replies]
    if len(numbers) > 1 and numbers != list(range(1, len(numbers) + 1)):
        yield f"replies out of order: {numbers[:20]}"


def _success(plan: Plan, seen: Seen, entry: Entry) -> Iterator[str]:
    """What a client was told to have succeeded has."""
    if (entry.starts, entry.how) != (1, "OK"):
        yield f"the client saw success, the servicer started {entry.starts} times and ended with {entry.how!r}"
    wanted = plan.read, plan.read * (plan.read + 1) // 2
    if (entry.count, entry.sum) != wanted:
        yield f"of {wanted} (requests, sum) the servicer read {entry.count, entry.sum}"
    if len(seen.replies) != plan.replied:
        yield f"of {plan.replied} replies the client saw {len(seen.replies)}"
    if seen.replies and plan.kind != "Down":
        last = seen.replies[-1]
        if (last.get("count", 0), last.get("sum", 0)) != wanted:
            yield f"the last reply tells of {last}, expected {wanted}"
    pads = [len(reply.get("pad", "")) for reply in seen.replies]
    if any(pad != plan.script.pad for pad in pads):
        yield f"a reply of another size than {plan.script.pad}"
    if seen.trailers and seen.trailers != {"soak-count": str(entry.count)}:
        yield f"trailers {seen.trailers}, and the servicer read {entry.count} requests"


def _failure(plan: Plan, seen: Seen, entry: Entry) -> Iterator[str]:
    """A servicer's own failure arrives whole, behind all that it replied before."""
    if plan.theme == "abort" and seen.text != f"soak {plan.number}":
        yield f"the client saw the text {seen.text!r}, expected the service's"
    if plan.kind in ("Down", "Bidi") and len(seen.replies) != entry.replies and not entry.killed:
        yield f"before its failure the servicer wrote {entry.replies} replies, the client saw {len(seen.replies)}"


def _refusal(plan: Plan, entry: Entry) -> Iterator[str]:
    """What stood before a bad message was delivered; nothing behind it was."""
    before = plan.bad_at - 1
    if not plan.streams_up and entry.starts:
        yield "a servicer was called with a bad request"
    elif entry.count > before or (plan.back_end == "in-process" and entry.count != before):
        yield f"{before} good requests stood before the bad one, the servicer read {entry.count}"


def _ends(plan: Plan, seen: Seen) -> set[str]:
    """How a servicer may have ended, where its client saw this."""
    planned = plan.script.end
    if plan.bad and plan.back_end == "channel":
        return {"cancelled", "OK"}  # grpcio's servers may tell a servicer of a cancellation as of the input's end
    if planned == "hang" or plan.bad:
        return {"cancelled"}
    if seen.outcome == "OK" or plan.theme in ("fine", "abort", "raise", "early", "stall", "trickle"):
        return {planned}
    return {planned, "cancelled"}
