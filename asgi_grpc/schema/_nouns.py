"""The nouns: ``Service``, ``Method``, ``Binding``."""

from __future__ import annotations

from dataclasses import dataclass, field

from google.protobuf.descriptor import Descriptor


@dataclass(frozen=True, kw_only=True)
class Binding:
    """One HTTP rule of one method. Source: google/api/http.proto, ``HttpRule``.

    Attributes:
        http_method: upper case, e.g. ``"GET"``; a custom verb as it is written; ``"*"`` matches every method.
        template: the path template, e.g. ``"/v1/{name=shelves/*}:read"``.
        body: ``"*"`` for the whole message, a top-level field's proto name, or ``""`` for none.
        response_body: a top-level field's proto name of the reply, or ``""`` for the whole reply.
        source: where the rule came from, for people: ``"annotation"``, ``"default"`` or a file's name.
    """

    http_method: str
    template: str
    body: str = ""
    response_body: str = ""
    source: str = "annotation"


@dataclass(frozen=True, kw_only=True, eq=False)
class Method:
    """One gRPC method and the HTTP rules that reach it.

    Attributes:
        full_name: e.g. ``"helloworld.Greeter.SayHello"``.
        path: e.g. ``"/helloworld.Greeter/SayHello"``.
        input: descriptor of the request message.
        output: descriptor of the reply message.
        client_streaming: the client sends any number of messages.
        server_streaming: the server sends any number of messages.
        bindings: the default binding ``POST path`` with body ``*`` among them, last.
    """

    full_name: str
    path: str
    input: Descriptor
    output: Descriptor
    client_streaming: bool
    server_streaming: bool
    bindings: tuple[Binding, ...]

    @property
    def kind(self) -> str:
        """``"unary"``, ``"server_streaming"``, ``"client_streaming"`` or ``"bidirectional"``."""
        match self.client_streaming, self.server_streaming:
            case False, False:
                return "unary"
            case False, True:
                return "server_streaming"
            case True, False:
                return "client_streaming"
            case _:
                return "bidirectional"


@dataclass(frozen=True, kw_only=True, eq=False)
class Service:
    """A gRPC service.

    Attributes:
        full_name: e.g. ``"helloworld.Greeter"``.
        methods: in the order of the .proto file.
    """

    full_name: str
    methods: tuple[Method, ...] = field(default=())
