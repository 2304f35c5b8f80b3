"""The async context, where it differs from what all ends have; and what it makes of an ASGI scope."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from asgi_grpc.calls import connection
from asgi_grpc.calls._peer import auth_context_of, peer_of
from asgi_grpc.calls._state import checked, to_code
from asgi_grpc.errors import CallError, Code
from tests.calls.servers import UNARY, AsyncEcho, Seen, end, handlers, source, texts


async def run(unary: Any, **options: Any) -> list[str]:
    """Call a method on a new servicer."""
    echo: Any = AsyncEcho(Seen())
    echo.unary = unary
    async with end("async-in-process", handler=handlers(echo)) as (_, backend):
        return await texts(backend.start(UNARY, source(["a"]), **options))


async def test_what_was_set_can_be_read() -> None:
    seen: list[Any] = []

    async def unary(request: StringValue, context: Any) -> StringValue:
        seen.extend([context.code(), context.details(), context.trailing_metadata(), context.time_remaining()])
        seen.extend([context.done(), context.cancelled(), context.is_active()])
        context.set_code(grpc.StatusCode.OK)
        context.set_details("fine")
        context.set_trailing_metadata((("k", b"v"), ("k-bin", "v")))
        seen.extend([context.code(), context.details(), context.trailing_metadata()])
        return request

    assert await run(unary) == ["a"]
    assert seen[:7] == [None, "", (), None, False, False, True]
    assert seen[7:] == [grpc.StatusCode.OK, "fine", (("k", "v"), ("k-bin", b"v"))]


async def test_the_service_may_cancel_its_call() -> None:
    seen: list[Any] = []

    async def unary(request: StringValue, context: Any) -> None:
        context.add_done_callback(lambda context: seen.append((context.done(), context.cancelled(), context.code())))
        context.cancel()
        seen.append((context.done(), context.is_active()))
        await asyncio.Event().wait()

    with pytest.raises(CallError, match="CANCELLED: the service cancelled the call"):
        await run(unary)
    assert seen == [(True, False), (True, True, grpc.StatusCode.CANCELLED)]


async def test_callbacks_come_once_in_order_and_a_broken_one_stops_none(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Any] = []
    contexts: list[Any] = []

    async def unary(request: StringValue, context: Any) -> StringValue:
        contexts.append(context)
        context.add_callback(lambda: seen.append(1))
        context.add_callback(lambda: 1 / 0)
        assert context.add_callback(lambda: seen.append(2))
        return request

    assert await run(unary) == ["a"]
    assert seen == [1, 2]
    assert "a callback of test.Echo.Unary failed" in caplog.text
    assert not contexts[0].add_callback(lambda: seen.append(3))


async def test_metadata_is_looked_up_by_name_and_by_place() -> None:
    seen: list[Any] = []

    async def unary(request: StringValue, context: Any) -> StringValue:
        ((key, value),) = context.invocation_metadata()
        (pair,) = context.invocation_metadata()
        seen.extend([key, value, pair.key, pair.value, dict(context.invocation_metadata())])
        return request

    await run(unary, metadata=[("k", "v")])
    assert seen == ["k", "v", "k", "v", {"k": "v"}]


async def test_a_rich_status_may_be_set_by_hand() -> None:
    class Status(grpc.Status):
        code = grpc.StatusCode.NOT_FOUND
        details = ""
        trailing_metadata = ()

    async def unary(request: StringValue, context: Any) -> None:
        context.set_details("kept")
        await context.abort_with_status(Status())

    with pytest.raises(CallError, match="NOT_FOUND: kept"):
        await run(unary)


async def test_the_peer_comes_from_the_scope() -> None:
    seen: list[Any] = []
    tls = {"client_cert_chain": ["PEM1\n", "PEM2\n"], "client_cert_name": r"CN=ada\, countess,O=Analytical"}

    async def unary(request: StringValue, context: Any) -> StringValue:
        seen.extend([context.peer(), context.peer_identity_key(), context.peer_identities(), context.auth_context()])
        return request

    connection.set({"client": ("127.0.0.1", 5000), "extensions": {"tls": tls}})
    await run(unary)
    assert seen == [
        "ipv4:127.0.0.1:5000",
        "x509_common_name",
        [b"ada, countess"],
        {
            "transport_security_type": [b"ssl"],
            "security_level": [b"TSI_PRIVACY_AND_INTEGRITY"],
            "x509_pem_cert": [b"PEM1\n"],
            "x509_pem_cert_chain": [b"PEM1\nPEM2\n"],
            "x509_subject": [rb"CN=ada\, countess,O=Analytical"],
            "x509_common_name": [b"ada, countess"],
        },
    ]


@pytest.mark.parametrize(
    ("scope", "peer"),
    [
        (None, "unknown"),
        ({"client": None}, "unknown"),
        ({"client": ("::1", 5000)}, "ipv6:%5B::1%5D:5000"),
        ({"client": ("/run/socket", 0)}, "unix:/run/socket"),
        ({"client": ("testclient", 5000)}, "dns:testclient:5000"),
    ],
)
def test_peers_are_spelled_as_grpc_does(scope: Any, peer: str) -> None:
    assert peer_of(scope) == peer


ENCRYPTED = {"transport_security_type": [b"ssl"], "security_level": [b"TSI_PRIVACY_AND_INTEGRITY"]}
PLAIN = {"transport_security_type": [b"insecure"], "security_level": [b"TSI_SECURITY_NONE"]}


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        (None, {}),
        ({}, {}),
        ({"extensions": {}}, {}),
        ({"scheme": "https"}, {}),
        ({"scheme": "https", "extensions": {"tls": {}}}, ENCRYPTED),
        (
            {"extensions": {"tls": {"client_cert_name": "O=Analytical"}}},
            ENCRYPTED | {"x509_subject": [b"O=Analytical"]},
        ),
        ({"scheme": "http"}, PLAIN),
        ({"scheme": "ws", "extensions": {}}, PLAIN),
    ],
)
def test_without_a_certificate_there_is_no_identity(scope: Any, found: Any) -> None:
    assert auth_context_of(scope) == found


@pytest.mark.parametrize("wrong", [[("key",)], ["ab"], [(1, "v")], [("k", 1)], [("k", None)], {}, {"k": "v"}])
def test_metadata_is_made_of_pairs(wrong: Any) -> None:
    with pytest.raises(TypeError, match="metadata: expected"):
        checked(wrong)


@pytest.mark.parametrize("key", ["", "Key", "k y", "k:"])
def test_metadata_keys_are_legal(key: str) -> None:
    with pytest.raises(ValueError, match="is not a legal key"):
        checked([(key, "v")])


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (None, Code.OK),
        (5, Code.NOT_FOUND),
        (grpc.StatusCode.ABORTED, Code.ABORTED),
        (17, Code.UNKNOWN),
        ("x", Code.UNKNOWN),
    ],
)
def test_codes_come_in_every_form(given: Any, code: Code) -> None:
    assert to_code(given) is code
