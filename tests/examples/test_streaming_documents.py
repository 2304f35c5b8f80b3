"""People who edit one text see the same revisions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import grpc
import pytest
import streaming_pb2 as pb
from streaming_calls import Refused
from streaming_documents import MAX_DOCUMENTS
from streaming_pb2_grpc import StreamingServiceStub as Stub
from streaming_server import StreamingService
from streaming_store import FileStore

from tests.examples.speaking import INVALID, Talk, failure
from tests.processes import Started


def event(user_id: str = "", *, document_id: str = "", **more: Any) -> pb.CollaborationEvent:
    return pb.CollaborationEvent(user_id=user_id, document_id=document_id, **more)


def insert(text: str, position: int = 0, **more: Any) -> pb.CollaborationEvent:
    return event(operation=pb.Operation(position=position, insert=text), **more)


def told(events: Iterable[pb.CollaborationEvent]) -> list[tuple[str, str, int, object]]:
    """Who, what, the revision, the payload."""
    found = []
    for item in events:
        kind = pb.CollaborationEventType.Name(item.type).removeprefix("COLLABORATION_EVENT_TYPE_")
        payload = item.WhichOneof("payload")
        found.append((item.user_id, kind, item.revision, getattr(item, payload) if payload else None))
    return found


def test_operations_make_revisions_that_everyone_gets(stub: Stub) -> None:
    ann, bob = Talk(stub.Collaborate), Talk(stub.Collaborate)
    ann.say(event("ann", document_id="plan"), insert("Hello", revision=0))
    hello = pb.Operation(insert="Hello")
    assert told(ann.hear(2)) == [("ann", "SNAPSHOT", 0, ""), ("ann", "OPERATION", 1, hello)]
    bob.say(event("bob", document_id="plan", cursor=5))
    assert told(bob.hear(1)) == [("bob", "SNAPSHOT", 1, "Hello")]
    assert told(ann.hear(2)) == [("bob", "JOIN", 1, None), ("bob", "CURSOR", 1, 5)]
    bye = pb.Operation(delete_count=5, insert="Bye")
    bob.say(event(operation=bye, type=pb.COLLABORATION_EVENT_TYPE_OPERATION, revision=1), insert("!", 3))
    changes = [("bob", "OPERATION", 2, bye), ("bob", "OPERATION", 3, pb.Operation(position=3, insert="!"))]
    assert told(bob.hear(2)) == changes
    assert told(ann.hear(2)) == changes
    bob.end()
    assert told(ann.hear(1)) == [("bob", "LEAVE", 3, None)]
    assert told(ann.end()) == []
    later = list(stub.Collaborate(iter([event("cat", document_id="plan")])))
    assert told(later) == [("cat", "SNAPSHOT", 3, "Bye!")]


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (insert("x", revision=0), "made for revision 0, but the latest is 1"),
        (insert("x", 3), "outside of the text, which has 2 characters"),
        (insert("x", -1), "outside of the text, which has 2 characters"),
        (event(operation=pb.Operation(position=1, delete_count=2)), "outside of the text, which has 2 characters"),
        (event(operation=pb.Operation(position=1, delete_count=-1)), "outside of the text, which has 2 characters"),
        (insert("x" * 16385), "insert has more than 16384 characters"),
    ],
)
def test_an_operation_that_does_not_fit_is_rejected(
    stub: Stub, bad: pb.CollaborationEvent, problem: str, request: pytest.FixtureRequest
) -> None:
    name = f"rejected {problem} {bad.operation.position} {bad.operation.delete_count}"
    requests = [event("ann", document_id=name), insert("ab"), bad, insert("c", 2)]
    assert told(stub.Collaborate(iter(requests)))[1:] == [
        ("ann", "OPERATION", 1, pb.Operation(insert="ab")),
        ("ann", "REJECTED", 1, problem),
        ("ann", "OPERATION", 2, pb.Operation(position=2, insert="c")),
    ]


def test_a_text_that_would_be_too_long_is_rejected(stub: Stub) -> None:
    pages = [insert("x" * 16384) for _ in range(17)]
    *fit, last = told(stub.Collaborate(iter([event("ann", document_id="long"), *pages])))
    assert len(fit) == 17
    assert last == ("ann", "REJECTED", 16, "the text would have more than 262144 characters")


CHANGED = "user_id and document_id cannot change within one stream"
NOT_A_CLIENTS = "an event of a client is a JOIN without payload, an OPERATION or a CURSOR with its own"


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        ([], "the first event must say user_id and document_id"),
        ([event("ann")], "document_id is required"),
        ([event(document_id="d")], "user_id is required"),
        ([event("ann", document_id="d"), event("bob")], CHANGED),
        ([event("ann", document_id="d"), event(document_id="e")], CHANGED),
        ([event("ann", document_id="d", text="mine")], NOT_A_CLIENTS),
        ([event("ann", document_id="d", type=pb.COLLABORATION_EVENT_TYPE_OPERATION)], NOT_A_CLIENTS),
    ],
)
def test_a_bad_collaboration_is_refused(stub: Stub, events: list[pb.CollaborationEvent], problem: str) -> None:
    assert failure(lambda: list(stub.Collaborate(iter(events)))) == (INVALID, problem)


def test_an_editor_that_vanishes_has_left(server: Started, stub: Stub) -> None:
    stays, goes = Talk(stub.Collaborate), Talk(stub.Collaborate)
    stays.say(event("stays", document_id="vanishing"))
    stays.hear(1)
    goes.say(event("goes", document_id="vanishing"))
    goes.hear(1)
    goes.call.cancel()
    server.wait_for("^Collaborate cancelled: document vanishing$")
    assert told(stays.hear(2)) == [("goes", "JOIN", 0, None), ("goes", "LEAVE", 0, None)]
    stays.end()
    goes.say(None)


def test_there_may_be_only_so_many_documents(tmp_path: Path) -> None:
    service = StreamingService(FileStore(tmp_path, max_file_bytes=1))
    for number in range(MAX_DOCUMENTS):
        service.open_document(str(number))
    service.open_document("0")
    with pytest.raises(Refused) as refused:
        service.open_document("one more")
    assert refused.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
