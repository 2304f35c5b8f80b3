"""Chat rooms."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import streaming_pb2_grpc
from streaming_calls import check_name, inputs, invalid, serving
from streaming_feeds import Feed, notification, now, user_event
from streaming_mailbox import Group, Mailbox, converse
from streaming_pb2 import (
    CHAT_MESSAGE_TYPE_SYSTEM,
    CHAT_MESSAGE_TYPE_TEXT,
    CHAT_MESSAGE_TYPE_UNSPECIFIED,
    NOTIFICATION_TYPE_MENTION,
    USER_EVENT_TYPE_LOGIN,
    USER_EVENT_TYPE_LOGOUT,
    ChatMessage,
    ChatMessageType,
    Notification,
    RoomVisit,
    UserEvent,
)

if TYPE_CHECKING:
    from streaming_calls import Context

SYSTEM = "system"
MAX_CONTENT_BYTES = 64 << 10  # with 256 messages in a mailbox: at most 16 MiB for a reader who is about to be let go
MENTION = re.compile(r"@([\w-]{1,128})")
MAX_MENTIONS = 16  # of one message

Room = Group[ChatMessage]


def stamped(user_id: str, room_id: str, content: str, kind: ChatMessageType) -> ChatMessage:
    """A message with the server's id and time."""
    return ChatMessage(
        id=str(uuid.uuid4()), user_id=user_id, room_id=room_id, content=content, timestamp=now(), type=kind
    )


class Rooms:
    """The rooms in which somebody is."""

    def __init__(self, events: Feed[UserEvent], notifications: Feed[Notification]) -> None:
        self._events = events
        self._notifications = notifications
        self._rooms: dict[str, Room] = {}

    @contextmanager
    def entered(self, room_id: str, user_id: str) -> Iterator[Mailbox[ChatMessage]]:
        """Be in a room within a ``with`` block: everyone is told when it begins, the others when it ends."""
        room = self._rooms.setdefault(room_id, Room())
        try:
            with room.joined() as mailbox:
                self._visit(room_id, user_id, f"User {user_id} joined the chat", came=True)
                yield mailbox
        finally:
            self._visit(room_id, user_id, f"User {user_id} left the chat", came=False)
            if not room:
                del self._rooms[room_id]

    def say(self, message: ChatMessage, sender: Mailbox[ChatMessage]) -> None:
        """Tell everyone else in the room, and notify those whom a text mentions."""
        self._rooms[message.room_id].tell(message, but=sender)
        if message.type == CHAT_MESSAGE_TYPE_TEXT:
            for name in list(dict.fromkeys(MENTION.findall(message.content)))[:MAX_MENTIONS]:
                title = f"{message.user_id} mentioned you in {message.room_id}"
                self._notifications.publish(notification(name, NOTIFICATION_TYPE_MENTION, title, message.content))

    def _visit(self, room_id: str, user_id: str, content: str, *, came: bool) -> None:
        """Tell the room and the user's feed."""
        room = self._rooms[room_id]
        room.tell(stamped(SYSTEM, room_id, content, CHAT_MESSAGE_TYPE_SYSTEM))
        kind = USER_EVENT_TYPE_LOGIN if came else USER_EVENT_TYPE_LOGOUT
        self._events.publish(user_event(user_id, kind, RoomVisit(room_id=room_id, members=len(room))))


def checked(message: ChatMessage, user_id: str, room_id: str) -> ChatMessage | None:
    """What the others get of a user's message: None if nothing; ``Refused`` if something is wrong with it."""
    if message.user_id not in ("", user_id) or message.room_id not in ("", room_id):
        raise invalid("user_id and room_id cannot change within a chat")
    if message.type == CHAT_MESSAGE_TYPE_SYSTEM:
        raise invalid("messages of type SYSTEM are the server's own")
    if len(message.content.encode()) > MAX_CONTENT_BYTES:
        raise invalid(f"content has more than {MAX_CONTENT_BYTES} bytes")
    kind = message.type if message.type != CHAT_MESSAGE_TYPE_UNSPECIFIED else CHAT_MESSAGE_TYPE_TEXT
    if kind == CHAT_MESSAGE_TYPE_TEXT and not message.content:
        return None
    return stamped(user_id, room_id, message.content, kind)


class ChatMethods(streaming_pb2_grpc.StreamingServiceServicer):
    """The method to chat."""

    rooms: Rooms

    async def Chat(self, request_iterator: AsyncIterator[ChatMessage], context: Context) -> None:
        """Enter the room that the first message names; write what others say; leave when the input ends."""
        async with serving(context, "Chat") as call:
            messages = inputs(request_iterator)
            first = await anext(messages, None)
            if first is None:
                raise invalid("the first message must say user_id and room_id")
            user_id, room_id = check_name("user_id", first.user_id), check_name("room_id", first.room_id)
            if user_id == SYSTEM:
                raise invalid(f"the user_id {SYSTEM!r} is the server's own")
            call.about = f"room {room_id}"
            with self.rooms.entered(room_id, user_id) as mailbox:

                def hear(message: ChatMessage) -> None:
                    if said := checked(message, user_id, room_id):
                        self.rooms.say(said, mailbox)

                await converse(context, first, messages, hear, mailbox)
