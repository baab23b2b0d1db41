"""Identities over days: what stays, what merges, what people take apart, and what a killed run leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_identity_comparing import NUMBER, SCHEMA, mention

from dizuo.engines.lake.identity import (
    Decision,
    RunReport,
    Store,
    identity_map,
    link,
    nodes,
    open_store,
    put_map_together,
)
from dizuo.engines.lake.identity import run as running
from dizuo.engines.lake.identity.errors import IdentityBusy, IdentityUnfinished, MentionsUnusable
from dizuo.engines.lake.identity.rehearsal import Rehearsal

OTHER = "320211199001019875"
HOME = {"division": "320211001003", "address_rest": "人民中路12号3幢402室"}
WANG = {"name": "王启明", "sex": "1", "birth_date": date(1985, 3, 7), "citizen_id": NUMBER}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "identity", memory="500MB") as opened:
        yield opened


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
    return path


def others(count: int = 400) -> list[dict[str, Any]]:
    """Other people, so that a name and a birth date are worth something."""
    return [
        mention(f"x:{n}:self", name=f"李{chr(0x4E00 + n)}{chr(0x5000 + n)}", phone=f"1380000{n:04d}")
        for n in range(count)
    ]


def day(store: Store, name: str, rows: list[dict[str, Any]], **more: Any) -> RunReport:
    return link(store, [written(store.folder.parent / f"{name}.parquet", rows)] if rows else [], **more)


def cids(store: Store) -> dict[str, int]:
    with duckdb.connect() as lake:
        now = identity_map(lake, store.folder / "map.parquet").everybody
        found = lake.execute(f"SELECT record_id, cid FROM {now}").fetchall()
        kept = store.rows(
            "SELECT record_id, cid FROM record_person JOIN member_person USING (node)"
            " UNION ALL SELECT record_id, cid FROM record_enterprise JOIN member_enterprise USING (node)"
        )
    assert sorted(found) == sorted(kept), "the files say what the store says, each record once"
    return dict(found)


def events(store: Store, run: int) -> list[tuple[Any, ...]]:
    return store.rows(
        "SELECT kind, cid, other, nodes, record_id, who FROM event WHERE run = ? ORDER BY ord", [run]
    )


def test_three_days_of_increments(store: Store) -> None:
    """Day 1: two identities; day 2: a record joins one and a bridge merges both; day 3: people take them apart again."""
    one = mention("hukou:1:self", **WANG, **HOME)
    # The same man, the number mistyped, the name as heard, and at another place: nothing but a bridge can tell.
    two = mention(
        "vehicles:9:owner",
        name="王起明",
        phone="13900001111",
        division="320205002001",
        address_rest="锡沪路8号1幢101室",
    )
    stranger = mention("hukou:7:self", name="李秀英", sex="2", birth_date=date(1990, 1, 1), citizen_id=OTHER)
    first = day(store, "d1", [one, two, stranger])
    before = cids(store)
    assert len(set(before.values())) == 3
    assert [(kind, nodes) for kind, _, _, nodes, _, _ in events(store, first.run)] == [("new", 3)]

    again = mention("social_insurance:1:self", **WANG, phone="13900001111")
    second = day(store, "d2", [again])
    after = cids(store)
    oldest = min(before["hukou:1:self"], before["vehicles:9:owner"])
    assert after["hukou:1:self"] == after["vehicles:9:owner"] == after["social_insurance:1:self"] == oldest
    assert after["hukou:7:self"] == before["hukou:7:self"]
    kind, kept, gone, *_ = events(store, second.run)[0]
    assert (kind, kept) == ("merge", oldest)
    assert gone == max(before["hukou:1:self"], before["vehicles:9:owner"])
    assert second.entities[0].settled.new == 0

    parted = [Decision("hukou:1:self", "vehicles:9:owner", same=False, who="周敏、陈立", reason="两个人")]
    third = day(store, "d3", [], decisions=parted)
    now = cids(store)
    assert now["hukou:1:self"] == before["hukou:1:self"]
    assert now["vehicles:9:owner"] == before["vehicles:9:owner"], (
        "an un-merge gives back the number of before"
    )
    assert [row[:3] + row[5:] for row in events(store, third.run)] == [
        ("unmerge", oldest, gone, "周敏、陈立")
    ]

    fourth = day(store, "d4", [mention("medical:3:self", **WANG, phone="13900001111")], decisions=parted)
    still = cids(store)
    assert still["vehicles:9:owner"] == before["vehicles:9:owner"], "people's word is kept by every later run"
    assert still["medical:3:self"] == before["hukou:1:self"]
    assert events(store, fourth.run) == []
    file = store.folder / "map.parquet"
    assert not put_map_together(file)
    assert put_map_together(file, longest=2), "three runs have changed it"
    with duckdb.connect() as lake:
        assert identity_map(lake, file).files == (file,)
    assert cids(store) == still


def test_two_who_were_never_apart_are_split_with_a_new_number(store: Store) -> None:
    rows = [
        mention("a:1:self", **WANG, phone="13900001111"),
        mention("b:2:self", name="王启明", phone="13900001111", **HOME),
    ]
    day(store, "d1", rows + others())
    assert len({cids(store)[record] for record in ("a:1:self", "b:2:self")}) == 1
    report = day(
        store, "d2", [], decisions=[Decision("a:1:self", "b:2:self", same=False, who="甲、乙", reason="同名")]
    )
    now = cids(store)
    assert now["a:1:self"] != now["b:2:self"]
    ((kind, kept, new, nodes, _, who),) = events(store, report.run)
    assert (kind, nodes, who) == ("split", 1, "甲、乙")
    assert {kept, new} == {now["a:1:self"], now["b:2:self"]}
    assert new > kept


def test_what_people_join_is_one_even_against_the_numbers(store: Store) -> None:
    """A corrected citizen number: two valid numbers are one person only because two officials said so; later runs keep to it."""
    old = mention("a:1:self", **WANG, **HOME)
    new = mention("b:2:self", **{**WANG, **HOME, "citizen_id": "320211198503071250"})
    first = day(store, "d1", [old, new, *others()])
    assert cids(store)["a:1:self"] != cids(store)["b:2:self"]
    assert store.rows("SELECT why FROM doubt WHERE run = ?", [first.run]) == [("two_numbers",)]
    said = [Decision("a:1:self", "b:2:self", same=True, who="甲、乙", reason="户口本有更正记录")]
    second = day(store, "d2", [], decisions=said)
    assert cids(store)["a:1:self"] == cids(store)["b:2:self"]
    kind, *_, who = events(store, second.run)[0]
    assert (kind, who) == ("merge", "甲、乙")
    day(
        store,
        "d3",
        [
            mention("c:3:self", **WANG, phone="1"),
            mention("d:4:self", **{**WANG, "citizen_id": "320211198503071250"}),
        ],
        decisions=said,
    )
    assert len({cids(store)[f"{record}:self"] for record in ("a:1", "b:2", "c:3", "d:4")}) == 1


def test_two_valid_numbers_are_never_one_by_machine(store: Store) -> None:
    twins = {"sex": "1", "birth_date": date(1985, 3, 7), "phone": "13900001111", **HOME}
    rows = [
        mention("a:1:self", name="王启明", citizen_id=NUMBER, **twins),
        mention("b:2:self", name="王启明", citizen_id="320211198503071250", **twins),
        mention("c:3:self", name="王启明", **twins),
    ]
    report = day(store, "d1", rows + others())
    now = cids(store)
    assert now["a:1:self"] != now["b:2:self"]
    assert report.entities[0].settled.held + report.entities[0].settled.doubtful >= 1


def test_twins_of_one_household_are_not_joined_for_want_of_a_number(store: Store) -> None:
    home = {"sex": "2", "birth_date": date(2021, 1, 25), **HOME}
    day(
        store,
        "d1",
        [mention("births:1:child", name="刘娜", **home), mention("births:2:child", name="刘娜茜", **home)],
    )
    assert len(set(cids(store).values())) == 2


def test_a_number_of_kin_under_another_name_goes_to_people(store: Store) -> None:
    rows = [
        mention("hukou:1:self", **WANG, **HOME, phone="13900001111"),
        mention("vehicles:2:owner", name="郑琴", citizen_id=NUMBER, **HOME, phone="13900001111"),
    ]
    report = day(store, "d1", rows + others())
    assert cids(store)["hukou:1:self"] != cids(store)["vehicles:2:owner"]
    assert store.rows("SELECT why FROM doubt WHERE run = ?", [report.run]) == [("uncertain",)]


def test_a_record_that_its_department_corrects_follows_its_content(store: Store) -> None:
    """A vehicle under the wrong number: corrected, it moves to whom it belongs, and that is an event; nobody else moves."""
    wang = mention("hukou:1:self", **WANG)
    li = mention("hukou:2:self", name="李秀英", sex="2", birth_date=date(1990, 1, 1), citizen_id=OTHER)
    day(store, "d1", [wang, li, mention("vehicles:5:owner", name="王启明", citizen_id=NUMBER)])
    before = cids(store)
    corrected = day(
        store, "d2", [mention("vehicles:5:owner", name="李秀英", citizen_id=OTHER, as_of=date(2026, 11, 2))]
    )
    after = cids(store)
    assert after["vehicles:5:owner"] == before["hukou:2:self"]
    assert {k: v for k, v in after.items() if k != "vehicles:5:owner"} == {
        k: v for k, v in before.items() if k != "vehicles:5:owner"
    }
    assert events(store, corrected.run) == [
        ("move", before["hukou:2:self"], before["hukou:1:self"], 1, "vehicles:5:owner", "")
    ]


def test_a_person_who_changes_keeps_the_identity(store: Store) -> None:
    """A record alone in its identity that changes name and place: the department says it is still the same row."""
    day(store, "d1", [mention("permits:1:self", name="陈招娣", phone="13900001111", **HOME)])
    before = cids(store)
    day(store, "d2", [mention("permits:1:self", name="陈雅文", phone="13755550000", as_of=date(2026, 11, 2))])
    assert cids(store) == before


def test_the_later_of_two_versions_counts(store: Store) -> None:
    rows = [
        mention("v:1:owner", name="王启明", citizen_id=NUMBER, as_of=date(2026, 11, 1)),
        mention("v:1:owner", name="李秀英", citizen_id=OTHER, as_of=date(2026, 11, 5)),
        mention("h:2:self", name="李秀英", citizen_id=OTHER),
    ]
    day(store, "d1", rows)
    now = cids(store)
    assert now["v:1:owner"] == now["h:2:self"]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """An invented city's mentions in three deliveries, and its enterprises."""
    folder = tmp_path_factory.mktemp("mentions")
    made = Rehearsal(500, seed=11, error_rate=0.25)
    rows = [m.row() for m in made.mentions()]
    firms = [m.row() for m in made.enterprises(60)]
    return [
        written(folder / "a.parquet", [*rows[: len(rows) // 2], *firms]),
        written(folder / "b.parquet", rows[len(rows) // 2 : -80]),
        written(folder / "c.parquet", rows[-80:]),
    ]


@pytest.fixture(scope="module")
def linked(city: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """The whole city's identities, found in one run that nothing stopped."""
    with open_store(tmp_path_factory.mktemp("linked"), memory="500MB") as store:
        link(store, city)
        return cids(store)


def test_two_runs_give_the_same_identities(city: list[Path], linked: dict[str, int], tmp_path: Path) -> None:
    with open_store(tmp_path / "again", memory="500MB", threads=1) as store:
        link(store, list(reversed(city)))
        assert cids(store) == linked


def test_an_increment_reshuffles_nobody_and_finds_what_a_whole_run_finds(
    city: list[Path], linked: dict[str, int], tmp_path: Path
) -> None:
    with open_store(tmp_path / "daily", memory="500MB") as store:
        link(store, city[:1])
        first = cids(store)
        link(store, city[1:2])
        report = link(store, city[2:])
        daily = cids(store)
        merged = {gone for (gone,) in store.rows("SELECT other FROM event WHERE kind = 'merge'")}
    assert report.entities[0].touched < report.entities[0].nodes / 4
    for record, cid in first.items():
        assert daily[record] == cid or cid in merged

    def together(found: dict[str, int]) -> set[frozenset[str]]:
        groups: dict[int, set[str]] = {}
        for record, cid in found.items():
            groups.setdefault(cid, set()).add(record)
        return {frozenset(group) for group in groups.values()}

    same = together(linked) & together(daily)
    # Frequencies of names and telephones grow with the days, so a pair on the edge may fall differently; no more than that.
    assert len(same) > 0.995 * len(together(linked))


def test_nothing_new_changes_nothing(city: list[Path], tmp_path: Path) -> None:
    with open_store(tmp_path / "s", memory="500MB") as store:
        link(store, city)
        before = cids(store)
        report = link(store, city[:1])
        assert cids(store) == before
        assert [(e.touched, e.settled.new, e.settled.merged) for e in report.entities] == [
            (0, 0, 0),
            (0, 0, 0),
        ]


KILLED = """
import os, sys
from pathlib import Path
from dizuo.engines.lake.identity import link, open_store
from dizuo.engines.lake.identity import store as keeping
noted, stop = keeping.Store.note, int(sys.argv[2])
count = 0
def note(self, name):
    global count
    noted(self, name)
    count += 1
    if count == stop:
        os.kill(os.getpid(), 9)
keeping.Store.note = note
with open_store(Path(sys.argv[1]), memory="500MB") as store:
    link(store, [Path(p) for p in sys.argv[3:]], part=400)
print("done")
"""


@pytest.mark.parametrize("stop", [2, 7, 12])
def test_a_killed_run_goes_on_and_ends_the_same(
    city: list[Path], linked: dict[str, int], tmp_path: Path, stop: int
) -> None:
    """Kill -9 inside a step, before its commit: nothing of the step is there, and the run goes on at it."""
    arguments = [sys.executable, "-c", KILLED, str(tmp_path / "s"), str(stop), *map(str, city)]
    killed = subprocess.run(arguments, capture_output=True, text=True, env={**os.environ}, check=False)
    assert killed.returncode == -9, killed.stderr
    with open_store(tmp_path / "s", memory="500MB") as store:
        with pytest.raises(IdentityUnfinished):
            link(store, city[:1])
        link(store, city, part=400)
        resumed = cids(store)
        assert store.number("SELECT count(*) FROM event") == 2
    assert resumed == linked


def test_only_one_process_writes(tmp_path: Path) -> None:
    with open_store(tmp_path / "s"):
        probe = f"from pathlib import Path\nfrom dizuo.engines.lake.identity import open_store\nwith open_store(Path({str(tmp_path / 's')!r})): pass"
        other = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert IdentityBusy.__name__ in other.stderr


def test_a_missing_file_is_told(store: Store, tmp_path: Path) -> None:
    with pytest.raises(MentionsUnusable, match=r"gone\.parquet"):
        link(store, [tmp_path / "gone.parquet"])
    assert set(running.default_models()) == {"person", "enterprise"}


FIRM = {"entity": "enterprise", "name": "无锡市梁味坊餐饮有限公司", **HOME}


def headed(record: str, head: str, number: str, **values: Any) -> list[dict[str, Any]]:
    """An enterprise and who represents it, from one row of one delivery."""
    return [
        mention(f"{record}:self", **{**FIRM, **values}),
        mention(f"{record}:legal", name=head, citizen_id=number),
    ]


def firms(count: int = 400) -> list[dict[str, Any]]:
    """Other enterprises, so that a name and a door are worth something."""
    return [
        mention(
            f"x:{n}:self",
            entity="enterprise",
            name=f"无锡{chr(0x4E00 + n)}{chr(0x5000 + n)}商行",
            phone=f"8800{n:04d}",
        )
        for n in range(count)
    ]


def test_two_firms_of_one_name_at_one_address_with_other_representatives_stay_apart(store: Store) -> None:
    """Neither gives a code: the same name and door alone would join them. A third record of the name and door may not bridge them."""
    one, other = headed("tax:1", "王启明", NUMBER), headed("tobacco:2", "李秀英", OTHER)
    third = [mention("letters:3:self", **FIRM, phone="88001234")]
    report = day(store, "d1", [*one, *other, *third, *firms()])
    now = cids(store)
    assert now["tax:1:self"] != now["tobacco:2:self"]
    assert now["letters:3:self"] in {now["tax:1:self"], now["tobacco:2:self"]}
    assert ("enterprise", "uncertain") in store.rows(
        "SELECT entity, why FROM doubt WHERE run = ?", [report.run]
    )


def test_the_same_representative_or_none_joins_a_name_and_an_address(store: Store) -> None:
    rows = [*headed("tax:1", "王启明", NUMBER), *headed("tobacco:2", "王启明", NUMBER, phone="88001234")]
    day(store, "d1", [*rows, *firms(), mention("letters:3:self", **FIRM, phone="88005678")])
    now = cids(store)
    assert now["tax:1:self"] == now["tobacco:2:self"] == now["letters:3:self"]


def test_a_new_representative_is_still_the_firm_of_its_code(store: Store) -> None:
    code = "91320213DEM00001X5"
    day(store, "d1", [*headed("market:1", "王启明", NUMBER, uscc=code), *firms()])
    day(store, "d2", headed("tax:9", "李秀英", OTHER, uscc=code, name="梁味坊餐饮有限责任公司"))
    now = cids(store)
    assert now["market:1:self"] == now["tax:9:self"]


def test_an_increment_makes_the_nodes_that_a_whole_build_makes(city: list[Path], tmp_path: Path) -> None:
    """But for the frequency of names: a telephone that becomes a crowd's by today's records is one for yesterday's nodes too."""
    phone = next(
        row["phone"]
        for row in pq.read_table(city[0]).to_pylist()
        if row["entity"] == "person" and row["phone"]
    )
    late = [mention(f"late:{n}:self", name=f"周{chr(0x4E00 + n)}", phone=phone) for n in range(5)]
    with open_store(tmp_path / "s", memory="500MB") as store:
        link(store, city[:1])
        link(store, [written(tmp_path / "late.parquet", late)])
        columns = "SELECT * EXCLUDE (name_tf) FROM node_person ORDER BY node"
        daily = store.rows(columns)
        store.connection.execute("DROP TABLE node_person")
        nodes.build(store.connection, "person")
        assert daily == store.rows(columns)
        assert (
            store.number(
                "SELECT count(*) FROM node_person WHERE phone_a IS NULL AND phone_s = ?", [int(phone)]
            )
            > 5
        )
