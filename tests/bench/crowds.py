"""What 4 MiB of JSON in one message cost to decode: processor time, and how far the process grows.

``python -m tests.bench.crowds`` prints a table for a type of 22 fields, each shape in a process of its own;
``--unlimited`` does it without ``Limits.max_message_objects``.
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
from tests.hostile.service import Everything
from tests.processes import ROOT

_BYTES = Limits().max_message_bytes
_MOST = Limits().max_message_objects - 3  # the root, the list, and one to be safe
_VALUES = 5 * Limits().max_message_objects
_WARM_UP = b'{"children":[{"child":{}}],"struct":{},"labels":{},"value":[]}'


def _elements(field: str, value: str, most: int = _BYTES) -> str:
    """A list of as many elements as fit."""
    count = min(most, (_BYTES - len(field) - 8) // (len(value) + 1))
    return f'{{"{field}":[{",".join([value] * count)}]}}'


def _members(field: str, value: str) -> str:
    """An object of as many members as fit, with the shortest keys."""
    found, left, number = [], _BYTES - len(field) - 8, 0
    while left > 0:
        found.append(f'"{number:x}":{value}')
        left -= len(found[-1]) + 1
        number += 1
    return f'{{"{field}":{{{",".join(found[:-1])}}}}}'


SHAPES: dict[str, Callable[[], str]] = {
    "records of 55 bytes": lambda: _elements("children", '{"text":"abcdefghijklmnopq","number":12345,"flag":true}'),
    "records of 30 bytes": lambda: _elements("children", '{"text":"abcd","number":1234}'),
    "strings of 10 bytes": lambda: _elements("tags", '"abcdefghij"'),
    "empty submessages": lambda: _elements("children", "{}"),
    "empty submessages, as many as are taken": lambda: _elements("children", "{}", _MOST),
    "lists in a Value": lambda: _elements("value", "[]"),
    "lists in a Value, as many as are taken": lambda: _elements("value", "[]", _MOST),
    "numbers in a Value": lambda: _elements("value", "1"),
    "numbers in a Value, as many as are taken": lambda: _elements("value", "1", _VALUES),
    "members of a Struct": lambda: _members("struct", "1"),
    "entries of a map": lambda: _members("labels", '""'),
    "braces in strings": lambda: _elements("tags", '"{"', _VALUES),
}  # fmt: skip


def _held() -> tuple[float, float]:
    """The peak of resident memory, and what is resident now, in MiB."""
    lines = [line.split() for line in Path("/proc/self/status").read_text().splitlines()]
    sizes = {words[0]: int(words[1]) / 1024 for words in lines if words and words[0] in {"VmHWM:", "VmRSS:"}}
    return sizes["VmHWM:"], sizes["VmRSS:"]


def _measure(shape: str, *, unlimited: bool) -> None:
    """Print the row of one shape."""
    most = None if unlimited else Limits().max_message_objects
    codec = Codec(Everything, CodecOptions(max_objects=most))
    codec.decode(_WARM_UP)
    text = SHAPES[shape]().encode()
    Path("/proc/self/clear_refs").write_text("5")
    _, before = _held()
    start = time.process_time()
    try:
        message, end = codec.decode(text), "read"
    except DecodeError as error:
        message, end = None, error.code.name
    took = time.process_time() - start
    grown = _held()[0] - before
    del message
    print(f"| {shape} | {len(text) / (1 << 20):.1f} MiB | {took * 1000:.0f} ms | {grown:.0f} MiB | {end} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unlimited", action="store_true")
    parser.add_argument("--only", choices=SHAPES)
    given = parser.parse_args()
    if given.only is not None:
        _measure(given.only, unlimited=given.unlimited)
        return
    for shape in SHAPES:
        flags = ["--unlimited"] * given.unlimited
        command = [sys.executable, "-m", "tests.bench.crowds", "--only", shape, *flags]
        subprocess.run(command, check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
