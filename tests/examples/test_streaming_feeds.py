"""Events and notifications arrive, with heartbeats in between."""

from __future__ import annotations

from typing import Any

import pytest
import streaming_pb2 as pb
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from streaming_pb2_grpc import StreamingServiceStub as Stub

from tests.examples.speaking import INVALID, failure, upload
from tests.processes import Started


def test_the_demo_user_has_a_past(stub: Stub) -> None:
    request = pb.StreamUserEventsRequest(user_id="demo", start_time=Timestamp(seconds=1767225600), limit=5)
    heartbeat, *past = list(stub.StreamUserEvents(request))
    visit, profile, left = pb.RoomVisit(), Struct(), pb.RoomVisit()
    assert heartbeat.type == pb.USER_EVENT_TYPE_HEARTBEAT
    assert [(event.id, event.type, event.timestamp.seconds) for event in past] == [
        ("demo-0", pb.USER_EVENT_TYPE_LOGIN, 1767225600),
        ("demo-1", pb.USER_EVENT_TYPE_PROFILE_UPDATE, 1767225660),
        ("demo-2", pb.USER_EVENT_TYPE_PASSWORD_CHANGE, 1767225720),
        ("demo-3", pb.USER_EVENT_TYPE_LOGOUT, 1767225780),
    ]
    assert (past[0].data.Unpack(visit), past[1].data.Unpack(profile), past[3].data.Unpack(left)) == (True, True, True)
    assert (visit, dict(profile), left) == (
        pb.RoomVisit(room_id="lobby", members=1),
        {"display_name": "Demo User"},
        pb.RoomVisit(room_id="lobby"),
    )


def test_the_past_is_filtered_by_type_and_time(stub: Stub) -> None:
    request = pb.StreamUserEventsRequest(
        user_id="demo",
        event_types=[pb.USER_EVENT_TYPE_LOGIN, pb.USER_EVENT_TYPE_LOGOUT],
        start_time=Timestamp(seconds=1767225600, nanos=1),
        limit=2,
    )
    assert [event.id for event in stub.StreamUserEvents(request)][1:] == ["demo-3"]


HEARTBEATS = {
    "StreamUserEvents": pb.USER_EVENT_TYPE_HEARTBEAT,
    "SubscribeToNotifications": pb.NOTIFICATION_TYPE_HEARTBEAT,
}


@pytest.mark.parametrize(
    ("method", "request_class"),
    [("StreamUserEvents", pb.StreamUserEventsRequest), ("SubscribeToNotifications", pb.SubscribeRequest)],
)
class TestBothFeeds:
    def test_silence_is_filled_with_heartbeats(self, stub: Stub, method: str, request_class: Any) -> None:
        request = request_class(user_id="nobody", heartbeat_interval=Duration(nanos=100_000_000), limit=3)
        items = list(getattr(stub, method)(request))
        assert [(item.user_id, item.type) for item in items] == [("nobody", HEARTBEATS[method])] * 3
        assert len({item.id for item in items}) == 3

    @pytest.mark.parametrize(
        "wish",
        [
            ({"user_id": ""}, "user_id is required"),
            ({"user_id": "x" * 129}, "user_id has more than 128 characters"),
            ({"limit": -1}, "limit must not be negative"),
            ({"heartbeat_interval": Duration()}, "heartbeat_interval must be 0.1 to 120.0 s, not 0 s"),
            ({"heartbeat_interval": Duration(seconds=121)}, "heartbeat_interval must be 0.1 to 120.0 s, not 121 s"),
        ],
    )
    def test_a_bad_wish_is_refused(
        self, stub: Stub, method: str, request_class: Any, wish: tuple[dict[str, Any], str]
    ) -> None:
        changed, problem = wish
        request = request_class(**({"user_id": "someone"} | changed))
        assert failure(lambda: list(getattr(stub, method)(request))) == (INVALID, problem)

    def test_a_client_that_goes_is_noticed(self, server: Started, stub: Stub, method: str, request_class: Any) -> None:
        call = getattr(stub, method)(request_class(user_id="fickle"))
        next(call)
        call.cancel()
        server.wait_for(f"^{method} cancelled: user fickle$")


def test_entering_and_leaving_a_room_are_events(stub: Stub) -> None:
    call = stub.StreamUserEvents(pb.StreamUserEventsRequest(user_id="eve", limit=3))
    next(call)
    list(stub.Chat(iter([pb.ChatMessage(user_id="eve", room_id="events")])))
    visits = [(event.type, event.data.type_url) for event in call]
    assert visits == [
        (pb.USER_EVENT_TYPE_LOGIN, "type.googleapis.com/streaming.v1.RoomVisit"),
        (pb.USER_EVENT_TYPE_LOGOUT, "type.googleapis.com/streaming.v1.RoomVisit"),
    ]


def test_mentions_and_files_are_notified(stub: Stub) -> None:
    every = stub.SubscribeToNotifications(pb.SubscribeRequest(user_id="max", limit=3))
    files = stub.SubscribeToNotifications(
        pb.SubscribeRequest(user_id="max", types=[pb.NOTIFICATION_TYPE_FILE_STORED], limit=2)
    )
    next(every)
    next(files)
    list(stub.Chat(iter([pb.ChatMessage(user_id="eve", room_id="notes", content="@max, @max-2: look")])))
    stored = stub.UploadFile(iter(upload(b"one", user_id="max")))
    expected = [
        (pb.NOTIFICATION_TYPE_MENTION, "eve mentioned you in notes", "@max, @max-2: look"),
        (pb.NOTIFICATION_TYPE_FILE_STORED, "Your file is stored", f"a.bin: {stored.file_id}"),
    ]
    assert [(item.type, item.title, item.body) for item in every] == expected
    assert [(item.type, item.title, item.body) for item in files] == expected[1:]
