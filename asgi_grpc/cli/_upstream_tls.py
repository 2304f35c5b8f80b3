"""TLS towards the gRPC server: files of the command line to credentials of a channel, or to a context."""

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
    """Make credentials of a grpcio channel; None for one that is not encrypted.

    grpcio reads such files only when it connects, and what it says then is no help: they are tried here.

    Raises:
        ConfigurationError: a file can't be read, is not what it should be, or one of a pair is missing.
    """
    if tls is None:
        return None
    tls_context(tls)
    roots = None if tls.ca is None else _read("--upstream-ca", tls.ca)
    cert = None if tls.cert is None else _read("--upstream-cert", tls.cert)
    key = None if tls.key is None else _read("--upstream-key", tls.key)
    found: Credentials = grpc.ssl_channel_credentials(roots, key, cert)
    return found


def tls_context(tls: UpstreamTls) -> ssl.SSLContext:
    """Make the context of connections that are not grpcio's; without an authority it trusts those of the system.

    Raises:
        ConfigurationError: as ``channel_credentials``.
    """
    if (tls.cert is None) != (tls.key is None):
        raise ConfigurationError("--upstream-cert and --upstream-key go together: give both, or neither")
    for option, path in (("--upstream-ca", tls.ca), ("--upstream-cert", tls.cert), ("--upstream-key", tls.key)):
        if path is not None:
            _read(option, path)
    try:
        context = ssl.create_default_context(cafile=tls.ca)
    except ssl.SSLError:
        raise ConfigurationError(f"--upstream-ca: {tls.ca} holds no certificate in PEM") from None
    try:
        if tls.cert is not None:
            context.load_cert_chain(tls.cert, tls.key, password=b"")  # with none, OpenSSL would ask the terminal
    except ssl.SSLError:
        problem = f"{tls.cert} and {tls.key} are no certificate in PEM and its key without a password"
        raise ConfigurationError(f"--upstream-cert, --upstream-key: {problem}") from None
    return context


def _read(option: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as exc:
        raise ConfigurationError(f"{option}: can't read {path}: {(exc.strerror or str(exc)).lower()}") from exc
