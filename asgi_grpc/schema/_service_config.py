"""Service configurations: HTTP rules beside the .proto files, which override the annotations in them.

A YAML or JSON file with a ``google.api.Service``, of which the ``http`` part is read::

    type: google.api.Service
    config_version: 3
    http:
      rules:
      - selector: helloworld.Greeter.SayHello
        get: /v1/hello/{name}

Source: google/api/service.proto and google/api/http.proto.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from google.api.http_pb2 import Http
from google.protobuf import json_format

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.schema._nouns import Binding, Service
from asgi_grpc.schema._rules import read_rule, with_default


def override(services: Iterable[Service], path: str | os.PathLike[str]) -> list[Service]:
    """Give methods the rules that a file has for them; of several for one method the last counts.

    Raises:
        ConfigurationError: the file can't be read, is not of the form, or has a rule for a method that is not there.
    """
    where = os.fspath(path)
    rules = _rules(where, _read_tree(Path(path)))
    changed = []
    for service in services:
        methods = []
        for method in service.methods:
            bindings = rules.pop(method.full_name, None)
            if bindings is not None:
                method = replace(method, bindings=with_default(method.path, bindings))  # noqa: PLW2901
            methods.append(method)
        changed.append(replace(service, methods=tuple(methods)))
    if rules:
        raise ConfigurationError(f"{where} has rules for methods that the schema has not: {', '.join(rules)}")
    return changed


def _rules(where: str, tree: Any) -> dict[str, list[Binding]]:
    """The bindings of each method that is selected."""
    if not isinstance(tree, Mapping):
        raise ConfigurationError(f"{where} is not a google.api.Service")
    try:
        http = json_format.ParseDict(tree.get("http") or {}, Http())
    except (json_format.ParseError, TypeError, AttributeError) as exc:
        raise ConfigurationError(f"{where}: the http part is not a google.api.Http: {exc}") from exc
    if http.fully_decode_reserved_expansion:
        raise ConfigurationError(f"{where}: fully_decode_reserved_expansion is an option of the router, not of a file")
    return {rule.selector: read_rule(rule, method=rule.selector, source=Path(where).name) for rule in http.rules}


def _read_tree(path: Path) -> Any:
    """The content of a JSON or YAML file."""
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise ConfigurationError(f"{path} can't be read: {exc.strerror}") from exc
    if path.suffix == ".json":
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise ConfigurationError(f"{path} is not JSON: {exc}") from exc
    try:
        yaml = importlib.import_module("yaml")
    except ImportError as exc:
        raise ConfigurationError(
            f"reading {path} needs PyYAML; JSON is read without it, from a file named .json"
        ) from exc
    try:
        return yaml.safe_load(data)
    except yaml.YAMLError as exc:
        raise ConfigurationError(f"{path} is not YAML: {exc}") from exc
