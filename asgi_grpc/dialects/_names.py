"""The dialects that have a name."""

from __future__ import annotations

from asgi_grpc.dialects._dialect import Dialect
from asgi_grpc.dialects._envelope import EnvelopeDialect
from asgi_grpc.dialects._plain import BareDialect, GrpcGatewayDialect
from asgi_grpc.errors import ConfigurationError

_BY_NAME: dict[str, Dialect] = {
    "bare": BareDialect(),
    "envelope": EnvelopeDialect(),
    "grpc-gateway": GrpcGatewayDialect(),
}


def find_dialect(dialect: str | Dialect) -> Dialect:
    """The dialect of this name; an object of the protocol is a dialect already.

    Raises:
        ConfigurationError: no dialect has this name.
    """
    if not isinstance(dialect, str):
        return dialect
    if dialect not in _BY_NAME:
        names = ", ".join(sorted(_BY_NAME))
        raise ConfigurationError(f"there is no dialect {dialect!r}; choose one of {names}, or give a Dialect object")
    return _BY_NAME[dialect]
