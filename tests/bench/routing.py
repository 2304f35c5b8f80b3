"""What finding and binding a route costs, as ratios: ``python tests/bench/routing.py``.

Matching must not cost more because a table is larger, and at most in proportion to the path. All candidates are run in
turns, and the best of their rounds counts: read the ratios, not the microseconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from google.protobuf import struct_pb2

from asgi_grpc.codec import Codec
from asgi_grpc.errors import RequestError
from asgi_grpc.routing import Router
from asgi_grpc.schema import Binding, Method

ROUNDS = 15
ROUND_S = 0.004


def method(name: str, *rules: str) -> Method:
    """A method of ``GET template`` or ``POST template`` rules; the latter take all of the body."""
    bindings = []
    for rule in rules:
        http_method, template = rule.split(" ")
        body = "*" if http_method == "POST" else ""
        bindings.append(Binding(http_method=http_method, template=template, body=body))
    message = struct_pb2.Value.DESCRIPTOR
    return Method(
        full_name=f"bench.{name}",
        path=f"/bench/{name}",
        input=message,
        output=message,
        client_streaming=False,
        server_streaming=False,
        bindings=tuple(bindings),
    )


def router_of(services: int) -> Router:
    """A router with ten bindings for each service."""
    return Router(
        method(
            f"Do{n}",
            *(f"GET /v1/{{string_value=projects{n}/*}}", f"GET /v1/projects{n}/{{string_value}}/items"),
            *(f"POST /v1/projects{n}", f"POST /v1/projects{n}/*:start", f"GET /v{n}/files/{{string_value=**}}"),
            *(f"GET /v{n}/files/**/raw", f"POST /bench{n}.Service/A", f"POST /bench{n}.Service/B"),
            *(f"POST /bench{n}.Service/C", f"POST /bench{n}.Service/D"),
        )
        for n in range(services)
    )


def together(*runs: Callable[[], object]) -> list[float]:
    """Seconds for one call of each, run in turns; the best round of each."""
    best = [float("inf")] * len(runs)
    loops = []
    for run in runs:
        started, count = time.perf_counter(), 0
        while time.perf_counter() - started < ROUND_S:
            run()
            count += 1
        loops.append(count)
    for _ in range(ROUNDS):
        for index, (run, count) in enumerate(zip(runs, loops, strict=True)):
            started = time.perf_counter()
            for _ in range(count):
                run()
            best[index] = min(best[index], (time.perf_counter() - started) / count)
    return best


def show(what: str, base: float, other: float) -> None:
    """One line: the base's microseconds, and how often it goes into the other."""
    print(f"{what:52} {base * 1e6:8.2f} us   x {other / base:5.2f}")


def matching(router: Router, http_method: str, path: str) -> Callable[[], object]:
    """Match a path, or fail to."""
    raw = path.encode()

    def run() -> None:
        with suppress(RequestError):
            router.match(http_method, raw)

    return run


def main() -> None:
    """Print the table."""
    started = time.perf_counter()
    small, large = router_of(1), router_of(1000)
    print(f"{len(large.routes)} bindings compiled in {time.perf_counter() - started:.2f} s\n")
    print(f"{'matching: 10 bindings, then 10 000':52} {'10':>11}   10 000 / 10")
    for what, http_method, path in [
        ("a default path", "POST", "/bench0.Service/C"),
        ("a variable", "GET", "/v1/projects0/some-id"),
        ("a verb", "POST", "/v1/projects0/some-id:start"),
        ("** and literals behind it", "GET", "/v0/files/a/b/c/d/raw"),
        ("percent escapes", "GET", "/v0/files/a%20b/c%2Fd"),
        ("an unknown path (404)", "GET", "/v1/nothing/at/all"),
        ("another method (405)", "DELETE", "/v1/projects0/some-id"),
    ]:
        show(what, *together(matching(small, http_method, path), matching(large, http_method, path)))

    print(f"\n{'the path: 20 segments, then 200 (10 is linear)':52} {'20':>11}   200 / 20")
    stars = ["/" + "/".join("a*"[n >> bit & 1] for bit in range(8)) + "/**/end" for n in range(256)]
    worst = Router([method("Worst", *(f"GET {template}" for template in stars))])
    for what, router, segment in [("one **", small, "/v0/files"), ("256 templates of a and *, then **", worst, "")]:
        runs = [matching(router, "GET", segment + "/a" * count) for count in (20, 200)]
        show(what, *together(*runs))

    print(f"\n{'binding and decoding a batch of 1, then against the codec alone':52}")
    frame = [b'{"a":1}']
    codec = Codec(struct_pb2.Value.DESCRIPTOR)
    free, bound = small.match("POST", b"/bench0.Service/C"), small.match("GET", b"/v1/projects0/some-id")
    decode = free.bind(b"", strict=True).decode
    show("decode where nothing is bound", *together(lambda: codec.decode_batch(frame), lambda: decode(frame)))
    show("bind where nothing is bound", *together(lambda: None, lambda: free.bind(b"", strict=True)))
    base, query = together(
        lambda: bound.bind(b"", strict=False).empty(),
        lambda: bound.bind(b"stringValue=projects0%2Fsome-id", strict=False),
    )
    show("bind a variable; and a query that repeats it", base, query)


if __name__ == "__main__":
    main()
