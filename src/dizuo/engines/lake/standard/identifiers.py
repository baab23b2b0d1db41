"""Numbers of persons and organisations: check digits, old numbers of 15 digits, codes valid at birth.

The answers are those of `foundation.kernel.identity`; the tests hold the two against each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dizuo.engines.lake.standard.cells import (
    Recipe,
    Stage,
    Term,
    either,
    emptied,
    joined,
    nothing,
    text,
    written,
)
from dizuo.engines.lake.standard.characters import SPACES, UNSEEN, plain_digits, upper
from dizuo.engines.lake.standard.terms import Rows, Text, Truth, Value, Whole, ibis, some, total
from dizuo.foundation.blueprint.divisions import PROVINCES, valid_on
from dizuo.foundation.blueprint.model import City

_SEPARATORS = f"[{SPACES}{UNSEEN}\\-]+"
_EIGHTEEN = "^[0-9]{17}[0-9X]\\z"
_FIFTEEN = "^[0-9]{15}\\z"
_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_FIRST_DAY, _LAST_DAY = "00010101", "99991231"


@dataclass(frozen=True, slots=True)
class CodeSpan:
    """A six-digit code and the birthdays (YYYYMMDD, both included) of those whose number may begin with it."""

    code: str
    first: str
    last: str


def code_spans(city: City) -> tuple[CodeSpan, ...]:
    """When each code of the city was given to newborns, abolished codes too (GB/T 2260, declared history).

    Found by asking `valid_on` on both sides of every day on which its answer may change.
    """
    spans: list[CodeSpan] = []
    for code in sorted({row.code for row in city.geography.history}):
        rows = [row for row in city.geography.history if row.code == code]
        turns = {dt.date.min}
        for row in rows:
            if row.valid_from is not None:
                turns.add(row.valid_from - dt.timedelta(days=366))
            if row.valid_to is not None:
                turns.add(row.valid_to + dt.timedelta(days=1))
        days = sorted(turns)
        ends = [day - dt.timedelta(days=1) for day in days[1:]] + [dt.date.max]
        for day, end in zip(days, ends, strict=True):
            if valid_on(city, code, day):
                if (
                    spans
                    and spans[-1].code == code
                    and days.index(day)
                    and valid_on(city, code, day - dt.timedelta(days=1))
                ):
                    spans[-1] = CodeSpan(code, spans[-1].first, _compact(end))
                else:
                    spans.append(CodeSpan(code, _compact(day), _compact(end)))
    return tuple(spans)


def _compact(day: dt.date) -> str:
    return day.isoformat().replace("-", "")


def typed(raw: Text, good: str) -> Value:
    """What a person meant to type: half-width, upper case, without blanks and hyphens; as it is when it fits."""
    plain = written(written(raw, plain_digits()), upper()).re_replace(_SEPARATORS, "")
    return either((raw.re_search(good), raw), other=emptied(plain))


@dataclass(frozen=True, slots=True)
class CitizenIds:
    """Makes recipes for citizen numbers.

    ``spans`` are the declared codes' birthdays, ``codes`` all declared codes, ``prefix`` the city's own four digits
    (another code that begins so was never given out), ``today`` the day of checking.
    """

    spans: tuple[CodeSpan, ...]
    codes: frozenset[str]
    prefix: str
    today: dt.date

    @classmethod
    def of(cls, city: City, today: dt.date) -> CitizenIds:
        codes = frozenset(row.code for row in city.geography.history)
        return cls(code_spans(city), codes, city.code[:4], today)

    def recipe(self, column: str) -> Recipe:
        """citizen_id (公民身份号码, GB 11643-1999): 18 characters, or null with its state in `<column>_state`.

        States: ok, upgraded (15 digits brought to 18), missing, bad_length, bad_check (a wrong check digit, or a
        character that no number has), bad_date, bad_region. `<column>_other` holds what was delivered when it is no
        citizen number: a passport's, or a mistyped one.
        """
        return Recipe(self.stages(column, lambda t: text(t, column)), (f"{column}_state", f"{column}_other"))

    def stages(self, column: str, raw: Callable[[Rows], Text]) -> tuple[Stage, ...]:
        def body(t: Rows) -> Value:
            number = text(t, f"{column}__typed")
            century = either((number.substr(12, 3).isin(("996", "997", "998", "999")), "18"), other="19")
            return either(
                (number.re_search(_EIGHTEEN), number.left(17)),
                (number.re_search(_FIFTEEN), joined(number.left(6), century, number.substr(6, 9))),
                other=nothing(),
            )

        def born(t: Rows) -> Value:
            seventeen = text(t, f"{column}__body")
            iso = joined(seventeen.substr(6, 4), "-", seventeen.substr(10, 2), "-", seventeen.substr(12, 2))
            day = iso.try_cast("date")
            plausible = day.notnull() & (seventeen.substr(6, 4) != "0000")
            return plausible & (seventeen.substr(6, 8) <= f"{self.today:%Y%m%d}")

        def check(t: Rows) -> Value:
            seventeen = text(t, f"{column}__body")
            return letter("10X98765432", weighted(seventeen, _CITIZEN_WEIGHTS) % 11)

        def state(t: Rows) -> Value:
            number, seventeen = text(t, f"{column}__typed"), text(t, f"{column}__body")
            born_well = t[f"{column}__born"]
            short = number.length() == 15
            return either(
                (number.isnull(), "missing"),
                (seventeen.isnull() & ~number.length().isin((15, 18)), "bad_length"),
                (seventeen.isnull(), "bad_check"),
                (~born_well, "bad_date"),
                (~short & (number.right(1) != text(t, f"{column}__check")), "bad_check"),
                (~self._known(seventeen), "bad_region"),
                (short, "upgraded"),
                other="ok",
            )

        def good(t: Rows) -> Truth:
            return text(t, f"{column}_state").isin(("ok", "upgraded"))

        return (
            {f"{column}__typed": lambda t: typed(raw(t), _EIGHTEEN)},
            {f"{column}__body": body},
            {f"{column}__born": born, f"{column}__check": check},
            {f"{column}_state": state},
            {
                f"{column}__value": lambda t: either(
                    (good(t), joined(text(t, f"{column}__body"), text(t, f"{column}__check"))),
                    other=nothing(),
                ),
                f"{column}_other": lambda t: either(
                    (good(t), nothing()), other=text(t, f"{column}__typed").left(64)
                ),
                f"{column}__fault": lambda t: either(
                    (text(t, f"{column}_state").isin(("ok", "upgraded", "missing")), nothing()),
                    other=text(t, f"{column}_state"),
                ),
            },
        )

    def _known(self, seventeen: Text) -> Truth:
        region, day = seventeen.left(6), seventeen.substr(6, 8)
        always: list[str] = []
        terms: list[Truth] = []
        for span in self.spans:
            if span.first <= _FIRST_DAY and span.last == _LAST_DAY:
                always.append(span.code)
            elif span.first <= _FIRST_DAY:
                terms.append((region == span.code) & (day <= span.last))
            elif span.last == _LAST_DAY:
                terms.append((region == span.code) & (day >= span.first))
            else:
                terms.append((region == span.code) & day.between(span.first, span.last))
        declared = some([region.isin(always)] * bool(always) + terms) if self.spans else ibis.literal(False)
        return either(
            (region.isin(sorted(self.codes)), declared),
            (seventeen.left(4) == self.prefix, False),
            other=seventeen.left(2).isin(sorted(PROVINCES)),
        )


def letter(alphabet: str, place: Value) -> Text:
    """The character of an alphabet at a computed place."""
    letters = ibis.literal(alphabet)
    return letters.substr(place, 1)


def weighted(digits: Text, weights: Sequence[int]) -> Whole:
    """The weighted sum of the leading digits of a text."""
    terms = [digits.substr(place, 1).ascii_str() * weight for place, weight in enumerate(weights)]
    return total(terms) - ord("0") * sum(weights)


_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_USCC_WEIGHTS = tuple(pow(3, n, 31) for n in range(17))
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_USCC_FORM = f"^[{_USCC}]{{2}}[0-9]{{6}}[{_USCC}]{{10}}\\z"


def unified_codes(column: str, raw: Callable[[Rows], Text] | None = None) -> Recipe:
    """uscc (统一社会信用代码, GB 32100-2015): 18 characters whose own and whose organisation code's (GB 11714) check
    characters are right, else null.

    Faults: bad_length, bad_character, bad_check, bad_organisation_code.
    """
    given: Term = raw or (lambda t: text(t, column))

    def value_of(alphabet: str, code: Text, places: range, weights: Sequence[int]) -> Whole:
        letters = ibis.literal(alphabet)
        return total(letters.find(code.substr(p, 1)) * w for p, w in zip(places, weights, strict=True))

    def own(t: Rows) -> Value:
        code = text(t, f"{column}__typed")
        whole = value_of(_USCC, code, range(17), _USCC_WEIGHTS)
        return either((code.re_search(_USCC_FORM), letter(_USCC, (31 - whole % 31) % 31)), other=nothing())

    def organisation(t: Rows) -> Value:
        code = text(t, f"{column}__typed")
        part = value_of(_ORGANISATION, code, range(8, 16), _ORGANISATION_WEIGHTS)
        return either((code.re_search(_USCC_FORM), letter("0123456789X0", 11 - part % 11)), other=nothing())

    def fault(t: Rows) -> Value:
        code = text(t, f"{column}__typed")
        return either(
            (code.isnull(), nothing()),
            (code.length() != 18, "bad_length"),
            (text(t, f"{column}__own").isnull(), "bad_character"),
            (code.right(1) != text(t, f"{column}__own"), "bad_check"),
            (code.substr(16, 1) != text(t, f"{column}__organisation"), "bad_organisation_code"),
            other=nothing(),
        )

    return Recipe(
        (
            {f"{column}__typed": lambda t: typed(given(t), _USCC_FORM)},
            {f"{column}__own": own, f"{column}__organisation": organisation},
            {f"{column}__fault": fault},
            {
                f"{column}__value": lambda t: either(
                    (text(t, f"{column}__fault").isnull(), text(t, f"{column}__typed")), other=nothing()
                )
            },
        )
    )
