"""``CodecOptions``: how JSON is read and written."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.descriptor_pool import DescriptorPool


@dataclass(frozen=True, kw_only=True, slots=True)
class CodecOptions:
    """How JSON is read and written. Hashable: machinery is compiled once for each set of options.

    Attributes:
        proto_names: write fields under the names of the .proto file; default: lowerCamelCase, or their ``json_name``.
            Both are always read.
        enums_as_numbers: write enum values as numbers; default: by name. Both are always read.
        print_defaults: write fields without presence also when they hold their default.
        ignore_unknown: skip unknown fields, and unknown names of enum values; default: refuse them.
        int64_as_numbers: write 64-bit integers as JSON numbers; default: as strings, which JavaScript can read exactly.
        max_depth: levels of ``{`` and ``[`` that are read, the outermost included.
        max_objects: objects and arrays in one document. Of single values that become messages (in a ``Value``, or
            wrappers; also ``bytes``) four times as many, of members of a ``Struct``, entries of maps, ``Timestamp``,
            ``Duration`` and ``FieldMask`` twice as many; where commas are no more than that, nobody looks so closely.
            Default: no bound.
        registry: where the types inside ``google.protobuf.Any`` are found; default: the pool of the message itself.
        allow_partial: read messages that lack required fields, because somebody completes them later; default: refuse.
            (proto2 and editions; proto3 has no required fields.)
    """

    proto_names: bool = False
    enums_as_numbers: bool = False
    print_defaults: bool = False
    ignore_unknown: bool = False
    int64_as_numbers: bool = False
    max_depth: int = 100
    max_objects: int | None = None
    registry: DescriptorPool | None = None
    allow_partial: bool = False
