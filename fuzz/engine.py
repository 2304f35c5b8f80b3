"""Run an entry point: with a coverage-guided engine if atheris is installed, else over the files of a corpus.

    python -m fuzz.fuzz_json                        # with atheris: until it finds something; without: the corpus
    python -m fuzz.fuzz_json -max_total_time=300    # libFuzzer's options are handed on
    python -m fuzz.fuzz_json crash-FILE             # play one file

A find is written to the working directory as ``crash-...``; what reaches new code, to a new folder, and
never to the corpus.
"""

from __future__ import annotations

import gc
import importlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FunctionType

CORPUS = Path(__file__).parent / "corpus"
SHORT = "-max_len=500"  # what goes wrong, goes wrong in few bytes, and the models are slow; a later option replaces it
COVERED = (
    "asgi_grpc.framing",
    "asgi_grpc.http2",
    "hpack",
    "wsproto",
)  # not the models, nor all else that is imported: that takes half a minute


def run(one_input: Callable[[bytes], None], corpus: str) -> None:
    """Play the files that the command line names, else fuzz.

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
    folders = [name for name in sys.argv[1:] if Path(name).is_dir()] or [tempfile.mkdtemp(prefix=f"fuzz-{corpus}-")]
    options = [SHORT, *[name for name in sys.argv[1:] if name not in folders]]
    print(f"new inputs go to {folders[0]}", flush=True)
    for function in [thing for thing in gc.get_objects() if isinstance(thing, FunctionType)]:
        if str(function.__module__).startswith(COVERED):
            engine.instrument_func(function)
    engine.Setup([sys.argv[0], *options, *folders, str(CORPUS / corpus)], one_input)
    engine.Fuzz()
