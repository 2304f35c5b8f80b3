"""Comments of .proto files, from the source info of their descriptors.

Source: google/protobuf/descriptor.proto, ``SourceCodeInfo``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto

# What of a message or file has comments: its lists of descriptors by field number.
_MEMBERS = {DescriptorProto.FIELD_FIELD_NUMBER: "field", DescriptorProto.NESTED_TYPE_FIELD_NUMBER: "nested_type"}
_CHILDREN: dict[str, dict[int, str]] = {
    "FileDescriptorProto": {
        FileDescriptorProto.MESSAGE_TYPE_FIELD_NUMBER: "message_type",
        FileDescriptorProto.ENUM_TYPE_FIELD_NUMBER: "enum_type",
        FileDescriptorProto.SERVICE_FIELD_NUMBER: "service",
    },
    "DescriptorProto": {**_MEMBERS, DescriptorProto.ENUM_TYPE_FIELD_NUMBER: "enum_type"},
    "EnumDescriptorProto": {EnumDescriptorProto.VALUE_FIELD_NUMBER: "value"},
    "ServiceDescriptorProto": {2: "method"},
}
_INTERNAL = re.compile(r"\(--.*?--\)", re.DOTALL)  # AIP-192: not for the public


def read_comments(files: Iterable[FileDescriptorProto]) -> dict[str, str]:
    """Collect comments by the full name of what they stand at.

    Args:
        files: those without source info have none.

    Returns:
        Text without comment signs, by full name; of an enum's value that of the enum, a dot, and its own name.
    """
    found: dict[str, str] = {}
    for file in files:
        for location in file.source_code_info.location:
            text = _clean(location.leading_comments) or _clean(location.trailing_comments)
            name = _name_of(file, location.path) if text else None
            if name is not None:
                found[name] = text
    return found


def _name_of(file: FileDescriptorProto, path: Sequence[int]) -> str | None:
    """The full name of what a path leads to; None if it is no type, field, value, service or method."""
    here: Any = file  # descriptors of all kinds
    names = [file.package] if file.package else []
    if not path or len(path) % 2:
        return None
    for number, index in zip(path[::2], path[1::2], strict=True):
        children = _CHILDREN.get(type(here).__name__, {}).get(number)
        if children is None:
            return None
        here = getattr(here, children)[index]
        names.append(here.name)
    return ".".join(names)


def _clean(comment: str) -> str:
    """Without what AIP-192 calls internal, and without the space after the comment sign."""
    lines = _INTERNAL.sub("", comment).splitlines()
    return "\n".join(line.removeprefix(" ").rstrip() for line in lines).strip()
