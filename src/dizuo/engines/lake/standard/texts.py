"""Plain texts and names of persons and enterprises.

A name keeps every ideograph that it has, however rare; only its width, its blanks, its dot and traditional spelling
are made one. A character of the private use area is kept and counted as a fault, because no other system shows it.
"""

from __future__ import annotations

from dizuo.engines.lake.standard.cells import (
    MAX_CELL,
    Recipe,
    either,
    emptied,
    nothing,
    text,
    trimmed,
    written,
)
from dizuo.engines.lake.standard.characters import (
    BROKEN,
    DOTS,
    HAN,
    INTERPUNCT,
    PRIVATE_USE,
    SPACES,
    UNSEEN,
    Table,
    compatible,
    half_width,
    simplified,
    upper,
)
from dizuo.engines.lake.standard.surnames import PARTS, part_stages
from dizuo.engines.lake.standard.terms import Rows, Text, Truth, Value

_BLANK = f"[{SPACES}]+"
_HIDDEN = f"[{UNSEEN}]+"
# Everything that makes a name need any work, apart from traditional characters.
_UNTIDY = f"[^{HAN}{INTERPUNCT}]|[\u2e80-\u2fdf\ufa0e-\ufa29]"
_FORMULA = "^([=@]|[+\\-]([^0-9.]|\\z))"
_ALL_DOTS = DOTS + ".。"
# A Chinese firm is registered with the brackets of Chinese type.
_BRACKETS = Table("()", "（）", "[()]")


def texts(column: str) -> Recipe:
    """text: without outer blanks and unseen characters, at most 4,000 characters.

    Faults: too_long, encoding (U+FFFD: read with a wrong encoding), formula (starts like one of a spreadsheet);
    private_use is counted and the value kept.
    """

    def cleaned(t: Rows) -> Value:
        raw = text(t, column)
        tidy = trimmed(raw.re_replace(_HIDDEN, ""))
        return either((raw.re_search(_ANY_TROUBLE), tidy), other=emptied(raw))

    def fault(t: Rows) -> Value:
        return text_fault(text(t, f"{column}__clean"))

    return Recipe(
        (
            {f"{column}__clean": cleaned},
            {f"{column}__fault": fault},
            {f"{column}__value": lambda t: kept(text(t, f"{column}__clean"), text(t, f"{column}__fault"))},
        )
    )


_ANY_TROUBLE = f"^[{SPACES}]|[{SPACES}]\\z|[{UNSEEN}]"


def text_fault(value: Text) -> Value:
    """What is wrong with a text, or null."""
    return either(
        (value.length() > MAX_CELL, "too_long"),
        (value.re_search(_FORMULA), "formula"),
        (value.re_search(f"[{BROKEN}]"), "encoding"),
        (value.re_search(f"[{PRIVATE_USE}]"), "private_use"),
        other=nothing(),
    )


def kept(value: Text, fault: Text) -> Value:
    """The value unless its fault makes it worthless; a character that others cannot show does not."""
    return either((fault.isnull() | (fault == "private_use"), value), other=nothing())


def names(column: str) -> Recipe:
    """name (姓名、名称): NFKC, `·` for every dot, traditional to simplified; no blanks and full-width brackets in a Chinese name, single blanks
    and capital letters in a Latin one (as in a passport).

    `<column>_raw` is the name as delivered where that differs; `_surname`, `_given` and `_form` cut a person's name in two.
    Faults as for text; not_a_name for one without a letter.
    """

    def untidy(t: Rows) -> Truth:
        return text(t, column).re_search(_UNTIDY)

    def wide(t: Rows) -> Value:
        raw = text(t, column)
        return either((untidy(t), trimmed(raw.re_replace(_HIDDEN, ""))), other=emptied(raw))

    def half(t: Rows) -> Value:
        value = text(t, f"{column}__wide")
        return either((value.re_search("[\uff01-\uff5e\u3000]"), written(value, half_width())), other=value)

    def compat(t: Rows) -> Value:
        return written(text(t, f"{column}__half"), compatible())

    def once(t: Rows) -> Value:
        value = text(t, f"{column}__compat")
        has_han, has_latin = value.re_search(f"[{HAN}]"), value.re_search("[0-9A-Za-z\u00c0-\u024f]")
        close = value.re_replace(_BLANK, "")
        dotted = close.translate(_ALL_DOTS, INTERPUNCT * len(_ALL_DOTS)).re_replace(
            f"{INTERPUNCT}+", INTERPUNCT
        )
        return either(
            (~untidy(t), value),
            (has_han & has_latin, written(written(close, upper()), _BRACKETS)),
            (has_han, written(dotted, _BRACKETS)),
            (has_latin, written(value, upper()).re_replace(_BLANK, " ")),
            other=dotted,
        )

    def simple(t: Rows) -> Value:
        return written(text(t, f"{column}__once"), simplified())

    def fault(t: Rows) -> Value:
        value = text(t, f"{column}__simple")
        return either(
            (value.re_search(f"^[{HAN}{INTERPUNCT}]*[{HAN}]\\z") & (value.length() <= 60), nothing()),
            (text_fault(value).notnull(), text_fault(value)),
            (
                ~value.re_search(
                    f"[{HAN}A-Za-z\u00c0-\u024f\u0370-\u1fff\u3040-\u30ff\uac00-\ud7a3{PRIVATE_USE}]"
                ),
                "not_a_name",
            ),
            other=nothing(),
        )

    def as_delivered(t: Rows) -> Value:
        raw = text(t, column)
        return either((raw != text(t, f"{column}__simple"), raw.left(MAX_CELL)), other=nothing())

    return Recipe(
        (
            {f"{column}__wide": wide},
            {f"{column}__half": half},
            {f"{column}__compat": compat},
            {f"{column}__once": once},
            {f"{column}__simple": simple},
            {f"{column}__fault": fault, f"{column}_raw": as_delivered},
            {f"{column}__value": lambda t: kept(text(t, f"{column}__simple"), text(t, f"{column}__fault"))},
            *part_stages(column),
        ),
        (f"{column}_raw", *(f"{column}_{part}" for part in PARTS)),
    )
