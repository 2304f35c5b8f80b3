"""NDJSON for the StreamingService, from the standard library alone: files into lines and back, and points.

python streaming_lines.py pack FILE      the lines that upload FILE, on standard output
python streaming_lines.py unpack FILE    standard input has a download's lines: verify them, and write FILE
python streaming_lines.py points COUNT   so many points for CollectMetrics, the same every time
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import mimetypes
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

PIECE_BYTES = 192 << 10  # divisible by 3, so that base64 needs no padding; far below the 4 MiB of a message
NAMES = ("cpu", "memory", "disk", "network")


def pack(path: Path, user_id: str = "") -> Iterator[str]:
    """The lines that upload a file: its metadata, and then its pieces."""
    with path.open("rb") as file:
        metadata = {
            "filename": path.name,
            "totalSize": str(path.stat().st_size),
            "contentType": mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            "checksum": hashlib.file_digest(file, "sha256").hexdigest(),
            "userId": user_id,
        }
        yield json.dumps({"metadata": metadata})
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            yield json.dumps({"chunk": base64.b64encode(piece).decode()})


def messages(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The messages of an answer. ``ValueError``: it is a failure, or it has no end."""
    for line in filter(str.strip, lines):
        match json.loads(line):
            case {"type": "response", "data": dict(message)}:
                yield message
            case {"type": "complete"}:
                return
            case {"error": problem} | {"message": problem}:
                raise ValueError(f"the download failed: {problem}")
            case _:
                raise ValueError("the download failed: this is no record of a gateway")
    raise ValueError("the download was cut off: its last record is missing")


def unpack(lines: Iterable[str], path: Path) -> int:
    """Write a file, and give its size. ``ValueError``: it is not whole; then nothing is written."""
    part = path.with_name(f"{path.name}.part")
    try:
        metadata: dict[str, Any] = {}
        sha256 = hashlib.sha256()
        with part.open("wb") as file:
            for message in messages(lines):
                metadata = message.get("metadata", metadata)
                piece = base64.b64decode(message.get("chunk", ""))
                sha256.update(piece)
                file.write(piece)
        size = part.stat().st_size
        if size != int(metadata.get("totalSize", 0)) or sha256.hexdigest() != metadata.get("checksum"):
            raise ValueError(f"the download is damaged: {size} bytes with another checksum or size than promised")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return size


def points(count: int) -> Iterator[str]:
    """Points of four metrics in turn, with the values 0, 0.5, 1, ... 499.5 over and over."""
    for number in range(count):
        yield json.dumps({"name": NAMES[number % 4], "value": number % 1000 / 2})


def main() -> None:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack", help="the lines that upload a file")
    packing.add_argument("file", type=Path)
    packing.add_argument("--user-id", default="", help="who is notified when the file is stored")
    commands.add_parser("unpack", help="a file from the lines of a download").add_argument("file", type=Path)
    commands.add_parser("points", help="points for CollectMetrics").add_argument("count", type=int)
    arguments = parser.parse_args()
    try:
        match arguments.command:
            case "pack":
                sys.stdout.writelines(f"{line}\n" for line in pack(arguments.file, arguments.user_id))
            case "points":
                sys.stdout.writelines(f"{line}\n" for line in points(arguments.count))
            case _:
                print(f"{unpack(sys.stdin, arguments.file)} bytes, verified", file=sys.stderr)
    except (OSError, ValueError) as error:
        sys.exit(f"{parser.prog}: {error}")


if __name__ == "__main__":
    main()
