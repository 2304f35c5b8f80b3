"""Run an entry point: with a coverage-guided engine if atheris is installed, else over the files of a corpus."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


def run(one_input: Callable[[bytes], None], corpus: str) -> None:
    """``python -m fuzz.fuzz_X [FILE]...`` plays files; with atheris and no file it fuzzes, the corpus as seed.

    Args:
        one_input: raises for whatever is a find.
        corpus: a folder in ``fuzz/corpus``.
    """
    files = [Path(name) for name in sys.argv[1:] if Path(name).is_file()]
    try:
        engine = importlib.import_module("atheris")
    except ImportError:
        engine = None
    if files or engine is None:
        for file in files or sorted((CORPUS / corpus).iterdir()):
            one_input(file.read_bytes())
            print(f"ok {file.name}")
        return
    engine.instrument_all()
    engine.Setup([*sys.argv, str(CORPUS / corpus)], one_input)
    engine.Fuzz()
