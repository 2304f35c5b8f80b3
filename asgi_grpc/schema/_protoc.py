"""``.proto`` files to a descriptor set, through the protoc of grpcio-tools."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import google.api

from asgi_grpc.errors import ConfigurationError

_PREFIX = "[libprotobuf "  # of lines that are meant for protoc's own developers


def compile_protos(
    paths: Sequence[str | os.PathLike[str]], include: Sequence[str | os.PathLike[str]]
) -> tuple[bytes, set[str]]:
    """Compile files, with everything that they import, to a serialized ``FileDescriptorSet``.

    Args:
        paths: of the files.
        include: folders in which imports are looked up, before the files' own folders; google/protobuf and google/api
            are always found.

    Returns:
        The set, and the names in it of the files that were asked for.

    Raises:
        ConfigurationError: grpcio-tools is not installed, or protoc refuses; then with its own words.
    """
    if not paths:
        raise ConfigurationError("expected at least one .proto file, got none")
    if importlib.util.find_spec("grpc_tools") is None:
        raise ConfigurationError("reading .proto files needs grpcio-tools: install asgi_grpc[protoc]")
    files = [Path(path).absolute() for path in paths]
    folders = dict.fromkeys([*(Path(folder).absolute() for folder in include), *(file.parent for file in files)])
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, "set.binpb")
        ran = subprocess.run(  # noqa: S603 - our own interpreter, and no shell
            [
                *(sys.executable, "-P", "-m", "grpc_tools.protoc"),
                *("--include_imports", "--include_source_info", f"--descriptor_set_out={out}"),
                *(f"--proto_path={folder}" for folder in [*folders, *_bundled()]),
                *map(str, files),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if ran.returncode:
            raise ConfigurationError(f"protoc: {_words(ran.stderr)}")
        return out.read_bytes(), {_name(file, list(folders)) for file in files}


def _name(file: Path, folders: Sequence[Path]) -> str:
    """A file's name as protoc has it: from the first folder that holds it."""
    return next(file.relative_to(folder).as_posix() for folder in folders if file.is_relative_to(folder))


def _bundled() -> list[Path]:
    """Where installed packages keep google/protobuf/*.proto and google/api/*.proto."""
    tools = importlib.util.find_spec("grpc_tools")
    assert tools is not None
    assert tools.submodule_search_locations is not None
    found = [Path(place, "_proto") for place in tools.submodule_search_locations]
    return found + [Path(place).parent.parent for place in google.api.__path__]


def _words(stderr: bytes) -> str:
    """What protoc said, without the lines that concern itself."""
    lines = stderr.decode("utf-8", "replace").splitlines()
    return "\n".join(line for line in lines if line.strip() and not line.startswith(_PREFIX)) or "it failed silently"
