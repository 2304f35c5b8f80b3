"""What users type, as an address."""

from __future__ import annotations

import pytest

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.http2._target import Target


@pytest.mark.parametrize(
    ("typed", "target"),
    [
        ("host:1", Target("host:1", host="host", port=1)),
        ("my_host.example.org:65535", Target("my_host.example.org:65535", host="my_host.example.org", port=65535)),
        ("dns:host:80", Target("host:80", host="host", port=80)),
        ("dns:///host:80", Target("host:80", host="host", port=80)),
        ("127.0.0.1:80", Target("127.0.0.1:80", host="127.0.0.1", port=80)),
        ("[::1]:80", Target("[::1]:80", host="::1", port=80)),
        ("dns:///[fe80::1%eth0]:80", Target("[fe80::1]:80", host="fe80::1%eth0", port=80)),
        ("bücher.example:80", Target("xn--bcher-kva.example:80", host="xn--bcher-kva.example", port=80)),
        ("unix:rel/path", Target("localhost", path="rel/path")),
        ("unix:/abs/path", Target("localhost", path="/abs/path")),
        ("unix:///abs/path", Target("localhost", path="/abs/path")),
    ],
)
def test_a_target_is_one_place(typed: str, target: Target) -> None:
    assert Target.parse(typed) == target


@pytest.mark.parametrize(
    "typed",
    [
        *("", "host", "host:", ":80", "host:0", "host:65536", "host:99999", "host:8x", "host:\u0668\u0660", "::1:80"),
        *("[::1]", "http://host:80", "host:80/path", "dns://resolver/host:80", "dns:///host", "ipv4:127.0.0.1:80"),
        *("xds:///host:80", "unix:", "unix-abstract:name", "ho st:80", "host\n:80", "a..b:80", f"{'a' * 64}:80"),
    ],
)
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Target.parse(typed)
    assert repr(typed) in str(caught.value)
