"""``services.json``: services, their kinds and their HTTP rules, beside descriptors of the messages.

The form, one object for each service and in it one for each method::

    {"Greeter": {"SayHello": {
        "input_type": ".helloworld.HelloRequest",
        "output_type": ".helloworld.HelloReply",
        "options": {"[google.api.http]": {"post": "/v1/hello", "body": "*"}},
        "streaming_type": "unary",
        "method_full_name": "/helloworld.Greeter/SayHello",
        "http": {"method": "POST", "path": "/v1/hello", "body": "*"}}}}

Whatever is said twice, here or here and in the descriptors, must agree. Keys that are not shown are ignored.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from google.api.http_pb2 import HttpRule
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pool import DescriptorPool

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.schema._nouns import Binding, Method, Service
from asgi_grpc.schema._rules import read_method, read_rule, with_default

_FULL_NAME = re.compile(r"/?([A-Za-z_][\w.]*)/([A-Za-z_]\w*)", re.ASCII)
_OPTION = ("[google.api.http]", "(google.api.http)", "google.api.http")
_KINDS = {
    "unary": (False, False),
    "server_streaming": (False, True),
    "client_streaming": (True, False),
    "bidirectional_streaming": (True, True),
    "bidirectional": (True, True),
    "bidi_streaming": (True, True),
    "bidi": (True, True),
}


class _Http(msgspec.Struct):
    """One rule in short."""

    method: str = ""
    path: str = ""
    body: str | None = None


class _Entry(msgspec.Struct):
    """One method."""

    input_type: str = ""
    output_type: str = ""
    streaming_type: str = ""
    method_full_name: str = ""
    options: dict[str, Any] | None = None
    http: _Http | None = None


def read_services_json(path: str | os.PathLike[str], pool: DescriptorPool) -> list[Service]:
    """Read the services of a file.

    Args:
        path: of the file, UTF-8.
        pool: has the messages, and perhaps the services.

    Raises:
        ConfigurationError: the file is not of the form, names what the pool doesn't have, or contradicts it or itself.
    """
    where = os.fspath(path)
    try:
        data = Path(path).read_bytes()
    except OSError as exc:
        raise ConfigurationError(f"{where} can't be read: {exc.strerror}") from exc
    try:
        content = msgspec.json.decode(data, type=dict[str, dict[str, _Entry]])
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"{where} is not a services.json: {exc}") from exc
    services: dict[str, Service] = {}
    for key, entries in content.items():
        full_names = [_full_name(key, name, entry) for name, entry in entries.items()]
        if len(set(full_names)) > 1:
            raise ConfigurationError(f"{where}: the methods of {key} belong to {' and '.join(sorted(set(full_names)))}")
        for full_name in full_names[:1]:
            if full_name in services:
                raise ConfigurationError(f"{where}: the service {full_name} is there twice")
            reader = _Reader(full_name, pool, Path(path).name)
            services[full_name] = Service(
                full_name=full_name, methods=tuple(reader.method(name, entry) for name, entry in entries.items())
            )
    return list(services.values())


def _full_name(key: str, name: str, entry: _Entry) -> str:
    """The service that a method belongs to; its key may be the short name."""
    if not entry.method_full_name:
        return key
    match = _FULL_NAME.fullmatch(entry.method_full_name)
    if match is None or match[2] != name or not f".{match[1]}".endswith(f".{key}"):
        raise ConfigurationError(
            f"{key}.{name}: expected method_full_name to be /package.{key}/{name}, got {entry.method_full_name}"
        )
    return match[1]


class _Reader:
    """Reads the methods of one service.

    Args:
        service: full name.
        pool: has the messages, and perhaps the service.
        source: the file's name.
    """

    def __init__(self, service: str, pool: DescriptorPool, source: str) -> None:
        self._service = service
        self._pool = pool
        self._source = source
        self._known: ServiceDescriptor | None = None
        with suppress(KeyError):
            self._known = pool.FindServiceByName(service)

    def method(self, name: str, entry: _Entry) -> Method:
        """One method, from the descriptors and the file, which must agree."""
        full_name = f"{self._service}.{name}"
        described = self._described(full_name, name)
        received, sent = (None, None) if described is None else (described.input_type, described.output_type)
        client_streaming, server_streaming = self._kind(full_name, entry.streaming_type, described)
        path = f"/{self._service}/{name}"
        bindings = self._bindings(full_name, entry)
        if bindings is None:
            bindings = list(read_method(described).bindings) if described is not None else []
        return Method(
            full_name=full_name,
            path=path,
            input=self._message(full_name, entry.input_type, received),
            output=self._message(full_name, entry.output_type, sent),
            client_streaming=client_streaming,
            server_streaming=server_streaming,
            bindings=with_default(path, bindings),
        )

    def _described(self, full_name: str, name: str) -> MethodDescriptor | None:
        """The method as the descriptors have it, if they have its service."""
        if self._known is None:
            return None
        method = self._known.methods_by_name.get(name)
        if method is None:
            raise ConfigurationError(
                f"{full_name}: the descriptors have the service {self._service}, but no method {name}"
            )
        return method

    def _message(self, full_name: str, name: str, described: Descriptor | None) -> Descriptor:
        """A message type by the name in the file, or as the descriptors have it."""
        name = name.removeprefix(".")
        if described is not None:
            if name and name != described.full_name:
                raise ConfigurationError(
                    f"{full_name}: {self._source} says {name}, the descriptors {described.full_name}"
                )
            return described
        if not name:
            raise ConfigurationError(f"{full_name}: expected input_type and output_type in {self._source}")
        try:
            return self._pool.FindMessageTypeByName(name)
        except KeyError as exc:
            raise ConfigurationError(f"{full_name}: the descriptors have no message {name}") from exc

    def _kind(self, full_name: str, streaming_type: str, described: MethodDescriptor | None) -> tuple[bool, bool]:
        """Whether the client streams, and whether the server does."""
        if streaming_type not in ("", *_KINDS):
            raise ConfigurationError(
                f"{full_name}: expected a streaming_type of {', '.join(list(_KINDS)[:4])}, got {streaming_type}"
            )
        if described is None:
            return _KINDS[streaming_type or "unary"]
        kind = (described.client_streaming, described.server_streaming)
        if streaming_type and kind != _KINDS[streaming_type]:
            actual = next(name for name, flags in _KINDS.items() if flags == kind)
            raise ConfigurationError(f"{full_name}: {self._source} says {streaming_type}, the descriptors {actual}")
        return kind

    def _bindings(self, full_name: str, entry: _Entry) -> list[Binding] | None:
        """The rules of the file; None if it has none for this method."""
        rule = next((entry.options[key] for key in _OPTION if key in entry.options), None) if entry.options else None
        short = self._short(full_name, entry.http)
        if rule is None:
            return None if short is None else [short]
        try:
            bindings = read_rule(json_format.ParseDict(rule, HttpRule()), method=full_name, source=self._source)
        except json_format.ParseError as exc:
            raise ConfigurationError(f"{full_name}: the google.api.http of {self._source}: {exc}") from exc
        if short is not None and not any(_agree(binding, short, entry.http) for binding in bindings):
            shown = [f"{b.http_method} {b.template} (body {b.body!r})" for b in (short, bindings[0])]
            raise ConfigurationError(
                f"{full_name}: the http of {self._source} says {shown[0]}, its google.api.http {shown[1]}"
            )
        return bindings

    def _short(self, full_name: str, http: _Http | None) -> Binding | None:
        """The rule in short, if there is one."""
        if http is None or not (http.method or http.path):
            return None
        if not (http.method and http.path):
            raise ConfigurationError(f"{full_name}: expected http to have a method and a path")
        return Binding(http_method=http.method.upper(), template=http.path, body=http.body or "", source=self._source)


def _agree(binding: Binding, short: Binding, http: _Http | None) -> bool:
    """Tell whether a rule is the one that was given in short; without a body there, any will do."""
    assert http is not None
    same = (binding.http_method.upper(), binding.template) == (short.http_method, short.template)
    return same and (http.body is None or binding.body == short.body)
