"""The generated files of each example are of one and the same .proto file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import ModuleType

import greeter_pb2
import pytest
import streaming_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet

from tests.processes import ROOT


@pytest.mark.parametrize("module", [greeter_pb2, streaming_pb2], ids=["greeter", "streaming"])
def test_the_descriptor_set_holds_the_module_and_its_imports(module: ModuleType) -> None:
    name = module.DESCRIPTOR.name
    binpb = (ROOT / "examples" / name).with_suffix("") / name.replace(".proto", ".binpb")
    files = FileDescriptorSet.FromString(binpb.read_bytes()).file
    of_module = FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(of_module)
    strip(files[-1].message_type)
    assert files[-1] == of_module
    assert {name for file in files for name in file.dependency} < {file.name for file in files}


def strip(messages: Iterable[DescriptorProto]) -> None:
    """Remove the names that protoc makes of others, and leaves out of modules."""
    for message in messages:
        strip(message.nested_type)
        for field in message.field:
            field.ClearField("json_name")


@pytest.mark.parametrize("stem", ["greeter", "streaming"])
def test_the_code_runs_with_the_oldest_protobuf_that_is_supported(stem: str) -> None:
    code = (ROOT / "examples" / stem / f"{stem}_pb2.py").read_text()
    (version,) = re.findall(r"^# Protobuf Python Version: (.+)$", code, re.MULTILINE)
    assert f'"protobuf>={version}"' in (ROOT / "pyproject.toml").read_text()
