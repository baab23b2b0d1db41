"""Every standardiser by a table of cases, on DuckDB; numbers also against the kernel's own parsers."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import ibis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dizuo.engines.lake.simulation.alphabet import alphabet
from dizuo.engines.lake.simulation.dice import Dice
from dizuo.engines.lake.standard.cells import Recipe, staged, stages_kept
from dizuo.engines.lake.standard.dates import dates, moments
from dizuo.engines.lake.standard.identifiers import CitizenIds, unified_codes
from dizuo.engines.lake.standard.phones import phones
from dizuo.engines.lake.standard.texts import names, texts
from dizuo.engines.lake.standard.values import booleans, codes, decimals, integers
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.blueprint.divisions import validity
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.kernel.identity import (
    CitizenId,
    CitizenIdBirthDate,
    CitizenIdCheckDigit,
    CitizenIdFuture,
    CitizenIdLength,
    CitizenIdRegion,
    UnifiedCode,
    citizen_check_digit,
    org_check_character,
    uscc_check_character,
)

TODAY = dt.date(2026, 11, 23)
CITY = load_city(Path(__file__).parents[3] / "cities" / "wuxi")
IDS = CitizenIds.of(CITY, TODAY)
KNOWN = validity(CITY)

ENGINE = ibis.duckdb.connect(threads=1)


def answers(recipe: Callable[[str], Recipe], cells: Sequence[str | None]) -> list[dict[str, object]]:
    table = ibis.memtable(
        {"n": list(range(len(cells))), "c": list(cells)}, schema={"n": "int64", "c": "string"}
    )
    with stages_kept():
        return ENGINE.to_pyarrow(staged(table, [recipe("c")]).order_by("n")).to_pylist()


def held(recipe: Callable[[str], Recipe], cases: Sequence[tuple[str | None, object, str | None]]) -> None:
    found = answers(recipe, [cell for cell, _, _ in cases])
    said = [(row["c"], row["c__value"], row["c__fault"]) for row in found]
    assert said == list(cases)


def test_text() -> None:
    held(
        texts,
        [
            ("江苏无锡", "江苏无锡", None),
            ("  两边 有空 \u3000", "两边 有空", None),
            ("零\u200b宽\ufeff", "零宽", None),
            ("", None, None),
            (" \t ", None, None),
            (None, None, None),
            ("=HYPERLINK(1)", None, "formula"),
            ("@SUM(1)", None, "formula"),
            ("-x", None, "formula"),
            ("-5", "-5", None),
            ("乱\ufffd码", None, "encoding"),
            ("\ue000", "\ue000", "private_use"),
            ("长" * 4001, None, "too_long"),
            ("长" * 4000, "长" * 4000, None),
        ],
    )


def test_name() -> None:
    held(
        names,
        [
            ("张伟", "张伟", None),
            ("张 伟", "张伟", None),
            (" 欧阳\u3000娜娜", "欧阳娜娜", None),
            ("張偉", "张伟", None),
            ("買買提・阿不都", "买买提·阿不都", None),
            ("买买提•阿不都", "买买提·阿不都", None),
            ("买买提．阿不都", "买买提·阿不都", None),
            ("买买提..阿不都", "买买提·阿不都", None),
            ("𠮷田\ufe00", "𠮷田", None),
            ("李乾昇", "李乾昇", None),
            ("王堃喆", "王堃喆", None),
            ("㛃", "㛃", None),
            ("Ａlice  smith", "ALICE SMITH", None),
            ("无锡ＡＢＣ（江苏）有限公司", "无锡ABC（江苏）有限公司", None),
            ("无锡梁味坊(演示)有限公司", "无锡梁味坊（演示）有限公司", None),
            ("无锡 abc 有限公司", "无锡ABC有限公司", None),
            ("金\u2f00", "金一", None),
            ("\ue000李", "\ue000李", "private_use"),
            ("123", None, "not_a_name"),
            ("--", None, "formula"),
            ("=1+2", None, "formula"),
            ("", None, None),
            (None, None, None),
        ],
    )


def test_a_name_keeps_what_was_delivered() -> None:
    found = answers(names, ["張偉", "张伟", None])
    assert [row["c_raw"] for row in found] == ["張偉", None, None]


NAMES = [
    ("张伟", "张", "伟", "han"),
    ("王秀英", "王", "秀英", "han"),
    ("歐陽 娜娜", "欧阳", "娜娜", "han"),
    ("诸葛亮", "诸葛", "亮", "han"),
    ("司马", "司", "马", "han"),
    ("上官婉儿", "上官", "婉儿", "han"),
    ("沈𬭎", "沈", "𬭎", "han"),
    ("阿依古丽•吐尔逊", None, None, "dotted"),
    ("扎西多吉", None, None, "unknown"),
    ("王李佳怡", None, None, "unknown"),
    ("张", None, None, "unknown"),
    ("𠮷田", None, None, "unknown"),
    ("无锡市梁味坊餐饮有限公司", None, None, "unknown"),
    ("Alice  Smith", None, None, "foreign"),
    ("123", None, None, None),
    (None, None, None, None),
]


def test_a_persons_name_is_cut_in_two_where_it_has_two_parts() -> None:
    found = answers(names, [name for name, *_ in NAMES])
    assert [(row["c"], row["c_surname"], row["c_given"], row["c_form"]) for row in found] == NAMES


def test_invented_names_are_cut_where_they_were_joined() -> None:
    """Weighted by frequency: what goes wrong is a single surname whose given name makes it look like a compound one."""
    table, dice = alphabet(), Dice(7)
    rows = np.arange(20_000, dtype=np.int64)
    surname = table.surnames.start + dice.pick("surname", rows, table.surname_weights)
    first = table.given.start + dice.pick("first", rows, table.male_weights)
    second = np.where(
        dice.chance("one", rows, 0.2),
        table.empty,
        table.given.start + dice.pick("second", rows, table.female_weights),
    )
    words = table.words.to_pylist()
    parts = [(words[s], words[f] + words[g]) for s, f, g in zip(surname, first, second, strict=True)]
    found = answers(names, [s + g for s, g in parts])
    right = sum((row["c_surname"], row["c_given"]) == part for row, part in zip(found, parts, strict=True))
    assert any(len(s) == 2 for s, _ in parts)
    assert right / len(parts) > 0.999


def test_citizen_number() -> None:
    cases = [
        ("11010519491231002X", "11010519491231002X", "ok"),
        ("11010519491231002x", "11010519491231002X", "ok"),
        ("１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X", "ok"),
        (" 110105 19491231-002X ", "11010519491231002X", "ok"),
        ("110105491231002", "11010519491231002X", "upgraded"),
        ("110105491231997", "110105184912319973", "upgraded"),
        ("110105194912310021", None, "bad_check"),
        ("1101051949123100A1", None, "bad_check"),
        ("110105194902300020", None, "bad_date"),
        ("110105203012310028", None, "bad_date"),
        ("99010519491231002" + citizen_check_digit("99010519491231002"), None, "bad_region"),
        ("1101051949123100", None, "bad_length"),
        ("E12345678", None, "bad_length"),
        ("", None, "missing"),
        (None, None, "missing"),
    ]
    found = answers(IDS.recipe, [cell for cell, _, _ in cases])
    assert [(r["c"], r["c__value"], r["c_state"]) for r in found] == cases
    assert found[6]["c_other"] == "110105194912310021"
    assert found[0]["c_other"] is None
    assert [r["c__fault"] for r in found[-3:]] == ["bad_length", None, None]


def _state(cell: str) -> str:
    """What the kernel's parser says, in the words of the states."""
    try:
        number = CitizenId.parse(cell, TODAY, KNOWN)
    except CitizenIdLength:
        return "bad_length" if cell.strip(" -") else "missing"  # a dash in a cell means nothing
    except (CitizenIdBirthDate, CitizenIdFuture):
        return "bad_date"
    except CitizenIdRegion:
        return "bad_region"
    except CitizenIdCheckDigit:
        return "bad_check"
    except Invalid:
        return "bad_check"  # a character that no number has
    return "upgraded" if number.from_fifteen else "ok"


_REGIONS = [
    *(row.code for row in CITY.geography.history),
    "110105", "310115", "320111", "320299", "990101", "719999",
]  # fmt: skip


def test_citizen_numbers_are_judged_as_the_kernel_judges_them() -> None:
    dice = random.Random(4)
    cells: list[str] = []
    for _ in range(3_000):
        day = dt.date(1900, 1, 1) + dt.timedelta(days=dice.randrange(46_500))
        body = f"{dice.choice(_REGIONS)}{day:%Y%m%d}{dice.randrange(1000):03d}"
        number = body + citizen_check_digit(body)
        if dice.random() < 0.3:
            number = number[:6] + number[8:17]
        if dice.random() < 0.25:
            at = dice.randrange(len(number))
            number = number[:at] + dice.choice("0123456789X A") + number[at + 1 :]
        if dice.random() < 0.1:
            at = dice.randrange(len(number) - 1)
            number = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
        cells.append(number)
    found = answers(IDS.recipe, cells)
    assert [(c, row["c_state"]) for row, c in zip(found, cells, strict=True)] == [
        (c, _state(c)) for c in cells
    ]
    assert len({row["c_state"] for row in found}) >= 6
    for row, cell in zip(found, cells, strict=True):
        if row["c_state"] in ("ok", "upgraded"):
            assert row["c__value"] == CitizenId.parse(cell, TODAY, KNOWN).value


@settings(max_examples=10, deadline=None)
@given(st.lists(st.text("0123456789Xx１Ｘ -", max_size=20), max_size=60))
def test_any_digits_are_judged_as_the_kernel_judges_them(cells: list[str]) -> None:
    assert [row["c_state"] for row in answers(IDS.recipe, cells)] == [_state(cell) for cell in cells]


def test_unified_code() -> None:
    held(
        unified_codes,
        [
            ("91350100M000100Y43", "91350100M000100Y43", None),
            ("91110000802100433b", "91110000802100433B", None),
            (" 9135 0100 M000100Y43", "91350100M000100Y43", None),
            ("91350100M000100Y44", None, "bad_check"),
            ("9135010OM000100Y43", None, "bad_character"),
            ("9135", None, "bad_length"),
            (_with_wrong_organisation_code(), None, "bad_organisation_code"),
            ("", None, None),
            (None, None, None),
        ],
    )


def _with_wrong_organisation_code() -> str:
    body = "91350100M000100Y"
    wrong = "1" if org_check_character(body[8:16]) != "1" else "2"
    return body + wrong + uscc_check_character(body + wrong)


def test_unified_codes_are_judged_as_the_kernel_judges_them() -> None:
    dice = random.Random(5)
    cells: list[str] = []
    for _ in range(2_000):
        part = "".join(dice.choice("0123456789ABCDEFGHJKLMNPQRTUWXY") for _ in range(8))
        body = f"91{dice.randrange(10**6):06d}{part}"
        body += org_check_character(part)
        code = body + uscc_check_character(body)
        if dice.random() < 0.4:
            at = dice.randrange(18)
            code = code[:at] + dice.choice("0123456789ABCXYZIO") + code[at + 1 :]
        cells.append(code)
    for row, cell in zip(answers(unified_codes, cells), cells, strict=True):
        try:
            expected: str | None = UnifiedCode.parse(cell).value
        except Invalid:
            expected = None
        assert row["c__value"] == expected, cell


def test_date() -> None:
    day = dt.date(2024, 3, 5)
    held(
        dates,
        [
            *((cell, day, None) for cell in (
                "2024-03-05", "2024/3/5", "2024.3.5", "20240305", "2024年3月5日", "2024年03月05号", "45356",
                "45356.75", "２０２４－０３－０５", " 2024-03-05 ", "2024-03-05 12:30:00", "2024-3-5T08:00:00Z",
            )),
            ("2024-02-29", dt.date(2024, 2, 29), None),
            ("2023-02-29", None, "bad_date"),
            ("2024-13-05", None, "bad_date"),
            ("05/03/2024", None, "bad_date"),
            ("24-03-05", None, "bad_date"),
            ("20241305", None, "bad_date"),
            ("1", None, "bad_date"),
            ("长期", dt.date(9999, 12, 31), None),
            ("9999-12-31", dt.date(9999, 12, 31), None),
            ("10000", dt.date(1927, 5, 18), None),
            ("73050", dt.date(2099, 12, 31), None),
            ("", None, None),
            (None, None, None),
        ],
    )  # fmt: skip


def test_every_day_of_a_spreadsheet() -> None:
    cells = [str(n) for n in range(10_000, 73_051, 7)]
    zero = dt.date(1899, 12, 30)
    assert [row["c__value"] for row in answers(dates, cells)] == [
        zero + dt.timedelta(days=int(cell)) for cell in cells
    ]


def test_moment() -> None:
    moment = dt.datetime(2024, 3, 5, 8, 30)
    held(
        moments,
        [
            *((cell, moment, None) for cell in (
                "2024-03-05 08:30:00", "2024-03-05T08:30:00", "2024-03-05T08:30:00+08:00", "2024/3/5 8:30",
                "20240305083000", "2024年3月5日 8时30分", "2024-03-05 08:30:00.000",
            )),
            ("45356.5", dt.datetime(2024, 3, 5, 12), None),
            ("2024-03-05", dt.datetime(2024, 3, 5), None),
            ("2024-03-05T08:30:00Z", None, "bad_time"),
            ("2024-03-05 25:00:00", None, "bad_time"),
            ("2024-02-30 08:00:00", None, "bad_date"),
            ("昨天", None, "bad_date"),
            (None, None, None),
        ],
    )  # fmt: skip


def test_phone() -> None:
    held(
        phones,
        [
            ("13812345678", "13812345678", None),
            ("+86 138 1234 5678", "13812345678", None),
            ("008613812345678", "13812345678", None),
            ("138-1234-5678", "13812345678", None),
            ("１３８１２３４５６７８", "13812345678", None),
            ("0510-82700000", "0510-82700000", None),
            ("(0510)82700000", "0510-82700000", None),
            ("051082700000", "0510-82700000", None),
            ("0510-82700000转801", "0510-82700000-801", None),
            ("010-62345678", "010-62345678", None),
            ("82700000", "82700000", None),
            ("400-800-1234", "4008001234", None),
            ("13812345678/13912345678", "13812345678", "several_phones"),
            ("12345678901", None, "bad_phone"),
            ("无", None, "bad_phone"),
            ("", None, None),
            (None, None, None),
        ],
    )


def test_numbers() -> None:
    held(
        integers,
        [
            ("12", 12, None), ("1,234", 1234, None), ("-3", -3, None), ("１２", 12, None), ("5.0", 5, None),
            ("5.5", None, "bad_number"), ("1e3", None, "bad_number"), ("9" * 16, None, "bad_number"), (None, None, None),
        ],
    )  # fmt: skip
    held(
        decimals,
        [
            ("12.5", Decimal("12.5000"), None), (".5", Decimal("0.5000"), None), ("1,234.56", Decimal("1234.5600"), None),
            ("NaN", None, "bad_number"), ("", None, None),
        ],
    )  # fmt: skip
    held(
        lambda column: decimals(column, 10_000),
        [("1,234.567891", Decimal("12345678.9100"), None), ("99999999999", Decimal("999999999990000"), None)],
    )


def test_truth_and_code() -> None:
    held(
        booleans, [("是", True, None), ("０", False, None), ("也许", None, "bad_boolean"), (" ", None, None)]
    )
    sexes = {"1": "1", "2": "2", "男": "1", "女": "2", "男性": "1"}
    held(
        lambda column: codes(column, sexes),
        [
            ("1", "1", None),
            ("男性", "1", None),
            (" 女 ", "2", None),
            ("３", None, "bad_code"),
            (None, None, None),
        ],
    )
    held(lambda column: codes(column, {}), [("A1", "A1", None)])


@pytest.mark.parametrize(
    "recipe", [texts, names, dates, moments, phones, integers, decimals, booleans, unified_codes]
)
def test_no_cell_breaks_a_standardiser(recipe: Callable[[str], Recipe]) -> None:
    dice = random.Random(6)
    pool = (
        "0123456789-/.:年月日 张伟\u3000\ufeff\x00+=@()（），﹣é\U0001f600\U00020bb7\ue000\ufffdAbZ"
        + "\n\t'\"\\"
    )
    cells = ["".join(dice.choice(pool) for _ in range(dice.randrange(30))) for _ in range(1_500)]
    cells += ["9" * 100_000, "张" * 50_000, "2024-03-05" * 10_000]
    assert len(answers(recipe, cells)) == len(cells)
