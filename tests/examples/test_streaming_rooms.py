"""People in one chat room hear each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc
import pytest
import streaming_pb2 as pb
from streaming_pb2_grpc import StreamingServiceStub as Stub

from tests.examples.speaking import INVALID, Talk, failure
from tests.processes import Started


def text(user_id: str, content: str, room_id: str = "general", **more: Any) -> pb.ChatMessage:
    return pb.ChatMessage(user_id=user_id, room_id=room_id, content=content, **more)


def lines(messages: Iterable[pb.ChatMessage]) -> list[tuple[str, str]]:
    return [(message.user_id, message.content) for message in messages]


def test_everyone_else_in_the_room_hears_what_one_says(server: Started, stub: Stub) -> None:
    ann, bob, elsewhere = Talk(stub.Chat), Talk(stub.Chat), Talk(stub.Chat)
    ann.say(text("ann", "anybody here?"))
    assert lines(ann.hear(1)) == [("system", "User ann joined the chat")]
    elsewhere.say(text("cat", "", room_id="another"))
    elsewhere.hear(1)
    bob.say(text("bob", "yes"))
    assert lines(bob.hear(1)) == [("system", "User bob joined the chat")]
    assert lines(ann.hear(2)) == [("system", "User bob joined the chat"), ("bob", "yes")]
    ann.say(pb.ChatMessage(type=pb.CHAT_MESSAGE_TYPE_TYPING), pb.ChatMessage(id="mine", content="good"))
    typing, good = bob.hear(2)
    assert (typing.user_id, typing.type) == ("ann", pb.CHAT_MESSAGE_TYPE_TYPING)
    assert (good.room_id, good.type, good.content) == ("general", pb.CHAT_MESSAGE_TYPE_TEXT, "good")
    assert good.id not in ("", "mine")
    assert good.timestamp.seconds > 1767225600
    assert lines(bob.end()) == []
    assert lines(ann.hear(1)) == [("system", "User bob left the chat")]
    assert lines(ann.end()) == []
    assert lines(elsewhere.end()) == []


def test_two_windows_of_one_user_are_two_members(stub: Stub) -> None:
    one, two = Talk(stub.Chat), Talk(stub.Chat)
    one.say(text("ann", "", room_id="windows"))
    one.hear(1)
    two.say(text("ann", "from my phone", room_id="windows"))
    assert lines(one.hear(2))[1:] == [("ann", "from my phone")]
    two.end()
    one.end()


def test_a_member_that_vanishes_has_left(server: Started, stub: Stub) -> None:
    stays, goes = Talk(stub.Chat), Talk(stub.Chat)
    stays.say(text("stays", "", room_id="vanishing"))
    stays.hear(1)
    goes.say(text("goes", "", room_id="vanishing"))
    goes.hear(1)
    goes.call.cancel()
    server.wait_for("^Chat cancelled: room vanishing$")
    assert lines(stays.hear(2))[1:] == [("system", "User goes left the chat")]
    stays.end()
    goes.say(None)


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ([], "the first message must say user_id and room_id"),
        ([text("", "hi")], "user_id is required"),
        ([text("ann", "hi", room_id="")], "room_id is required"),
        ([text("ann", "hi", room_id="a\nb")], "room_id has characters that cannot be printed"),
        ([text("system", "hi")], "the user_id 'system' is the server's own"),
        ([text("ann", "hi"), text("bob", "hi")], "user_id and room_id cannot change within a chat"),
        ([text("ann", "hi"), text("ann", "hi", room_id="b")], "user_id and room_id cannot change within a chat"),
        ([text("ann", "hi", type=pb.CHAT_MESSAGE_TYPE_SYSTEM)], "messages of type SYSTEM are the server's own"),
        ([text("ann", "é" * 32769)], "content has more than 65536 bytes"),
    ],
)
def test_a_bad_chat_is_refused(stub: Stub, messages: list[pb.ChatMessage], problem: str) -> None:
    assert failure(lambda: list(stub.Chat(iter(messages)))) == (INVALID, problem)


def test_a_reader_that_falls_behind_gets_what_waited_and_then_an_error(stub: Stub) -> None:
    loud, slow = Talk(stub.Chat), Talk(stub.Chat)
    slow.say(text("slow", "", room_id="loud"))
    slow.hear(1)
    loud.say(text("loud", "", room_id="loud"))
    loud.say(*(pb.ChatMessage(content=f"{number} {'x' * 60000}") for number in range(600)))
    assert lines(loud.end()) == [("system", "User loud joined the chat")]
    heard: list[str] = []

    def hear() -> None:
        heard.extend(message.content.partition(" ")[0] for message in slow.call)

    problem = "the reader is too slow: more than 256 messages were waiting for it"
    assert failure(hear) == (grpc.StatusCode.RESOURCE_EXHAUSTED, problem)
    assert heard == ["User", *(str(number) for number in range(len(heard) - 1))]
    assert 256 <= len(heard) < 600
