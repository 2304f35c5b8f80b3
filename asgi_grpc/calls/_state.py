"""What a servicer says about its call, whichever context it says it through."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import grpc
import grpc.aio

from asgi_grpc.calls._metadata import from_grpc, status_details
from asgi_grpc.errors import CallError, Code, Metadata

log = logging.getLogger("asgi_grpc.error")

GRPC_CODES = {Code(code.value[0]): code for code in grpc.StatusCode}

_OK = Code.OK  # to look a member up costs as much as ten other attributes, and this is asked for several times a call
_KEY = re.compile(r"[a-z0-9_.-]+")


_callbacks_lock = threading.Lock()
"""One for all calls: it is held for the time of an assignment, and to make one for each call takes longer."""


class Metadatum(NamedTuple):
    """One pair of the invocation metadata; grpcio's have these two names as well."""

    key: str
    value: str | bytes


class CallState:
    """The status, the metadata and the end of one call.

    Worker threads set single attributes of it; none depends on another.

    Attributes:
        method: full name, for the log.
        deadline: on the loop's clock.
        scope: of the ASGI connection.
        initial: header metadata; None until it was sent, explicitly or with the first reply.
        trailing: as it was set last.
        code: as it was set last, in the servicer's own type; None: OK.
        details: the status message.
        aborted: what ``abort`` raised.
        active: nobody has ended the call yet.
    """

    def __init__(self, method: str, invocation: Metadata, deadline: float | None, scope: Mapping[str, Any] | None):
        self.method = method
        self._invocation = invocation
        self.deadline = deadline
        self.scope = scope
        self.initial: Metadata | None = None
        self.trailing: Metadata = ()
        self.code: Any = None
        self.details: str = ""
        self.aborted: grpc.aio.AbortError | None = None
        self.active = True
        self._callbacks: list[Callable[[], object]] | None = []

    @property
    def invocation(self) -> tuple[Metadatum, ...]:
        """The request's metadata."""
        return tuple(Metadatum(*pair) for pair in self._invocation)

    @property
    def is_ok(self) -> bool:
        """Whether nothing has gone wrong so far."""
        return self.aborted is None and self.status is _OK

    @property
    def status(self) -> Code:
        """The code that the client will be told."""
        return to_code(self.code)

    def check_running(self) -> None:
        """Refuse what comes too late.

        Raises:
            grpc.aio.AbortError: the call was aborted, and the servicer went on.
            grpc.aio.UsageError: it ended otherwise.
        """
        if self.aborted is not None:
            raise self.aborted
        if not self.active:
            raise grpc.aio.UsageError("RPC already finished.")

    def send_initial(self, metadata: Any) -> None:
        """Take the header metadata.

        Raises:
            grpc.aio.UsageError: it has left already.
        """
        self.check_running()
        if self.initial is not None:
            raise grpc.aio.UsageError("Send initial metadata failed: already sent")
        self.initial = checked(metadata)

    def abort(self, code: Any, details: str, trailing: Any) -> grpc.aio.AbortError:
        """Decide the status.

        Returns:
            What to raise.

        Raises:
            grpc.aio.UsageError: it was aborted before.
        """
        if self.aborted is not None:
            raise grpc.aio.UsageError("Abort already called!")
        self.check_running()
        if trailing:
            self.trailing = checked(trailing)
        if to_code(code) is Code.OK:
            text = "%s: abort() was called with OK; the client is told UNKNOWN"
            log.error(text, self.method, extra={"method": self.method})
            code, details = grpc.StatusCode.UNKNOWN, ""
        self.code = code
        self.details = details or self.details
        self.aborted = grpc.aio.AbortError("Locally aborted.")
        return self.aborted

    def fail(self, code: Code, details: str) -> None:
        """The call failed by itself; what the servicer set before is kept."""
        if self.status is Code.OK:
            self.code = GRPC_CODES[code]
        self.details = self.details or details

    def note_return(self) -> None:
        """A servicer came to its end, which none does that aborted its call."""
        if self.aborted is not None:
            log.error("%s: the servicer suppressed its own abort", self.method, extra={"method": self.method})

    def fail_with(self, exc: BaseException) -> None:
        """An exception ended the servicer: an ``RpcError`` with a status keeps it, any other is UNKNOWN and logged.

        The peer is told the exception's type and not its text, which may hold anything. What only repeats an end that
        was decided before counts for nothing.
        """
        if self._repeats_end(exc):
            return
        status = _status_of(exc)
        if status is not None:
            self.code, self.details, details = status
            self.trailing = [*self.trailing, *details]
            return
        extra = {"method": self.method}
        log.error("unexpected %s in %s", type(exc).__name__, self.method, exc_info=exc, extra=extra)
        self.fail(Code.UNKNOWN, f"unexpected {type(exc).__name__} in {self.method}")

    def _repeats_end(self, exc: BaseException) -> bool:
        """Whether an exception is our own, by which we told the servicer of the end."""
        if isinstance(exc, ExceptionGroup):
            return all(self._repeats_end(one) for one in exc.exceptions)
        return exc is self.aborted or (not self.active and isinstance(exc, grpc.aio.UsageError | grpc.RpcError))

    def error(self) -> CallError | None:
        """The status as an error; None for OK."""
        if (code := self.status) is _OK:
            return None
        trailers = from_grpc(self.trailing)
        return CallError(code, self.details, details=status_details(self.trailing), trailers=trailers)

    def add_callback(self, callback: Callable[[], object]) -> bool:
        """Call something after the end; False if that is past."""
        with _callbacks_lock:
            if self._callbacks is None:
                return False
            self._callbacks.append(callback)
            return True

    def run_callbacks(self, *, in_thread: bool = False) -> None:
        """Call what waits for the end, once.

        Args:
            in_thread: the callbacks may block, or wait for each other.
        """
        with _callbacks_lock:
            callbacks, self._callbacks = self._callbacks, None
        if callbacks and in_thread:
            threading.Thread(target=self._call, args=(callbacks,), daemon=True).start()
        elif callbacks:
            self._call(callbacks)

    def _call(self, callbacks: list[Callable[[], object]]) -> None:
        for callback in callbacks:
            try:
                callback()
            except Exception:
                log.exception("a callback of %s failed", self.method, extra={"method": self.method})


def to_code(code: Any) -> Code:
    """A status code in any of the forms that grpcio takes; what it does not know counts as UNKNOWN."""
    if code is None:
        return _OK
    number = code.value[0] if isinstance(code, grpc.StatusCode) else code
    return Code(number) if isinstance(number, int) and 0 <= number <= Code.UNAUTHENTICATED else Code.UNKNOWN


def checked(metadata: Iterable[Any] | None) -> Metadata:
    """Metadata that a wire could carry: what grpcio takes, in the form in which it would arrive.

    Raises:
        TypeError: it is not made of pairs of a text and a text or bytes.
        ValueError: a key is not legal.
    """
    if isinstance(metadata, Mapping):
        raise TypeError("metadata: expected pairs of a key and a value, got a mapping")
    pairs: list[tuple[str, str | bytes]] = []
    for pair in metadata or ():
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError("metadata: expected pairs of a key and a value")
        key, value = pair
        if isinstance(key, bytes):  # grpcio's sync server takes them
            key = key.decode("latin-1")
        if not isinstance(key, str) or not isinstance(value, str | bytes):
            raise TypeError("metadata: expected a text as a key, and a text or bytes as its value")
        if not _KEY.fullmatch(key):
            raise ValueError(f"metadata: {key!r} is not a legal key: a-z, 0-9, _, . and - are")
        if key.endswith("-bin"):
            pairs.append((key, value.encode() if isinstance(value, str) else value))
        else:
            pairs.append((key, value if isinstance(value, str) else value.decode("latin-1")))
    return pairs


def _status_of(exc: BaseException) -> tuple[grpc.StatusCode, str, Metadata] | None:
    """The status that an ``RpcError`` carries: its code, message, and details as they stand in trailing metadata."""
    code = getattr(exc, "code", None)
    code = code() if isinstance(exc, grpc.RpcError) and callable(code) else None
    if not isinstance(code, grpc.StatusCode) or code is grpc.StatusCode.OK:
        return None
    text, trailing = (_called(exc, name) for name in ("details", "trailing_metadata"))
    return code, str(text or ""), [pair for pair in trailing or () if pair[0] == "grpc-status-details-bin"]


def _called(exc: BaseException, name: str) -> Any:
    method = getattr(exc, name, None)
    return method() if callable(method) else None
