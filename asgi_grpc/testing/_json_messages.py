"""Hypothesis strategies: ProtoJSON documents of any message, from its descriptor."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, cast

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

from asgi_grpc.testing._json_leaves import FINITE, TEXTS, WELL_KNOWN, map_keys, scalar_leaf, spell_text

_VALUE, _STRUCT, _LIST = "google.protobuf.Value", "google.protobuf.Struct", "google.protobuf.ListValue"
_ANY = "google.protobuf.Any"
_NULL = "google.protobuf.NullValue"
_WRAPPERS = "google/protobuf/wrappers.proto"
_OFTEN_IN_ANY = ["Duration", "Timestamp", "FieldMask", "StringValue", "Int64Value", "Struct", "Any"]
_NOT_AN_OBJECT = ('"x"', "1", "true", "[1]")
_STYLES = [(",", ":"), (", ", ": "), (" ,\t", " :\r ")]
_MOST = 3  # elements of one list or map
_MOST_FIELDS = 6


def json_messages(
    message: type[Message] | Descriptor,
    *,
    depth: int = 3,
    any_types: Sequence[type[Message] | Descriptor] | None = None,
) -> st.SearchStrategy[bytes]:
    """Draw JSON documents that are valid for a message, in all the ways that ProtoJSON allows to write them.

    Numbers near the edges of their type, bare, quoted, with a fraction or an exponent; both alphabets of base64, padded
    and not; enum values by name, alias and number; fields by their JSON name and their proto name, in any order; null;
    strings raw and escaped; well-known types; one member of a oneof at most; required fields always; extensions.
    A document has no line ends, so documents joined by them are NDJSON. What readers of ProtoJSON treat differently
    (equal keys, a field under both names) is not drawn.

    Args:
        message: a generated class, or the descriptor of a message from any pool.
        depth: levels of messages below the outermost one; required fields may add some.
        any_types: what a ``google.protobuf.Any`` may hold; None: the message itself, and well-known types. All must be
            in the pool of the message.

    Source: the ProtoJSON format.
    """
    return _documents(_descriptor(message), depth, any_types)


def wrong_json_messages(
    message: type[Message] | Descriptor,
    *,
    depth: int = 3,
    any_types: Sequence[type[Message] | Descriptor] | None = None,
) -> st.SearchStrategy[bytes]:
    """Draw near-misses: a valid document with one thing wrong in one place, so that every reader must refuse it.

    Somewhere in it a value has the wrong type, is out of its type's range, or is no base64, enum value, timestamp,
    duration or key of its map; a field is unknown; a oneof has a second member; or the document is cut short, goes on
    after its end, or is not UTF-8.

    Args:
        message: as for ``json_messages``.
        depth: as for ``json_messages``.
        any_types: as for ``json_messages``.
    """
    return _wrong_documents(_descriptor(message), depth, any_types)


def messages(
    message: type[Message] | Descriptor,
    *,
    depth: int = 3,
    any_types: Sequence[type[Message] | Descriptor] | None = None,
) -> st.SearchStrategy[Any]:
    """Draw messages that have a JSON form: what protobuf's ``json_format`` reads from ``json_messages``.

    Args:
        message: as for ``json_messages``.
        depth: as for ``json_messages``.
        any_types: as for ``json_messages``.
    """
    descriptor = _descriptor(message)
    make = GetMessageClass(descriptor)
    return _documents(descriptor, depth, any_types).map(
        lambda document: json_format.Parse(document, make(), descriptor_pool=descriptor.file.pool)
    )


@st.composite
def _documents(
    draw: st.DrawFn, descriptor: Descriptor, depth: int, any_types: Sequence[type[Message] | Descriptor] | None
) -> bytes:
    author = _Author(draw, descriptor, any_types)
    return _render(author.message(descriptor, depth), draw(st.sampled_from(_STYLES))).encode()


@st.composite
def _wrong_documents(
    draw: st.DrawFn, descriptor: Descriptor, depth: int, any_types: Sequence[type[Message] | Descriptor] | None
) -> bytes:
    author = _Author(draw, descriptor, any_types)
    tree = author.message(descriptor, depth)
    places = [node for node in _walk(tree) if node.wrong or node.strays]
    if draw(st.integers(0, 9)) == 0 or not places:
        text = _render(tree, draw(st.sampled_from(_STYLES)))
        return draw(st.sampled_from(_broken_texts(text)))
    node = draw(st.sampled_from(places))
    faults: list[str | tuple[str, _Node]] = [*node.wrong, *node.strays]
    fault = draw(st.sampled_from(faults))
    if isinstance(fault, str):
        node.text, node.items, node.members = fault, None, None
    else:
        assert node.members is not None  # only objects have strays
        node.members.insert(draw(st.integers(0, len(node.members))), fault)
    return _render(tree, draw(st.sampled_from(_STYLES))).encode("utf-8")


def _broken_texts(text: str) -> list[bytes]:
    whole = text.encode()
    broken = [b"", whole + b"}", whole + b" 1", whole + b",", whole + b"\xff"]
    if text[-1] in '"}]':
        broken.append(whole[:-1])
    return broken


@dataclasses.dataclass(eq=False)
class _Node:
    """One value of a document: a leaf, a list or an object.

    Attributes:
        text: of a leaf.
        items: of a list.
        members: of an object, by their key's JSON text.
        wrong: texts that can't stand in its place.
        strays: members that an object can't have besides its own.
    """

    text: str = ""
    items: list[_Node] | None = None
    members: list[tuple[str, _Node]] | None = None
    wrong: tuple[str, ...] = ()
    strays: list[tuple[str, _Node]] = dataclasses.field(default_factory=list)


def _render(node: _Node, style: tuple[str, str]) -> str:
    comma, colon = style
    if node.members is not None:
        return "{" + comma.join([key + colon + _render(value, style) for key, value in node.members]) + "}"
    if node.items is not None:
        return "[" + comma.join([_render(item, style) for item in node.items]) + "]"
    return node.text


def _walk(node: _Node) -> Iterator[_Node]:
    yield node
    for inner in [*(node.items or []), *[value for _, value in node.members or []]]:
        yield from _walk(inner)


class _Author:
    """Draws the tree of one document."""

    def __init__(
        self, draw: st.DrawFn, root: Descriptor, any_types: Sequence[type[Message] | Descriptor] | None
    ) -> None:
        self._draw = draw
        self._any_types = _known(root) if any_types is None else [_descriptor(each) for each in any_types]

    def message(self, descriptor: Descriptor, depth: int) -> _Node:
        """A whole message, well-known or not."""
        name = descriptor.full_name
        if name in WELL_KNOWN:
            leaf = WELL_KNOWN[name]
            return _Node(self._draw(leaf.right), wrong=leaf.wrong)
        if descriptor.file.name == _WRAPPERS:
            return self._scalar(descriptor.fields_by_name["value"])
        if name in (_VALUE, _STRUCT, _LIST):
            return self._structure(name, depth)
        return self._any(depth) if name == _ANY else self._object(descriptor, depth)

    def _object(self, descriptor: Descriptor, depth: int) -> _Node:
        fields = [field for field in descriptor.fields if depth > 0 or _is_flat(field)]
        if descriptor.is_extendable and not descriptor.GetOptions().message_set_wire_format:
            extensions = descriptor.file.pool.FindAllExtensions(descriptor)
            fields += [field for field in extensions if depth > 0 or _is_flat(field)]
        chosen = self._draw(st.lists(st.sampled_from(fields), max_size=_MOST_FIELDS, unique=True)) if fields else []
        chosen += [field for field in descriptor.fields if field.is_required and field not in chosen]
        taken: dict[str, _Node] = {}
        node = _Node(members=[], wrong=_NOT_AN_OBJECT)
        assert node.members is not None  # just made
        for field in chosen:
            oneof = field.containing_oneof
            if oneof is not None and oneof.name in taken:
                if taken[oneof.name].text != "null":
                    node.strays.append((self._name(field), self._field(field, depth, may_be_null=False)))
                continue
            value = self._field(field, depth, may_be_null=not field.is_required)
            if oneof is not None:
                taken[oneof.name] = value
            node.members.append((self._name(field), value))
        unknown = next(name for name in ("nope", "nope_", "nope__") if not _has(descriptor, name))
        node.strays += [(f'"{unknown}"', _Node("1")), ('"[no.such.extension]"', _Node("1"))]
        return node

    def _name(self, field: FieldDescriptor) -> str:
        """A key of the field; the proto name only where it is no other field's JSON name."""
        if field.is_extension:
            return f'"[{field.full_name}]"'
        owner: Descriptor | None = field.containing_type
        assert owner is not None  # every field has one
        clash = any(other.json_name == field.name for other in owner.fields if other is not field)
        names = [field.json_name] if clash else [field.json_name, field.name]
        return self._draw(st.sampled_from(names).flatmap(spell_text))

    def _field(self, field: FieldDescriptor, depth: int, *, may_be_null: bool) -> _Node:
        readers_agree = not (field.is_repeated and _takes_null(field))  # json_format trips over null for such a list
        if may_be_null and readers_agree and self._draw(st.integers(0, 9)) == 0:
            return _Node("null")
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return self._map(field, depth)
        if field.is_repeated:
            count = self._draw(st.integers(0, _MOST))
            items = [self._element(field, depth) for _ in range(count)]
            return _Node(items=items, wrong=("1", '"x"', "{}", "true", *(() if _takes_null(field) else ("[null]",))))
        return self._element(field, depth)

    def _element(self, field: FieldDescriptor, depth: int) -> _Node:
        return self._scalar(field) if field.message_type is None else self.message(field.message_type, depth - 1)

    def _scalar(self, field: FieldDescriptor) -> _Node:
        leaf = scalar_leaf(field)
        return _Node(self._draw(leaf.right), wrong=leaf.wrong)

    def _map(self, field: FieldDescriptor, depth: int) -> _Node:
        entry: Descriptor | None = field.message_type
        assert entry is not None  # a map's field is of its entries' type
        keys, wrong_keys = map_keys(entry.fields_by_name["key"])
        value = entry.fields_by_name["value"]
        members = [(key, self._element(value, depth)) for key in self._draw(keys)]
        strays = [(key, members[0][1]) for key in wrong_keys] if members else []
        return _Node(members=members, wrong=("1", '"x"', "[]", "true"), strays=strays)

    def _any(self, depth: int) -> _Node:
        node = _Node(members=[], wrong=(*_NOT_AN_OBJECT, '{"@type":""}', '{"@type":"x.y/no.such.Type"}', '{"@type":1}'))
        if depth < 0 or not self._any_types or self._draw(st.integers(0, 4)) == 0:
            return node
        descriptor = self._draw(st.sampled_from(self._any_types))
        inner = self.message(descriptor, depth - 1)
        if _is_special(descriptor):
            inner = _Node(members=[('"value"', inner)])
        assert inner.members is not None  # all others are objects
        url = _Node(f'"type.googleapis.com/{descriptor.full_name}"', wrong=('"type.googleapis.com/no.such.Type"', "{}"))
        at = self._draw(st.integers(0, len(inner.members)))
        node.members = [*inner.members[:at], ('"@type"', url), *inner.members[at:]]
        node.strays = inner.strays
        return node

    def _structure(self, name: str, depth: int) -> _Node:
        """JSON of any shape."""
        kind = name
        if name == _VALUE:
            kind = self._draw(
                st.sampled_from(["null", "bool", "number", "text", _STRUCT, _LIST][: 6 if depth > 0 else 4])
            )
        if kind == _STRUCT:
            keys = self._draw(st.lists(TEXTS, max_size=_MOST, unique=True)) if depth >= 0 else []
            members = [(self._draw(spell_text(key)), self._structure(_VALUE, depth - 1)) for key in keys]
            return _Node(members=members, wrong=() if name == _VALUE else ("[]", '"x"', "1"))
        if kind == _LIST:
            count = self._draw(st.integers(0, _MOST)) if depth >= 0 else 0
            items = [self._structure(_VALUE, depth - 1) for _ in range(count)]
            return _Node(items=items, wrong=() if name == _VALUE else ("{}", '"x"', "1"))
        texts = {
            "null": st.just("null"),
            "bool": st.sampled_from(["true", "false"]),
            "number": FINITE,
            "text": TEXTS.flatmap(spell_text),
        }
        return _Node(self._draw(texts[kind]))


def _descriptor(message: type[Message] | Descriptor) -> Descriptor:
    return cast(Descriptor, getattr(message, "DESCRIPTOR", message))  # two classes of descriptors have no common base


def _known(root: Descriptor) -> list[Descriptor]:
    """The message, and the well-known types that its pool has."""
    found = [] if _is_special(root) else [root]
    for name in _OFTEN_IN_ANY:
        try:
            found.append(root.file.pool.FindMessageTypeByName(f"google.protobuf.{name}"))
        except KeyError:  # nobody has imported its file
            continue
    return found


def _is_special(descriptor: Descriptor) -> bool:
    """Whether the JSON of a message is not that of its fields."""
    name = descriptor.full_name
    return name in WELL_KNOWN or name in (_VALUE, _STRUCT, _LIST, _ANY) or descriptor.file.name == _WRAPPERS


def _is_flat(field: FieldDescriptor) -> bool:
    """Whether a field can be written without a message below."""
    return field.message_type is None or _is_special(field.message_type)


def _takes_null(field: FieldDescriptor) -> bool:
    kind = field.message_type or field.enum_type
    return kind is not None and kind.full_name in (_VALUE, _NULL)


def _has(descriptor: Descriptor, name: str) -> bool:
    return any(name in (field.name, field.json_name) for field in descriptor.fields)
