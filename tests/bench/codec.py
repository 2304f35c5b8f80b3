"""How fast the codec is, as ratios measured in one run: ``python tests/bench/codec.py [--quick]``.

Candidates run interleaved; of each the best of several rounds is taken, in processor time, so that a busy machine
hurts all alike. Read the ratios, not the microseconds. The floor of reading is what nobody who parses JSON and makes a
message can beat by much: msgspec into plain objects, and protobuf from the binary form.
"""

from __future__ import annotations

import argparse
import gc
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from google.api import service_pb2
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor

sys.path.insert(0, str(Path(__file__).parents[2]))

from asgi_grpc.codec import Codec, CodecOptions
from asgi_grpc.codec._machinery import Machinery
from tests.codec import samples, schemas

Run = Callable[[], object]
ALL = list(samples.MAKERS)
REPEATED = 100_000  # bytes of one text in a row: so that the loop around it does not count
VARIED = [name for name in ALL if name not in ("file", "series")]  # two whose size is their point


class Effort(NamedTuple):
    """How long to measure: so many rounds, and about so many seconds for each candidate in each."""

    rounds: int
    budget_s: float


def best(runs: Mapping[str, Run], effort: Effort) -> dict[str, float]:
    """Seconds of one call of each, the best of all rounds, interleaved."""
    loops = {}
    for name, run in runs.items():
        run()
        start = time.process_time()
        run()
        loops[name] = max(1, int(effort.budget_s / (time.process_time() - start + 1e-6)))
    found = dict.fromkeys(runs, math.inf)
    gc.collect()
    gc.disable()
    for _ in range(effort.rounds):
        for name, run in runs.items():
            repeat = range(loops[name])
            start = time.process_time()
            for _ in repeat:
                run()
            found[name] = min(found[name], (time.process_time() - start) / len(repeat))
    gc.enable()
    return found


def each(do: Callable[[Any], object], inputs: Sequence[Any]) -> Run:
    """One call that does something to every input."""

    def run() -> None:
        for one in inputs:
            do(one)

    return run


class Traffic:
    """One kind of traffic: its texts, its messages, and everything that can be done with them."""

    def __init__(self, name: str, count: int) -> None:
        self.texts = samples.texts(name, count) * max(1, REPEATED // count // len(samples.texts(name, 1)[0]))
        self.codec = Codec(schemas.message_class(samples.MAKERS[name][0]))
        self.messages = [self.codec.decode(text) for text in self.texts]
        self.wires = [message.SerializeToString() for message in self.messages]
        self.count = len(self.texts)

    def readers(self) -> dict[str, Run]:
        """The ways in."""
        message_class, pool = self.codec.message_class, schemas.pool()
        plain = msgspec.json.Decoder().decode

        def floor() -> None:
            for text, wire in zip(self.texts, self.wires, strict=True):
                plain(text)
                message_class.FromString(wire)

        return {
            "json_format": each(
                lambda text: json_format.Parse(text, message_class(), descriptor_pool=pool), self.texts
            ),
            "decode": each(self.codec.decode, self.texts),
            "decode_batch": lambda: self.codec.decode_batch(self.texts),
            "complete": each(lambda text: self.codec._machinery.walk(message_class, text), self.texts),
            "floor": floor,
        }

    def writers(self) -> dict[str, Run]:
        """The ways out."""
        pool = schemas.pool()
        return {
            "json_format": each(
                lambda message: json_format.MessageToJson(message, descriptor_pool=pool), self.messages
            ),
            "encode": each(self.codec.encode, self.messages),
            "encode_batch": lambda: self.codec.encode_batch(self.messages),
            "complete": each(self.codec._machinery.print, self.messages),
        }


def mean(values: Sequence[float]) -> float:
    """The geometric one."""
    return math.exp(sum(map(math.log, values)) / len(values))


def table(title: str, traffics: Mapping[str, Traffic], ways: str, effort: Effort) -> dict[str, dict[str, float]]:
    """Measure one way for some kinds of traffic, print a row for each."""
    print(f"\n{title} (us a message; then: times as fast as json_format)\n")
    found = {}
    for name, traffic in traffics.items():
        measured = best(getattr(traffic, ways)(), effort)
        found[name] = measured
        ours = measured["decode" if ways == "readers" else "encode"]
        cells = "  ".join(f"{way} {seconds / traffic.count * 1e6:.2f}" for way, seconds in measured.items())
        print(f"  {name:9} {measured['json_format'] / ours:5.1f}   {cells}", flush=True)
    return found


def speedups(found: dict[str, dict[str, float]], way: str) -> list[float]:
    """How many times as fast as ``json_format``."""
    return [measured["json_format"] / measured[way] for measured in found.values()]


def snake_against_camel(effort: Effort) -> float:
    """The slowest of three messages in snake_case against the same in camelCase."""
    worst = 0.0
    for name in ("chat", "metric", "order"):
        message_class = schemas.message_class(samples.MAKERS[name][0])
        camel, snake = Codec(message_class), Codec(message_class)
        text = samples.texts(name, 1)[0]
        renamed = Codec(message_class, CodecOptions(proto_names=True)).encode(camel.decode(text))
        text = Codec(message_class).encode(camel.decode(text))
        runs = {"camel": partial(camel.decode, text), "snake": partial(snake.decode, renamed)}
        measured = best(runs, effort)
        worst = max(worst, measured["snake"] / measured["camel"])
    return worst


def compile_ms(descriptor: Descriptor, message: Any) -> float:
    """Milliseconds to compile both directions of a type for a pool that knows nothing yet."""

    def run() -> None:
        tools = Machinery(descriptor.file.pool, CodecOptions())
        tools.fast_in.reader(descriptor)
        tools.fast_out.reader(descriptor)(message)

    return best({"compile": run}, Effort(5, 0.02))["compile"] * 1e3


def main() -> None:
    """Measure everything; print what was reached beside what was aimed at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer texts and rounds: a smoke test, not a measurement")
    arguments = parser.parse_args()
    count = 20 if arguments.quick else 1000
    effort = Effort(2, 0.002) if arguments.quick else Effort(9, 0.03)
    one = {name: Traffic(name, 1) for name in ALL}
    many = {name: Traffic(name, count) for name in VARIED}

    fixed = table("Reading one text again and again", one, "readers", effort)
    varied = table(f"Reading {count} different texts", many, "readers", effort)
    out = table("Writing", one, "writers", effort)
    two_fields, batch = fixed["hello"], varied["hello"]
    complete = min(speedups(fixed, "complete"))
    hello = schemas.message_class("samples.Hello")
    order = schemas.message_class("samples.Order")
    service = service_pb2.Service
    costs = [compile_ms(kind.DESCRIPTOR, kind()) for kind in (hello, order, service)]
    rows = [
        ("decode, geometric mean of nine / lowest", "12 / 5", pair(speedups(fixed, "decode"))),
        ("decode of varied texts, mean of seven / lowest", "11 / 5", pair(speedups(varied, "decode"))),
        ("encode, geometric mean of nine / lowest", "8 / 2.5", pair(speedups(out, "encode"))),
        (
            "two fields over the floor, one by one / in batches",
            "1.5 / 1.3",
            f"{two_fields['decode'] / two_fields['floor']:.2f} / {batch['decode_batch'] / batch['floor']:.2f}",
        ),
        ("snake_case against camelCase", "1.1 at most", f"{snake_against_camel(effort):.2f}"),
        ("the complete path, lowest", "1.5", f"{complete:.1f}"),
        ("compile 2 fields / 9 types / 78 types, ms", "0.11 / 1.2 / 16.5", " / ".join(f"{cost:.2f}" for cost in costs)),
    ]
    print(
        "\n| figure (times as fast as json_format, unless it says otherwise) | target | reached |\n| --- | --: | --: |"
    )
    for figure, target, reached in rows:
        print(f"| {figure} | {target} | {reached} |")


def pair(values: Sequence[float]) -> str:
    """The mean and the lowest."""
    return f"{mean(values):.1f} / {min(values):.1f}"


if __name__ == "__main__":
    main()
