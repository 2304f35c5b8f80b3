"""``Struct``, ``Value`` and ``ListValue`` on the fast path: trees of JSON values set as attributes.

Measured: half the time of building the binary form in Python and letting protobuf parse it.

``room`` is how many more levels of messages the binary form may have; each object takes three (Struct, entry, Value),
each array two (ListValue, Value).
"""

from __future__ import annotations

from typing import Any

from asgi_grpc.codec._quick import Miss


def quick_struct(message: Any, tree: Any, room: int) -> None:
    """Fill a Struct from an object; an empty one stays absent."""
    if room < 0:
        raise Miss
    fields = message.fields
    for key, value in tree.items():
        kind = value.__class__
        if kind is str:
            fields[key].string_value = value
        elif kind is float or kind is int:
            fields[key].number_value = value
        elif kind is bool:
            fields[key].bool_value = value
        elif not value:
            quick_value(fields[key], value, room - 3)
        elif kind is dict:
            quick_struct(fields[key].struct_value, value, room - 3)
        else:
            quick_list(fields[key].list_value, value, room - 3)


def quick_list(message: Any, tree: Any, room: int) -> None:
    """Fill a ListValue from an array; an empty one stays absent."""
    if room < 0 or tree.__class__ is not list:
        raise Miss
    add = message.values.add
    for value in tree:
        kind = value.__class__
        if kind is str:
            add().string_value = value
        elif kind is float or kind is int:
            add().number_value = value
        elif kind is bool:
            add().bool_value = value
        elif not value:
            quick_value(add(), value, room - 2)
        elif kind is dict:
            quick_struct(add().struct_value, value, room - 2)
        else:
            quick_list(add().list_value, value, room - 2)


def quick_value(message: Any, tree: Any, room: int) -> None:
    """Fill a Value from anything."""
    kind = tree.__class__
    if kind is str:
        message.string_value = tree
    elif kind is float or kind is int:
        message.number_value = tree
    elif kind is bool:
        message.bool_value = tree
    elif tree is None:
        message.null_value = 0
    elif kind is dict:
        message.struct_value.SetInParent()
        quick_struct(message.struct_value, tree, room)
    else:
        message.list_value.SetInParent()
        quick_list(message.list_value, tree, room)
