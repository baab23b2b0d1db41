"""A few hundred invented rows of a source, well and badly written (演示数据), for the tests of standardising."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from dizuo.engines.lake.standard import Standards
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.blueprint.model_source import Source, SourceColumn
from dizuo.foundation.kernel.identity import citizen_check_digit, org_check_character, uscc_check_character

WUXI = Path(__file__).parents[3] / "cities" / "wuxi"
TODAY = dt.date(2026, 11, 23)

_NAMES = (
    "张伟", "王秀英", "張偉", "买买提・阿不都", "欧阳 娜娜", "𠮷田健", "ＪＯＨＮ SMITH", "李乾", "", "123", "\ue000李", "无锡（江苏）ＡＢＣ有限公司",
)  # fmt: skip
_DATES = (
    "1990-01-05",
    "2001/2/3",
    "19870630",
    "1999年12月31日",
    "36526",
    "05/03/2024",
    "2023-02-29",
    "长期",
    "",
    "x",
)
_MOMENTS = (
    "2026-11-20 08:30:00",
    "2026/11/1 9:05",
    "20261101083000",
    "2026-11-01T08:30:00+08:00",
    "46000.5",
    "?",
    "2026-11-02T08:30:00Z",
)
_PHONES = (
    "13812345678",
    "+86 139-1234-5678",
    "0510-82700000",
    "82700000",
    "13812345678/13912345678",
    "无",
    "",
)
_ADDRESSES = (
    "江苏省无锡市梁溪区崇安寺街道连元街社区中山路128号3幢2单元201室", "无锡市崇安区中山路 12 号", "锡山区东亭街道年余社区友谊路1号",
    "锡山区东亭中路8号5栋1003", "江阴市澄江街道虹桥路３号", "安徽省合肥市包河区1号", "無錫市濱湖區雪浪街道長廣社區5號", "东亭街道春江路1-2-301",
    "无锡县洛社镇", "惠山街道石门路", "", "=1+1", "丁山社区12号楼二单元301",
)  # fmt: skip
_DIVISIONS = ("320213", "320213021", "320213001", "锡山区", "江苏省无锡市锡山区", "310115", "320299", "x", "")
_NUMBERS = ("1", "12.5", "1,234.567", "-3", "１２", "1e5", "x", "")
_TRUTHS = ("是", "否", "1", "0", "也许", "")


@cache
def wuxi() -> Standards:
    return Standards.of(load_city(WUXI), TODAY)


def rows(source: Source, count: int, seed: int = 7) -> dict[str, list[int | str | None]]:
    """Columns of raw rows: `line` and one text column for each declared column."""
    dice = random.Random(f"{seed} {source.id}")
    table: dict[str, list[int | str | None]] = {"line": list(range(2, count + 2))}
    for column in source.columns.values():
        table[column.id] = [_cell(column, dice, n) for n in range(count)]
    return table


def kinds(source: Source) -> dict[str, str]:
    return {"line": "int64"} | dict.fromkeys(source.columns, "string")


def _cell(column: SourceColumn, dice: random.Random, n: int) -> str | None:
    if dice.random() < 0.03:
        return None
    if column.id.endswith("_no") and column.as_ == "text" and dice.random() < 0.99:
        return f"N{n:06d}"
    match column.as_:
        case "name":
            return dice.choice(_NAMES)
        case "citizen_id":
            return citizen_number(dice)
        case "uscc":
            return dice.choice([unified_code(dice), "91350100M000100Y44", "9135", ""])
        case "date":
            return dice.choice(_DATES)
        case "datetime":
            return dice.choice(_MOMENTS)
        case "phone":
            return dice.choice(_PHONES)
        case "address":
            return dice.choice(_ADDRESSES)
        case "division":
            return dice.choice(_DIVISIONS)
        case "integer" | "decimal":
            return dice.choice(_NUMBERS)
        case "boolean":
            return dice.choice(_TRUTHS)
        case "code":
            return dice.choice([*wuxi().spellings(column), "?", " 1 ", ""])
        case "text":
            return dice.choice(
                [citizen_number(dice), unified_code(dice), "无锡", " 有空 ", "=1", "-", "", "长" * 4001]
            )


def citizen_number(dice: random.Random) -> str:
    day = dt.date(1930, 1, 1) + dt.timedelta(days=dice.randrange(35_000))
    body = f"{dice.choice(('320202', '320211', '320283', '110105', '320299'))}{day:%Y%m%d}{dice.randrange(1000):03d}"
    number = body + citizen_check_digit(body)
    return dice.choice(
        [
            number,
            number,
            number.lower(),
            number[:6] + number[8:17],
            number[:17] + "0",
            "E1234567",
            f"{number[:6]} {number[6:]}",
        ]
    )


def unified_code(dice: random.Random) -> str:
    part = "".join(dice.choice("0123456789ABCDEFGHJKLMNPQRTUWXY") for _ in range(8))
    body = f"91{dice.randrange(10**6):06d}{part}{org_check_character(part)}"
    return body + uscc_check_character(body)


def sources() -> Mapping[str, Source]:
    return wuxi().city.sources
