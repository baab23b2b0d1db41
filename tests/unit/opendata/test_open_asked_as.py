"""What a client's Accept and Range headers mean."""

from __future__ import annotations

import pytest

from dizuo.doors.open.asked_as import form_of
from dizuo.doors.open.ranges import part_of, understood

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "page"), ("*/*", "page"), (BROWSER, "page"), ("application/json", "json"), ("Application/JSON; charset=utf-8", "json"),
        ("application/json, text/plain, */*", "json"), ("text/html, application/json", "page"), ("text/html;q=0.5, application/json", "json"),
        ("text/csv", "csv"), ("text/csv;q=0.9, application/json;q=0.4", "csv"), ("application/json;q=0", "page"), ("application/json;q=9", "page"),
        ("application/json;q=x", "page"), ("image/png", "page"), (",;,=;q", "page"), ("application/*", "page"), ("application/json;q=nan", "page"),
    ],
)  # fmt: skip
def test_the_form_that_a_client_names(accept: str, form: str) -> None:
    assert form_of(accept) == form


@pytest.mark.parametrize(
    ("asked", "span"),
    [("bytes=0-", (0, 99)), ("bytes=10-19", (10, 19)), ("bytes=90-500", (90, 99)), ("bytes=-5", (95, 99)), ("bytes=-500", (0, 99)),
     ("bytes=99-", (99, 99)), ("bytes=100-", None), ("bytes=-0", None)],
)  # fmt: skip
def test_the_part_of_a_hundred_bytes(asked: str, span: tuple[int, int] | None) -> None:
    assert understood(asked, None, '"m"')
    assert part_of(asked, 100) == span


@pytest.mark.parametrize(
    "asked",
    ["bytes=5-2", "bytes=0-1,3-4", "bytes=-", "rows=0-5", "bytes=a-", "bytes=0-" + "9" * 40, "", "bytes=٣-"],
)
def test_what_is_no_range_of_bytes_is_answered_with_the_whole(asked: str) -> None:
    assert not understood(asked, None, '"m"')


def test_a_part_of_another_release_is_not_sent() -> None:
    assert understood("bytes=5-", '"m"', '"m"')
    assert not understood("bytes=5-", '"other"', '"m"')
    assert not understood("bytes=5-", "Mon, 23 Nov 2026 00:00:00 GMT", '"m"')
    assert not understood(None, None, '"m"')
