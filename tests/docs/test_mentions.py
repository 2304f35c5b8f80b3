"""The pages leave nothing out that users can name, and their tables say what the code says."""

from __future__ import annotations

import argparse
import inspect
import re
from dataclasses import fields

import pytest

import asgi_grpc
from asgi_grpc import Code, GrpcMiddleware, Limits
from asgi_grpc.cli._arguments import _parser
from asgi_grpc.cli._demo_text import demo_text
from asgi_grpc.codec import CodecOptions
from asgi_grpc.dialects import Dialect
from tests.docs.pages import all_text
from tests.processes import ROOT

DOCS = ROOT / "docs"


def table(page: str) -> list[list[str]]:
    """The rows of all tables of a page, their cells without backticks."""
    rows = re.findall(r"^\| (.*) \|$", (DOCS / page).read_text(), re.MULTILINE)
    return [[cell.strip().strip("`") for cell in row.split(" | ")] for row in rows]


def first_cells(page: str) -> set[str]:
    return {row[0] for row in table(page)}


@pytest.mark.parametrize("name", asgi_grpc.__all__)
def test_every_public_name_is_mentioned(name: str) -> None:
    assert re.search(rf"`{name}\b|\b{name}[.(]", all_text())


def test_every_option_of_the_middleware_has_a_row_with_its_default() -> None:
    expected = {
        name: repr(option.default)
        for name, option in inspect.signature(GrpcMiddleware).parameters.items()
        if name not in {"app", "schema", "upstream", "services", "limits", "codec_options"}
    }
    rows = {row[0]: row[1].replace('"', "'") for row in table("wrap-an-app.md") if len(row) == 3}
    assert {name: default for name, default in rows.items() if name in expected} == expected
    assert {"schema", "upstream", "services", "limits", "codec_options"} <= set(rows)


def shown(value: float | None) -> str:
    """A limit as the page writes it."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g} s"
    for unit, size in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= size and value % size == 0:
            return f"{value // size} {unit}"
    return str(value)


def test_every_limit_has_a_row_with_its_default() -> None:
    rows = {row[0]: row[1] for row in table("limits-and-backpressure.md") if len(row) == 4}
    assert {field.name: shown(getattr(Limits(), field.name)) for field in fields(Limits)} == {
        name: default for name, default in rows.items() if name != "field" and "---" not in name
    }


def test_the_table_of_codes_is_that_of_the_code() -> None:
    rows = [row for row in table("failures.md") if row[0] in Code.__members__]
    assert rows == [[code.name, str(code.http_status), str(code.close_code)] for code in Code]


def test_every_member_of_a_dialect_has_a_row() -> None:
    members = {*inspect.get_annotations(Dialect), *(name for name in vars(Dialect) if not name.startswith("_"))}
    rows = {cell.partition("(")[0] for cell in first_cells("dialects.md")}
    assert members <= rows


def test_every_option_of_the_codec_has_a_row() -> None:
    assert {field.name for field in fields(CodecOptions)} <= first_cells("json-mapping.md")


def commands() -> dict[str, argparse.ArgumentParser]:
    """The parsers of the commands."""
    (choices,) = [action.choices for action in _parser()._actions if isinstance(action.choices, dict)]
    return choices


@pytest.mark.parametrize("command", commands())
def test_every_command_has_a_section_with_its_options(command: str) -> None:
    sections = re.split(r"^## ", (DOCS / "command-line.md").read_text(), flags=re.MULTILINE)
    (section,) = [section for section in sections if section.startswith(f"asgi-grpc {command}\n")]
    if command in {"routes", "openapi"}:
        assert "with the same options" in section
        known = names(commands()["serve"])
    else:
        known = {"-h", "--help"}
    assert {name for name in names(commands()[command]) - known if f"`{name}`" not in section} == set()


def names(parser: argparse.ArgumentParser) -> set[str]:
    """The options and arguments of a command."""
    return {name for action in parser._actions for name in action.option_strings or [str(action.metavar)]}


def test_every_command_line_option_that_a_page_names_exists() -> None:
    lines = re.findall(rf"asgi-grpc ({'|'.join(commands())})\b([^\n|`]*)", all_text())
    named = [(command, option) for command, rest in lines for option in re.findall(r"(?<!\S)--[a-z0-9-]+", rest)]
    known = {(command, name) for command, parser in commands().items() for name in parser._option_string_actions}
    assert set(named) - known == set()


def test_the_line_for_a_browser_is_the_one_that_the_demo_prints() -> None:
    (line,) = [line.strip() for line in demo_text(8000).splitlines() if "const ws" in line]
    assert line in (ROOT / "README.md").read_text().splitlines()
