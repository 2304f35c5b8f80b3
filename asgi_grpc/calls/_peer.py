"""Who calls, as gRPC tells it, from what ASGI knows of the connection."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

connection: ContextVar[Mapping[str, Any] | None] = ContextVar("asgi_grpc_connection", default=None)
"""The ASGI scope that the running call came with; None where a call came otherwise."""

_COMMON_NAME = re.compile(r"(?:^|,)\s*CN=((?:\\.|[^,\\+])*)", re.IGNORECASE)

_INSECURE = {"transport_security_type": b"insecure", "security_level": b"TSI_SECURITY_NONE"}


def peer_of(scope: Mapping[str, Any] | None) -> str:
    """The client's address in gRPC's form, e.g. ``"ipv4:127.0.0.1:50000"``; ``"unknown"`` where ASGI has none."""
    client = scope and scope.get("client")
    if not client:
        return "unknown"
    host, port = client
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return f"unix:{host}" if not port else f"dns:{host}:{port}"
    return f"ipv4:{host}:{port}" if version == 4 else f"ipv6:%5B{host}%5D:{port}"


def auth_context_of(scope: Mapping[str, Any] | None) -> dict[str, list[bytes]]:
    """What is known of the client's connection, under gRPC's names: what TLS tells, or that there is none.

    Empty where a server says that there is TLS and no more, or where a call came without a connection.

    Source: the TLS extension of ASGI; the names of gRPC's ``auth_context``.
    """
    scope = scope or {}
    tls = (scope.get("extensions") or {}).get("tls")
    if tls is None:
        return {name: [value] for name, value in _INSECURE.items()} if scope.get("scheme") in {"http", "ws"} else {}
    found = {"transport_security_type": [b"ssl"], "security_level": [b"TSI_PRIVACY_AND_INTEGRITY"]}
    if chain := list(tls.get("client_cert_chain") or ()):
        found["x509_pem_cert"] = [chain[0].encode()]
        found["x509_pem_cert_chain"] = ["".join(chain).encode()]
    if subject := tls.get("client_cert_name"):
        found["x509_subject"] = [subject.encode()]
        if name := _COMMON_NAME.search(subject):
            found["x509_common_name"] = [re.sub(r"\\(.)", r"\1", name[1]).encode()]
    return found
