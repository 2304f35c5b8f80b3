"""The test schemas, compiled from ``protos/`` into one pool of their own."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc

PROTOS = Path(__file__).parent / "protos"


@functools.cache
def pool() -> DescriptorPool:
    """Every type of ``protos/``, and the well-known types that they import."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "all.binpb")
        files = [file.name for file in sorted(PROTOS.glob("*.proto"))]
        bundled = Path(protoc.__file__).parent / "_proto"
        arguments = [
            "protoc",
            f"-I{PROTOS}",
            f"-I{bundled}",
            "--include_imports",
            f"--descriptor_set_out={out}",
            *files,
        ]
        assert protoc.main(arguments) == 0
        files_of_set = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    filled = descriptor_pool.DescriptorPool()
    for file in files_of_set:
        filled.Add(file)
    return filled


def message_class(full_name: str) -> Any:
    """The class of a message type, e.g. ``"kinds.Kinds"``."""
    return GetMessageClass(pool().FindMessageTypeByName(full_name))
