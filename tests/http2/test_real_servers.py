"""Real servers of grpcio over TLS and sockets of the file system, and bodies of many windows."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest
import trustme
from google.protobuf.wrappers_pb2 import StringValue

from asgi_grpc.calls import ChannelBackend
from asgi_grpc.errors import Code
from asgi_grpc.http2 import Http2Backend
from tests.calls.facts import Outcome, outcome_of
from tests.calls.servers import BIDI, DOWN, UNARY, UP, AsyncEcho, Seen, handlers, source
from tests.http2.servers import Service, packed, serving, text

UNREACHABLE = Outcome(code=Code.UNAVAILABLE, message="the upstream service can't be reached")
MEGA = 1 << 20


class Authority:
    """A certificate authority, a server's certificate, and a client that trusts it."""

    def __init__(self) -> None:
        self.ca = trustme.CA()
        self.certificate = self.ca.issue_cert("localhost")

    def client(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        return context

    def server(self, *protocols: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certificate.configure_cert(context)
        context.set_alpn_protocols(list(protocols))
        return context

    def credentials(self) -> grpc.ServerCredentials:
        key, chain = self.certificate.private_key_pem.bytes(), self.certificate.cert_chain_pems
        return grpc.ssl_server_credentials([(key, b"".join(pem.bytes() for pem in chain))])


@asynccontextmanager
async def grpcio(address: str, credentials: grpc.ServerCredentials | None = None) -> AsyncIterator[int]:
    """A server of grpcio that echoes."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers((handlers(AsyncEcho(Seen())),))
    port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


async def called(made: Http2Backend) -> list[Outcome]:
    """A call of each kind, then the end."""
    outcomes = [
        await outcome_of(made.start(UNARY, source(["hi"]))),
        await outcome_of(made.start(DOWN, source(["reply a; reply b"]))),
        await outcome_of(made.start(UP, source(["reply a"], ["reply b"]))),
        await outcome_of(made.start(BIDI, source(["reply a", "reply b"], ["code ABORTED; details why"]))),
    ]
    await made.close()
    await asyncio.sleep(0)
    return outcomes


ALL = [
    Outcome(["hi"]),
    Outcome(["a", "b"]),
    Outcome(["a,b"]),
    Outcome(["a", "b"], Code.ABORTED, "why"),
]


async def test_a_server_over_tls_is_called() -> None:
    authority = Authority()
    async with grpcio("localhost:0", authority.credentials()) as port:
        assert await called(Http2Backend(f"localhost:{port}", tls=authority.client())) == ALL


async def test_a_server_on_a_socket_of_the_file_system_is_called(tmp_path: Path) -> None:
    async with grpcio(f"unix:{tmp_path}/s"):
        assert await called(Http2Backend(f"unix:{tmp_path}/s")) == ALL


async def test_a_server_on_ipv6_is_called() -> None:
    async with grpcio("[::1]:0") as port:
        assert await called(Http2Backend(f"dns:///[::1]:{port}")) == ALL


async def test_a_server_of_unknown_authority_is_not_called() -> None:
    async with grpcio("localhost:0", Authority().credentials()) as port:
        made = Http2Backend(f"localhost:{port}", tls=Authority().client())
        assert await outcome_of(made.start(UNARY, source(["hi"]))) == UNREACHABLE
        await made.close()


async def test_a_server_without_tls_is_not_called_over_tls() -> None:
    async with grpcio("127.0.0.1:0") as port:
        made = Http2Backend(f"127.0.0.1:{port}", tls=Authority().client())
        assert await outcome_of(made.start(UNARY, source(["hi"]))) == UNREACHABLE
        await made.close()


@pytest.mark.parametrize("protocols", [(), ("http/1.1",)])
async def test_a_tls_server_that_does_not_offer_http_2_is_unavailable(protocols: tuple[str, ...]) -> None:
    authority = Authority()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(wait, tls=authority.server(*protocols)) as port:
        made = Http2Backend(f"localhost:{port}", tls=authority.client())
        assert await outcome_of(made.start(UNARY, source(["hi"]))) == UNREACHABLE
        await made.close()
        await asyncio.sleep(0)


@pytest.mark.parametrize("window_bytes", [1 << 10, 1 << 16, 1 << 22])
async def test_large_messages_go_both_ways(window_bytes: int) -> None:
    async with grpcio("127.0.0.1:0") as port:
        made = Http2Backend(f"127.0.0.1:{port}", window_bytes=window_bytes)
        large = "x" * (3 * MEGA if window_bytes > 1 << 10 else MEGA >> 4)
        assert await outcome_of(made.start(UNARY, source([large]))) == Outcome([large])
        program = "reply " + large[: len(large) // 3]
        outcome = await outcome_of(made.start(BIDI, source([program, program], [program])))
        assert outcome == Outcome([program[6:]] * 3)
        await made.close()
        await asyncio.sleep(0)


async def test_a_request_larger_than_all_windows_goes_up() -> None:
    async with grpcio("127.0.0.1:0") as port:
        made = Http2Backend(f"127.0.0.1:{port}")
        outcome = await outcome_of(made.start(UP, source(["reply " + "x" * (5 * MEGA)], ["details y"])))
        assert (outcome.code, outcome.replies) == (Code.RESOURCE_EXHAUSTED, [])
        assert outcome.message == f"the service's reply is larger than {4 * MEGA} bytes"
        made_larger = Http2Backend(f"127.0.0.1:{port}", max_message_bytes=6 * MEGA)
        outcome = await outcome_of(made_larger.start(UP, source(["reply " + "x" * (5 * MEGA)], ["details y"])))
        assert (outcome.code, [len(reply) for reply in outcome.replies]) == (Code.OK, [5 * MEGA])
        for each in (made, made_larger):
            await each.close()
        await asyncio.sleep(0)


async def test_a_slow_reader_is_sent_its_window_at_most() -> None:
    message, window = packed(text("x" * 98)), 10_000
    full, sent = asyncio.Event(), 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        service = Service(reader, writer)
        await service.asked(1)
        service.head(1)
        while 1 not in service.reset:
            room = service.h2.local_flow_control_window(1)
            if room < len(message):
                full.set()
                await service.read()
            else:
                service.h2.send_data(1, message)
                sent += len(message)
                full.clear()
                service.flush()

    async with serving(flood) as port:
        made = Http2Backend(f"127.0.0.1:{port}", window_bytes=window)
        async with aclosing(made.start(DOWN, source(["go"])).replies()) as replies:
            taken = sum(len(packed(reply.SerializeToString())) for reply in await anext(replies))
            for _ in range(20):
                await full.wait()
                assert sent <= taken + window
                taken += sum(len(packed(reply.SerializeToString())) for reply in await anext(replies))
        await made.close()
        await asyncio.sleep(0)
    assert taken > 2 * window, "and it never stopped"


async def test_a_slow_service_keeps_the_writer_waiting() -> None:
    pulled, may_take = 0, asyncio.Event()

    async def pull() -> list[StringValue]:
        nonlocal pulled
        pulled += 1
        await asyncio.sleep(0)
        return [StringValue(value="x" * 1000)] * 10 if pulled <= 100 else []

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        service = Service(reader, writer)
        service.takes = False
        await service.until(lambda: len(service.bodies.get(1, b"")) == 65_535)
        full.set()
        await may_take.wait()
        service.takes = True
        service.h2.increment_flow_control_window(65_535)
        service.h2.increment_flow_control_window(65_535, 1)
        service.flush()
        await service.asked(1)
        await service.answer(1, str(len(service.bodies[1])))
        await reader.read()

    full = asyncio.Event()
    async with serving(slow) as port:
        made = Http2Backend(f"127.0.0.1:{port}")
        call = made.start(UP, pull)  # type: ignore[arg-type]  # a list of one kind of messages
        task = asyncio.create_task(outcome_of(call))
        await full.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        assert (pulled, call.taken) == (7, 60), "ten thousand bytes each: the seventh waits for a window"
        may_take.set()
        assert await task == Outcome([str(len(packed(text("x" * 1000))) * 1000)])
        assert call.taken == 1000
        await made.close()
        await asyncio.sleep(0)


class LargeTrailers(grpc.GenericRpcHandler):
    """Answers every call with its request, and with trailers as long as the metadata ``size`` says."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        async def answer(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            size = int(str(dict(context.invocation_metadata() or ()).get("size", 0)))
            context.set_trailing_metadata((("long", "x" * size),))
            return request

        return grpc.unary_unary_rpc_method_handler(answer)


async def test_metadata_too_large_for_one_side_ends_its_call_as_over_a_channel_and_no_other() -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((LargeTrailers(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    channel = ChannelBackend(f"127.0.0.1:{port}")
    made = Http2Backend(f"127.0.0.1:{port}")
    try:
        for metadata in ([("large", "x" * 20_000)], [("size", "100000")]):
            codes = []
            for back in (channel, made):
                await back.open()
                codes.append((await outcome_of(back.start(UNARY, source(["hi"]), metadata=metadata))).code)
            assert codes == [Code.RESOURCE_EXHAUSTED] * 2
        assert len(made._connections) == 1
        assert (await outcome_of(made.start(UNARY, source(["hi"])))).replies == ["hi"]
    finally:
        await channel.close()
        await made.close()
        await server.stop(None)
