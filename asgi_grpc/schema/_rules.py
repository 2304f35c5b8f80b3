"""Service descriptors and their ``google.api.http`` rules to ``Service``, ``Method``, ``Binding``."""

from __future__ import annotations

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.schema._nouns import Binding, Method, Service

_VERBS = {"get": "GET", "put": "PUT", "post": "POST", "delete": "DELETE", "patch": "PATCH"}


def read_service(descriptor: ServiceDescriptor) -> Service:
    """One service with the rules that its methods are annotated with."""
    return Service(full_name=descriptor.full_name, methods=tuple(read_method(m) for m in descriptor.methods))


def read_rule(rule: HttpRule, *, method: str, source: str) -> list[Binding]:
    """The bindings of one rule: its own, then its additional ones.

    Args:
        rule: from an annotation or a service configuration.
        method: full name of the method, for errors.
        source: where the rule came from, for people.

    Raises:
        ConfigurationError: no pattern or an empty one, a custom verb without a kind, additional bindings more than
            one level deep.

    Source: google/api/http.proto, ``HttpRule``.
    """
    bindings = [_binding(rule, method, source)]
    for extra in rule.additional_bindings:
        if extra.additional_bindings:
            raise ConfigurationError(f"{method}: additional_bindings inside additional_bindings")
        bindings.append(_binding(extra, method, source))
    return bindings


def with_default(path: str, bindings: list[Binding]) -> tuple[Binding, ...]:
    """Append ``POST path`` with body ``*``, unless the bindings define that very path themselves."""
    if any(b.http_method == "POST" and b.template == path for b in bindings):
        return tuple(bindings)
    return (*bindings, Binding(http_method="POST", template=path, body="*", source="default"))


def read_method(descriptor: MethodDescriptor) -> Method:
    """One method with its annotation's bindings and the default one."""
    service = descriptor.containing_service.full_name
    path = f"/{service}/{descriptor.name}"
    # The options may have been parsed before the extension was known to the default pool: parse them anew.
    options = MethodOptions.FromString(descriptor.GetOptions().SerializeToString())
    bindings: list[Binding] = []
    if options.HasExtension(annotations_pb2.http):
        rule = options.Extensions[annotations_pb2.http]
        bindings = read_rule(rule, method=descriptor.full_name, source="annotation")
    return Method(
        full_name=descriptor.full_name,
        path=path,
        input=descriptor.input_type,
        output=descriptor.output_type,
        client_streaming=descriptor.client_streaming,
        server_streaming=descriptor.server_streaming,
        bindings=with_default(path, bindings),
    )


def _binding(rule: HttpRule, method: str, source: str) -> Binding:
    """One rule without its additional bindings."""
    pattern = rule.WhichOneof("pattern")
    if pattern is None:
        raise ConfigurationError(f"{method}: an HTTP rule without a pattern (get, put, post, delete, patch or custom)")
    if pattern == "custom":
        http_method, template = rule.custom.kind, rule.custom.path
    else:
        http_method, template = _VERBS[pattern], getattr(rule, pattern)
    if not http_method:
        raise ConfigurationError(f"{method}: a custom HTTP rule without a kind")
    if not template:
        raise ConfigurationError(f"{method}: an HTTP rule with an empty path")
    return Binding(
        http_method=http_method, template=template, body=rule.body, response_body=rule.response_body, source=source
    )
