"""What may be registered, and what is refused before anything is served."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import greeter_pb2 as pb
import greeter_pb2_grpc
import grpc
import grpc.aio
import pytest

from asgi_grpc.calls import ServicerBackend, Servicers
from asgi_grpc.errors import ConfigurationError, UsageError
from asgi_grpc.schema import Schema

GREETER = "helloworld.Greeter"


async def unary(request: Any, context: Any) -> Any:
    return None


def handler(make: Any = grpc.unary_unary_rpc_method_handler, message: Any = pb.HelloRequest) -> Any:
    return make(unary, message.FromString, pb.HelloReply.SerializeToString)


def test_generated_code_registers_unchanged_and_the_schema_is_known() -> None:
    registry = Servicers()
    greeter_pb2_grpc.add_GreeterServicer_to_server(greeter_pb2_grpc.GreeterServicer(), registry)
    assert isinstance(registry, grpc.aio.Server)
    assert registry.service_names == [GREETER]
    assert list(ServicerBackend(registry).schema.services) == [GREETER]


@pytest.mark.parametrize(
    ("name", "wrong", "text"),
    [
        ("SayHallo", handler(), r"helloworld\.Greeter\.SayHallo is registered, and helloworld\.Greeter has no such"),
        ("SayHello", handler(grpc.unary_stream_rpc_method_handler), r"Greeter\.SayHello is unary, and its handler"),
        ("SayHello", handler(message=pb.HelloReply), r"SayHello takes helloworld\.HelloRequest, .*HelloReply"),
    ],
)
def test_a_handler_has_to_be_its_methods(name: str, wrong: Any, text: str) -> None:
    registry = Servicers()
    registry.add_registered_method_handlers(GREETER, {name: wrong})
    with pytest.raises(ConfigurationError, match=text):
        registry.seal()


@pytest.mark.parametrize("wrong", [None, unary, grpc.unary_unary_rpc_method_handler(None)])  # type: ignore[arg-type]
def test_a_handler_has_to_be_one(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"helloworld\.Greeter\.SayHello: expected a grpc\.RpcMethodHandler"):
        Servicers().add_registered_method_handlers(GREETER, {"SayHello": wrong})


def test_a_generic_handler_has_to_be_one() -> None:
    with pytest.raises(ConfigurationError, match="got str"):
        Servicers().add_generic_rpc_handlers(("greeter",))


def test_a_method_has_one_handler() -> None:
    registry = Servicers()
    same = handler()
    registry.add_registered_method_handlers(GREETER, {"SayHello": same})
    registry.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(GREETER, {"SayHello": same}),))
    with pytest.raises(ConfigurationError, match=r"helloworld\.Greeter\.SayHello is registered twice"):
        greeter_pb2_grpc.add_GreeterServicer_to_server(greeter_pb2_grpc.GreeterServicer(), registry)


def test_a_service_needs_its_module_or_a_schema() -> None:
    registry = Servicers()
    registry.add_registered_method_handlers("no.Such", {"Method": handler()})
    with pytest.raises(ConfigurationError, match=r"no imported module defines the service no\.Such"):
        ServicerBackend(registry)
    schema = Schema.from_modules(pb)
    assert ServicerBackend(registry, schema).schema is schema


def test_an_empty_registry_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no servicer is registered"):
        ServicerBackend(Servicers())


def test_nothing_is_registered_while_serving() -> None:
    registry = Servicers()
    registry.add_registered_method_handlers(GREETER, {"SayHello": handler()})
    ServicerBackend(registry)
    with pytest.raises(UsageError, match="in use"):
        registry.add_registered_method_handlers(GREETER, {"SayHello": handler()})
    with pytest.raises(UsageError, match="in use"):
        registry.add_generic_rpc_handlers(())


class Dynamic(grpc.GenericRpcHandler):
    """Finds its methods itself."""

    def __init__(self, method: str) -> None:
        self.method = method

    def service(self, handler_call_details: Any) -> Any:
        return handler() if handler_call_details.method == self.method else None


def test_generic_handlers_are_asked_in_order() -> None:
    registry = Servicers()
    registry.add_generic_rpc_handlers((Dynamic("/a.A/One"), Dynamic("/a.A/Two")))
    assert registry.find(SimpleNamespace(method="/a.A/Two")) is not None
    assert registry.find(SimpleNamespace(method="/a.A/Three")) is None
    assert registry.service_names == []
    assert not registry.is_fixed("/a.A/Two")


def test_handlers_that_name_no_service_need_a_schema() -> None:
    registry = Servicers()
    registry.add_generic_rpc_handlers((Dynamic("/helloworld.Greeter/SayHello"),))
    with pytest.raises(ConfigurationError, match="give a schema"):
        ServicerBackend(registry)
    ServicerBackend(registry, Schema.from_modules(pb))


@pytest.mark.parametrize("options", [{"max_workers": 0}, {"max_queue": -1}])
def test_the_pool_has_at_least_one_thread(options: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_workers: expected at least 1"):
        Servicers(**options)


async def test_a_registry_does_not_listen() -> None:
    registry = Servicers()
    with pytest.raises(UsageError, match="listens nowhere"):
        registry.add_insecure_port("localhost:1")
    with pytest.raises(UsageError, match="listens nowhere"):
        registry.add_secure_port("localhost:1", None)
    await registry.start()
    await registry.stop(None)
    with pytest.raises(UsageError, match="does not run"):
        await registry.wait_for_termination()
