"""``Observer``: who is told of calls."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.telemetry._call import CallRecord

_log = logging.getLogger("asgi_grpc.error")


class Observer:
    """Is told of each call's start, progress and end. Subclass it, and write what you need: the rest does nothing.

    Of each call, ``started`` is called once and then ``ended`` once, however the call ends; both in the task that
    serves the call, so that context variables that ``started`` sets are seen by a servicer in this process. Nothing
    here may block or raise; what is raised is logged, and changes nothing for the client.
    """

    def started(self, call: CallRecord) -> None:
        """A call starts, or is refused at once: then its end follows immediately."""

    def received(self, call: CallRecord, messages: int, size: int) -> None:
        """A batch came from the client.

        Args:
            call: its counts have grown already.
            messages: how many; none where only bytes came.
            size: in bytes, since the last time.
        """

    def sent(self, call: CallRecord, messages: int, size: int) -> None:
        """A batch went to the client. The arguments are those of ``received``."""

    def ended(self, call: CallRecord) -> None:
        """A call has ended; its code and its times are there. Called in the reverse order of the observers."""

    def watch_queue(self, waiting: Callable[[], int]) -> None:
        """Called once at start-up where servicers of this process may need threads.

        Args:
            waiting: how many calls wait for a thread at this moment; from any thread.
        """


class Observers:
    """Tells all of some observers; none of them can do a call any harm.

    Args:
        observers: in their order. What one has not overridden is never called.

    Raises:
        ConfigurationError: they are no sequence, or one is no ``Observer``.
    """

    def __init__(self, observers: Sequence[Observer]) -> None:
        if not isinstance(observers, Sequence):
            raise ConfigurationError(f"observers: expected a list, got {observers!r}")
        for each in observers:
            if not isinstance(each, Observer):
                raise ConfigurationError(f"observers: expected objects of subclasses of Observer, got {each!r}")
        self._started = [each.started for each in observers if _is_own(each, "started")]
        self._received = [each.received for each in observers if _is_own(each, "received")]
        self._sent = [each.sent for each in observers if _is_own(each, "sent")]
        self._ended = [each.ended for each in reversed(observers) if _is_own(each, "ended")]
        self._watch_queue = [each.watch_queue for each in observers if _is_own(each, "watch_queue")]

    def started(self, call: CallRecord) -> None:
        """See ``Observer``."""
        for tell in self._started:
            try:
                tell(call)
            except Exception:  # noqa: BLE001 - it is the user's code, and a call must not suffer from it
                _complain(tell)

    def received(self, call: CallRecord, messages: int, size: int) -> None:
        """See ``Observer``."""
        for tell in self._received:
            try:
                tell(call, messages, size)
            except Exception:  # noqa: BLE001 - as above
                _complain(tell)

    def sent(self, call: CallRecord, messages: int, size: int) -> None:
        """See ``Observer``."""
        for tell in self._sent:
            try:
                tell(call, messages, size)
            except Exception:  # noqa: BLE001 - as above
                _complain(tell)

    def ended(self, call: CallRecord) -> None:
        """See ``Observer``."""
        for tell in self._ended:
            try:
                tell(call)
            except Exception:  # noqa: BLE001 - as above
                _complain(tell)

    def watch_queue(self, waiting: Callable[[], int]) -> None:
        """See ``Observer``. What is raised here is raised: nothing is served yet."""
        for tell in self._watch_queue:
            tell(waiting)


def _is_own(observer: Observer, name: str) -> bool:
    """Whether an observer does something of its own."""
    return getattr(type(observer), name) is not getattr(Observer, name)


def _complain(tell: Callable[..., None]) -> None:
    _log.exception("the observer %s failed", getattr(tell, "__qualname__", tell))
