"""Serialized file descriptors, in any order, to a descriptor pool."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from asgi_grpc.errors import ConfigurationError

SetSource = bytes | str | os.PathLike[str]
"""A serialized ``FileDescriptorSet``, or the path of a file that holds one."""

# Files that installed packages carry as modules, so that a set without them can still be used.
_WELL_KNOWN = re.compile(r"google/(?:protobuf|api|rpc|type|longrunning)/[a-z0-9_/]+\.proto")
_DUPLICATE = re.compile(r"duplicate symbol '([^']+)'")


def read_set(source: SetSource) -> tuple[str, FileDescriptorSet]:
    """Parse a descriptor set; the first element says where it came from, for people."""
    if isinstance(source, bytes):
        where, data = "the descriptor set", source
    else:
        where = f"the descriptor set {os.fspath(source)}"
        try:
            data = Path(source).read_bytes()
        except OSError as exc:
            raise ConfigurationError(f"{where} can't be read: {exc.strerror}") from exc
    try:
        parsed = FileDescriptorSet.FromString(data)
    except DecodeError as exc:
        raise ConfigurationError(
            f"{where} is not a serialized google.protobuf.FileDescriptorSet (what protoc --descriptor_set_out writes)"
        ) from exc
    if not parsed.file or not all(file.name for file in parsed.file):
        raise ConfigurationError(f"{where} holds no named files")
    return where, parsed


def merge_sets(sets: Iterable[tuple[str, FileDescriptorSet]]) -> dict[str, FileDescriptorProto]:
    """Collect the files of several sets by name; repetitions are fine, contradictions are not.

    Of Google's own files the larger counts: they only grow, and each protoc carries those of its version.
    """
    files: dict[str, FileDescriptorProto] = {}
    origin: dict[str, str] = {}
    for where, parsed in sets:
        for file in parsed.file:
            known = files.get(file.name)
            if known is None:
                files[file.name], origin[file.name] = file, where
            elif _WELL_KNOWN.fullmatch(file.name):
                files[file.name] = max(known, file, key=lambda version: len(_essence(version)))
            elif known != file and _essence(known) != _essence(file):
                raise ConfigurationError(
                    f"two different files are named {file.name}: in {origin[file.name]} and in {where}"
                )
    return files


def build_pool(files: Mapping[str, FileDescriptorProto]) -> tuple[DescriptorPool, list[FileDescriptor]]:
    """Build a pool of its own from files by name, in whatever order.

    Returns:
        The pool, and the given files' descriptors in the order given; files that were lent by installed packages are
        in the pool only.
    """
    pool = DescriptorPool()
    for file in _dependencies_first(files):
        try:
            pool.Add(file)
        except TypeError as exc:
            raise ConfigurationError(_why_refused(file, pool, str(exc))) from exc
    return pool, [pool.FindFileByName(name) for name in files]


def closure(roots: Iterable[FileDescriptor]) -> dict[str, FileDescriptorProto]:
    """Serialize files, and everything that they import."""
    found: dict[str, FileDescriptorProto] = {}
    todo = list(roots)
    while todo:
        file = todo.pop()
        if file.name not in found:
            found[file.name] = FileDescriptorProto()
            file.CopyToProto(found[file.name])
            todo += file.dependencies
    return found


def _dependencies_first(files: Mapping[str, FileDescriptorProto]) -> Iterator[FileDescriptorProto]:
    """Yield every file once, after all that it imports; without recursion, because chains may be long."""
    done: set[str] = set()
    entered: set[str] = set()
    todo: list[tuple[str, FileDescriptorProto]] = list(files.items())[::-1]
    while todo:
        name, file = todo[-1]
        if name in done:
            todo.pop()
            continue
        missing = [other for other in file.dependency if other not in done]
        if name in entered or not missing:
            if missing:
                raise ConfigurationError(f"the files {name} and {missing[0]} import each other")
            todo.pop()
            done.add(name)
            yield file
            continue
        entered.add(name)
        todo += [(other, files.get(other) or _lent(other, wanted_by=name)) for other in missing]


def _lent(name: str, *, wanted_by: str) -> FileDescriptorProto:
    """Take a well-known file from the package that carries it."""
    if _WELL_KNOWN.fullmatch(name):
        try:
            module = importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
        except ImportError:
            pass  # a name that no installed package has: missing like any other
        else:
            lent = FileDescriptorProto()
            module.DESCRIPTOR.CopyToProto(lent)
            return lent
    raise ConfigurationError(
        f"{name}, which {wanted_by} imports, is not in the descriptor set: write the set with "
        "protoc --include_imports --descriptor_set_out (or buf build)"
    )


def _why_refused(file: FileDescriptorProto, pool: DescriptorPool, text: str) -> str:
    """Name both files of a conflict; protobuf's own text names the symbol only."""
    if duplicate := _DUPLICATE.search(text):
        other = pool.FindFileContainingSymbol(duplicate[1]).name
        return f"{duplicate[1]} is defined in {other} and again in {file.name}"
    _, _, reason = text.partition("descriptor pool: ")
    return f"{file.name}: {reason or text}"


def _essence(file: FileDescriptorProto) -> bytes:
    """What makes a file: not its comments, nor the JSON names that protoc writes out and generated code leaves off."""
    bare = FileDescriptorProto()
    bare.CopyFrom(file)
    bare.ClearField("source_code_info")
    todo: list[DescriptorProto] = list(bare.message_type)
    for field in bare.extension:
        field.ClearField("json_name")
    for message in todo:
        todo += message.nested_type
        for field in [*message.field, *message.extension]:
            if field.json_name == _json_name(field.name):
                field.ClearField("json_name")
    return bare.SerializeToString(deterministic=True)


def _json_name(name: str) -> str:
    """The JSON name that protoc derives. Source: ``ToJsonName`` as the comments of descriptor.proto describe it."""
    return re.sub(r"_+(.?)", lambda match: match[1].upper(), name)
