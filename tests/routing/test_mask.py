"""The mask of a PATCH, read from its body."""

from __future__ import annotations

from typing import Any

import pytest

from asgi_grpc.codec import CodecOptions
from tests.routing.library import bound, played


def masked(
    body: str, query: str = "", *, http_method: str = "PATCH", field: str = "book", **more: Any
) -> list[str] | None:
    """The paths that a request gets from its body; None if it has no mask at all."""
    there = bound("/a", "/a", query, body=field, http_method=http_method, **more)
    messages, error = there.decode([body.encode()])
    assert error is None
    message: Any = messages[0]
    return list(message.update_mask.paths) if message.HasField("update_mask") else None


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ('{"pageTitle":"t"}', ["page_title"]),
        ('{"page_title":"","pages":0,"name":"n"}', ["name", "page_title", "pages"]),
        ('{"genre":null,"sequel":null}', ["genre", "sequel"]),
        ('{"sequel":{"name":"","sequel":{"pageTitle":""}}}', ["sequel.name", "sequel.sequel.page_title"]),
        ('{"sequel":{"tags":[]}}', ["sequel.tags"]),
        ('{"sequel":{}}', ["sequel"]),
        ('{"tags":["a"],"copies":{"k":1},"parts":[{"name":"n"}]}', ["copies", "parts", "tags"]),
        ('{"printed":"2000-01-01T00:00:00Z"}', ["printed"]),
        ('{"extra":{"a":{"b":1,"c":{}},"d":[{"e":1}]}}', ["extra.a.b", "extra.a.c", "extra.d"]),
        ('{"extra":{}}', ["extra"]),
        ('{"free":{"a":{"b":1}}}', ["free.a.b"]),
        ('{"free":1}', ["free"]),
        ('{"any":{"@type":"type.googleapis.com/library.Book","pages":1}}', ["any"]),
        ('{"cents":1}', ["cents"]),
        ("{}", None),
    ],
)  # fmt: skip
def test_the_mask_of_a_patch_is_the_keys_of_its_body(body: str, paths: list[str] | None) -> None:
    assert masked(body) == paths


def test_a_mask_that_the_client_gave_stays() -> None:
    assert masked('{"pages":1}', "update_mask=tags") == ["tags"]
    assert masked('{"pages":1}', "update_mask=") == ["pages"]


def test_other_methods_and_other_bodies_get_none() -> None:
    assert masked('{"pages":1}', http_method="PUT") is None
    assert masked('{"a":1,"fields":1}', field="extra") is None
    assert masked('["a"]', field="tags") is None
    assert masked("1", field="number") is None
    assert masked('[{"pages":1}]', field="books") is None


@pytest.mark.parametrize("name", ["Twice", "Many"])
def test_two_masks_or_repeated_ones_are_left_alone(name: str) -> None:
    there = bound("/{book.name}", "/x", body="book", http_method="PATCH", name=name)
    assert played(there, '{"pages":1}') == ([{"book": {"name": "x", "pages": "1"}}], None)


def test_a_path_variable_inside_the_body_is_not_what_the_client_changes() -> None:
    there = bound("/{book.name}", "/x", body="book", http_method="PATCH")
    assert played(there, '{"pages":1}', '{"name":"x"}', "{}") == (
        [
            {"book": {"name": "x", "pages": "1"}, "update_mask": "pages"},
            {"book": {"name": "x"}, "update_mask": "name"},
            {"book": {"name": "x"}},
        ],
        None,
    )


def test_names_that_the_codec_ignores_are_not_in_the_mask() -> None:
    assert masked('{"nope":1,"pages":1}', options=CodecOptions(ignore_unknown=True)) == ["pages"]
