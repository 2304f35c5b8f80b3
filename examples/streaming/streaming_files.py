"""Files up and files down. Nothing that a client says is trusted: not names, not sizes, not checksums."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import grpc
import streaming_pb2_grpc
from streaming_calls import Refused, check_name, inputs, invalid, log, serving
from streaming_feeds import Feed, notification
from streaming_pb2 import (
    NOTIFICATION_TYPE_FILE_STORED,
    DownloadFileRequest,
    FileChunk,
    FileMetadata,
    Notification,
    UploadFileResponse,
)
from streaming_store import FileStore, IncomingFile

if TYPE_CHECKING:
    from streaming_calls import Context

PIECE_BYTES = 64 << 10
MAX_FILENAME_CHARS = 255
MEDIA_TYPE = re.compile(r"[\w.+-]{1,63}/[\w.+-]{1,63}", re.ASCII)
SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def checked(metadata: FileMetadata, *, max_file_bytes: int) -> FileMetadata:
    """A file's metadata in its normal form; ``Refused`` if something is wrong with it."""
    name = metadata.filename
    if not name or len(name) > MAX_FILENAME_CHARS or not name.isprintable() or re.search(r"[/\\]|^\.{1,2}$", name):
        raise invalid(f"filename must be a plain name of 1 to {MAX_FILENAME_CHARS} printable characters")
    if metadata.total_size < 0:
        raise invalid("total_size must not be negative")
    if metadata.total_size > max_file_bytes:
        raise invalid(f"total_size is {metadata.total_size}, but files here have at most {max_file_bytes} bytes")
    if metadata.content_type and not MEDIA_TYPE.fullmatch(metadata.content_type):
        raise invalid("content_type must be a media type without parameters")
    if not SHA256.fullmatch(metadata.checksum):
        raise invalid("checksum must be a SHA-256 in 64 hexadecimal digits")
    return FileMetadata(
        filename=name,
        total_size=metadata.total_size,
        content_type=metadata.content_type or "application/octet-stream",
        checksum=metadata.checksum.lower(),
        user_id=metadata.user_id and check_name("user_id", metadata.user_id),
    )


class FileMethods(streaming_pb2_grpc.StreamingServiceServicer):
    """The two methods to move files."""

    store: FileStore
    notifications: Feed[Notification]

    async def UploadFile(self, request_iterator: AsyncIterator[FileChunk], context: Context) -> UploadFileResponse:
        """Take a file in, and keep it if it is what its metadata promised."""
        async with serving(context, "UploadFile") as call:
            chunks = inputs(request_iterator)
            first = await anext(chunks, None)
            if first is None or not first.HasField("metadata"):
                raise invalid("File metadata must be sent first")
            metadata = checked(first.metadata, max_file_bytes=self.store.max_file_bytes)
            call.about = f"file {metadata.filename}"
            try:
                with self.store.incoming() as file:
                    await self._receive(chunks, file, metadata)
            except OSError as error:
                log.warning("storing a file: %s", error)  # with its path, which is nobody's business outside
                raise Refused(grpc.StatusCode.INTERNAL, "the file could not be stored") from error
            if metadata.user_id:
                title, body = "Your file is stored", f"{metadata.filename}: {file.file_id}"
                self.notifications.publish(notification(metadata.user_id, NOTIFICATION_TYPE_FILE_STORED, title, body))
            return UploadFileResponse(
                file_id=file.file_id,
                bytes_uploaded=file.size,
                download_url=f"/v1/files/{file.file_id}",
                checksum_verified=True,
            )

    async def _receive(self, chunks: AsyncIterator[FileChunk], file: IncomingFile, metadata: FileMetadata) -> None:
        """Write all chunks, verify them, and keep the file."""
        async for chunk in chunks:
            if not chunk.HasField("chunk"):
                raise invalid("after the metadata, only chunks may follow")
            if chunk.offset not in (0, file.size):
                raise invalid(f"a chunk has the offset {chunk.offset} after {file.size} bytes")
            if file.size + len(chunk.chunk) > metadata.total_size:
                raise invalid("File size exceeds declared size")
            await file.write(chunk.chunk)
        if file.size != metadata.total_size:
            raise invalid(f"{file.size} bytes came, but total_size is {metadata.total_size}")
        if await file.sha256() != metadata.checksum:
            raise Refused(grpc.StatusCode.DATA_LOSS, "File checksum verification failed")
        await file.keep(metadata)

    async def DownloadFile(self, request: DownloadFileRequest, context: Context) -> None:
        """Write a file's metadata, and then its bytes."""
        async with serving(context, "DownloadFile") as call:
            found = await asyncio.to_thread(self.store.find, request.file_id)
            if found is None:
                raise Refused(grpc.StatusCode.NOT_FOUND, "there is no file with this file_id")
            metadata, path = found
            call.about = f"file {metadata.filename}"
            offset = request.offset
            if not 0 <= offset <= metadata.total_size:
                raise Refused(grpc.StatusCode.OUT_OF_RANGE, f"offset must be 0 to {metadata.total_size}")
            await context.write(FileChunk(metadata=metadata))
            with path.open("rb") as file:
                file.seek(offset)
                while offset < metadata.total_size:
                    piece = await asyncio.to_thread(file.read, min(PIECE_BYTES, metadata.total_size - offset))
                    if not piece:
                        raise Refused(grpc.StatusCode.DATA_LOSS, f"the stored file ends after {offset} bytes")
                    await context.write(FileChunk(chunk=piece, offset=offset))
                    offset += len(piece)
