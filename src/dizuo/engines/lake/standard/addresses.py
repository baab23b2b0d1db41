"""Addresses: cleaned, their division found, the rest in one form."""

from __future__ import annotations

from collections.abc import Sequence

from dizuo.engines.lake.standard.cells import (
    MAX_CELL,
    Recipe,
    Term,
    either,
    emptied,
    joined,
    nothing,
    staged,
    text,
    trimmed,
    written,
)
from dizuo.engines.lake.standard.characters import HAN, SPACES, UNSEEN, half_width, simplified
from dizuo.engines.lake.standard.locating import MAX_HEAD, located
from dizuo.engines.lake.standard.places import Places
from dizuo.engines.lake.standard.rests import rest_stages
from dizuo.engines.lake.standard.terms import Rows, Truth, Value
from dizuo.engines.lake.standard.texts import text_fault

_UNTIDY = f"[^{HAN}0-9A-Za-z#()\\-]"
PARTS = ("norm", "division", "town_mca", "rest")


def cleaned(column: str) -> Recipe:
    """An address without blanks, in half-width and simplified characters (`__clean`), and its beginning (`__head`)."""

    def once(t: Rows) -> Value:
        raw = text(t, column)
        plain = written(raw.re_replace(f"[{SPACES}{UNSEEN}]+", ""), half_width())
        return either((raw.re_search(_UNTIDY), trimmed(plain)), other=emptied(raw))

    def clean(t: Rows) -> Value:
        return written(text(t, f"{column}__once"), simplified()).left(MAX_CELL + 1)

    def head(t: Rows) -> Value:
        return emptied(text(t, f"{column}__clean").re_extract("^[^0-9A-Za-z]*", 0).left(MAX_HEAD))

    return Recipe(({f"{column}__once": once}, {f"{column}__clean": clean}, {f"{column}__head": head}))


def addressed(worked: Rows, raw: Rows, columns: Sequence[str], places: Places) -> Rows:
    """The table with the values and parts of its address columns, all of them stage by stage together.

    ``worked`` holds what `cleaned` made of each, ``raw`` the columns as delivered: the distinct beginnings are
    taken from there. `<column>_norm` is the address written out, `<column>_division` the deepest division's code,
    `<column>_town_mca` its town's civil-affairs code, `<column>_rest` what is left, in one form.
    """
    for column in columns:
        worked = _located(worked, raw, column, places)
    return staged(worked, [_parted(column) for column in columns])


def _located(worked: Rows, raw: Rows, column: str, places: Places) -> Rows:
    alone = staged(raw.select(column), [cleaned(column)])
    heads = alone.filter(alone[f"{column}__head"].notnull()).select(head=alone[f"{column}__head"]).distinct()
    at = located(heads, places)
    at = at.select(
        found_head=at["head"],
        **{
            f"{column}__place": at["place"],
            f"{column}__mca": at["mca"],
            f"{column}__full": at["full"],
            f"{column}__used": at["used"],
        },
    )
    return worked.left_join(at, worked[f"{column}__head"] == at["found_head"]).drop("found_head")


def _parted(column: str) -> Recipe:
    def left(t: Rows) -> Value:
        used = t[f"{column}__used"]
        return emptied(text(t, f"{column}__clean").substr(used.fill_null(0)))

    def whole(t: Rows) -> Value:
        full, rest = text(t, f"{column}__full"), text(t, f"{column}_rest")
        return joined(full.fill_null(""), rest.fill_null(""))

    def good(t: Rows) -> Truth:
        return text(t, f"{column}__fault").isnull() | (text(t, f"{column}__fault") == "private_use")

    def when_good(name: str) -> Term:
        return lambda t: either((good(t), text(t, name)), other=nothing())

    return Recipe(
        (
            {
                f"{column}__left": left,
                f"{column}__fault": lambda t: text_fault(text(t, f"{column}__clean")),
            },
            *rest_stages(f"{column}__a", f"{column}__left", f"{column}__one_form"),
            {f"{column}_rest": when_good(f"{column}__one_form")},
            {
                f"{column}__value": when_good(f"{column}__clean"),
                f"{column}_norm": lambda t: either((good(t), emptied(whole(t))), other=nothing()),
                f"{column}_division": when_good(f"{column}__place"),
                f"{column}_town_mca": when_good(f"{column}__mca"),
            },
        )
    )
