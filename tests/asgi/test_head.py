"""The head of a request."""

from __future__ import annotations

import pytest

from asgi_grpc.asgi._head import read_head, routing_path


def test_lines_of_one_name_are_joined_by_commas() -> None:
    lines = [(b"accept", b"a/b"), (b"host", b"h"), (b"accept", b"c/d")]
    head = read_head({"headers": iter(lines)})
    assert (head.pairs, head.get(b"accept"), head.get(b"host"), head.get(b"te")) == (lines, "a/b, c/d", "h", None)


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ({"path": "/a b/ö"}, b"/a%20b/%C3%B6"),
        ({"path": "/a b", "raw_path": b"/a%20b"}, b"/a%20b"),
        ({"path": "/in/a", "raw_path": b"/in/a", "root_path": "/in"}, b"/a"),
        ({"path": "/in/a", "raw_path": b"/in/a", "root_path": "/in/"}, b"/a"),
        ({"path": "/a", "raw_path": b"/a", "root_path": "/in"}, b"/a"),
        ({"path": "/inner", "raw_path": b"/inner", "root_path": "/in"}, b"/inner"),
    ],
)
def test_the_path_is_below_the_root_and_stays_escaped(scope: dict[str, object], path: bytes) -> None:
    assert routing_path(scope) == path
