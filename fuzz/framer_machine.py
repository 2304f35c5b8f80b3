"""What the machines of all framers share: feed in any pieces, close, start over, beside a slow model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from asgi_grpc.errors import UsageError
from asgi_grpc.framing import Broken, Closed, End, Fault
from asgi_grpc.testing import Framer

E = TypeVar("E")


class FramerMachine(RuleBasedStateMachine, Generic[E]):
    """Feed one framer until it breaks or is closed; then begin again with a new one, perhaps of other options.

    A subclass adds the rules that feed. The model is asked after every step: what the framer has said is what the model
    says about the bytes so far, but for what only the end can tell.

    Attributes:
        OPTIONS: what ``make``, ``model`` and ``most_held`` get; one is drawn for each stream.
    """

    OPTIONS: ClassVar[Sequence[Any]] = (None,)

    def make(self, option: Any) -> Framer[E]:
        """A new framer."""
        raise NotImplementedError

    def model(self, body: bytes, option: Any) -> list[E]:
        """All events of a whole body, its end included."""
        raise NotImplementedError

    def most_held(self, option: Any) -> int:
        """What the framer may keep between two calls."""
        raise NotImplementedError

    def until_close(self, events: list[E]) -> list[E]:
        """What of a whole body's events is known before its end; ``events`` ends with ``End`` or a truncation."""
        return events[:-1]

    @initialize(choice=st.integers(0, 99))
    def begin(self, choice: int) -> None:
        """A new stream."""
        self.option = self.OPTIONS[choice % len(self.OPTIONS)]
        self.framer = self.make(self.option)
        self.body = b""
        self.events: list[E] = []
        self.ended = False
        self.prepare()

    def prepare(self) -> None:
        """What else a new stream needs."""

    @rule()
    def feed_nothing(self) -> None:
        """An empty chunk, as ASGI servers send."""
        before = len(self.events)
        self.feed(b"")
        assert len(self.events) == before

    @rule(choice=st.integers(0, 99))
    def start_over(self, choice: int) -> None:
        """The connection is lost: the framer is dropped."""
        self.begin(choice)

    @rule(choice=st.integers(0, 99))
    def close(self, choice: int) -> None:
        """End the body; compare; begin again."""
        if self.ended:
            with pytest.raises(UsageError):
                self.framer.close()
        else:
            self.events += self.framer.close()
            assert self.events == self.model(self.body, self.option)
            assert self.framer.held_bytes == 0, "kept behind the end"
            with pytest.raises(UsageError):
                self.framer.feed(b"")
        self.begin(choice)

    def feed(self, chunk: bytes) -> None:
        """Feed a chunk, or see it refused behind the end."""
        if self.ended:
            with pytest.raises(UsageError):
                self.framer.feed(chunk)
            return
        self.body += chunk
        self.events += self.framer.feed(chunk)
        self.ended = bool(self.events) and isinstance(self.events[-1], (Broken, Closed))

    @invariant()
    def says_what_the_model_says(self) -> None:
        """Nothing is late, early, or wrong."""
        expected = self.model(self.body, self.option)
        if not self.ended:
            assert ends_with_the_body(expected[-1], self.body), f"not noticed: {expected[-1]}"
            expected = self.until_close(expected)
        assert self.events == expected

    @invariant()
    def holds_little(self) -> None:
        """Memory stays bounded, and nothing is kept behind the end."""
        assert self.framer.held_bytes <= (0 if self.ended else self.most_held(self.option))


def ends_with_the_body(event: object, body: bytes) -> bool:
    """True for what only a body's end can tell: that it is whole, or cut short; half a byte order mark is garbage."""
    if isinstance(event, Broken):
        return event.fault is Fault.TRUNCATED or body in (b"\xef", b"\xef\xbb")
    return isinstance(event, End)
