"""Hypothesis strategies: bodies that sit on a rule's edge, and the ways in which a network could cut them.

Pure noise is refused by the first byte; what finds faults is a body that is nearly right. Each strategy draws pieces
that stand close to one rule (a limit, a delimiter, an escape, a byte order mark) and joins them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import strategies as st

_LINE_ENDS = [b"\n", b"\r\n", b"\n\n", b" \n", b" ", b""]
_SHARDS = [b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"\n", b"\r", b" ", b"\x1e", b"\x00", b"\xff", b"\xe2\x82"]
_MARK = b"\xef\xbb\xbf"


@st.composite
def chunkings(draw: st.DrawFn, body: bytes | st.SearchStrategy[bytes], *, max_cuts: int = 8) -> list[bytes]:
    """Draw one way in which a network could have cut a body: joined, the chunks are the body.

    Empty chunks are drawn too, because ASGI servers send them; so are single bytes, and the whole in one piece.

    Args:
        body: the body, or what draws it.
        max_cuts: most cuts at places drawn one by one.
    """
    whole = body if isinstance(body, bytes) else draw(body)
    if draw(st.integers(0, 9)) == 0:
        size = draw(st.integers(1, 3))
        return [whole[at : at + size] for at in range(0, len(whole), size)]
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=max_cuts)))
    return [whole[a:b] for a, b in pairwise([0, *cuts, len(whole)])]


def json_values(*, limit: int = 64, depth: int = 4) -> st.SearchStrategy[bytes]:
    """Draw one JSON value, often as long or as deep as a limit allows, or one more.

    Args:
        limit: the ``max_frame_bytes`` to come close to.
        depth: the ``max_depth`` to come close to.
    """
    sizes = st.sampled_from([limit - 1, limit, limit + 1])
    levels = st.sampled_from([depth - 1, depth, depth + 1])
    texts = st.sampled_from(
        [b"", b"{}", b"}{", b"},{", b"][", b'\\"', b"\\\\", b"\\u00e9", b"\xc3\xa9", b"\xf0\x9f\x98\x80"]
    )
    strings = texts.map(lambda text: b'"' + text + b'"')
    scalars = st.sampled_from([b"0", b"-1.5e3", b"true", b"null", b'""'])
    leaves = st.one_of(scalars, strings)
    small = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda items: b"[" + b",".join(items) + b"]"),
            st.lists(st.tuples(strings, inner), max_size=3).map(
                lambda items: b"{" + b" ,\n".join(key + b":" + value for key, value in items) + b"}"
            ),
        ),
        max_leaves=6,
    )
    return st.one_of(
        small,
        leaves.map(lambda leaf: b'{"a":' + leaf + b"}"),
        sizes.map(lambda size: b"9" * size),
        sizes.map(lambda size: b'"' + b"x" * (size - 2) + b'"'),
        sizes.map(lambda size: b'{"a":"' + b"x" * (size - 8) + b'"}'),
        levels.map(lambda level: b"[" * level + b"]" * level),
        levels.map(lambda level: b'{"a":' * level + b"1" + b"}" * level),
    )


def ndjson_bodies(*, limit: int = 64, depth: int = 4) -> st.SearchStrategy[bytes]:
    """Draw a body of JSON values: mostly lines, some of them damaged, long, deep, spread or shared."""
    values = json_values(limit=limit, depth=depth)
    lines = st.tuples(values, st.sampled_from(_LINE_ENDS)).map(b"".join)
    flat = st.integers(1, 9).map(lambda count: b'{"a":"x"}\n' * count)
    return _bodies(
        st.one_of(lines, lines, flat, _cut_short(values)), st.sampled_from([b"", b"", _MARK, _MARK[:2], b" \n"])
    )


def array_bodies(*, limit: int = 64, depth: int = 4) -> st.SearchStrategy[bytes]:
    """Draw a body that is one JSON array, or nearly: its commas and its end may be missing or too many."""
    values = json_values(limit=limit, depth=depth)
    separators = st.sampled_from([b",", b",", b",", b" ,\n", b",,", b" ", b""])
    elements = st.lists(st.one_of(values, values, _cut_short(values)), max_size=6)

    @st.composite
    def bodies(draw: st.DrawFn) -> bytes:
        body = draw(st.sampled_from([b"[", b"[", b" [\n", _MARK + b"["]))
        for number, element in enumerate(draw(elements)):
            body += (draw(separators) if number else b"") + element
        return body + draw(st.sampled_from([b"]", b"]", b"]\n", b" ]", b",]", b"", b"]]", b"] x"]))

    return bodies()


def json_seq_bodies(*, limit: int = 64) -> st.SearchStrategy[bytes]:
    """Draw a body of RFC 7464 records, some of them truncated or not separated."""
    values = json_values(limit=limit)
    starts = st.sampled_from([b"\x1e", b"\x1e", b"\x1e", b"\x1e\x1e", b"\x1e \n", b""])
    ends = st.sampled_from([b"\n", b"\n", b"\r\n", b""])
    records = st.tuples(starts, st.one_of(values, values, _cut_short(values)), ends).map(b"".join)
    return _bodies(records, st.sampled_from([b"", b"", b" ", _MARK]))


def sse_bodies(*, limit: int = 64) -> st.SearchStrategy[bytes]:
    """Draw an event stream with all three line ends, comments, fields out of place and events near a limit."""
    names = st.sampled_from([b"data", b"data", b"event", b"id", b"retry", b"", b"x"])
    values = st.sampled_from(
        [b"", b" ", b" {}", b"  a", b"b:c", b"\xc3\xa9", b"\0", b"9" * (limit - 6), b"9" * (limit - 4)]
    )
    fields = st.tuples(names, st.sampled_from([b":", b":", b""]), values).map(b"".join)
    ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
    lines = st.tuples(st.one_of(fields, fields, st.just(b"")), ends).map(b"".join)
    return _bodies(lines, st.sampled_from([b"", b"", _MARK]))


def websocket_texts(*, limit: int = 64, depth: int = 4) -> st.SearchStrategy[list[bytes]]:
    """Draw the text messages of one WebSocket: each holds one value, several, or part of one."""
    return st.lists(ndjson_bodies(limit=limit, depth=depth), max_size=5)


def _cut_short(values: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Values that lack some of their end."""
    return st.tuples(values, st.integers(1, 6)).map(lambda drawn: drawn[0][: -drawn[1]])


def _bodies(pieces: st.SearchStrategy[bytes], heads: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Some pieces behind a head, with now and then a shard of syntax between them."""

    def join(parts: tuple[bytes, Sequence[bytes]]) -> bytes:
        return parts[0] + b"".join(parts[1])

    shards = st.sampled_from(_SHARDS)
    return st.tuples(heads, st.lists(st.one_of(pieces, pieces, pieces, shards), max_size=10)).map(join)
