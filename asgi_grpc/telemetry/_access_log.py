"""One line of the standard library's logging for each call."""

from __future__ import annotations

import logging

from asgi_grpc.telemetry._call import CallRecord
from asgi_grpc.telemetry._observer import Observer


class AccessLog(Observer):
    """Writes a line for each call when it has ended, at level INFO; its parts are in the record's ``extra``, too.

    The fields: ``method``, ``kind``, ``route``, ``transport``, ``code``, ``peer``, ``messages_received``,
    ``messages_sent``, ``bytes_received``, ``bytes_sent``, ``duration_s``, ``first_message_s`` (None: no reply). Nothing
    of a message is in them, and no value of a header.

    Args:
        logger: its name.
    """

    def __init__(self, logger: str = "asgi_grpc.access") -> None:
        self._log = logging.getLogger(logger)

    def ended(self, call: CallRecord) -> None:
        """Write the line."""
        if not self._log.isEnabledFor(logging.INFO):
            return
        assert call.code is not None
        fields = {
            "method": call.method.full_name,
            "kind": call.method.kind,
            "route": call.route,
            "transport": call.transport,
            "code": call.code.name,
            "peer": call.peer,
            "messages_received": call.received,
            "messages_sent": call.sent,
            "bytes_received": call.received_bytes,
            "bytes_sent": call.sent_bytes,
            "duration_s": call.duration_s,
            "first_message_s": call.first_message_s,
        }
        self._log.info(
            "%s %s %s %s in %.3f s, received %d (%d bytes), sent %d (%d bytes)",
            call.peer or "-",
            call.transport,
            call.method.full_name,
            call.code.name,
            call.duration_s,
            call.received,
            call.received_bytes,
            call.sent,
            call.sent_bytes,
            extra=fields,
        )
