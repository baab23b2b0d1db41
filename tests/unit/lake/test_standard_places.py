"""Addresses: the division that they name, the form of what is left, and the parts of any address of the country."""

from __future__ import annotations

import json
import os
import random
import re
from pathlib import Path

import ibis
import pytest
from standard_sample import wuxi

from dizuo.engines.lake.standard import cut, open_engine, stages_kept
from dizuo.engines.lake.standard.addresses import addressed, cleaned
from dizuo.engines.lake.standard.cells import Recipe, staged
from dizuo.engines.lake.standard.cutting import LEVELS
from dizuo.engines.lake.standard.rests import rest_stages

ENGINE = open_engine("1GB", 1)


def divided(addresses: list[str]) -> list[tuple[str | None, str | None, str | None]]:
    """(division, town's civil-affairs code, rest) of each address."""
    table = ibis.memtable({"n": list(range(len(addresses))), "a": addresses})
    with stages_kept():
        found = ENGINE.to_pyarrow(
            addressed(staged(table, [cleaned("a")]), table, ["a"], wuxi().places).order_by("n")
        ).to_pylist()
    return [(row["a_division"], row["a_town_mca"], row["a_rest"]) for row in found]


CASES: dict[str, tuple[str | None, str | None, str | None]] = {
    "江苏省无锡市梁溪区崇安寺街道连元街社区中山路128号": ("320213021002", "320213001", "中山路128号"),
    "无锡市梁溪区中山路 128 号": ("320213", None, "中山路128号"),
    "梁溪区崇安寺街道办事处中山路1号": ("320213021", "320213001", "中山路1号"),
    "無錫市濱湖區雪浪街道長廣社區５號": ("320211008002", "320211008", "5号"),
    # Former districts, codes that two districts bore, towns that became streets.
    "无锡市崇安区中山路8号": ("320213", None, "中山路8号"),
    "无锡市马山区古竹1号": ("320211", None, "古竹1号"),
    "无锡县洛社镇": ("320206102", "320206103", None),
    "锡山市东亭镇春江路1号": ("320205001", "320205001", "春江路1号"),
    # Towns that only the civil-affairs system knows; villages that statistics list under a zone.
    "锡山区厚桥街道谢埭荡村3号": ("320205400210", "320205005", "3号"),
    "锡山区东亭街道年余社区友谊路1号": ("320205400017", "320205001", "友谊路1号"),
    # Short names count after the city's, not in a road's name; a town without its ending only before its village.
    "江苏江阴澄江街道虹桥路3号": ("320281001", "320281001", "虹桥路3号"),
    "无锡锡山东亭街道1号": ("320205001", "320205001", "1号"),
    "无锡梁溪路2号": ("320200", None, "梁溪路2号"),
    "锡山区东亭中路8号": ("320205", None, "东亭中路8号"),
    "锡山区东亭映月社区8号": ("320205001015", "320205001", "8号"),
    # Levels that are missing, and levels written twice.
    "惠山街道石门路1号": ("320213023", "320213019", "石门路1号"),
    "丁山社区12号": ("320282112011", "320282123", "12号"),
    "无锡市滨湖区滨湖区马山街道1号": ("320211009", "320211009", "1号"),
    # Elsewhere, and nothing that could be known.
    "安徽省合肥市包河区1号": (None, None, "安徽省合肥市包河区1号"),
    "苏州市姑苏区平江街道1号": (None, None, "苏州市姑苏区平江街道1号"),
    "江苏路1号": (None, None, "江苏路1号"),
    "阳光花园": (None, None, "阳光花园"),
}


def test_an_address_leads_to_its_division() -> None:
    assert dict(zip(CASES, divided(list(CASES)), strict=True)) == CASES


def test_every_village_is_found_under_its_full_address() -> None:
    city = wuxi().city
    villages = [d for d in city.divisions.values() if d.level == "village"]
    towns = {v.code: city.divisions[v.parent] for v in villages}
    texts = [
        f"无锡市{city.divisions[towns[v.code].parent].name}{towns[v.code].name}{v.name}1号" for v in villages
    ]
    found = divided(texts)
    wrong = [
        (text, v.code, row) for text, v, row in zip(texts, villages, found, strict=True) if row[0] != v.code
    ]
    assert not wrong


def one_form(rests: list[str]) -> list[str | None]:
    table = ibis.memtable({"n": list(range(len(rests))), "b": rests})
    with stages_kept():
        worked = staged(table, [Recipe(tuple(rest_stages("a", "b", "o")))]).order_by("n")
        return [row["o"] for row in ENGINE.to_pyarrow(worked).to_pylist()]


def test_one_door_has_one_form() -> None:
    same = "中山路128号3幢2单元201室"
    ways = [
        same,
        "中山路128号3号楼二单元201",
        "中山路128号3栋2单元201室",
        "中山路128号3-2-201",
        "中山路128号三幢2单元201",
    ]
    assert one_form(ways) == [same] * len(ways)
    assert one_form(["中山路128#3-201", "恒大绿洲12栋1502", "虹桥路3号", "中山路128号无锡某某公司", "长江路16号-101"]) == [
        "中山路128号3幢201室", "恒大绿洲12幢1502室", "虹桥路3号", "中山路128号无锡某某公司", "长江路16号101室",
    ]  # fmt: skip


def test_no_digit_of_an_address_is_lost() -> None:
    dice = random.Random(8)
    pieces = [
        "中山路",
        "128号",
        "12弄",
        "3幢",
        "5号楼",
        "2单元",
        "-",
        "201室",
        "1003",
        "A座",
        "10楼",
        "恒大绿洲",
        "三期",
        "无锡某某公司",
        "12组",
        "#",
        "B",
        "6",
    ]
    rests = ["".join(dice.choices(pieces, k=dice.randrange(1, 7))) for _ in range(1_500)]
    for rest, form in zip(rests, one_form(rests), strict=True):
        assert re.sub("[^0-9]", "", form or "") == re.sub("[^0-9]", "", rest), (rest, form)


def parts(address: str) -> dict[str, str]:
    with stages_kept():
        (row,) = ENGINE.to_pyarrow(cut(ibis.memtable({"t": [address]}), "t")).to_pylist()
    return {level: row[f"t_{level}"] for level in LEVELS if row[f"t_{level}"]}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (
            "浙江省杭州市余杭区仓前街道葛巷社区文一西路969号3幢5单元1201室",
            {
                "province": "浙江省", "city": "杭州市", "district": "余杭区", "town": "仓前街道", "community": "葛巷社区",
                "road": "文一西路", "number": "969号", "building": "3幢", "unit": "5单元", "room": "1201室",
            },
        ),
        ("江苏无锡江阴虹桥路3号", {"province": "江苏", "city": "无锡", "district": "江阴", "road": "虹桥路", "number": "3号"}),
        ("吉林省吉林市船营区解放大路8号", {"province": "吉林省", "city": "吉林市", "district": "船营区", "road": "解放大路", "number": "8号"}),
        ("北京市朝阳区望京街道阜通东大街6号院3号楼", {"city": "北京市", "district": "朝阳区", "town": "望京街道", "road": "阜通东大街", "number": "6号", "place": "院", "building": "3号楼"}),
        ("东风镇向阳村5组12号", {"town": "东风镇", "community": "向阳村", "road": "5组", "number": "12号"}),
        ("金茂广场10楼", {"place": "金茂广场", "floor": "10楼"}),
    ],
)  # fmt: skip
def test_an_address_of_anywhere_is_cut(address: str, expected: dict[str, str]) -> None:
    assert parts(address) == expected


def test_real_addresses_are_cut_well() -> None:
    """Below these shares something broke; `bench/addresses.py` tells the figures."""
    shared = os.environ.get("DIZUO_SHARED_DATA")
    folder = Path(shared) if shared else Path(__file__).parents[4] / "shared" / "data"
    file = folder / "addresses" / "addresses_annotated.jsonl"
    if not file.is_file():
        pytest.skip("the annotated addresses are not here (their licence does not let us keep a copy)")
    given = [
        row
        for line in file.read_text(encoding="utf-8").splitlines()
        if (row := json.loads(line))["split"] == "test"
    ]
    table = ibis.memtable({"n": list(range(len(given))), "t": [row["text"] for row in given]})
    with stages_kept():
        ours = ENGINE.to_pyarrow(cut(table, "t").order_by("n")).to_pylist()
    for theirs, level, at_least in (
        ("prov", "province", 0.94), ("city", "city", 0.92), ("district", "district", 0.92), ("town", "town", 0.82),
        ("road", "road", 0.84), ("roadno", "number", 0.88), ("houseno", "building", 0.83),
    ):  # fmt: skip
        marked = [
            (dict(reversed(row["parts"])).get(theirs), found[f"t_{level}"])
            for row, found in zip(given, ours, strict=True)
        ]
        marked = [pair for pair in marked if pair[0]]
        assert sum(a == b for a, b in marked) / len(marked) >= at_least, level
