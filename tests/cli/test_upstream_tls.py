"""``asgi-grpc`` in front of a server with TLS, with certificates made here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import greeter_pb2
import greeter_pb2_grpc
import grpc
import httpx
import pytest
import trustme
from grpc_reflection.v1alpha import reflection

from asgi_grpc import ConfigurationError
from asgi_grpc.cli import main
from asgi_grpc.cli._upstream_tls import UpstreamTls, channel_credentials
from tests.cli.test_application import GREETER_SET
from tests.cli.test_serve import serve
from tests.processes import UVICORN, started

HELLO = {"message": "Hello, Ada!", "language": "en"}


class Greeter(greeter_pb2_grpc.GreeterServicer):
    """One method is enough."""

    def SayHello(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        return greeter_pb2.HelloReply(message=f"Hello, {request.name}!", language="en")


@dataclass(frozen=True)
class Files:
    """Servers' targets, and the files for them.

    Attributes:
        target: of a server that has a certificate.
        mutual: of one that wants to see ours too.
    """

    target: str
    mutual: str
    ca: str
    cert: str
    key: str
    other_ca: str


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    trustme.CA().cert_pem.write_to_path(str(folder / "other.pem"))
    ours = authority.issue_cert("gateway@example.org")
    ours.private_key_pem.write_to_path(str(folder / "key.pem"))
    for blob in ours.cert_chain_pems:
        blob.write_to_path(str(folder / "cert.pem"), append=True)
    theirs = authority.issue_cert("localhost")
    pair = [(theirs.private_key_pem.bytes(), b"".join(blob.bytes() for blob in theirs.cert_chain_pems))]
    server = grpc.server(ThreadPoolExecutor(4))
    greeter_pb2_grpc.add_GreeterServicer_to_server(Greeter(), server)
    reflection.enable_server_reflection(["helloworld.Greeter"], server)
    plain = server.add_secure_port("localhost:0", grpc.ssl_server_credentials(pair))
    strict = grpc.ssl_server_credentials(pair, authority.cert_pem.bytes(), require_client_auth=True)
    mutual = server.add_secure_port("localhost:0", strict)
    server.start()
    named = {name: str(folder / f"{name}.pem") for name in ("ca", "cert", "key")}
    yield Files(f"localhost:{plain}", f"localhost:{mutual}", **named, other_ca=str(folder / "other.pem"))
    server.stop(None).wait()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_gateway_in_front_of_a_server_with_tls(files: Files, workers: str) -> None:
    command = serve(files.target, "--port", "0", "--upstream-tls", "--upstream-ca", files.ca, "--workers", workers)
    with started(*command, ready=UVICORN) as gateway:
        gateway.wait_for("startup complete", timeout_s=30)
        answer = httpx.get(f"http://{gateway.address}/v1/helloworld/Ada", timeout=10)
        assert "by its reflection" in gateway.stderr
    assert (answer.status_code, answer.json()["data"]) == (200, HELLO)


def test_a_gateway_shows_its_own_certificate(files: Files) -> None:
    pair = ["--upstream-ca", files.ca, "--upstream-cert", files.cert, "--upstream-key", files.key]
    with started(*serve(files.mutual, "--port", "0", *pair), ready=UVICORN) as gateway:
        answer = httpx.get(f"http://{gateway.address}/v1/helloworld/Ada", timeout=10)
    assert (answer.status_code, answer.json()["data"]) == (200, HELLO)


def test_http2_of_our_own_shows_its_certificate_too(files: Files) -> None:
    pair = ["--upstream-ca", files.ca, "--upstream-cert", files.cert, "--upstream-key", files.key]
    with started(*serve(files.mutual, "--port", "0", "--upstream-http2", *pair), ready=UVICORN) as gateway:
        answer = httpx.get(f"http://{gateway.address}/v1/helloworld/Ada", timeout=10)
    assert (answer.status_code, answer.json()["data"]) == (200, HELLO)


@pytest.mark.parametrize("command", ["routes", "openapi"])
def test_other_commands_ask_over_tls_too(files: Files, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    as_json = ["--json"] * (command == "routes")
    assert main([command, files.target, "--upstream-ca", files.ca, *as_json]) == 0
    out, err = capsys.readouterr()
    assert (bool(json.loads(out)), err) == (True, "")


@pytest.mark.parametrize("wrong", ["nothing", "another authority", "no certificate of ours"])
def test_a_server_that_does_not_fit_is_one_line(files: Files, wrong: str, capfd: pytest.CaptureFixture[str]) -> None:
    target, options = {
        "nothing": (files.target, []),
        "another authority": (files.target, ["--upstream-ca", files.other_ca]),
        "no certificate of ours": (files.mutual, ["--upstream-ca", files.ca]),
    }[wrong]
    assert main(["routes", target, *options]) == 2
    out, err = capfd.readouterr()
    mine = [line for line in err.splitlines() if line.startswith("asgi-grpc: ")]  # grpcio has lines of its own
    assert (out, len(mine)) == ("", 1)
    assert mine[0].startswith(f"asgi-grpc: the server at {target} can't be asked for its schema: UNAVAILABLE: ")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (["--upstream-cert", "{cert}"], "--upstream-cert and --upstream-key go together: give both, or neither"),
        (["--upstream-key", "{key}"], "--upstream-cert and --upstream-key go together: give both, or neither"),
        (["--upstream-ca", "{ca}.none"], "--upstream-ca: can't read {ca}.none: no such file or directory"),
        (["--upstream-ca", "{key}"], "--upstream-ca: {key} holds no certificate in PEM"),
        (["--upstream-cert", "{ca}", "--upstream-key", "{key}"],
         "--upstream-cert, --upstream-key: {ca} and {key} are no certificate in PEM and its key without a password"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_used_are_told_at_start_up(
    files: Files, given: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    named = {"ca": files.ca, "cert": files.cert, "key": files.key}
    options = [each.format(**named) for each in given]
    assert main(["serve", "h:1", "--descriptor-set", GREETER_SET, *options]) == 2
    assert capsys.readouterr().err == f"asgi-grpc: {text.format(**named)}\n"


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(files: Files, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - trustme brings it

    key = serialization.load_pem_private_key(Path(files.key).read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    (tmp_path / "locked.pem").write_bytes(locked)
    with pytest.raises(ConfigurationError, match="its key without a password"):
        channel_credentials(UpstreamTls(cert=files.cert, key=os.fspath(tmp_path / "locked.pem")))


def test_without_tls_there_are_no_credentials() -> None:
    assert channel_credentials(None) is None
    assert isinstance(channel_credentials(UpstreamTls()), grpc.ChannelCredentials)
