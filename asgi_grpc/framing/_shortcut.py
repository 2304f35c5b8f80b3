"""The short way for what streams are mostly made of: whole JSON objects, one a line, or the elements of an array.

A chunk comes in; out come the frames of its whole values, if it can be proved cheaply that the scanner would cut them
so, or ``None``, and then the scanner does the work. The proofs, each some passes in C over all values together:

- Flat: every line begins with ``{`` and ends with ``}``, there is no other brace, and no bracket at all. Whatever the
  strings hold, the scanner closes such an object at its last byte, or at the line feed behind it. Between the two must
  be nothing, hence this is no proof for lines that end with CR LF: a string that lacks its last quote takes the CR in.
- Nested: msgspec reads all lines as valid JSON and finds as many values as there are lines, and every line begins with
  ``{`` and ends with ``}``. In valid JSON a ``}`` and a ``{`` with only a line feed between them are never inside one
  value, so every line holds at least one, hence exactly one.
- Valid: msgspec reads a piece as valid JSON values, or as the elements of an array, and says where each of them is.

Measured for lines of 60 bytes on one small machine, CPython 3.11, against ``bytes.split`` of the whole body: proof and
cut take 1.0 times its time for flat lines, 2.3 for nested ones; with their frames 2.2 and 3.5; values that are found by
msgspec 5 to 8. Repeat it with ``tests/bench/framing.py``.
"""

from __future__ import annotations

import re

import msgspec

from asgi_grpc.framing._events import Frame

_RAW = msgspec.json.Decoder(msgspec.Raw)
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_NOT_VALID = (msgspec.DecodeError, RecursionError)

_PLAIN = re.compile(rb"[^{}\[\]\n]*+")
_BETWEEN = re.compile(rb"[ \t\r\n,]*+")
_BETWEEN_BYTES = b" \t\r\n,"
_ENDS = (b"\n", b"\n}\n", b"}\n", b" ")  # where the last whole value of a chunk may end, the likely first
_ENDS_ITSELF = b'}]"'
_CR = 0x0D

Cut = tuple[list[Frame], int]
"""Frames, and the position behind the last of them."""


def cut_values(chunk: bytes, pos: int, offset: int, *, max_frame_bytes: int, max_depth: int) -> Cut | None:
    """Cut the whole lines of a chunk, or at least its whole values.

    Args:
        chunk: what the network gave.
        pos: of a value's first byte.
        offset: of ``chunk[pos]`` from the stream's start.
        max_frame_bytes: longest value accepted.
        max_depth: most brackets open at once.
    """
    end = chunk.rfind(b"\n", pos) + 1
    if end:
        separator = b"\r\n" if chunk[end - 2] == _CR else b"\n"
        lines = prove_lines(chunk[pos : end - len(separator)], separator, max_frame_bytes, max_depth)
        if lines is not None:
            return frame_lines(lines, offset, len(separator)), end
    return cut_valid_values(chunk, pos, offset, max_frame_bytes=max_frame_bytes, max_depth=max_depth)


def cut_valid_values(chunk: bytes, pos: int, offset: int, *, max_frame_bytes: int, max_depth: int) -> Cut | None:
    """Like ``cut_values``, where the last line feed is not the peer's: a broken line may not end there."""
    for mark in _ENDS:
        stop = chunk.rfind(mark, pos)
        if stop >= 0:
            try:
                values = _RAW.decode_lines(chunk[pos : stop + len(mark)])
            except _NOT_VALID:
                continue
            return _find(values, chunk, pos, offset, max_frame_bytes, max_depth)
    return None


def cut_elements(chunk: bytes, pos: int, offset: int, *, max_frame_bytes: int, max_depth: int) -> Cut | None:
    """Cut the elements of an array, up to the last one that has a comma behind it.

    Args:
        chunk: what the network gave.
        pos: of an element's first byte.
        offset: of ``chunk[pos]`` from the stream's start.
        max_frame_bytes: longest element accepted.
        max_depth: most brackets open at once in one element.
    """
    for stop in (chunk.rfind(b"},{", pos) + 1, chunk.rfind(b"},", pos) + 1, chunk.rfind(b",", pos)):
        if stop > pos:
            try:
                values = _ARRAY.decode(b"[%b]" % chunk[pos:stop])
            except _NOT_VALID:
                continue
            return _find(values, chunk, pos, offset, max_frame_bytes, max_depth)
    return None


def prove_lines(block: bytes, separator: bytes, max_frame_bytes: int, max_depth: int) -> list[bytes] | None:
    """Split a block into lines, if every line is exactly one object within the limits.

    Args:
        block: the last separator is cut off.
        separator: LF, CR LF, or LF RS.
        max_frame_bytes: longest line accepted.
        max_depth: most brackets open at once in one line.
    """
    lines = block.split(separator)
    if len(lines) == 1:
        return lines if len(block) <= max_frame_bytes and is_one_value(block, max_depth=max_depth) else None
    joint = b"}" + separator + b"{"
    # One pass takes the lines' inner ends out; what must not be in the rest is then looked for at memory's speed.
    unjoined = block.replace(joint, b" " * len(joint))
    if not _begin_and_end_with_braces(unjoined, separator):
        return None
    if len(block) > max_frame_bytes and max(map(len, lines)) > max_frame_bytes:
        return None
    if separator != b"\r\n" and _are_flat(unjoined):
        return lines
    if separator == b"\n\x1e":
        block = block.replace(b"\x1e", b" ")  # to msgspec it is no white space
    return lines if _are_valid(block, lines, max_depth) else None


def frame_lines(lines: list[bytes], offset: int, step: int) -> list[Frame]:
    """A frame for each line; ``step`` bytes stand between two of them."""
    frames: list[Frame] = []
    for line in lines:  # half of the framer's time; an iterator in C for the offsets is slower
        frames.append(Frame(line, offset))
        offset += len(line) + step
    return frames


def is_one_value(text: bytes, *, max_depth: int) -> bool:
    """Prove that a text is exactly one JSON object or array, with no white space around it, and not too deep."""
    if text[:1] not in (b"{", b"[") or text[-1:] not in (b"}", b"]"):
        return False
    try:
        _RAW.decode(text)
    except _NOT_VALID:
        return False
    return _is_shallow(text, max_depth)


def has_no_end(text: bytes, pos: int) -> bool:
    """Prove that no value ends in ``text[pos:]``, no bracket opens and no line ends, if it begins inside an object."""
    return _PLAIN.fullmatch(text, pos) is not None


def _begin_and_end_with_braces(unjoined: bytes, separator: bytes) -> bool:
    """Every line begins with ``{`` and ends with ``}``, and no separator's byte hides in one."""
    begins_and_ends = unjoined[:1] == b"{" and unjoined[-1:] == b"}"
    return begins_and_ends and b"\n" not in unjoined and separator[-1:] not in unjoined


def _are_flat(unjoined: bytes) -> bool:
    """No brace but those at the lines' ends, no bracket."""
    no_brace = unjoined.find(b"{", 1) < 0 and unjoined.find(b"}", 0, -1) < 0
    return no_brace and b"[" not in unjoined and b"]" not in unjoined


def _are_valid(block: bytes, lines: list[bytes], max_depth: int) -> bool:
    try:
        values = _RAW.decode_lines(block)
    except _NOT_VALID:
        return False
    if len(values) != len(lines):
        return False
    return max(map(len, lines)) <= 2 * max_depth or all(_is_shallow(line, max_depth) for line in lines)


def _is_shallow(text: bytes, max_depth: int) -> bool:
    """A valid text can't be deeper than half its length, nor than its brackets, those in strings counted too."""
    return len(text) <= 2 * max_depth or text.count(b"{") + text.count(b"[") <= max_depth


def _find(  # noqa: PLR0917 - what its two callers have
    values: list[msgspec.Raw], chunk: bytes, pos: int, offset: int, max_frame_bytes: int, max_depth: int
) -> Cut | None:
    """Frames for values that follow each other from ``chunk[pos]`` on, with nothing but separators between them.

    None if one is over a limit, or if a number or a literal stands right in front of another value: of these two the
    scanner makes one frame.
    """
    base = offset - pos
    frames = []
    for value in values:
        if chunk[pos] in _BETWEEN_BYTES:
            pos += 1
            if chunk[pos] in _BETWEEN_BYTES:
                found = _BETWEEN.match(chunk, pos)
                assert found is not None  # it matches the empty string
                pos = found.end()
        data = bytes(value)
        frames.append(Frame(data, base + pos))
        pos += len(data)
        if len(data) > max_frame_bytes or not _is_shallow(data, max_depth):
            return None
        if data[-1] not in _ENDS_ITSELF and chunk[pos] not in _BETWEEN_BYTES:
            return None
    return frames, pos
