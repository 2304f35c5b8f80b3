"""The methods of servicers in this process, as a back end."""

from __future__ import annotations

from asgi_grpc.calls._call import Requests
from asgi_grpc.calls._handlers import Handler
from asgi_grpc.calls._inline import InlineCall
from asgi_grpc.calls._interceptors import find_handler, fixed_handler
from asgi_grpc.calls._registry import Servicers
from asgi_grpc.calls._servicer import ServicerCall
from asgi_grpc.calls._state import CallState
from asgi_grpc.calls._sync import Workers
from asgi_grpc.errors import CallError, Code, Metadata
from asgi_grpc.schema import Method, Schema


class ServicerBackend:
    """Methods of servicers that are registered in this process.

    Args:
        registry: where they are. It takes no more registrations from now on.
        schema: the services to check them against; None: those that are registered.

    Attributes:
        schema: of the services, whose messages are the servicers' own where it came from them.

    Raises:
        ConfigurationError: a registration is wrong, or there is none.
    """

    def __init__(self, registry: Servicers, schema: Schema | None = None) -> None:
        self.schema: Schema = registry.seal(schema)
        self._registry = registry
        self._handlers: dict[Method, Handler | None] = {}  # of methods that were called; None: to be found each time
        self._workers = Workers(registry.max_workers, registry.max_queue)
        self._calls: set[ServicerCall] = set()

    async def open(self) -> None:
        """Nothing has to be made: threads start with the first call that needs one."""

    def start(
        self, method: Method, requests: Requests, *, metadata: Metadata = (), deadline_s: float | None = None
    ) -> ServicerCall:
        """Make a call. See ``Backend.start``."""
        if method not in self._handlers:
            self._handlers[method] = fixed_handler(self._registry, method)
        handler = self._handlers[method]
        is_inline = handler is not None and handler.may_be_inline and deadline_s is None
        kind = InlineCall if is_inline else ServicerCall
        return kind(self, method, requests, metadata=metadata, deadline_s=deadline_s, handler=handler)

    async def close(self) -> None:
        """End the running calls with UNAVAILABLE."""
        for call in tuple(self._calls):
            call.end(CallError(Code.UNAVAILABLE, "the server is shutting down"))
        self._workers.close()

    def note(self, call: ServicerCall, *, ended: bool) -> None:
        """Note the start and the end of a call."""
        (self._calls.discard if ended else self._calls.add)(call)

    async def find(self, method: Method, state: CallState) -> Handler | None:
        """The handler of a method, as the interceptors leave it.

        Raises:
            Exception: what an interceptor raised.
        """
        return await find_handler(self._registry, method, state, self._workers)

    @property
    def workers(self) -> Workers:
        """The threads of sync servicers."""
        return self._workers
