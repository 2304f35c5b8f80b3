"""Files go up and come down, and nothing is left of those that did not arrive."""

from __future__ import annotations

import hashlib
import queue
import random
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
import streaming_pb2 as pb
from streaming_pb2_grpc import StreamingServiceStub as Stub

from tests.examples.speaking import INVALID, failure, upload
from tests.processes import Started

PIECE = 64 << 10


def wait_until(done: Callable[[], bool]) -> None:
    """Look again and again, for some seconds: files have no event to wait for."""
    until = time.monotonic() + 5
    while not done():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.01)


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7, (1 << 20) * 3 + 1])
def test_a_file_comes_down_as_it_went_up(stub: Stub, size: int) -> None:
    data = random.Random(size).randbytes(size)
    stored = stub.UploadFile(iter(upload(data, piece=50_000, content_type="image/png")))
    down = list(stub.DownloadFile(pb.DownloadFileRequest(file_id=stored.file_id)))
    pieces = [(chunk.offset, len(chunk.chunk)) for chunk in down[1:]]
    assert stored == pb.UploadFileResponse(
        file_id=stored.file_id,
        bytes_uploaded=size,
        download_url=f"/v1/files/{stored.file_id}",
        checksum_verified=True,
    )
    assert down[0].metadata == upload(data, content_type="image/png")[0].metadata
    assert pieces == [(at, min(PIECE, size - at)) for at in range(0, size, PIECE)]
    assert b"".join(chunk.chunk for chunk in down[1:]) == data


def test_what_came_down_goes_up_again_as_it_is(stub: Stub) -> None:
    data = bytes(3 * PIECE)
    stored = stub.UploadFile(iter(upload(data)))
    again = stub.UploadFile(stub.DownloadFile(pb.DownloadFileRequest(file_id=stored.file_id)))
    assert again.bytes_uploaded == len(data)
    assert again.file_id != stored.file_id


def test_a_download_can_be_resumed(stub: Stub) -> None:
    stored = stub.UploadFile(iter(upload(b"0123456789")))
    resumed = list(stub.DownloadFile(pb.DownloadFileRequest(file_id=stored.file_id, offset=7)))
    at_the_end = list(stub.DownloadFile(pb.DownloadFileRequest(file_id=stored.file_id, offset=10)))
    assert resumed[1:] == [pb.FileChunk(chunk=b"789", offset=7)]
    assert at_the_end[1:] == []
    for offset in (-1, 11):
        request = pb.DownloadFileRequest(file_id=stored.file_id, offset=offset)
        assert failure(lambda request=request: list(stub.DownloadFile(request))) == (  # type: ignore[misc]
            grpc.StatusCode.OUT_OF_RANGE,
            "offset must be 0 to 10",
        )


@pytest.mark.parametrize("file_id", ["", "0" * 32, "../" + "0" * 32, "/etc/passwd", "0" * 32 + "\n"])
def test_a_file_id_that_is_not_ours_is_not_found(stub: Stub, file_id: str) -> None:
    answer = failure(lambda: list(stub.DownloadFile(pb.DownloadFileRequest(file_id=file_id))))
    assert answer == (grpc.StatusCode.NOT_FOUND, "there is no file with this file_id")


ONE = upload(b"one")
BAD_UPLOADS = [
    pytest.param([], INVALID, "File metadata must be sent first", id="nothing"),
    pytest.param([pb.FileChunk()], INVALID, "File metadata must be sent first", id="neither"),
    pytest.param(ONE[1:], INVALID, "File metadata must be sent first", id="no-metadata"),
    pytest.param([ONE[0], *ONE], INVALID, "after the metadata, only chunks may follow", id="metadata-twice"),
    pytest.param([*ONE, pb.FileChunk(chunk=b"x")], INVALID, "File size exceeds declared size", id="too-long"),
    pytest.param(ONE[:1], INVALID, "0 bytes came, but total_size is 3", id="too-short"),
    pytest.param(upload(b"one", total_size=-1), INVALID, "total_size must not be negative", id="negative-size"),
    pytest.param(
        upload(b"one", total_size=(1 << 22) + 1),
        INVALID,
        "total_size is 4194305, but files here have at most 4194304 bytes",
        id="over-the-store's-limit",
    ),
    pytest.param(
        [ONE[0], pb.FileChunk(chunk=b"one", offset=5)], INVALID, "a chunk has the offset 5 after 0 bytes", id="a-gap"
    ),
    pytest.param(
        upload(b"one", checksum="0" * 64), grpc.StatusCode.DATA_LOSS, "File checksum verification failed", id="other"
    ),
    pytest.param(
        upload(b"one", checksum="0" * 63),
        INVALID,
        "checksum must be a SHA-256 in 64 hexadecimal digits",
        id="no-checksum",
    ),
    pytest.param(
        upload(b"one", content_type="text/html; charset=utf-8"),
        INVALID,
        "content_type must be a media type without parameters",
        id="media-type",
    ),
    pytest.param(upload(b"one", user_id="a\nb"), INVALID, "user_id has characters that cannot be printed", id="owner"),
    *(
        pytest.param(
            upload(b"one", filename=name),
            INVALID,
            "filename must be a plain name of 1 to 255 printable characters",
            id=f"filename-{number}",
        )
        for number, name in enumerate(["", "..", ".", "../a", "a/b", "a\\b", "a\0b", "a\nb", "x" * 256])
    ),
]


@pytest.mark.parametrize(("chunks", "code", "problem"), BAD_UPLOADS)
def test_a_bad_upload_leaves_nothing_behind(
    stub: Stub, store: Path, chunks: list[pb.FileChunk], code: grpc.StatusCode, problem: str
) -> None:
    before = sorted(store.iterdir())
    assert failure(lambda: stub.UploadFile(iter(chunks))) == (code, problem)
    assert sorted(store.iterdir()) == before


def test_a_checksum_may_have_capitals(stub: Stub) -> None:
    capitals = hashlib.sha256(b"one").hexdigest().upper()
    assert stub.UploadFile(iter(upload(b"one", checksum=capitals))).checksum_verified


def test_an_upload_whose_client_goes_leaves_nothing_behind(server: Started, stub: Stub, store: Path) -> None:
    before = sorted(store.iterdir())
    sent: queue.SimpleQueue[pb.FileChunk | None] = queue.SimpleQueue()
    call = stub.UploadFile.future(iter(sent.get, None))
    for chunk in upload(bytes(3 << 20), filename="given-up.bin")[:-1]:
        sent.put(chunk)
    wait_until(lambda: len(list(store.glob("*.part"))) == 1)
    call.cancel()
    server.wait_for(r"^UploadFile cancelled: file given-up\.bin$")
    wait_until(lambda: sorted(store.iterdir()) == before)
    sent.put(None)


def test_a_download_whose_client_goes_is_cancelled(server: Started, stub: Stub) -> None:
    stored = stub.UploadFile(iter(upload(bytes(1 << 22), filename="unwanted.bin")))
    call = stub.DownloadFile(pb.DownloadFileRequest(file_id=stored.file_id))
    next(call)
    call.cancel()
    server.wait_for(r"^DownloadFile cancelled: file unwanted\.bin$")
