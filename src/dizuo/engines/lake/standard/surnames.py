"""A person's name cut into surname and given name (姓、名), where it has these two parts.

A name of two or three ideographs begins with a surname of one character, or with a compound one (复姓) when it begins with
one and something is left: of every compound surname that the list knows, its bearers outnumber those of the single surname
whose given name happens to continue it. Names with a dot, names in letters and names that fit no form stay whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

from dizuo.engines.lake.standard.cells import Stage, either, nothing, text
from dizuo.engines.lake.standard.characters import HAN, INTERPUNCT
from dizuo.engines.lake.standard.terms import Rows, Value

PARTS = ("surname", "given", "form")
"""``form`` is han (surname and given name), dotted, foreign or unknown; null without a name."""


@dataclass(frozen=True, slots=True)
class Surnames:
    """Surnames of one character and of two."""

    single: tuple[str, ...]
    compound: tuple[str, ...]


@cache
def surnames() -> Surnames:
    """The list in this package's data."""
    file = resources.files("dizuo.engines.lake.standard") / "data" / "surnames.txt"
    words: list[str] = []
    for line in file.read_text("utf-8").splitlines():
        words += line.split(" ") if " " in line else list(line)
    return Surnames(tuple(w for w in words if len(w) == 1), tuple(w for w in words if len(w) == 2))


def part_stages(column: str) -> tuple[Stage, ...]:
    """Stages that cut ``<column>__value`` into ``<column>_surname``, ``_given`` and ``_form``."""
    known = surnames()

    def form(t: Rows) -> Value:
        name = text(t, f"{column}__value")
        # Firms' names and sentences are longer than any person's name.
        short = name.re_search(f"^[{HAN}]{{2,4}}\\z")
        double = (name.length() > 2) & name.left(2).isin(known.compound)
        single = (name.length() < 4) & name.left(1).isin(known.single)
        return either(
            (name.isnull(), nothing()),
            (short & double, "han2"),
            (short & single, "han1"),
            (name.re_search(f"^[{HAN}{INTERPUNCT}]*{INTERPUNCT}[{HAN}{INTERPUNCT}]*\\z"), "dotted"),
            (name.re_search("[A-Z]") & ~name.re_search(f"[{HAN}]"), "foreign"),
            other="unknown",
        )

    def surname(t: Rows) -> Value:
        name, cut = text(t, f"{column}__value"), text(t, f"{column}__cut")
        return either((cut == "han1", name.left(1)), (cut == "han2", name.left(2)), other=nothing())

    def given(t: Rows) -> Value:
        name, cut = text(t, f"{column}__value"), text(t, f"{column}__cut")
        return either((cut == "han1", name.substr(1)), (cut == "han2", name.substr(2)), other=nothing())

    def told(t: Rows) -> Value:
        cut = text(t, f"{column}__cut")
        return either((cut.isin(("han1", "han2")), "han"), other=cut)

    return (
        {f"{column}__cut": form},
        {f"{column}_surname": surname, f"{column}_given": given, f"{column}_form": told},
    )
