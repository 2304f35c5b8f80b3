"""The Greeter as a real server process, called with grpcio alone."""

from __future__ import annotations

import json
import queue
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import greeter_pb2
import greeter_pb2_grpc
import grpc
import pytest
from google.api import annotations_pb2
from google.protobuf import json_format
from greeter_pb2 import HelloReply, HelloRequest

from tests.processes import GREETER, Started, python, started

NAMES = ["Alice", "Bob", "Charlie"]


@pytest.fixture(scope="module")
def server() -> Iterator[Started]:
    with started(*python(GREETER, "--port", "0")) as running:
        yield running
    assert (running.returncode, running.stderr) == (0, "")


@pytest.fixture(scope="module")
def greeter(server: Started) -> Iterator[greeter_pb2_grpc.GreeterStub]:
    with grpc.insecure_channel(server.address) as channel:
        yield greeter_pb2_grpc.GreeterStub(channel)


def reply(message: str, language: str = "en") -> HelloReply:
    return HelloReply(message=message, language=language)


def test_say_hello_greets_in_the_language_asked_for(greeter: greeter_pb2_grpc.GreeterStub) -> None:
    assert greeter.SayHello(HelloRequest(name="Ada", language="es")) == reply("¡Hola, Ada!", "es")


def test_an_unknown_language_is_answered_in_english(greeter: greeter_pb2_grpc.GreeterStub) -> None:
    assert greeter.SayHello(HelloRequest(name="Ada", language="tlh")) == reply("Hello, Ada!")


def test_the_server_stream_begins_with_the_language_asked_for(greeter: greeter_pb2_grpc.GreeterStub) -> None:
    expected = [reply("你好, Ada!", "zh"), reply("Hello, Ada!"), reply("¡Hola, Ada!", "es")]
    assert list(greeter.SayHelloServerStream(HelloRequest(name="Ada", language="zh"))) == expected


def test_the_client_stream_greets_everybody_at_once(greeter: greeter_pb2_grpc.GreeterStub) -> None:
    requests = [HelloRequest(name=name) for name in NAMES]
    assert greeter.SayHelloClientStream(iter(requests)) == reply("Hello to all: Alice, Bob, Charlie!")


def test_the_bidirectional_stream_greets_each_one(greeter: greeter_pb2_grpc.GreeterStub) -> None:
    requests = [HelloRequest(name=name) for name in NAMES]
    assert list(greeter.SayHelloBidiStream(iter(requests))) == [reply(f"Hello, {name}!") for name in NAMES]


def test_the_bidirectional_stream_answers_before_its_input_ends(greeter: greeter_pb2_grpc.GreeterStub) -> None:
    requests: queue.SimpleQueue[HelloRequest | None] = queue.SimpleQueue()
    replies = greeter.SayHelloBidiStream(iter(requests.get, None))
    for name in NAMES:
        requests.put(HelloRequest(name=name))
        assert next(replies) == reply(f"Hello, {name}!")
    requests.put(None)
    assert list(replies) == []


@pytest.mark.parametrize("method", ["SayHello", "SayHelloServerStream", "SayHelloClientStream", "SayHelloBidiStream"])
def test_an_empty_name_is_refused(greeter: greeter_pb2_grpc.GreeterStub, method: str) -> None:
    streams = method in ("SayHelloClientStream", "SayHelloBidiStream")
    request = HelloRequest(language="en")
    with pytest.raises(grpc.RpcError) as refused:
        list(getattr(greeter, method)(iter([request]) if streams else request))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == "Validation error: name is required"


def test_an_empty_client_stream_is_refused(greeter: greeter_pb2_grpc.GreeterStub) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        greeter.SayHelloClientStream(iter([]))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_more_names_than_a_reply_can_hold_are_refused(greeter: greeter_pb2_grpc.GreeterStub) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        greeter.SayHelloClientStream(HelloRequest(name="x" * 65536) for _ in range(17))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_an_interrupt_ends_the_server_cleanly() -> None:
    with started(*python(GREETER, "--port", "0")) as running:
        assert running.stop(number=signal.SIGINT) == 0


def test_services_json_says_the_same_as_the_proto() -> None:
    said = json.loads((Path(GREETER).parent / "services.json").read_text())
    service = greeter_pb2.DESCRIPTOR.services_by_name["Greeter"]
    assert said == {"Greeter": {method.name: entry(method) for method in service.methods}}


def entry(method: Any) -> dict[str, Any]:
    """What services.json has for one method."""
    options = method.GetOptions().Extensions[annotations_pb2.http]
    kinds = {(False, False): "unary", (False, True): "server_streaming", (True, False): "client_streaming"}
    rule = json_format.MessageToDict(options, preserving_proto_field_name=True)
    http = {"method": options.WhichOneof("pattern").upper(), "path": rule[options.WhichOneof("pattern")]}
    return {
        "input_type": f".{method.input_type.full_name}",
        "output_type": f".{method.output_type.full_name}",
        "options": {"[google.api.http]": rule},
        "streaming_type": kinds.get((method.client_streaming, method.server_streaming), "bidi_streaming"),
        "method_full_name": f"/helloworld.Greeter/{method.name}",
        "http": http | ({"body": options.body} if options.body else {}),
    }
