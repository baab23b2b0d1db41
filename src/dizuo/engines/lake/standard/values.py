"""Whole numbers, decimals, truths and codes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from dizuo.engines.lake.standard.cells import Recipe, either, emptied, nothing, text, trimmed, written
from dizuo.engines.lake.standard.characters import SPACES, half_width, plain_digits
from dizuo.engines.lake.standard.terms import Rows, Text, Value

DECIMAL = "decimal(24, 4)"
_EXACT = "decimal(28, 8)"
_ROOM = 15
_DIGITS = "^[+-]?[0-9]{1,9}\\z"
_TRUE = ("1", "是", "有", "真", "Y", "y", "YES", "yes", "Yes", "T", "t", "TRUE", "true", "True", "√", "✓")
_FALSE = ("0", "否", "无", "假", "N", "n", "NO", "no", "No", "F", "f", "FALSE", "false", "False", "×")


def integers(column: str, times: int = 1) -> Recipe:
    """integer: a whole number, multiplied by ``times``. Faults: bad_number."""
    return _number(column, times, "int64", f"^[+-]?[0-9]{{1,{_ROOM - _length(times)}}}(\\.0*)?\\z")


def decimals(column: str, times: int = 1) -> Recipe:
    """decimal: a number to four places, multiplied by ``times``. Faults: bad_number."""
    form = f"^[+-]?([0-9]{{1,{_ROOM - _length(times)}}}(\\.[0-9]*)?|\\.[0-9]+)\\z"
    return _number(column, times, DECIMAL, form)


def _length(times: int) -> int:
    return math.ceil(math.log10(times)) if times > 1 else 0


def _number(column: str, times: int, kind: str, form: str) -> Recipe:
    def tidy(t: Rows) -> Value:
        raw = text(t, column)
        plain = written(raw, plain_digits()).re_replace(f"[,{SPACES}]+", "")
        return either((raw.re_search(_DIGITS), raw), other=emptied(plain))

    def value(t: Rows) -> Value:
        given = text(t, f"{column}__tidy")
        exact = either((given.re_search(form), given.left(40)), other=nothing())
        number = exact.try_cast(_EXACT)
        return (number * times if times != 1 else number).cast(kind)

    return Recipe(
        (
            {f"{column}__tidy": tidy},
            {f"{column}__value": value},
            {f"{column}__fault": lambda t: _unread(t, column, "bad_number")},
        )
    )


def _unread(t: Rows, column: str, code: str) -> Value:
    bad = text(t, f"{column}__tidy").notnull() & t[f"{column}__value"].isnull()
    return either((bad, code), other=nothing())


def booleans(column: str) -> Recipe:
    """boolean: 是/否, 有/无, 1/0, Y/N, true/false. Faults: bad_boolean."""

    def value(t: Rows) -> Value:
        given = text(t, f"{column}__tidy")
        return either((given.isin(_TRUE), True), (given.isin(_FALSE), False), other=nothing("boolean"))

    return Recipe(
        (
            {f"{column}__tidy": lambda t: trimmed(written(text(t, column), half_width()))},
            {f"{column}__value": value},
            {f"{column}__fault": lambda t: _unread(t, column, "bad_boolean")},
        )
    )


def codes(column: str, spellings: Mapping[str, str]) -> Recipe:
    """code: the code that a spelling stands for (a code itself, its Chinese name, a declared synonym).

    Without a list every text is taken as it is. Faults: bad_code.
    """
    by_code: dict[str, list[str]] = {}
    for written_as, code in spellings.items():
        by_code.setdefault(code, []).append(written_as)

    def value(t: Rows) -> Value:
        given = text(t, f"{column}__tidy")
        if not by_code:
            return given
        themselves = [code for code, ways in by_code.items() if code in ways]
        others = [(given == way, code) for code, ways in by_code.items() for way in ways if way != code]
        same = [(given.isin(themselves), given)] if themselves else []
        return either(*same, *others, other=nothing())

    return Recipe(
        (
            {f"{column}__tidy": lambda t: _tidy_code(text(t, column))},
            {f"{column}__value": value},
            {f"{column}__fault": lambda t: _unread(t, column, "bad_code")},
        )
    )


def _tidy_code(raw: Text) -> Value:
    plain = trimmed(written(raw, half_width()))
    return either((raw.re_search("^[0-9A-Za-z\u4e00-\u9fa5]+\\z"), raw), other=plain)
