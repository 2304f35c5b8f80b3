"""Compile .proto text to descriptor sets, for tests."""

from __future__ import annotations

import tempfile
from pathlib import Path

import google.api
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

# grpc_tools carries google/protobuf, googleapis-common-protos google/api.
WELL_KNOWN = [str(Path(protoc.__file__).parent / "_proto"), str(Path(google.api.__path__[0]).parent.parent)]


def compile_protos(*, include_imports: bool = True, **texts: str) -> bytes:
    """Compile files given as ``name=text`` (``name.proto``) to a serialized ``FileDescriptorSet``."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            Path(folder, f"{name}.proto").write_text(text)
        out = Path(folder, "out.binpb")
        arguments = ["protoc", f"-I{folder}", *(f"-I{path}" for path in WELL_KNOWN), f"--descriptor_set_out={out}"]
        arguments += ["--include_imports"] if include_imports else []
        assert protoc.main([*arguments, *(f"{name}.proto" for name in texts)]) == 0
        return out.read_bytes()


def files_of(data: bytes) -> FileDescriptorSet:
    """Parse a descriptor set, so that a test can change it."""
    return FileDescriptorSet.FromString(data)
