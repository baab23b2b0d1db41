"""Dates and moments as departments write them: 2024-03-05, 2024/3/5, 20240305, 2024年3月5日, a spreadsheet's day number.

Day and month are never exchanged to make a date possible: 05/03/2024 and 2024-13-05 are faults. 长期 as the end of a
validity is 9999-12-31. Moments are the city's own time (Asia/Shanghai), without a zone.
"""

from __future__ import annotations

from collections.abc import Callable

from dizuo.engines.lake.standard.cells import Recipe, either, emptied, joined, nothing, text, trimmed, written
from dizuo.engines.lake.standard.characters import plain_digits
from dizuo.engines.lake.standard.terms import Rows, Text, Value, Whole

_YEAR = "(1[6-9][0-9]{2}|2[01][0-9]{2}|9999)"
_ISO = f"^{_YEAR}-[0-9]{{2}}-[0-9]{{2}}\\z"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_ISO_MOMENT = f"^{_YEAR}-[0-9]{{2}}-[0-9]{{2}} {_CLOCK}\\z"
# Year, month, day with one kind of separator; what may follow is a time of day.
_PARTED = f"^{_YEAR} ?[-/.年] ?([0-9]{{1,2}}) ?[-/.月] ?([0-9]{{1,2}})( ?[日号])?([ T]*[0-9].*)?\\z"
_CLOSE = f"^{_YEAR}([0-9]{{2}})([0-9]{{2}})([0-9]{{6}})?\\z"
# Day numbers of spreadsheets (1899-12-30 is 0) from 1927 to 2099; smaller ones are read as anything but a date.
_SERIAL = "^([1-7][0-9]{4})(\\.[0-9]{1,12})?\\z"
_LAST_SERIAL = 73_050
_FOREVER = ("长期", "长期有效", "永久", "永久有效")
_TIME = "([0-9]{1,2})[:点时]([0-9]{1,2})([:分]([0-9]{1,2}))?"
_ZONE = "(Z|[+-][0-9]{2}:?[0-9]{2})\\z"


def dates(column: str) -> Recipe:
    """date: a day, or null. Faults: bad_date (not a date, no such day, or a writing that could mean two days)."""

    def value(t: Rows) -> Value:
        return text(t, f"{column}__iso").try_cast("date")

    return Recipe(
        (
            {f"{column}__good": lambda t: text(t, column).re_search(_ISO)},
            {f"{column}__tidy": lambda t: _tidy(t, column)},
            {f"{column}__serial": lambda t: _serial(t, column)},
            {f"{column}__iso": lambda t: _iso(t, column)},
            {f"{column}__value": value},
            {f"{column}__fault": _bad(column)},
        )
    )


def moments(column: str) -> Recipe:
    """datetime: a moment to the second, or null; a day alone is its midnight. Faults: bad_date, bad_time.

    Another zone than +08:00 is a fault: a department that writes one has to say so in words.
    """

    def value(t: Rows) -> Value:
        day, time = text(t, f"{column}__iso"), text(t, f"{column}__clock")
        whole = either((t[f"{column}__good"], text(t, column)), other=joined(day, " ", time))
        return whole.try_cast("timestamp")

    def clock(t: Rows) -> Value:
        return either((t[f"{column}__good"], "00:00:00"), other=_clock(text(t, f"{column}__tidy")))

    return Recipe(
        (
            {f"{column}__good": lambda t: text(t, column).re_search(_ISO_MOMENT)},
            {f"{column}__tidy": lambda t: _tidy(t, column)},
            {f"{column}__serial": lambda t: _serial(t, column), f"{column}__clock": clock},
            {f"{column}__iso": lambda t: _iso(t, column)},
            {f"{column}__value": value},
            {f"{column}__fault": _bad(column)},
        )
    )


def _tidy(t: Rows, column: str) -> Value:
    raw = text(t, column)
    return either((t[f"{column}__good"], raw), other=trimmed(written(raw, plain_digits())))


def _bad(column: str) -> Callable[[Rows], Value]:
    def fault(t: Rows) -> Value:
        held = t[f"{column}__value"].notnull()
        missing = text(t, f"{column}__tidy").isnull()
        day = text(t, f"{column}__iso").try_cast("date")
        return either((held, nothing()), (missing, nothing()), (day.notnull(), "bad_time"), other="bad_date")

    return fault


def _serial(t: Rows, column: str) -> Value:
    """The days from 0000-03-01 of a spreadsheet's day number, for the calendar arithmetic of `_iso`."""
    tidy = text(t, f"{column}__tidy")
    number = emptied(tidy.re_extract(_SERIAL, 1)).try_cast("int64")
    days = either((number <= _LAST_SERIAL, number + 693_899), other=nothing("int64"))
    return either(
        (t[f"{column}__good"], nothing("int64")), (tidy.re_search(_SERIAL), days), other=nothing("int64")
    )


def _iso(t: Rows, column: str) -> Value:
    tidy, serial = text(t, f"{column}__tidy"), t[f"{column}__serial"]
    parted = joined(
        tidy.re_extract(_PARTED, 1),
        "-",
        _two(tidy.re_extract(_PARTED, 2)),
        "-",
        _two(tidy.re_extract(_PARTED, 3)),
    )
    close = joined(tidy.left(4), "-", tidy.substr(4, 2), "-", tidy.substr(6, 2))
    return either(
        (t[f"{column}__good"], tidy.left(10)),
        (tidy.re_search(_ISO), tidy),
        (tidy.re_search(_PARTED), parted),
        (tidy.re_search(_CLOSE), close),
        (serial.notnull(), _civil(serial)),
        (tidy.isin(_FOREVER), "9999-12-31"),
        other=nothing(),
    )


def _two(digits: Text) -> Text:
    return joined("0", digits).right(2)


def _civil(days: Whole) -> Text:
    """The ISO text of a number of days from 0000-03-01, by whole-number arithmetic: engines move dates differently."""
    era = days // 146_097
    day_of_era = days - era * 146_097
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    early = month >= 10
    year = year_of_era + era * 400 + either((early, 1), other=0)
    return joined(
        _whole(year), "-", _two(_whole(month + either((early, -9), other=3))), "-", _two(_whole(day))
    )


def _whole(number: Value) -> Text:
    return number.cast("int64").cast("string")


def _clock(tidy: Text) -> Value:
    """HH:MM:SS of what follows a day; midnight when nothing does, null when it is no time of Asia/Shanghai."""
    after = either((tidy.re_search(_PARTED), tidy.re_extract(_PARTED, 5)), other="")
    zone = after.re_extract(_ZONE, 1)
    time = joined(
        _two(after.re_extract(_TIME, 1)),
        ":",
        _two(after.re_extract(_TIME, 2)),
        ":",
        _two(joined("0", after.re_extract(_TIME, 4))),
    )
    packed = tidy.re_extract(_CLOSE, 4)
    close = joined(packed.left(2), ":", packed.substr(2, 2), ":", packed.substr(4, 2))
    share = joined("0", tidy.re_extract(_SERIAL, 2)).try_cast("float64")
    seconds = (share * 86_400).round().cast("int64")
    spread = joined(
        _two(_whole(seconds // 3_600)), ":", _two(_whole(seconds // 60 % 60)), ":", _two(_whole(seconds % 60))
    )
    ok_zone = zone.isin(("", "+08:00", "+0800"))
    return either(
        (packed != "", close),
        (after != "", either((ok_zone & after.re_search(f"^[ T]*{_TIME}"), time), other=nothing())),
        (tidy.re_search("^[0-9]{5}\\.[0-9]"), spread),
        other="00:00:00",
    )
