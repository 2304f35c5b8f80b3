"""The mask of a ``PATCH``: which fields a client named, read from the keys of its JSON body.

Protobuf can't tell ``{"title": ""}`` from ``{}``, a service that updates a resource must. Source: AIP-134 asks for a
FieldMask; that a gateway may fill it in from the body is the convention of JSON gateways.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from asgi_grpc.routing._fields import by_either_name

_MASK = "google.protobuf.FieldMask"
_FREE = ("google.protobuf.Struct", "google.protobuf.Value")
_read_tree = msgspec.json.Decoder().decode


class MaskFiller:
    """Fills the one FieldMask of a request from bodies, unless the client gave one.

    Repeated fields and maps end a path, and so do empty objects; a Struct is followed by its keys.

    Args:
        field: the mask's name in the request.
        resource: the type of the body.
    """

    def __init__(self, field: str, resource: Descriptor) -> None:
        self._field = field
        self._resource = resource

    def fill(self, message: Message, frame: bytes) -> None:
        """Fill the mask of a request; ``frame`` is its body, already found to be JSON of its type."""
        mask: Any = getattr(message, self._field)
        if mask.paths:
            return
        if paths := sorted(set(_paths(_read_tree(frame), self._resource, ""))):
            mask.paths.extend(paths)  # which also makes the mask present


def mask_filler(message: Descriptor, body: FieldDescriptor) -> MaskFiller | None:
    """Make a filler for requests of which one message is the body, and one field a FieldMask; None for others."""
    masks = [f for f in message.fields if f.message_type is not None and f.message_type.full_name == _MASK]
    resource = body.message_type
    if len(masks) != 1 or masks[0].is_repeated or resource is None or body.is_repeated:
        return None
    return None if resource.full_name.startswith("google.protobuf.") else MaskFiller(masks[0].name, resource)


def _paths(tree: Mapping[str, Any], message: Descriptor | None, before: str) -> Iterator[str]:
    """The paths of an object's keys; of a Struct's without a message type."""
    for key, value in tree.items():
        inner: Descriptor | None = None
        name = key
        ends = not isinstance(value, dict) or not value
        if message is not None:
            field = by_either_name(message, key)
            if field is None:
                continue  # the codec has let it pass: unknown names are ignored, and extensions have no paths
            name = field.name
            inner = field.message_type
            ends = ends or field.is_repeated or inner is None or inner.full_name == "google.protobuf.Any"
            if inner is not None and inner.full_name in _FREE:
                inner = None
        if ends:
            yield before + name
        else:
            yield from _paths(value, inner, f"{before}{name}.")
