"""The generated files of each example are of one and the same .proto file."""

from __future__ import annotations

import re
from types import ModuleType

import greeter_pb2
import pytest
import streaming_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from tests.processes import ROOT


@pytest.mark.parametrize("module", [greeter_pb2, streaming_pb2], ids=["greeter", "streaming"])
def test_the_descriptor_set_holds_the_module_and_its_imports(module: ModuleType) -> None:
    name = module.DESCRIPTOR.name
    pool = DescriptorPool()
    binpb = (ROOT / "examples" / name).with_suffix("") / name.replace(".proto", ".binpb")
    for file in FileDescriptorSet.FromString(binpb.read_bytes()).file:
        pool.Add(file)
    of_module, of_set = FileDescriptorProto(), FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(of_module)
    pool.FindFileByName(name).CopyToProto(of_set)
    assert of_set == of_module


@pytest.mark.parametrize("stem", ["greeter", "streaming"])
def test_the_code_runs_with_the_oldest_protobuf_that_is_supported(stem: str) -> None:
    code = (ROOT / "examples" / stem / f"{stem}_pb2.py").read_text()
    (version,) = re.findall(r"^# Protobuf Python Version: (.+)$", code, re.MULTILINE)
    assert f'"protobuf>={version}"' in (ROOT / "pyproject.toml").read_text()
