"""The command line of ``asgi-grpc``: arguments to options, and the command that they are for."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Sequence
from typing import get_args

from asgi_grpc.calls import Preset
from asgi_grpc.cli._call import run_call
from asgi_grpc.cli._demo import run_demo
from asgi_grpc.cli._exchange import CallOptions
from asgi_grpc.cli._limit import read_limit
from asgi_grpc.cli._openapi import run_openapi
from asgi_grpc.cli._routes import run_routes
from asgi_grpc.cli._serve import HTTP_CHOICES, WS_CHOICES, ServerOptions, run_serve
from asgi_grpc.cli._upstream_tls import UpstreamTls
from asgi_grpc.cli.application import GatewayOptions, SchemaOptions
from asgi_grpc.limits import Limits

_HEADER = re.compile(
    r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*))?"
)  # RFC 9110

_Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: of the command line; None: those of this process.

    Returns:
        The exit status.

    Raises:
        SystemExit: 2, the arguments can't be used; a line on standard error says why. 0, after ``--help``.
    """
    parsed = _parser().parse_args(arguments)
    run: _Command = parsed.run
    return run(parsed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asgi-grpc", description="gRPC methods, reachable from anything that speaks HTTP or WebSocket."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_demo(commands.add_parser("demo", help="start the example services and a gateway, and say what to try"))
    _add_serve(commands.add_parser("serve", help="run a gateway in front of a gRPC server"))
    _add_call(commands.add_parser("call", help="stream a file to a gateway, and print the replies"))
    _add_routes(commands.add_parser("routes", help="print the HTTP rules that serve would serve"))
    _add_openapi(commands.add_parser("openapi", help="print an OpenAPI document of what serve would serve"))
    return parser


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.description = "Start the example gRPC services and a gateway in front of them; Ctrl-C ends all of them."
    parser.add_argument("--port", type=_port, default=8000, help="default 8000; 0 picks a free one")
    parser.add_argument(
        "--in-process", action="store_true", help="run the services as servicers in the gateway's own process"
    )
    parser.set_defaults(run=lambda parsed: run_demo(parsed.port, in_process=parsed.in_process))


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Run a gateway under uvicorn. With no schema file, the server is asked for its own (reflection)."
    )
    parser.add_argument(
        "target", metavar="TARGET", help="the gRPC server, e.g. localhost:50051 or dns:///greeter:50051"
    )
    _add_schema(parser)
    parser.add_argument("--dialect", default="envelope", help="envelope (default), grpc-gateway or bare")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; default 127.0.0.1")
    parser.add_argument("--port", type=_port, default=8000, help="default 8000; 0 picks a free one")
    parser.add_argument("--workers", type=_positive_int, default=1, help="processes; default 1")
    parser.add_argument(
        "--upstream-http2", action="store_true", help="HTTP/2 connections of our own instead of a channel, for streams"
    )
    parser.add_argument(
        "--limit", action="append", default=[], type=read_limit, metavar="NAME=VALUE",
        help="one of Limits, e.g. max-message-bytes=1MiB or idle-timeout-s=60; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--metadata", choices=get_args(Preset), default="default", help="which headers become metadata, and which keys"
    )
    parser.add_argument(
        "--half-close-after-idle", type=_seconds, metavar="SECONDS",
        help="over WebSocket, end a client stream's input after so much silence; default: never",
    )  # fmt: skip
    parser.add_argument(
        "--origin", action="append", default=[], metavar="ORIGIN",
        help="whose pages may open WebSockets besides our own, e.g. https://app.example; * for all; repeatable",
    )  # fmt: skip
    parser.add_argument("--openapi-path", metavar="PATH", help="serve an OpenAPI document there, e.g. /openapi.json")
    parser.add_argument("--access-log", action="store_true", help="print a line for each call instead of uvicorn's own")
    parser.add_argument("--metrics-path", metavar="PATH", help="serve Prometheus metrics there, e.g. /metrics")
    parser.add_argument("--otel", action="store_true", help="make OpenTelemetry spans; needs a set-up SDK")
    parser.add_argument("--health-path", metavar="PATH", help="tell there whether the services are up, e.g. /healthz")
    parser.add_argument("--http", choices=HTTP_CHOICES, default="auto", help="uvicorn's HTTP implementation")
    parser.add_argument("--ws", choices=WS_CHOICES, default="auto", help="uvicorn's WebSocket implementation")
    parser.set_defaults(run=_serve)


def _serve(parsed: argparse.Namespace) -> int:
    options = GatewayOptions(
        target=parsed.target,
        schema=_schema_options(parsed, parsed.target),
        tls=_tls(parsed),
        http2=parsed.upstream_http2,
        limits=Limits(**dict(parsed.limit)),
        dialect=parsed.dialect,
        metadata=parsed.metadata,
        origins=tuple(parsed.origin),
        half_close_after_idle_s=parsed.half_close_after_idle,
        openapi_path=parsed.openapi_path,
        access_log=parsed.access_log,
        metrics_path=parsed.metrics_path,
        otel=parsed.otel,
        health_path=parsed.health_path,
    )
    server = ServerOptions(
        host=parsed.host, port=parsed.port, workers=parsed.workers, http=parsed.http, ws=parsed.ws
    )  # fmt: skip
    return run_serve(options, server)


def _add_call(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Stream messages to a gateway, one JSON document a line, and print the replies as they come. "
        "The exit status is 0 only after the gateway has said that the call succeeded."
    )
    parser.add_argument("url", metavar="URL", help="http://, https://, ws:// or wss://")
    parser.add_argument("--data", metavar="FILE", help="the input; - is standard input; default: none")
    parser.add_argument(
        "--header",
        action="append",
        default=[],
        type=_header,
        metavar="'K: V'",
        help="sent with the request; repeatable",
    )
    parser.add_argument("--method", help="of the HTTP request; default: POST with --data, GET without")
    parser.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="give up after so long; default: never")
    parser.set_defaults(run=_call)


def _call(parsed: argparse.Namespace) -> int:
    options = CallOptions(url=parsed.url, method=parsed.method, headers=tuple(parsed.header))
    return run_call(options, data=parsed.data, timeout_s=parsed.timeout)


def _add_routes(parser: argparse.ArgumentParser) -> None:
    parser.description = "Print the HTTP rules that serve would serve."
    parser.add_argument("target", metavar="TARGET", nargs="?", help="the gRPC server to ask where no file is given")
    _add_schema(parser)
    parser.add_argument("--json", action="store_true", help="a JSON array instead of a table")
    parser.set_defaults(run=lambda parsed: run_routes(_schema_options(parsed, parsed.target), as_json=parsed.json))


def _add_openapi(parser: argparse.ArgumentParser) -> None:
    parser.description = "Print an OpenAPI 3.1 document of what serve would serve, as JSON."
    parser.add_argument("target", metavar="TARGET", nargs="?", help="the gRPC server to ask where no file is given")
    _add_schema(parser)
    parser.add_argument("--dialect", default="envelope", help="envelope (default), grpc-gateway or bare")
    parser.add_argument("--title", help="of the API; default: the name of its service")
    parser.add_argument("--api-version", default="1.0.0", metavar="VERSION", help="of the API; default 1.0.0")
    parser.set_defaults(run=_openapi)


def _openapi(parsed: argparse.Namespace) -> int:
    schema = _schema_options(parsed, parsed.target)
    return run_openapi(schema, dialect=parsed.dialect, title=parsed.title, version=parsed.api_version)


def _add_schema(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("schema")
    group.add_argument(
        "--descriptor-set", action="append", default=[], metavar="FILE",
        help="as protoc --include_imports --descriptor_set_out or buf build write it; repeatable",
    )  # fmt: skip
    group.add_argument("--proto", action="append", default=[], metavar="FILE", help="a .proto file; repeatable")
    group.add_argument("--services-json", metavar="FILE", help="HTTP rules; needs --descriptor-set for the messages")
    group.add_argument(
        "--service", action="append", default=[], metavar="NAME", help="only this one, by full name; repeatable"
    )
    group = parser.add_argument_group("upstream", "the channel to the gRPC server")
    group.add_argument("--upstream-tls", action="store_true", help="it is encrypted; so it is with the options below")
    group.add_argument("--upstream-ca", metavar="FILE", help="whom to trust, PEM; default: whom grpcio trusts")
    group.add_argument("--upstream-cert", metavar="FILE", help="the client certificate to show, with its chain, PEM")
    group.add_argument("--upstream-key", metavar="FILE", help="its private key, PEM")


def _schema_options(parsed: argparse.Namespace, target: str | None) -> SchemaOptions:
    return SchemaOptions(
        target=target,
        tls=_tls(parsed),
        descriptor_sets=tuple(parsed.descriptor_set),
        protos=tuple(parsed.proto),
        services_json=parsed.services_json,
        services=tuple(parsed.service),
    )


def _tls(parsed: argparse.Namespace) -> UpstreamTls | None:
    tls = UpstreamTls(ca=parsed.upstream_ca, cert=parsed.upstream_cert, key=parsed.upstream_key)
    return tls if parsed.upstream_tls or tls != UpstreamTls() else None


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) < 1 << 16:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a number from 0 to 65535, got {text!r}")


def _positive_int(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text!r}")


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if 0 < number < math.inf:
        return number
    raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, got {text!r}")


def _header(text: str) -> tuple[str, str]:
    if found := _HEADER.fullmatch(text.rstrip()):
        return found[1], found[2] or ""
    raise argparse.ArgumentTypeError("expected 'Name: value'")
