from __future__ import annotations

import pytest

from asgi_grpc.client import Address, AddressError, parse_url


@pytest.mark.parametrize(
    ("url", "address", "authority"),
    [
        ("http://h", Address(scheme="http", host="h", port=80, target="/"), "h"),
        ("https://H:443/a?b=c#d", Address(scheme="https", host="h", port=443, target="/a?b=c"), "h"),
        ("ws://h:81/a%2Fb", Address(scheme="ws", host="h", port=81, target="/a%2Fb"), "h:81"),
        ("wss://[::1]:9/", Address(scheme="wss", host="::1", port=9, target="/"), "[::1]:9"),
        ("http://h:0?x=1", Address(scheme="http", host="h", port=0, target="/?x=1"), "h:0"),
        (
            "http://bü.de/é b",
            Address(scheme="http", host="xn--b-eha.de", port=80, target="/%C3%A9%20b"),
            "xn--b-eha.de",
        ),
    ],
)
def test_a_url_is_taken_apart(url: str, address: Address, authority: str) -> None:
    assert parse_url(url) == address
    assert parse_url(url).authority == authority


def test_tls_is_the_schemes_business() -> None:
    assert [scheme for scheme in ("http", "https", "ws", "wss") if parse_url(f"{scheme}://h").tls] == ["https", "wss"]


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("localhost:8000", "'localhost:8000': expected http://, https://, ws:// or wss:// and a host"),
        ("http:///x", "'http:///x': expected http://, https://, ws:// or wss:// and a host"),
        ("http://h:99999", "'http://h:99999' is not a URL"),
        ("http://[::1", "'http://[::1' is not a URL"),
        (f"http://{'a' * 64}é", f"'http://{'a' * 64}é' is not a URL"),
        ("http://me:secret@h", "a URL with a user's name or password is not supported; send an Authorization header"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_in_a_sentence(url: str, text: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_url(url)
    assert str(caught.value) == text
