"""Files on disk: whole ones under ids that we made, and unfinished ones that nobody else sees."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from streaming_pb2 import FileMetadata

FILE_ID = re.compile(r"[0-9a-f]{32}")
WRITE_BYTES = 1 << 20  # what is collected before a thread writes it: a thread for each small piece would cost more


class FileStore:
    """A folder of files, for one server.

    A file is two: ``ID.meta`` (a serialized ``FileMetadata``) and ``ID.data``; it exists once both do. ``ID.part`` is
    unfinished; those that a crash left behind are removed when the store is opened.

    Attributes:
        max_file_bytes: the largest file that it takes.
    """

    def __init__(self, folder: Path, *, max_file_bytes: int) -> None:
        self.max_file_bytes = max_file_bytes
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for left_behind in folder.glob("*.part"):
            left_behind.unlink()

    def incoming(self) -> IncomingFile:
        """A new file, to be used in a ``with`` block."""
        return IncomingFile(self._folder / secrets.token_hex(16))

    def find(self, file_id: str) -> tuple[FileMetadata, Path] | None:
        """What is known of a file, and where its bytes are; None if there is none. The id may be anything."""
        if not FILE_ID.fullmatch(file_id):
            return None
        data = self._folder / f"{file_id}.data"
        if not data.exists():
            return None
        return FileMetadata.FromString(data.with_suffix(".meta").read_bytes()), data


class IncomingFile:
    """A file that is being written; the end of its ``with`` block removes it, unless it was kept.

    Attributes:
        file_id: its name in the store, once kept.
        size: bytes written so far.
    """

    def __init__(self, path: Path) -> None:
        self.file_id = path.name
        self.size = 0
        self._path = path
        self._collected = bytearray()
        self._sha256 = hashlib.sha256()
        self._kept = False
        self._file: BinaryIO

    def __enter__(self) -> Self:
        self._file = self._path.with_suffix(".part").open("xb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()  # waits for a thread that still writes
        if not self._kept:
            self._path.with_suffix(".part").unlink(missing_ok=True)
            self._path.with_suffix(".meta").unlink(missing_ok=True)

    async def write(self, data: bytes) -> None:
        """Append bytes."""
        self.size += len(data)
        self._collected += data
        if len(self._collected) >= WRITE_BYTES:
            await self._flush()

    async def sha256(self) -> str:
        """The checksum of all that was written, in hexadecimal."""
        await self._flush()
        return self._sha256.hexdigest()

    async def keep(self, metadata: FileMetadata) -> None:
        """Make the file one of the store's, durably."""
        await self._flush()
        await asyncio.to_thread(self._keep, metadata)

    async def _flush(self) -> None:
        """Write what was collected, without holding up other calls."""
        data, self._collected = bytes(self._collected), bytearray()
        await asyncio.to_thread(self._write, data)

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._sha256.update(data)

    def _keep(self, metadata: FileMetadata) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._path.with_suffix(".meta").write_bytes(metadata.SerializeToString())
        self._path.with_suffix(".part").replace(self._path.with_suffix(".data"))
        self._kept = True
