"""Telephone numbers (联系电话): mobile, landline with area code, service numbers."""

from __future__ import annotations

from dizuo.engines.lake.standard.cells import Recipe, either, emptied, joined, nothing, text, written
from dizuo.engines.lake.standard.characters import SPACES, UNSEEN, plain_digits
from dizuo.engines.lake.standard.terms import Rows, Value

_MOBILE = "^1[3-9][0-9]{9}\\z"
_AREA = "(010|02[0-9]|0[3-9][0-9]{2})"
_LANDLINE = f"^(\\+?0{{0,2}}86-?)?\\(?{_AREA}\\)?-?([2-9][0-9]{{6,7}})(-?(转|\\*|#|-)?([0-9]{{1,6}}))?\\z"
_LOCAL = "^[2-9][0-9]{6,7}\\z"
_SERVICE = "^(400|800)-?[0-9]{3}-?[0-9]{4}\\z"
_ABROAD = "^(\\+|00)?86-?"
_SEVERAL = "[/,;，；、|或]"
_MARKS = f"[{SPACES}{UNSEEN}_.·]+"


def phones(column: str) -> Recipe:
    """phone: 13812345678, 0510-82700000, 0510-82700000-801, 4008001234 or, without an area code, 82700000; else null.

    +86, brackets, blanks and full-width digits are taken away. Faults: bad_phone; several_phones where a cell holds
    more than one: the first counts.
    """

    def tidy(t: Rows) -> Value:
        raw = text(t, column)
        plain = written(raw, plain_digits()).re_replace(_MARKS, "")
        return either((raw.re_search(_MOBILE), raw), other=emptied(plain))

    def first(t: Rows) -> Value:
        plain = text(t, f"{column}__tidy")
        return either(
            (plain.re_search(_MOBILE), plain),
            (plain.re_search(_SEVERAL), plain.re_extract(f"^[^{_SEVERAL[1:-1]}]*", 0)),
            other=plain,
        )

    def value(t: Rows) -> Value:
        one = text(t, f"{column}__first")
        home = one.re_replace(_ABROAD, "").re_replace("-", "")
        landline = joined(one.re_extract(_LANDLINE, 2), "-", one.re_extract(_LANDLINE, 3))
        extension = one.re_extract(_LANDLINE, 6)
        return either(
            (one.re_search(_MOBILE), one),
            (home.re_search(_MOBILE), home),
            (one.re_search(_SERVICE), one.re_replace("-", "")),
            (
                one.re_search(_LANDLINE),
                either((extension == "", landline), other=joined(landline, "-", extension)),
            ),
            (one.re_search(_LOCAL), one),
            other=nothing(),
        )

    def fault(t: Rows) -> Value:
        given = text(t, f"{column}__tidy")
        return either(
            (given.isnull(), nothing()),
            (t[f"{column}__value"].isnull(), "bad_phone"),
            (given != text(t, f"{column}__first"), "several_phones"),
            other=nothing(),
        )

    return Recipe(
        (
            {f"{column}__tidy": tidy},
            {f"{column}__first": first},
            {f"{column}__value": value},
            {f"{column}__fault": fault},
        )
    )
