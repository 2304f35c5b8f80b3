"""``asgi-grpc routes``: the table of bindings that ``serve`` would serve."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import msgspec

from asgi_grpc.cli.application import SchemaOptions, read_schema
from asgi_grpc.errors import ConfigurationError
from asgi_grpc.routing import Route, Router

_COLUMNS = ("METHOD", "TEMPLATE", "BODY", "KIND", "GRPC METHOD", "SOURCE")
_KEYS = ("http_method", "template", "body", "kind", "grpc_method", "source", "shadowed_by")


def run_routes(options: SchemaOptions, *, as_json: bool) -> int:
    """Print the table, or a JSON array of objects. Returns the exit status: 2 where the schema can't be served."""
    try:
        schema = asyncio.run(read_schema(options))
        routes = Router(schema.methods).routes
    except ConfigurationError as exc:
        print(f"asgi-grpc: {exc}", file=sys.stderr)
        return 2
    if as_json:
        found = [dict(zip(_KEYS, (*_row(route), _shadow(route)), strict=True)) for route in routes]
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
        return 0
    for line in _aligned([_COLUMNS, *(_row(route) for route in routes)]):
        print(line)
    for route in routes:
        if shadow := _shadow(route):
            rule = f"{route.binding.http_method} {route.binding.template}"
            print(f"asgi-grpc: {rule} is never reached: {shadow} takes its paths", file=sys.stderr)
    return 0


def _row(route: Route) -> tuple[str, ...]:
    binding = route.binding
    return (
        binding.http_method,
        binding.template,
        binding.body,
        route.method.kind,
        route.method.full_name,
        binding.source,
    )


def _shadow(route: Route) -> str | None:
    """The rule that takes every path of this one."""
    other = route.shadowed_by
    return f"{other.binding.http_method} {other.binding.template}" if other is not None else None


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns under each other, two spaces between them; ``-`` where there is nothing."""
    cells = [[cell or "-" for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
