"""The files of the room have an order: none needs, even for its types, one that needs it."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import asgi_grpc.calls


def test_no_files_need_each_other() -> None:
    needs: dict[str, set[str]] = {}
    for file in Path(asgi_grpc.calls.__file__).parent.glob("*.py"):
        imports = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom)]
        modules = [node.module or "" for node in imports]
        needs[file.stem] = {module.rpartition(".")[2] for module in modules if module.startswith("asgi_grpc.calls._")}
    order = list(TopologicalSorter(needs).static_order())
    assert order[-1] == "__init__"
    assert set(order) == set(needs)
