"""Google's own annotated services against the router: ``python tests/mapping/googleapis.py [FOLDER]``.

Fetches the npm package ``google-proto-files`` into a temporary folder (nothing of it is kept), or takes the folder of
an unpacked one; compiles every file that has an HTTP rule, and gives each API (one protobuf package) a router of its
own. Then every binding is reached by a path made from its own template, or is refused, or is told to be out of reach.

The exit status is 1 where too few bindings or APIs were seen, where a refusal is of an unknown kind, or where a path
does not reach its binding.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

from grpc_tools import protoc

from asgi_grpc import ConfigurationError, RequestError, Schema
from asgi_grpc.routing import Route, Router
from asgi_grpc.schema import Binding, Method

PACKAGE = "google-proto-files"
LEAST_BINDINGS, LEAST_APIS = 2_000, 20
RULE = b"(google.api.http)"

# What http.proto itself forbids, by the words of our refusals. Anything else that is refused is our fault.
RIGHT_REFUSALS = {
    "expected each path once": "two methods of one API have the same binding",
    "only literals after '**'": "http.proto: ** is the last part of a path, but for the verb",
    "is repeated": "http.proto: a path variable is not repeated",
    "that one text can hold": "http.proto: a path variable is no message",
    "it has no": "http.proto: the rule names a field of the message",
}

_VARIABLE = re.compile(r"\{([^}=]+)(?:=([^}]*))?\}")


@dataclass
class Tally:
    """What was seen.

    Attributes:
        apis: packages that have at least one binding.
        reached: bindings whose own path led to them.
        shadowed: bindings that another one takes every path from, as the router itself says.
        refused: rules, by the reason.
        faults: sentences about what is wrong with us.
    """

    apis: set[str] = field(default_factory=set)
    reached: int = 0
    shadowed: list[str] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def bindings(self) -> int:
        """All of them."""
        return self.reached + len(self.shadowed) + sum(map(len, self.refused.values()))


def fetch(folder: Path) -> Path:
    """Fetch and unpack the package."""
    subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / "package"


def compile_all(root: Path, out: Path) -> Schema:
    """Compile every file with an HTTP rule in it."""
    files = sorted(str(file.relative_to(root)) for file in root.rglob("*.proto") if RULE in file.read_bytes())
    include = Path(protoc.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{root}", f"-I{include}", "--include_imports", f"--descriptor_set_out={out}"]
    if protoc.main([*arguments, *files]) != 0:
        raise SystemExit("protoc failed")
    print(f"{len(files)} annotated files compiled")
    return Schema.from_descriptor_set(out)


def annotated(schema: Schema) -> dict[str, list[Method]]:
    """The methods that have rules, by API; without the default bindings, which are ours and not Google's."""
    apis: dict[str, list[Method]] = defaultdict(list)
    for method in schema.methods:
        bindings = tuple(binding for binding in method.bindings if binding.source != "default")
        if bindings:
            package = method.full_name.rpartition(".")[0].rpartition(".")[0]
            apis[package].append(replace(method, bindings=bindings))
    return apis


def acceptable(methods: list[Method], tally: Tally) -> Iterator[Method]:
    """The methods with those bindings that a router takes; where a table is refused, each is tried alone."""
    taken: set[tuple[str, str]] = set()
    for method in methods:
        good: list[Binding] = []
        for binding in method.bindings:
            alone = replace(method, bindings=(binding,))
            shape = (binding.http_method, _VARIABLE.sub(lambda found: found[2] or "*", binding.template))
            try:
                if shape in taken:
                    raise ConfigurationError("expected each path once")
                Router([alone])
            except ConfigurationError as problem:
                reasons = [why for words, why in RIGHT_REFUSALS.items() if words in str(problem)]
                rule = f"{method.full_name}: {binding.http_method} {binding.template}"
                tally.refused.setdefault(reasons[0] if reasons else "unknown", []).append(rule)
                if not reasons:
                    tally.faults.append(str(problem))
            else:
                taken.add(shape)
                good.append(binding)
        if good:
            yield replace(method, bindings=tuple(good))


def own_path(template: str) -> str:
    """A path that a template matches: words that no template has as literals."""
    text = _VARIABLE.sub(lambda found: found[2] or "*", template)
    return text.replace("**", "zz9/zz8").replace("*", "zz9")


def reach(router: Router, route: Route, tally: Tally) -> None:
    """Follow a binding's own path."""
    path = own_path(route.binding.template)
    verb = "GET" if route.http_method == "*" else route.http_method
    try:
        match = router.match(verb, path.encode())
        match.bind(b"", strict=False)
    except RequestError as problem:
        if "the path variable" not in str(problem):  # zz9 is no number, and no enum
            tally.faults.append(f"{route!r}: {path}: {problem}")
            return
    if match.route is route:
        tally.reached += 1
    elif route.shadowed_by is match.route:
        tally.shadowed.append(f"{route!r} by {match.route!r}")
    else:
        tally.faults.append(f"{route!r}: {path} leads to {match.route!r}")


def check(schema: Schema) -> Tally:
    """Play every binding of every API."""
    tally = Tally()
    for api, methods in annotated(schema).items():
        tally.apis.add(api)
        try:
            router = Router(methods)
        except ConfigurationError:
            router = Router(list(acceptable(methods, tally)))
        for route in router.routes:
            reach(router, route, tally)
    return tally


def main(folder: str | None = None) -> int:
    """Run, print what was found, and return the exit status."""
    started = perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(folder) if folder else fetch(Path(temporary))
        tally = check(compile_all(root, Path(temporary, "all.binpb")))
    if tally.bindings < LEAST_BINDINGS or len(tally.apis) < LEAST_APIS:
        tally.faults.append(f"expected at least {LEAST_BINDINGS} bindings of {LEAST_APIS} APIs")
    for sentence in [*tally.shadowed, *tally.faults]:
        print(f"  {sentence}")
    print(f"{tally.bindings} bindings of {len(tally.apis)} APIs in {perf_counter() - started:.0f} s")
    print(f"reached: {tally.reached}; out of reach, and told so: {len(tally.shadowed)}; faults: {len(tally.faults)}")
    for reason, rules in tally.refused.items():
        print(f"refused: {len(rules)}: {reason}, e.g. {rules[0]}")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
