"""Break the framers on purpose, one defect at a time, and see that the tests notice.

Run it with ``python tests/framing/mutants.py [WORD]...``; words choose among the mutants. The defects are applied to a
copy. A mutant that survives is a missing case; so is one whose place is not found any more. Not part of the gate: it
takes minutes. Without words it writes ``mutants.md``: each defect, and the first test that failed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

HOUSE = Path(__file__).parents[2]
TABLE = Path(__file__).with_suffix(".md")
SOON = 300  # seconds; without a defect the tests take some ten of a processor


class Mutant(NamedTuple):
    """One defect: in a file of the room, some text becomes another."""

    file: str
    right: str
    wrong: str


MUTANTS = [
    # the scanner
    Mutant("_scanner.py", "len(chunk) > over:", "len(chunk) > over + 1:"),
    Mutant("_scanner.py", "elif end > over or", "elif end > over + 1 or"),
    Mutant("_scanner.py", "Outcome.TOO_DEEP and end == over", "Outcome.TOO_DEEP and end > over"),
    Mutant("_scanner.py", "self._escaped = True", "self._escaped = False"),
    Mutant("_scanner.py", "pos += chunk[pos] != _LF", "pos += 1"),
    Mutant("_scanner.py", "if chunk[pos] == _LF:", "if chunk[pos] == 0:"),
    Mutant("_scanner.py", "if self._depth == self._max_depth:", "if self._depth > self._max_depth:"),
    Mutant("_scanner.py", "self._depth <= self._max_depth - 2", "self._depth <= self._max_depth - 1"),
    Mutant("_scanner.py", "0 < self._depth", "0 <= self._depth"),
    Mutant("_scanner.py", "if self._before not in _MAY_PRECEDE_A_VALUE:", "if not self._before:"),
    Mutant("_scanner.py", "elif seen := chunk[begin:pos].rstrip(SPACE):", "elif seen := b'':"),
    Mutant("_scanner.py", "(?<=[,:\\[{])[{\\[](?:%b|%b)*+", "[{\\[](?:%b|%b)*+"),
    Mutant("_scanner.py", "(?<=[,:\\[{])[{\\[](?:%b|%b|%b)*+", "[{\\[](?:%b|%b|%b)*+"),
    # values and arrays
    Mutant("_json.py", "self._seen += self._mark.length", "self._seen += 0"),
    Mutant("_json.py", "        self._seen += len(chunk)\n", "        self._seen += len(chunk) + 1\n"),
    Mutant("_json.py", "if in_array or self._line or", "if self._line or"),
    Mutant("_json.py", "if in_array or self._line or", "if in_array or"),
    Mutant("_json.py", "self._seen -= len(text)", "self._seen -= 0"),
    Mutant("_json.py", "len(line) <= self._max_frame_bytes and is_one", "is_one"),
    Mutant("_json.py", "end < 0 and has_no_end(chunk, 0)", "end < 0"),
    Mutant("_json.py", "or not fits or", "or"),
    Mutant("_json.py", "Fault.TRAILING_DATA),", "_Place.END),"),
    Mutant("_json.py", "_Place.COMMA: {0x5D: Fault.NOT_JSON,", "_Place.COMMA: {0x5D: _Place.END,"),
    Mutant("_json.py", "scalar=_SCALAR_IN_ARRAY", "scalar=_SCALAR"),
    Mutant("_json.py", "_FIRST = _Place.VALUES", "_FIRST = _Place.FIRST"),
    Mutant("_json.py", "        self._line.clear()\n        self._open", "        self._open"),
    Mutant("_json.py", "cut_values if ends else cut_valid_values", "cut_values"),
    # the short way
    Mutant("_shortcut.py", ' and b"[" not in unjoined and b"]" not in unjoined', ""),
    Mutant("_shortcut.py", 'unjoined.find(b"{", 1) < 0 and ', ""),
    Mutant("_shortcut.py", ' and unjoined.find(b"}", 0, -1) < 0', ""),
    Mutant("_shortcut.py", 'b"\\n" not in unjoined and', "True and"),
    Mutant("_shortcut.py", ' and unjoined[-1:] == b"}"', ""),
    Mutant("_shortcut.py", " and separator[-1:] not in unjoined", ""),
    Mutant("_shortcut.py", 'separator != b"\\r\\n" and _are_flat', "_are_flat"),
    Mutant("_shortcut.py", "and max(map(len, lines)) > max_frame_bytes", "and False"),
    Mutant("_shortcut.py", "if len(values) != len(lines):", "if False:"),
    Mutant("_shortcut.py", "len(text) <= 2 * max_depth or", "len(text) <= 9 * max_depth or"),
    Mutant("_shortcut.py", "max(map(len, lines)) <= 2 * max_depth or", "True or"),
    Mutant("_shortcut.py", "if data[-1] not in _ENDS_ITSELF and", "if False and"),
    Mutant("_shortcut.py", 'unjoined[:1] == b"{" and ', ""),
    Mutant("_shortcut.py", "len(data) > max_frame_bytes or", "False or"),
    Mutant("_shortcut.py", 'rb"[^{}\\[\\]\\n]*+"', 'rb"[^{}\\[\\]]*+"'),
    Mutant("_shortcut.py", "RecursionError)", "UnicodeError)"),
    # the other framers
    Mutant(
        "_json_seq.py",
        "self._break(Fault.TRUNCATED, self._begin, events)\n        self._seen",
        "pass\n        self._seen",
    ),
    Mutant("_json_seq.py", "self._expecting = False\n            outcome", "outcome"),
    Mutant("_whole.py", "> self._max_frame_bytes", ">= self._max_frame_bytes"),
    Mutant("_whole.py", "data.lstrip(SPACE)", "data.strip()"),
    Mutant("_mark.py", "if len(chunk) < len(BYTE_ORDER_MARK) and", "if"),
    Mutant("_inflate.py", "allowed + 1 - self._inflated", "allowed - self._inflated"),
    Mutant("_inflate.py", "return _before_damage(spare, block), True", "return b'', True"),
    Mutant("_inflate.py", "good += member.decompress(raw, 1)", "member.decompress(raw, 1)"),
    Mutant("_inflate.py", '        self._head = b""\n        return [End()]', "        return [End()]"),
    Mutant("_inflate.py", "-(-self._raw // _BLOCK) * _BLOCK", "self._raw"),
    Mutant("_inflate.py", "_BLOCK - self._raw % _BLOCK", "_BLOCK"),
    Mutant("_inflate.py", "(len(piece) == wanted and not member.eof)", "False"),
    Mutant("_inflate.py", "if self._next_member is None:", "if len(block) > 99:"),
    Mutant("_inflate.py", "self._next_member = _RAW", "pass"),
    Mutant("_inflate.py", "if not self._keeps_window:", "if False:"),
    Mutant("_prefixed.py", "length > self._max_frame_bytes", "length >= self._max_frame_bytes"),
    Mutant("_prefixed.py", "self._seen += begin", "self._seen += 0"),
    Mutant("_prefixed.py", "self._wanted = _PREFIX.size + length", "self._wanted = _PREFIX.size + length + 1"),
    Mutant("_prefixed.py", '">BI"', '"<BI"'),
    Mutant("_prefixed.py", "if not self._held:", "if True:"),
    Mutant(
        "_prefixed.py", "Fault.FRAME_TOO_LARGE if flags in self._flags else", "Fault.FRAME_TOO_LARGE if length else"
    ),
    Mutant("_websocket.py", "offset=self._text_bytes", "offset=0"),
    Mutant("_websocket.py", "if not data:", "if len(data) < 2:"),
    Mutant("_websocket.py", "elif rsv.rsv1:", "elif False:"),
    Mutant("_websocket.py", '        self._partial = b""\n        self._decoder', "        self._decoder"),
    Mutant("_websocket.py", "self._text_bytes += self._message_bytes", "pass"),
    Mutant("_websocket.py", "data = self._partial + data", "data = data"),
    Mutant(
        "_websocket.py",
        "if self._partial:\n            yield Broken(Fault.NOT_UTF8",
        "if self._partial:\n            yield Broken(Fault.NOT_JSON",
    ),
    Mutant("_websocket.py", "if not self._message_bytes:", "if False:"),
    Mutant("_websocket.py", "if opcode in _MESSAGE:\n            self.seen", "if True:\n            self.seen"),
    Mutant("_websocket.py", "(self._framer is None) is not (opcode in _MESSAGE)", "False"),
    Mutant("_websocket.py", "yield from self._inflater.end_message()", "pass"),
    Mutant("_websocket.py", "certain = error.start", "certain = 0"),
    Mutant("_websocket.py", "code not in (1004, 1005, 1006)", "True"),
    Mutant("_sse.py", "int(self._after_cr and", "int(False and"),
    Mutant("_sse.py", "self._data_bytes + len(self._line)", "len(self._line)"),
    Mutant("_sse.py", 'and b"\\0" not in value', ""),
    Mutant("_sse.py", 'value.removeprefix(b" ")', "value.strip()"),
    Mutant("_sse.py", "if not self._lines:", "if True:"),
    Mutant("_sse.py", "self._begin = self._seen + pos", "self._begin = pos"),
    Mutant(
        "_sse.py",
        'self._name, self._data, self._data_bytes, self._begin = "",',
        "_, self._data, self._data_bytes, self._begin = 0,",
    ),
    Mutant("_sse.py", "        if chunk:\n            self._after_cr", "        if True:\n            self._after_cr"),
    Mutant("_sse.py", "        self._data, self._data_bytes = [], 0\n", ""),
    Mutant("_writers.py", "self._open = False", "self._open = True"),
    Mutant("_writers.py", '(b"[" if self._lead == b"[" else b"")', 'b""'),
]


def try_out(mutant: Mutant, copy: Path) -> str | None:
    """Apply a defect; what caught it, None if nothing did."""
    path = copy / "asgi_grpc" / "framing" / mutant.file
    text = path.read_text()
    if mutant.right not in text:
        print(f"STALE     {mutant.file}: {mutant.right!r} is not there", flush=True)
        return None
    path.write_text(text.replace(mutant.right, mutant.wrong, 1))
    try:
        failed = failing_test(copy)
    finally:
        path.write_text(text)
    verdict = f"caught by {failed}:" if failed else "SURVIVES "
    print(f"{verdict} {mutant.file}: {mutant.right!r} -> {mutant.wrong!r}", flush=True)
    return failed


def failing_test(copy: Path) -> str | None:
    """The first of the room's tests that fails; None if none does.

    The transcripts go first, as their test plays them but without pytest, which would take most of the time.
    """
    try:
        played = run(copy, "tests.framing.transcript")
        if played.returncode or played.stdout.strip():
            name = played.stdout.strip() or "none can be played"
            return f"test_transcripts.py::test_a_cut_anywhere_changes_nothing[{name}]"
        done = run(copy, "pytest", "tests/framing", "-x", "-q", "-p", "no:cacheprovider")
    except subprocess.TimeoutExpired:
        return "a test that hangs"  # which is seen too
    if done.returncode == 0:
        return None
    found = re.search(r"^(?:FAILED|ERROR) \S+/(\S+)", done.stdout, re.MULTILINE)
    return found[1] if found else "a run that ends early"


def run(copy: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module with the copy's code."""
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(copy)}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=copy,
        env=environment,
        capture_output=True,
        check=False,
        timeout=SOON,
        encoding="utf-8",
    )


def table(caught: dict[Mutant, str | None]) -> str:
    """The page ``mutants.md``."""

    def code(text: str) -> str:
        shown = text.strip().replace("\n", " ⏎ ").replace("|", "\\|") or " "
        return f"``{re.sub(' +', ' ', shown)}``"

    rows = [
        f"| `{mutant.file}` | {code(mutant.right)} | {code(mutant.wrong) if mutant.wrong else 'nothing'} "
        f"| {f'`{test}`' if test else '**nothing**'} |"
        for mutant, test in caught.items()
    ]
    head = [
        "# Deliberate defects",
        "",
        "Written by `make mutants`: each defect alone, and the first test of `tests/framing` that failed with it.",
        "",
        f"{len(caught)} defects, {sum([not test for test in caught.values()])} not caught.",
        "",
        "| file | instead of | stands | caught by |",
        "| --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows, ""])


def main() -> None:
    """Try every mutant whose text holds the arguments; all without any."""
    chosen = [mutant for mutant in MUTANTS if all(word in "".join(mutant) for word in sys.argv[1:])]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("asgi_grpc", "tests/framing", "fuzz"):
            shutil.copytree(HOUSE / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "tests/conftest.py"):
            shutil.copy(HOUSE / name, copy / name)
        if failed := failing_test(copy):
            sys.exit(f"the tests fail without any defect: {failed}")
        caught = {mutant: try_out(mutant, copy) for mutant in chosen}
    if len(chosen) == len(MUTANTS):
        TABLE.write_text(table(caught))
    left = sum([not test for test in caught.values()])
    print(f"{len(chosen)} mutants, {left} not caught")
    sys.exit(bool(left))


if __name__ == "__main__":
    main()
