from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from asgi_grpc import ConfigurationError, GrpcMiddleware, Schema
from asgi_grpc.cli.application import VARIABLE, GatewayOptions, SchemaOptions, build, create, read_schema
from tests.processes import GREETER, ROOT, STREAMING

GREETER_SET = str(GREETER.parent / "greeter.binpb")
STREAMING_SET = str(STREAMING.parent / "streaming.binpb")
GREETER_PROTO = str(GREETER.parent / "greeter.proto")
SERVICES_JSON = str(GREETER.parent / "services.json")


@pytest.mark.parametrize(
    ("options", "services"),
    [
        (SchemaOptions(descriptor_sets=(GREETER_SET,)), ["helloworld.Greeter"]),
        (SchemaOptions(descriptor_sets=(GREETER_SET, STREAMING_SET)),
         ["helloworld.Greeter", "streaming.v1.StreamingService"]),
        (SchemaOptions(descriptor_sets=(GREETER_SET, STREAMING_SET), services=("streaming.v1.StreamingService",)),
         ["streaming.v1.StreamingService"]),
        (SchemaOptions(protos=(GREETER_PROTO,)), ["helloworld.Greeter"]),
        (SchemaOptions(descriptor_sets=(GREETER_SET,), services_json=SERVICES_JSON), ["helloworld.Greeter"]),
    ],
)  # fmt: skip
async def test_a_schema_is_read_from_files(options: SchemaOptions, services: list[str]) -> None:
    assert list((await read_schema(options)).services) == services


async def test_all_sources_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Schema, "from_protos", Schema.from_descriptor_set)
    options = SchemaOptions(descriptor_sets=(STREAMING_SET,), protos=(GREETER_SET,))
    assert list((await read_schema(options)).services) == ["streaming.v1.StreamingService", "helloworld.Greeter"]


async def test_without_files_the_server_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def from_reflection(target: str, *, credentials: object) -> Schema:
        asked.append(target)
        assert credentials is None
        return Schema.from_descriptor_set(GREETER_SET)

    monkeypatch.setattr(Schema, "from_reflection", from_reflection)
    assert list((await read_schema(SchemaOptions(target="h:1"))).services) == ["helloworld.Greeter"]
    assert asked == ["h:1"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (SchemaOptions(), "there is no schema: give --descriptor-set, --proto, or a server that has reflection"),
        (SchemaOptions(services_json=SERVICES_JSON), "--services-json names messages: give their --descriptor-set too"),
        (SchemaOptions(descriptor_sets=(GREETER_SET,), services=("a.B",)), "the schema has no service a.B"),
    ],
)
async def test_what_cannot_be_read_is_a_fault_of_the_wiring(options: SchemaOptions, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        await read_schema(options)


@pytest.mark.parametrize("services", [(), ("helloworld.Greeter",)])
def test_a_worker_makes_the_application_from_its_environment(
    services: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = SchemaOptions(descriptor_sets=(GREETER_SET,), services=services)
    options = GatewayOptions(target="localhost:1", schema=schema, origins=("*",), half_close_after_idle_s=1.0)
    monkeypatch.setenv(VARIABLE, msgspec.json.encode(options).decode())
    assert isinstance(create(), GrpcMiddleware)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "expected the options of `asgi-grpc serve` in ASGI_GRPC_SERVE"),
        ("{}", "expected the options of `asgi-grpc serve` in ASGI_GRPC_SERVE"),
        ('{"target":"h:1","schema":{}}', "ASGI_GRPC_SERVE names no file with a schema"),
    ],
)
def test_a_worker_without_options_says_so(value: str | None, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ConfigurationError, match=text):
        create()


def test_faults_of_the_gateway_are_faults_of_the_wiring() -> None:
    options = GatewayOptions(target="h:1", schema=SchemaOptions(), dialect="klingon")
    with pytest.raises(ConfigurationError, match="klingon"):
        build(options, Schema.from_descriptor_set(Path(ROOT, GREETER_SET)))
