"""User events and notifications: a past, a present, and heartbeats."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

import streaming_pb2_grpc
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from streaming_calls import check_name, invalid, serving
from streaming_mailbox import Mailbox
from streaming_pb2 import (
    NOTIFICATION_TYPE_HEARTBEAT,
    USER_EVENT_TYPE_HEARTBEAT,
    USER_EVENT_TYPE_LOGIN,
    USER_EVENT_TYPE_LOGOUT,
    USER_EVENT_TYPE_PASSWORD_CHANGE,
    USER_EVENT_TYPE_PROFILE_UPDATE,
    Notification,
    NotificationType,
    RoomVisit,
    StreamUserEventsRequest,
    SubscribeRequest,
    UserEvent,
    UserEventType,
)

if TYPE_CHECKING:
    from streaming_calls import Context

T = TypeVar("T", UserEvent, Notification)

PAST = 10_000  # events that are remembered, of all users: some MiB
HEARTBEAT_S = 30.0
SHORTEST_HEARTBEAT_S, LONGEST_HEARTBEAT_S = 0.1, 120.0  # a busy loop; what proxies commonly take for a dead connection
DEMO_USER, DEMO_START = "demo", datetime(2026, 1, 1, tzinfo=UTC)


def now() -> Timestamp:
    """The present as protobuf has it."""
    moment = Timestamp()
    moment.FromDatetime(datetime.now(UTC))
    return moment


def order(moment: Timestamp) -> tuple[int, int]:
    """What moments are compared by."""
    return moment.seconds, moment.nanos


class Feed(Generic[T]):
    """What happens to users: published once, remembered for a while, heard by whoever subscribed."""

    def __init__(self, *, remembers: int) -> None:
        self._past: deque[T] = deque(maxlen=remembers)
        self._listeners: dict[str, list[tuple[Callable[[T], bool], Mailbox[T]]]] = {}

    def publish(self, item: T) -> None:
        """Tell those who listen to the item's user; never waits."""
        self._past.append(item)
        for wanted, mailbox in self._listeners.get(item.user_id, []):
            if wanted(item):
                mailbox.put(item)

    def past(self, user_id: str) -> list[T]:
        """What is remembered of one user, oldest first."""
        return [item for item in self._past if item.user_id == user_id]

    @contextmanager
    def listening(self, user_id: str, wanted: Callable[[T], bool]) -> Iterator[Mailbox[T]]:
        """Get what is wanted of a user's future within a ``with`` block."""
        mailbox: Mailbox[T] = Mailbox()
        listener = (wanted, mailbox)
        self._listeners.setdefault(user_id, []).append(listener)
        try:
            yield mailbox
        finally:
            self._listeners[user_id].remove(listener)
            if not self._listeners[user_id]:
                del self._listeners[user_id]


def user_event(user_id: str, kind: UserEventType, data: Message | None = None) -> UserEvent:
    """Something that a user did just now."""
    event = UserEvent(id=str(uuid.uuid4()), user_id=user_id, type=kind, timestamp=now())
    if data is not None:
        event.data.Pack(data)
    return event


def notification(user_id: str, kind: NotificationType, title: str = "", body: str = "") -> Notification:
    """Something that a user should know now."""
    return Notification(id=str(uuid.uuid4()), user_id=user_id, type=kind, timestamp=now(), title=title, body=body)


def demo_past() -> list[UserEvent]:
    """The four events that the user "demo" has from the start: the same every time, one a minute."""
    profile = Struct()
    profile["display_name"] = "Demo User"
    steps: list[tuple[UserEventType, Message | None]] = [
        (USER_EVENT_TYPE_LOGIN, RoomVisit(room_id="lobby", members=1)),
        (USER_EVENT_TYPE_PROFILE_UPDATE, profile),
        (USER_EVENT_TYPE_PASSWORD_CHANGE, None),
        (USER_EVENT_TYPE_LOGOUT, RoomVisit(room_id="lobby", members=0)),
    ]
    events = []
    for number, (kind, data) in enumerate(steps):
        event = UserEvent(id=f"demo-{number}", user_id=DEMO_USER, type=kind)
        event.timestamp.FromDatetime(DEMO_START + timedelta(minutes=number))
        if data is not None:
            event.data.Pack(data)
        events.append(event)
    return events


def heartbeat_s(request: StreamUserEventsRequest | SubscribeRequest) -> float:
    """How long a stream may be silent."""
    if not request.HasField("heartbeat_interval"):
        return HEARTBEAT_S
    wish = request.heartbeat_interval
    seconds = wish.seconds + wish.nanos / 1e9
    if not SHORTEST_HEARTBEAT_S <= seconds <= LONGEST_HEARTBEAT_S:
        raise invalid(
            f"heartbeat_interval must be {SHORTEST_HEARTBEAT_S} to {LONGEST_HEARTBEAT_S} s, not {seconds:g} s"
        )
    return seconds


async def feed(
    context: Context,
    mailbox: Mailbox[T],
    past: list[T],
    heartbeat: Callable[[], T],
    request: StreamUserEventsRequest | SubscribeRequest,
) -> None:
    """Write a heartbeat, the past, and then the mailbox with a heartbeat into each long silence."""
    if request.limit < 0:
        raise invalid("limit must not be negative")
    silence_s = heartbeat_s(request)
    waiting = deque([heartbeat(), *past])
    written = 0
    while not request.limit or written < request.limit:
        if not waiting:
            try:
                async with asyncio.timeout(silence_s):
                    waiting.append(await anext(mailbox))
            except TimeoutError:
                waiting.append(heartbeat())
        await context.write(waiting.popleft())
        written += 1


class FeedMethods(streaming_pb2_grpc.StreamingServiceServicer):
    """The two methods to listen to what happens."""

    events: Feed[UserEvent]
    notifications: Feed[Notification]

    async def StreamUserEvents(self, request: StreamUserEventsRequest, context: Context) -> None:
        """Write what a user does."""
        async with serving(context, "StreamUserEvents") as call:
            user_id = check_name("user_id", request.user_id)
            call.about = f"user {user_id}"

            def wanted(event: UserEvent) -> bool:
                return not request.event_types or event.type in request.event_types

            past: list[UserEvent] = []
            if request.HasField("start_time"):
                start = order(request.start_time)
                past = [old for old in self.events.past(user_id) if wanted(old) and order(old.timestamp) >= start]
            with self.events.listening(user_id, wanted) as mailbox:
                await feed(context, mailbox, past, lambda: user_event(user_id, USER_EVENT_TYPE_HEARTBEAT), request)

    async def SubscribeToNotifications(self, request: SubscribeRequest, context: Context) -> None:
        """Write what a user should know."""
        async with serving(context, "SubscribeToNotifications") as call:
            user_id = check_name("user_id", request.user_id)
            call.about = f"user {user_id}"

            def wanted(item: Notification) -> bool:
                return not request.types or item.type in request.types

            with self.notifications.listening(user_id, wanted) as mailbox:
                await feed(context, mailbox, [], lambda: notification(user_id, NOTIFICATION_TYPE_HEARTBEAT), request)
