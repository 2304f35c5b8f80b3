"""``asgi-grpc openapi``: the OpenAPI document of what ``serve`` would serve."""

from __future__ import annotations

import asyncio
import sys

import msgspec

from asgi_grpc.cli._output import forget_output
from asgi_grpc.cli.application import SchemaOptions, read_schema
from asgi_grpc.dialects import find_dialect
from asgi_grpc.errors import ConfigurationError
from asgi_grpc.openapi import openapi_document
from asgi_grpc.routing import Router


def run_openapi(options: SchemaOptions, *, dialect: str, title: str | None, version: str) -> int:
    """Print the document as JSON.

    Returns:
        The exit status: 2 where the schema can't be served, 1 where nobody reads the document.
    """
    try:
        spelled = find_dialect(dialect)
        schema = asyncio.run(read_schema(options))
        routes = Router(schema.methods).routes
    except ConfigurationError as exc:
        print(f"asgi-grpc: {exc}", file=sys.stderr)
        return 2
    document = openapi_document(routes, dialect=spelled, title=title, version=version, comments=schema.comments)
    try:
        print(msgspec.json.format(msgspec.json.encode(document)).decode(), flush=True)
    except BrokenPipeError:  # as after ``| head``
        forget_output()
        return 1
    return 0
