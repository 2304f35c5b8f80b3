"""TLS towards the gRPC server: files of the command line to credentials of a channel."""

from __future__ import annotations

import ssl
from pathlib import Path

import grpc
import msgspec

from asgi_grpc.calls import Credentials
from asgi_grpc.errors import ConfigurationError


class UpstreamTls(msgspec.Struct, frozen=True, kw_only=True):
    """How the channel is encrypted.

    Attributes:
        ca: a file of certificates, PEM, one of which has to stand behind the server's; None: those that grpcio trusts.
        cert: a file with our own certificate and its chain, PEM; None: we show none.
        key: a file with its private key, PEM, without a password.
    """

    ca: str | None = None
    cert: str | None = None
    key: str | None = None


def channel_credentials(tls: UpstreamTls | None) -> Credentials | None:
    """Make credentials; None for a channel that is not encrypted.

    grpcio reads such files only when it connects, and what it says then is no help: they are tried here.

    Raises:
        ConfigurationError: a file can't be read, is not what it should be, or one of a pair is missing.
    """
    if tls is None:
        return None
    if (tls.cert is None) != (tls.key is None):
        raise ConfigurationError("--upstream-cert and --upstream-key go together: give both, or neither")
    roots = None if tls.ca is None else _read("--upstream-ca", tls.ca)
    cert = None if tls.cert is None else _read("--upstream-cert", tls.cert)
    key = None if tls.key is None else _read("--upstream-key", tls.key)
    trial = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if roots is not None:
            trial.load_verify_locations(tls.ca)
    except ssl.SSLError:
        raise ConfigurationError(f"--upstream-ca: {tls.ca} holds no certificate in PEM") from None
    try:
        if tls.cert is not None:
            trial.load_cert_chain(tls.cert, tls.key, password=b"")  # with none, OpenSSL would ask the terminal
    except ssl.SSLError:
        problem = f"{tls.cert} and {tls.key} are no certificate in PEM and its key without a password"
        raise ConfigurationError(f"--upstream-cert, --upstream-key: {problem}") from None
    found: Credentials = grpc.ssl_channel_credentials(roots, key, cert)
    return found


def _read(option: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as exc:
        raise ConfigurationError(f"{option}: can't read {path}: {(exc.strerror or str(exc)).lower()}") from exc
