"""What 4 MiB of JSON in one message cost to decode: processor time, and how far the process grows.

``python -m tests.bench.crowds`` prints a table, each shape in a process of its own: of the type of 22 fields that the
hostile tests use, and, for what that lacks, of the codec's own test types. ``--unlimited`` does it without
``Limits.max_message_objects``, ``--bad`` with a last value that is refused: the complete path reads that once more.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from asgi_grpc import Limits
from asgi_grpc.codec import Codec, CodecOptions
from asgi_grpc.errors import DecodeError
from tests.codec import schemas
from tests.hostile.service import Everything
from tests.processes import ROOT

_BYTES = Limits().max_message_bytes
_MOST = Limits().max_message_objects - 3  # the root, the list, and one to be safe
_VALUES = 4 * Limits().max_message_objects
_ENTRIES = 2 * Limits().max_message_objects
_RECORD = '{"text":"abcdefghijklmnopq","number":12345,"flag":true}'
_WARM_UP = {
    "hostile.Everything": '{"children":[{"child":{}}],"struct":{},"labels":{},"value":[]}',
    "kinds.Lists": '{"masks":[],"durations":[],"times":[],"int64Values":[],"int32s":[],"blobs":[]}',
}


def _elements(field: str, value: str, most: int = _BYTES, *, bad: str = "{}") -> tuple[str, str, str]:
    """The beginning of a list, as many elements as fit, and an element that does not."""
    count = min(most, (_BYTES - len(field) - 8 - len(bad)) // (len(value) + 1))
    return f'{{"{field}":[', ",".join([value] * count), f",{bad}]}}"


def _members(field: str, value: str, most: int = _BYTES, *, bad: str = "{}") -> tuple[str, str, str]:
    """The same of an object, with the shortest keys."""
    found, left = [], _BYTES - len(field) - 12 - len(bad)
    for number in range(most):
        found.append(f'"{number:x}":{value}')
        left -= len(found[-1]) + 1
        if left < 0:
            found.pop()
            break
    return f'{{"{field}":{{', ",".join(found), f',"~":{bad}}}}}'


EVERYTHING: dict[str, Callable[[], tuple[str, str, str]]] = {
    "records of 55 bytes": lambda: _elements("children", _RECORD, bad="1"),
    "records of 30 bytes": lambda: _elements("children", '{"text":"abcd","number":1234}', bad="1"),
    "empty submessages": lambda: _elements("children", "{}", bad="1"),
    "empty submessages, as many as are taken": lambda: _elements("children", "{}", _MOST, bad="1"),
    "lists in a Value": lambda: _elements("value", "[]", bad="1e999"),
    "lists in a Value, as many as are taken": lambda: _elements("value", "[]", _MOST, bad="1e999"),
    "records of 55 bytes in a Value": lambda: _elements("value", _RECORD, bad="1e999"),
    "records of 30 bytes in a Value": lambda: _elements("value", '{"text":"abcd","number":1234}', bad="1e999"),
    "numbers in a Value": lambda: _elements("value", "1", bad="1e999"),
    "numbers in a Value, as many as are taken": lambda: _elements("value", "1", _VALUES - 2, bad="1e999"),
    "members of a Struct": lambda: _members("struct", "1", bad="1e999"),
    "members of a Struct, as many as are taken": lambda: _members("struct", "1", _ENTRIES - 1, bad="1e999"),
    "objects in a Struct, as many as are taken": lambda: _members("struct", '{"a":1}', _MOST, bad="1e999"),
    "entries of a map": lambda: _members("labels", '""'),
    "entries of a map, as many as are taken": lambda: _members("labels", '""', _ENTRIES - 1),
    "braces in strings": lambda: _elements("tags", '"{"'),
    "strings of 10 bytes": lambda: _elements("tags", '"abcdefghij"'),
}  # fmt: skip
LISTS: dict[str, Callable[[], tuple[str, str, str]]] = {
    "numbers for int32": lambda: _elements("int32s", "1"),
    "numbers in quotes for int32": lambda: _elements("int32s", '"1"'),
    "numbers for float": lambda: _elements("floats", "1"),
    "numbers for double": lambda: _elements("doubles", "1.5"),
    "enum values by number": lambda: _elements("colors", "1"),
    "Int64Value": lambda: _elements("int64Values", "1"),
    "Int64Value, as many as are taken": lambda: _elements("int64Values", "1", _VALUES - 1),
    "bytes": lambda: _elements("blobs", '"aaaa"'),
    "Timestamp": lambda: _elements("times", '"2026-01-31T23:59:59Z"'),
    "Timestamp with an offset": lambda: _elements("times", '"2026-01-31T23:59:59.1+01:00"'),
    "Duration": lambda: _elements("durations", '"1s"'),
    "Duration, as many as are taken": lambda: _elements("durations", '"1s"', _ENTRIES - 1),
    "FieldMask": lambda: _elements("masks", '"a"'),
    "FieldMask, as many as are taken": lambda: _elements("masks", '"a"', _ENTRIES - 1),
    "one FieldMask in capitals": lambda: _elements("masks", '"' + "A" * (_BYTES - 40) + '"'),
}  # fmt: skip
SHAPES = EVERYTHING | LISTS


def _held() -> tuple[float, float]:
    """The peak of resident memory, and what is resident now, in MiB."""
    lines = [line.split() for line in Path("/proc/self/status").read_text().splitlines()]
    sizes = {words[0]: int(words[1]) / 1024 for words in lines if words and words[0] in {"VmHWM:", "VmRSS:"}}
    return sizes["VmHWM:"], sizes["VmRSS:"]


def _measure(shape: str, *, unlimited: bool, bad: bool) -> None:
    """Print the row of one shape."""
    most = None if unlimited else Limits().max_message_objects
    message_class = Everything if shape in EVERYTHING else schemas.message_class("kinds.Lists")
    codec = Codec(message_class, CodecOptions(max_objects=most))
    codec.decode(_WARM_UP[codec.descriptor.full_name])
    before, values, after = SHAPES[shape]()
    text = (before + values + (after if bad else after[-2:])).encode()
    del values
    Path("/proc/self/clear_refs").write_text("5")
    _, idle = _held()
    start = time.process_time()
    try:
        message, end = codec.decode(text), "read"
    except DecodeError as error:
        message, end = None, error.code.name
    took = time.process_time() - start
    grown = _held()[0] - idle
    del message
    size = len(text) / (1 << 20)
    print(f"| {shape} | {size:.1f} MiB | {took:.3f} s | {grown:.0f} MiB | {end} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unlimited", action="store_true")
    parser.add_argument("--bad", action="store_true")
    parser.add_argument("--only", choices=SHAPES)
    given = parser.parse_args()
    if given.only is not None:
        _measure(given.only, unlimited=given.unlimited, bad=given.bad)
        return
    flags = ["--unlimited"] * given.unlimited + ["--bad"] * given.bad
    for shape in SHAPES:
        subprocess.run([sys.executable, "-m", "tests.bench.crowds", "--only", shape, *flags], check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
