"""``asgi-grpc call``: stream a file to a gateway, print the replies, tell success by the exit status."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from contextlib import ExitStack

from asgi_grpc.cli._exchange import CallOptions, call_http, call_websocket
from asgi_grpc.cli._output import Output, OutputClosed, forget_output
from asgi_grpc.cli._progress import Progress
from asgi_grpc.cli._source import Source, SourceError
from asgi_grpc.cli._verdict import Verdict
from asgi_grpc.client import AddressError, ClientError, ConnectError, PeerError, parse_url
from asgi_grpc.errors import UsageError

SUCCESS, FAILURE, USAGE, INTERRUPTED = 0, 1, 2, 130


def run_call(options: CallOptions, *, data: str | None, timeout_s: float | None) -> int:
    """Make one call.

    Args:
        options: what to call.
        data: the input's file; ``"-"`` is standard input; None: there is none.
        timeout_s: of the whole call; None: as long as it takes.

    Returns:
        The exit status: 0 after a success record only, 1 after a failure, 2 where the command has to be written
        differently, 130 after Ctrl-C.
    """
    with ExitStack() as stack:
        try:
            websocket = parse_url(options.url).scheme in {"ws", "wss"}
            if websocket and options.method is not None:
                raise AddressError("--method is for http:// and https://: a WebSocket has no method")
            source = stack.enter_context(Source(data)) if data is not None else None
        except (AddressError, SourceError) as exc:
            return _complain(str(exc), USAGE)
        return _run(_call(options, source, websocket=websocket, timeout_s=timeout_s), timeout_s)


def _run(work: Coroutine[None, None, Verdict], timeout_s: float | None) -> int:
    """Make the call, and say how it ended."""
    try:
        verdict = asyncio.run(work)
    except UsageError as exc:  # a method or a header that HTTP can't carry
        return _complain(str(exc), USAGE)
    except (ClientError, SourceError) as exc:
        return _complain(f"{exc}{_advice(exc)}", FAILURE)
    except TimeoutError:
        return _complain(f"the call did not succeed within {timeout_s:g} s", FAILURE)
    except OutputClosed:
        forget_output()
        return FAILURE
    except KeyboardInterrupt:
        return INTERRUPTED
    if verdict.text:
        _complain(verdict.text, FAILURE)
    return SUCCESS if verdict.success else FAILURE


async def _call(options: CallOptions, source: Source | None, *, websocket: bool, timeout_s: float | None) -> Verdict:
    call = call_websocket if websocket else call_http
    async with asyncio.timeout(timeout_s), Progress(sys.stderr) as progress:
        return await call(options, source, Output(sys.stdout.buffer, progress), progress)


def _advice(error: Exception) -> str:
    """What to do about an error."""
    match error:
        case ConnectError():
            return "; does a gateway run there? `asgi-grpc demo` and `asgi-grpc serve` start one"
        case PeerError():
            return "; the URL has to be an asgi_grpc gateway's, not that of a gRPC server behind it"
        case _:
            return ""


def _complain(text: str, status: int) -> int:
    """Say one line on standard error."""
    print(f"asgi-grpc: {text}", file=sys.stderr)
    return status
