"""The drawing of the house is a test: imports look down, doors are used, rooms stay small."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "asgi_grpc"
FLOORS = [
    "errors limits",
    "schema framing codec",
    "routing calls dialects telemetry",
    "openapi http2",
    "asgi client",
    "testing cli",
]
FLOOR = {room: n for n, rooms in enumerate(FLOORS) for room in rooms.split()}
FILES = sorted(file for file in HOUSE.rglob("*.py") if "examples" not in file.relative_to(HOUSE).parts)
NAMES = [str(file.relative_to(HOUSE)) for file in FILES]


def room_of(file: Path) -> str:
    """The room that a file stands in, ``__init__`` for the front door."""
    return file.relative_to(HOUSE).parts[0].removesuffix(".py")


def imports_of(file: Path) -> list[tuple[str, list[str]]]:
    """Every import of our own package in a file: the module, and the names taken from it."""
    found: list[tuple[str, list[str]]] = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "asgi_grpc":
            found.append((node.module or "", [alias.name for alias in node.names]))
        elif isinstance(node, ast.Import):
            found += [(alias.name, []) for alias in node.names if alias.name.split(".")[0] == "asgi_grpc"]
    return found


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_imports_only_look_down(file: Path) -> None:
    for module, names in imports_of(file):
        parts = module.split(".")
        for there in parts[1:2] or names:
            here = room_of(file)
            assert there == here or FLOOR[there] < FLOOR.get(here, len(FLOORS)), f"{file}: {there}"


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_other_rooms_use_the_door(file: Path) -> None:
    for module, _ in imports_of(file):
        parts = module.split(".")
        assert len(parts) < 3 or parts[1] == room_of(file), f"{file}: {module} is not a door"


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_no_file_is_two(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 400


@pytest.mark.parametrize(
    ("package", "rooms"),
    [
        ("grpc", {"calls", "schema", "cli"}),
        ("uvicorn", {"cli"}),
        ("h11", {"client", "testing"}),
        ("wsproto", {"client", "framing", "testing"}),
        ("prometheus_client", {"telemetry"}),
        ("opentelemetry", {"telemetry"}),
    ],
)
def test_foreign_packages_stay_in_their_rooms(package: str, rooms: set[str]) -> None:
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            used = [name for name in names if name.split(".")[0] == package]
            assert not used or room_of(file) in rooms, f"{file} imports {used}"
