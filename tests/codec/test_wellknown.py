"""Times, durations and masks, at the edges of their ranges."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.codec._quick import quick_timestamp
from asgi_grpc.codec._refusal import Refusal
from asgi_grpc.codec._wellknown import (
    read_duration,
    read_field_mask,
    read_timestamp,
    write_duration,
    write_field_mask,
    write_timestamp,
)

TIMES = [
    ("1970-01-01T00:00:00Z", (0, 0)),
    ("1969-12-31T23:59:59.999999999Z", (-1, 999_999_999)),
    ("0001-01-01T00:00:00Z", (-62135596800, 0)),
    ("9999-12-31T23:59:59.999999999Z", (253402300799, 999_999_999)),
    ("2000-02-29T12:30:45.1Z", (951827445, 100_000_000)),
    ("2000-02-29T12:30:45.123Z", (951827445, 123_000_000)),
    ("2000-02-29T12:30:45.123456Z", (951827445, 123_456_000)),
    ("2000-02-29T12:30:45.12Z", (951827445, 120_000_000)),
    ("2000-02-29T12:30:45.123456+00:00", (951827445, 123_456_000)),
    ("2000-02-29T12:30:45-00:00", (951827445, 0)),
    ("1970-01-01T23:59:00+23:59", (0, 0)),
    ("1969-12-31T00:01:00-23:59", (0, 0)),
    ("0001-01-01T01:00:00+01:00", (-62135596800, 0)),
    ("9999-12-31T22:59:59-01:00", (253402300799, 0)),
]
BAD_TIMES = [
    *(
        "",
        "2000",
        "2000-02-29",
        "2000-02-29T12:30Z",
        "2000-02-29T12:30:45",
        "2000-02-29t12:30:45Z",
        "2000-02-29T12:30:45z",
    ),
    *(
        "2000-02-29 12:30:45Z",
        "2000-2-29T12:30:45Z",
        "2001-02-29T12:30:45Z",
        "2000-13-01T12:30:45Z",
        "0000-01-01T00:00:00Z",
    ),
    *("2000-02-29T24:00:00Z", "2000-02-29T12:60:45Z", "2000-02-29T12:30:60Z", "2000-02-29T12:30:45.Z"),
    *(
        "2000-02-29T12:30:45.1234567890Z",
        "2000-02-29T12:30:45,5Z",
        "2000-02-29T12:30:45+1:00",
        "2000-02-29T12:30:45+0100",
    ),
    *(
        "2000-02-29T12:30:45+24:00",
        "2000-02-29T12:30:45+01:60",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    ),
    *(
        "2000-W09-2T12:30:45Z",
        "2000-060T12:30:45Z",
        "10000-01-01T00:00:00Z",
        "+2000-02-29T12:30:45Z",
        " 2000-02-29T12:30:45Z",
    ),
    *("2000-02-29T12:30:45Z\n", "2000-02-29T12:30:45.12 Z", "2000-02-29T12:30:4\u0665Z", "2000-02-29T12:30:45.\u0665Z"),
]


@pytest.mark.parametrize(("text", "value"), TIMES)
def test_times_are_read_in_utc(text: str, value: tuple[int, int]) -> None:
    assert read_timestamp(text) == value
    assert quick_timestamp(text) == value
    assert quick_timestamp(text) == value  # from the tables, this time


@pytest.mark.parametrize("text", BAD_TIMES)
def test_other_times_are_refused(text: str) -> None:
    for read in (read_timestamp, quick_timestamp, quick_timestamp):
        with pytest.raises(Refusal, match=r"^expected"):
            read(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((0, 0), "1970-01-01T00:00:00Z"),
        ((-1, 1), "1969-12-31T23:59:59.000000001Z"),
        ((951827445, 123_000_000), "2000-02-29T12:30:45.123Z"),
        ((951827445, 123_456_000), "2000-02-29T12:30:45.123456Z"),
        ((-62135596800, 0), "0001-01-01T00:00:00Z"),
        ((253402300799, 999_999_999), "9999-12-31T23:59:59.999999999Z"),
    ],
)
def test_times_are_written_in_groups_of_three_digits(value: tuple[int, int], text: str) -> None:
    assert write_timestamp(*value) == text


@pytest.mark.parametrize("value", [(-62135596801, 0), (253402300800, 0), (0, -1), (0, 10**9)])
def test_times_out_of_range_have_no_text(value: tuple[int, int]) -> None:
    with pytest.raises(Refusal, match=r"^expected"):
        write_timestamp(*value)


@pytest.mark.parametrize(
    ("text", "value", "written"),
    [
        ("0s", (0, 0), "0s"),
        ("-0s", (0, 0), "0s"),
        ("1.5s", (1, 500_000_000), "1.500s"),
        ("-1.5s", (-1, -500_000_000), "-1.500s"),
        ("-0.5s", (0, -500_000_000), "-0.500s"),
        ("0.000001s", (0, 1000), "0.000001s"),
        ("0.000000001s", (0, 1), "0.000000001s"),
        ("0001s", (1, 0), "1s"),
        ("315576000000.999999999s", (315576000000, 999_999_999), "315576000000.999999999s"),
        ("-315576000000s", (-315576000000, 0), "-315576000000s"),
    ],
)
def test_durations_are_read_and_written(text: str, value: tuple[int, int], written: str) -> None:
    assert read_duration(text) == value
    assert write_duration(*value) == written


@pytest.mark.parametrize(
    "text",
    ["", "1", "s", "1 s", "1S", ".5s", "1.s", "+1s", "--1s", "1.0000000001s", "315576000001s", "1e3s", "\u0661s"],
)
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(Refusal, match=r"^expected a duration"):
        read_duration(text)


@pytest.mark.parametrize("value", [(315576000001, 0), (-315576000001, 0), (0, 10**9), (0, -(10**9)), (1, -1), (-1, 1)])
def test_durations_out_of_range_have_no_text(value: tuple[int, int]) -> None:
    with pytest.raises(Refusal, match=r"^expected"):
        write_duration(*value)


@pytest.mark.parametrize(
    ("text", "paths"),
    [("", []), ("a", ["a"]), ("aB,c.dE", ["a_b", "c.d_e"]), ("Foo", ["_foo"]), ("aBC", ["a_b_c"])],
)
def test_masks_change_case_both_ways(text: str, paths: list[str]) -> None:
    assert read_field_mask(text) == paths
    assert write_field_mask(paths) == text


def test_masks_with_underscores_are_refused() -> None:
    with pytest.raises(Refusal, match="lowerCamelCase"):
        read_field_mask("a,b_c")


@pytest.mark.parametrize("path", ["fooBar", "foo__bar", "foo_1", "foo_", "a,b", ""])
def test_paths_that_would_not_come_back_have_no_text(path: str) -> None:
    with pytest.raises(Refusal, match="survive lowerCamelCase"):
        write_field_mask(["ok", path])


@given(text=st.text(st.sampled_from('aAbzZ,.É1ǅß_"'), max_size=12))
def test_masks_change_case_as_the_rule_says_letter_by_letter(text: str) -> None:
    changed = re.sub("[A-Z]", lambda upper: "_" + upper[0].lower(), text)
    if "_" not in text:
        assert read_field_mask(text) == (changed.split(",") if text else [])
    back = re.sub("_([a-z])", lambda match: match[1].upper(), text)
    if text and "_" not in back and "," not in back and not re.search("[A-Z]", text):
        assert write_field_mask([text]) == back
    else:
        with pytest.raises(Refusal):
            write_field_mask([text])


def test_the_case_of_a_long_path_is_changed_without_a_piece_for_each_letter() -> None:
    def peak_of(work: Callable[[], object]) -> int:
        tracemalloc.start()
        try:
            work()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    path = "_a" * 100_000
    assert peak_of(lambda: read_field_mask("A" * 100_000)) < 10 * len(path)
    assert peak_of(lambda: write_field_mask([path])) < 10 * len(path)
