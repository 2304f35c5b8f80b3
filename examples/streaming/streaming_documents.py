"""Shared texts that several people edit at once.

The server keeps one text and counts its revisions. An operation says for which revision it was made: if that is not
the latest, somebody else was faster, and its author gets a REJECTED with the latest revision, having already got the
operations in between; he adapts his and sends it again. No edit is ever applied to a text that its author has not seen,
unless he leaves the revision out.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import streaming_pb2_grpc
from streaming_calls import Refused, check_name, inputs, invalid, serving
from streaming_feeds import now
from streaming_mailbox import Group, Mailbox, converse
from streaming_pb2 import (
    COLLABORATION_EVENT_TYPE_CURSOR,
    COLLABORATION_EVENT_TYPE_JOIN,
    COLLABORATION_EVENT_TYPE_LEAVE,
    COLLABORATION_EVENT_TYPE_OPERATION,
    COLLABORATION_EVENT_TYPE_REJECTED,
    COLLABORATION_EVENT_TYPE_SNAPSHOT,
    COLLABORATION_EVENT_TYPE_UNSPECIFIED,
    CollaborationEvent,
    CollaborationEventType,
)

if TYPE_CHECKING:
    from streaming_calls import Context

MAX_DOCUMENTS = 1000  # they live as long as the server
MAX_CHARS = 1 << 18  # of one document: so that a snapshot stays below the 4 MiB of a gRPC message
MAX_INSERT_CHARS = 1 << 14  # of one operation: 256 of them may wait for a slow reader

OF_PAYLOAD: dict[str | None, CollaborationEventType] = {
    None: COLLABORATION_EVENT_TYPE_JOIN,
    "operation": COLLABORATION_EVENT_TYPE_OPERATION,
    "cursor": COLLABORATION_EVENT_TYPE_CURSOR,
}


class Document:
    """One text, its revision, and those who have it open."""

    def __init__(self, document_id: str) -> None:
        self.document_id = document_id
        self.text = ""
        self.revision = 0
        self.readers: Group[CollaborationEvent] = Group()

    def event(self, user_id: str, kind: CollaborationEventType) -> CollaborationEvent:
        """An event of now, of the latest revision, without a payload."""
        return CollaborationEvent(
            id=str(uuid.uuid4()),
            document_id=self.document_id,
            user_id=user_id,
            type=kind,
            revision=self.revision,
            timestamp=now(),
        )

    def misfit(self, edit: CollaborationEvent) -> str:
        """Why an operation cannot be applied; empty if it can."""
        operation = edit.operation
        if edit.HasField("revision") and edit.revision != self.revision:
            return f"made for revision {edit.revision}, but the latest is {self.revision}"
        if not 0 <= operation.position <= operation.position + operation.delete_count <= len(self.text):
            return f"outside of the text, which has {len(self.text)} characters"
        if len(operation.insert) > MAX_INSERT_CHARS:
            return f"insert has more than {MAX_INSERT_CHARS} characters"
        if len(self.text) - operation.delete_count + len(operation.insert) > MAX_CHARS:
            return f"the text would have more than {MAX_CHARS} characters"
        return ""

    def edit(self, user_id: str, event: CollaborationEvent, author: Mailbox[CollaborationEvent]) -> None:
        """Make the next revision and tell everyone, or tell the author why not."""
        operation = event.operation
        if problem := self.misfit(event):
            rejection = self.event(user_id, COLLABORATION_EVENT_TYPE_REJECTED)
            rejection.problem = problem
            author.put(rejection)
            return
        end = operation.position + operation.delete_count
        self.text = self.text[: operation.position] + operation.insert + self.text[end:]
        self.revision += 1
        edited = self.event(user_id, COLLABORATION_EVENT_TYPE_OPERATION)
        edited.operation.CopyFrom(operation)
        self.readers.tell(edited)

    def point(self, user_id: str, cursor: int, author: Mailbox[CollaborationEvent]) -> None:
        """Show the others where someone's cursor is."""
        pointed = self.event(user_id, COLLABORATION_EVENT_TYPE_CURSOR)
        pointed.cursor = cursor
        self.readers.tell(pointed, but=author)

    @contextmanager
    def opened(self, user_id: str) -> Iterator[Mailbox[CollaborationEvent]]:
        """Read along within a ``with`` block, from a snapshot on; the others are told when it begins and ends."""
        with self.readers.joined() as mailbox:
            snapshot = self.event(user_id, COLLABORATION_EVENT_TYPE_SNAPSHOT)
            snapshot.text = self.text
            mailbox.put(snapshot)
            self.readers.tell(self.event(user_id, COLLABORATION_EVENT_TYPE_JOIN), but=mailbox)
            try:
                yield mailbox
            finally:
                self.readers.tell(self.event(user_id, COLLABORATION_EVENT_TYPE_LEAVE), but=mailbox)


def check_event(event: CollaborationEvent, user_id: str, document_id: str) -> None:
    """``Refused`` if it is not what a client may send."""
    if event.user_id not in ("", user_id) or event.document_id not in ("", document_id):
        raise invalid("user_id and document_id cannot change within one stream")
    meant = OF_PAYLOAD.get(event.WhichOneof("payload"))
    if meant is None or event.type not in (COLLABORATION_EVENT_TYPE_UNSPECIFIED, meant):
        raise invalid("an event of a client is a JOIN without payload, an OPERATION or a CURSOR with its own")


class CollaborationMethods(streaming_pb2_grpc.StreamingServiceServicer):
    """The method to edit together."""

    documents: dict[str, Document]

    async def Collaborate(self, request_iterator: AsyncIterator[CollaborationEvent], context: Context) -> None:
        """Open the document that the first event names; write what happens to it; leave when the input ends."""
        async with serving(context, "Collaborate") as call:
            events = inputs(request_iterator)
            first = await anext(events, None)
            if first is None:
                raise invalid("the first event must say user_id and document_id")
            user_id = check_name("user_id", first.user_id)
            document = self.open_document(check_name("document_id", first.document_id))
            call.about = f"document {document.document_id}"
            with document.opened(user_id) as mailbox:

                def hear(event: CollaborationEvent) -> None:
                    check_event(event, user_id, document.document_id)
                    if event.HasField("operation"):
                        document.edit(user_id, event, mailbox)
                    elif event.HasField("cursor"):
                        document.point(user_id, event.cursor, mailbox)

                await converse(context, first, events, hear, mailbox)

    def open_document(self, document_id: str) -> Document:
        """The document of that name, a new one if there is none."""
        if document_id not in self.documents:
            if len(self.documents) >= MAX_DOCUMENTS:
                raise Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, f"there are already {MAX_DOCUMENTS} documents")
            self.documents[document_id] = Document(document_id)
        return self.documents[document_id]
