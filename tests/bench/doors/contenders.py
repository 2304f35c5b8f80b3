"""Who takes part in which row, and which bytes they are asked with."""

from __future__ import annotations

from functools import cache

from tests.bench.doors.bench_pb2 import Item, Order
from tests.bench.doors.load_grpc import ToldLoad
from tests.bench.doors.load_http import Load, UnaryLoad
from tests.bench.doors.load_streams import DownLoad, UpLoad
from tests.bench.doors.load_ws import WsPingPongLoad, WsStreamLoad, frame
from tests.bench.doors.starting import Contender, MakeLoad
from tests.bench.doors.wire import LONG_STREAM, NAME, SERVICE, SHORT_STREAM, chunked, item, prefixed, request

CONNECT = "application/connect+json"
GRPC_WEB = "application/grpc-web+proto"


def total(count: int) -> bytes:
    """The answer of a stream up, as far as all spell it alike."""
    return str(count).encode()


def order(count: int) -> bytes:
    """The request of a stream down."""
    return b'{"count":%d}' % count


@cache
def frames(count: int) -> bytes:
    """So many WebSocket messages, and the empty one."""
    return b"".join(frame(item(number)) for number in range(count)) + frame(b"")


def unary(address: str) -> Load:
    """JSON in, JSON out."""
    return UnaryLoad(address, request(SERVICE + "Echo", item(0)), NAME)


def json_rows(count: int) -> dict[str, MakeLoad]:
    """Unary JSON, NDJSON both ways, and WebSocket; with streams of so many messages."""
    ndjson = "application/x-ndjson"

    def up(address: str) -> Load:
        body = b"".join(item(number) + b"\n" for number in range(count))
        return UpLoad(address, chunked(SERVICE + "Up", body, ndjson), count, total(count))

    def down(address: str) -> Load:
        asked = request(SERVICE + "Down", order(count), "application/json", f"accept: {ndjson}")
        return DownLoad(address, asked, count)

    def ws_up(address: str) -> Load:
        return WsStreamLoad(address, SERVICE + "Up", frames(count), count, (total(count), 1))

    def ws_down(address: str) -> Load:
        return WsStreamLoad(address, SERVICE + "Down", frame(order(count)), count, (NAME, count))

    def ws_ping_pong(address: str) -> Load:
        return WsPingPongLoad(address, SERVICE + "Both")

    return {"unary": unary, "up": up, "down": down, "ws-up": ws_up, "ws-down": ws_down, "ws-ping-pong": ws_ping_pong}


def connect_rows() -> dict[str, MakeLoad]:
    """Unary JSON, and connectrpc's own streams: JSON with a prefix of five bytes."""

    def up(address: str) -> Load:
        body = b"".join(prefixed(0, item(number)) for number in range(LONG_STREAM))
        return UpLoad(address, chunked(SERVICE + "Up", body, CONNECT), LONG_STREAM, total(LONG_STREAM))

    def down(address: str) -> Load:
        return DownLoad(address, request(SERVICE + "Down", prefixed(0, order(LONG_STREAM)), CONNECT), LONG_STREAM)

    return {"unary": unary, "up": up, "down": down}


def sonora_rows() -> dict[str, MakeLoad]:
    """gRPC-Web: protobuf, not JSON."""
    message = Item(id=10_000_000, name=NAME.decode(), value=10.25).SerializeToString()

    def web_unary(address: str) -> Load:
        return UnaryLoad(address, request(SERVICE + "Echo", prefixed(0, message), GRPC_WEB), NAME)

    def down(address: str) -> Load:
        asked = prefixed(0, Order(count=SHORT_STREAM).SerializeToString())
        return DownLoad(address, request(SERVICE + "Down", asked, GRPC_WEB), SHORT_STREAM)

    return {"unary": web_unary, "down": down}


def envoy_rows() -> dict[str, MakeLoad]:
    """Unary JSON; streams up are JSON arrays."""

    def up(address: str) -> Load:
        body = b"[" + b",\n".join(item(number) for number in range(SHORT_STREAM)) + b"]"
        return UpLoad(address, chunked(SERVICE + "Up", body, "application/json"), SHORT_STREAM, total(SHORT_STREAM))

    return {"unary": unary, "up": up, "down": json_rows(SHORT_STREAM)["down"]}


def told_rows() -> dict[str, MakeLoad]:
    """Whatever a channel can do."""

    def row(name: str) -> MakeLoad:
        return lambda address: ToldLoad(address, name)

    return {name: row(name) for name in json_rows(0)}


CONTENDERS = [
    Contender("echo", "floor: bare ASGI", "echo", json_rows(LONG_STREAM)),
    Contender("in-process", "asgi_grpc in process", "in_process", json_rows(LONG_STREAM)),
    Contender("connectrpc", "connectrpc in process", "connect", connect_rows(), needs="connectrpc"),
    Contender("sonora", "sonora in process", "sonora", sonora_rows(), needs="sonora"),
    Contender("grpc", "floor: bare grpc.aio channel", "grpc_client", told_rows(), asgi=False, upstream=True),
    Contender("channel", "asgi_grpc, channel", "channel", json_rows(SHORT_STREAM), upstream=True),
    Contender("http2", "asgi_grpc, own HTTP/2", "own_http2", json_rows(SHORT_STREAM), upstream=True),
    Contender(
        "fastapi", "FastAPI by hand, channel", "hand_written", json_rows(SHORT_STREAM), needs="fastapi", upstream=True
    ),
    Contender("envoy", "Envoy", "envoy", envoy_rows(), needs="envoy", asgi=False, upstream=True),
]
