"""``openapi_document``: routes to one OpenAPI document.

Source: the OpenAPI Specification 3.1.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from asgi_grpc.codec import CodecOptions
from asgi_grpc.dialects import Dialect
from asgi_grpc.openapi._operations import Operations
from asgi_grpc.openapi._paths import path_template
from asgi_grpc.openapi._values import Json
from asgi_grpc.routing import Route

_METHODS = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE")
_ANY_METHOD = ("GET", "PUT", "POST", "DELETE", "PATCH")  # what is shown of the method ``*``
_OTHER = "x-oai-additionalOperations"  # of other methods; the name in OpenAPI's registry of extensions


def openapi_document(
    routes: Iterable[Route],
    *,
    dialect: Dialect,
    codec_options: CodecOptions | None = None,
    title: str | None = None,
    version: str = "1.0.0",
    servers: Sequence[str] = (),
    comments: Mapping[str, str] | None = None,
) -> Json:
    """Describe routes as an OpenAPI 3.1 document.

    Bindings that no request can reach are left out. So are bindings whose path OpenAPI can't tell from another one's:
    the first stays, and ``x-asgi-grpc-hidden`` of its path names the others.

    Args:
        routes: ``Router.routes``.
        dialect: how the answers are spelled; it is asked to spell a few samples.
        codec_options: how messages are printed; None: as the dialect has it.
        title: of the API; None: the name of its service, if it is one.
        version: of the API.
        servers: URLs below which the paths are; none: the root of where the document is.
        comments: descriptions by full name, as ``Schema.comments`` has them.

    Returns:
        Plain JSON data, of its own: change it as you like.
    """
    routes = [route for route in routes if route.shadowed_by is None]
    comments = comments or {}
    operations = Operations(dialect, codec_options or dialect.codec_options, comments)
    ids = _OperationIds(routes)
    paths: dict[str, Json] = {}
    shapes: dict[str, tuple[str, list[str]]] = {}
    # Of several operations at one path the router prefers those of one HTTP method, and those of one segment.
    templates = [(path_template(route), route) for route in routes]
    for template, route in sorted(templates, key=lambda pair: (pair[1].http_method == "*", pair[0].has_many)):
        path, names = shapes.setdefault(template.shape, (template.path(template.names), template.names))
        item = paths.setdefault(path, {})
        for http_method in _ANY_METHOD if route.http_method == "*" else (route.http_method,):
            standard = http_method in _METHODS
            place = item if standard else item.setdefault(_OTHER, {})
            key = http_method.lower() if standard else http_method
            if key not in place:
                place[key] = operations.operation(route, template, names, ids.next(route, http_method))
            elif route.http_method != "*":
                rule = f"{route.binding.http_method} {route.binding.template}"
                item.setdefault("x-asgi-grpc-hidden", []).append(rule)
    services = list(dict.fromkeys(_service(route) for route in routes))
    if title is None:
        title = services[0] if len(services) == 1 else "gRPC services"
    document: Json = {"openapi": "3.1.0", "info": {"title": title, "version": version}}
    if servers:
        document["servers"] = [{"url": url} for url in servers]
    document["tags"] = [_tag(service, comments) for service in services]
    document |= {"paths": paths, "components": operations.finish()}
    # What stands at several places is one object until here.
    return msgspec.json.decode(msgspec.json.encode(document), type=Json)


class _OperationIds:
    """Names for operations: ``Service_Method``, with the package where two services have one name."""

    def __init__(self, routes: Iterable[Route]) -> None:
        services = {_service(route) for route in routes}
        short = [service.rpartition(".")[2] for service in services]
        self._short = {name for name in short if short.count(name) == 1}
        self._taken: set[str] = set()

    def next(self, route: Route, http_method: str) -> str:
        """A name for one more operation; the default binding's tells that it is one, if it is not the only one."""
        service, _, method = route.method.full_name.rpartition(".")
        short = service.rpartition(".")[2]
        name = f"{short if short in self._short else service.replace('.', '_')}_{method}"
        if route.binding.source == "default" and len(route.method.bindings) > 1:
            name += "_default"
        if route.http_method == "*":
            name += f"_{http_method.lower()}"
        found, count = name, 1
        while found in self._taken:
            count += 1
            found = f"{name}_{count}"
        self._taken.add(found)
        return found


def _service(route: Route) -> str:
    return route.method.full_name.rpartition(".")[0]


def _tag(service: str, comments: Mapping[str, str]) -> Json:
    return {"name": service} | ({"description": comments[service]} if service in comments else {})
