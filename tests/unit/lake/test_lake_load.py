"""Loading on the real database: what is good goes in once, what is bad is kept with its reason, nothing is wiped."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import psycopg
import pytest
from police_file import HEADER, TODAY, Deliver, as_csv, number, only, person

from dizuo.engines.lake import (
    LoadReport,
    Manifest,
    load,
    loading,
)
from dizuo.engines.lake.delivery import write_manifest
from dizuo.foundation.blueprint import City


async def rejected(pg, report: LoadReport) -> list[tuple[int, str, str]]:
    async with pg() as conn:
        rows = await conn.fetch(
            "SELECT line, code, field FROM lake.rejected WHERE delivery = $1 ORDER BY line",
            only(report).delivery,
        )
    return [(row["line"], row["code"], row["field"]) for row in rows]


async def current(pg, key: str) -> dict[str, object] | None:
    async with pg() as conn:
        return await conn.fetchval(
            "SELECT data FROM registers.record WHERE register = 'person' AND key = $1 AND superseded_at IS NULL",
            key,
        )


async def versions(pg) -> int:
    async with pg() as conn:
        return await conn.fetchval("SELECT count(*) FROM registers.record")


async def test_good_rows_become_records_with_source_and_date(deliver: Deliver, pg) -> None:
    done = only(deliver(as_csv([person(1), person(2, "李·演示")])))
    assert (done.state, done.accepted, done.rejected, done.added) == ("published", 2, 0, 2)
    async with pg() as conn:
        row = await conn.fetchrow("SELECT * FROM registers.record WHERE key = $1", number(1))
        found = await conn.fetchval("SELECT id FROM registers.identity WHERE number = $1", number(1))
        entry = await conn.fetchval(
            "SELECT body FROM ledger.entry WHERE kind = 'register.load' ORDER BY id DESC LIMIT 1"
        )
    assert row["data"]["name"] == "赵演示"
    assert row["sources"] == {"psb": "2026-11-20"}
    assert list(row["subjects"]) == [found]
    assert entry["delivery"]["delivery"] == done.delivery
    assert number(1) not in str(entry)


async def test_the_same_delivery_twice_is_nothing_twice(deliver: Deliver, pg) -> None:
    text = as_csv([person(11), person(12)])
    first = only(deliver(text))
    before = await versions(pg)
    again = only(deliver(text))
    assert (first.state, again.state, again.delivery) == ("published", "known", first.delivery)
    assert await versions(pg) == before


async def test_a_changed_row_makes_a_version_and_an_unchanged_one_does_not(deliver: Deliver, pg) -> None:
    deliver(as_csv([person(21), person(22)]))
    done = only(deliver(as_csv([person(21, "赵改名"), person(22)])))
    assert (done.added, done.changed, done.accepted) == (0, 1, 2)
    async with pg() as conn:
        history = await conn.fetch(
            "SELECT version, data ->> 'name' AS name, superseded_at IS NULL AS now FROM registers.record WHERE key = $1 ORDER BY version",
            number(21),
        )
    assert [(r["version"], r["name"], r["now"]) for r in history] == [
        (1, "赵演示", False),
        (2, "赵改名", True),
    ]


async def test_an_empty_delivery_wipes_nobody(deliver: Deliver, pg) -> None:
    deliver(as_csv([person(31)]))
    done = only(deliver(as_csv([])))
    assert (done.state, done.accepted, done.rejected) == ("published", 0, 0)
    assert await current(pg, number(31)) is not None


async def test_a_blank_cell_takes_a_value_back_and_a_missing_column_does_not(deliver: Deliver, pg) -> None:
    deliver(as_csv([person(41)]))
    short = [name for name in HEADER if name != "户籍地址"]
    text = as_csv([person(41, 民族="")]).splitlines()
    cut = (
        "\n".join(
            ",".join(cells[i] for i, n in enumerate(HEADER) if n in short) for cells in csv.reader(text)
        )
        + "\n"
    )
    only(deliver(cut))
    found = await current(pg, number(41))
    assert found is not None
    assert "ethnicity" not in found
    assert found["hukou_address"] == "无锡市滨湖区演示路1号"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
async def test_encodings_that_departments_use(deliver: Deliver, pg, encoding: str) -> None:
    sequence = {"utf-8": 51, "utf-8-sig": 52, "gb18030": 53, "gbk": 54}[encoding]
    done = only(deliver(as_csv([person(sequence, "钱编码")]), encoding=encoding))
    assert (done.state, done.accepted, done.rejected) == ("published", 1, 0)
    found = await current(pg, number(sequence))
    assert found is not None
    assert found["name"] == "钱编码"


@pytest.mark.parametrize(
    ("declared_as", "really"), [("utf-8", "gb18030"), ("gb18030", "utf-8"), ("gbk", "utf-8-sig")]
)
async def test_a_manifest_that_names_the_wrong_encoding(
    deliver: Deliver, pg, declared_as: str, really: str
) -> None:
    sequence = {"utf-8": 61, "gb18030": 62, "gbk": 63}[declared_as]
    done = only(deliver(as_csv([person(sequence, "孙乱码")]).encode(really), encoding=declared_as))
    assert (done.accepted, done.rejected) == (1, 0)
    found = await current(pg, number(sequence))
    assert found is not None
    assert found["name"] == "孙乱码"


async def test_rare_characters_survive_both_encodings(deliver: Deliver, pg) -> None:
    for sequence, encoding in ((71, "utf-8"), (72, "gb18030")):
        only(deliver(as_csv([person(sequence, "沈𬭎𠅤")]), encoding=encoding))
        found = await current(pg, number(sequence))
        assert found is not None
        assert found["name"] == "沈𬭎𠅤"


BAD: list[tuple[dict[str, str], str, str]] = [
    ({"公民身份号码": "320211199005040099"}, "citizen_id", "公民身份号码"),
    ({"公民身份号码": "999999199005041234"}, "citizen_id", "公民身份号码"),
    ({"公民身份号码": ""}, "required", "公民身份号码"),
    ({"出生日期": "1990-13-01"}, "date", "出生日期"),
    ({"出生日期": "昨天"}, "date", "出生日期"),
    ({"出生日期": "1991-05-04"}, "contradiction", "出生日期"),
    ({"性别": "3"}, "code", "性别"),
    ({"户籍地区划": "320299"}, "division", "户籍地区划"),
    ({"姓名": "=HYPERLINK(\"http://x\")"}, "formula", "姓名"),
    ({"姓名": "@SUM(A1)"}, "formula", "姓名"),
    ({"姓名": "+cmd|' /C calc'!A0"}, "formula", "姓名"),
    ({"姓名": "赵\u202e演示"}, "control_character", "姓名"),
    ({"姓名": "赵\0演示"}, "control_character", "姓名"),
    ({"姓名": "赵\u200b演示"}, "control_character", "姓名"),
    ({"姓名": "赵\ue863"}, "private_use", "姓名"),
    ({"姓名": "赵" * 5_000}, "too_long", "姓名"),
    ({"姓名": "x" * 1_000_000}, "too_long", ""),
    ({"数据日期": "2027-01-01"}, "future", "数据日期"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code", "column"), BAD)
async def test_a_bad_row_is_kept_with_its_reason_and_its_neighbours_go_in(
    deliver: Deliver, pg, changes: dict[str, str], code: str, column: str
) -> None:
    base = 101 + 4 * BAD.index((changes, code, column))
    report = deliver(as_csv([person(base), person(base + 1, **changes), person(base + 2)]))
    done = only(report)
    assert (done.state, done.accepted, done.rejected) == ("published", 2, 1)
    assert await rejected(pg, report) == [(3, code, column)]
    assert await current(pg, number(base + 2)) is not None


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ('320211199005040019,"赵演示', "quote"),
        ('320211199005040019,"赵"演示,x', "quote"),
        ("320211199005040019,赵演示", "columns"),
        (",".join(["x"] * 40), "columns"),
        ("just words", "columns"),
    ],
)
async def test_half_a_row_costs_one_row(deliver: Deliver, pg, broken: str, code: str) -> None:
    sequence = 301 + 2 * len(broken) % 90
    lines = as_csv([person(sequence), person(sequence + 1)]).splitlines()
    report = deliver("\n".join([*lines[:2], broken, *lines[2:]]) + "\n")
    assert await rejected(pg, report) == [(3, code, "")]
    assert only(report).accepted == 2


async def test_a_file_that_ends_in_the_middle_of_a_row(deliver: Deliver, pg) -> None:
    text = as_csv([person(401), person(402)])
    report = deliver(text[:-30])
    assert await rejected(pg, report) == [(3, "columns", "")]
    assert only(report).accepted == 1


async def test_a_byte_that_is_no_character_costs_one_row(deliver: Deliver, pg) -> None:
    raw = as_csv([person(411), person(412, "钱坏字"), person(413)]).encode()
    report = deliver(raw.replace("坏".encode(), b"\xe5\x9d"))
    assert await rejected(pg, report) == [(3, "encoding", "姓名")]
    async with pg() as conn:
        raw_kept = await conn.fetchval(
            "SELECT raw FROM lake.rejected WHERE delivery = $1", only(report).delivery
        )
    assert "\\xe5\\x9d" in raw_kept


async def test_the_same_person_twice_in_one_file(deliver: Deliver, pg) -> None:
    report = deliver(as_csv([person(421), person(421, "赵又来")]))
    assert await rejected(pg, report) == [(3, "repeated", "公民身份号码")]


async def test_blank_lines_and_windows_line_ends_are_no_faults(deliver: Deliver) -> None:
    text = as_csv([person(431), person(432)]).replace("\n", "\r\n") + "\r\n\r\n  \r\n"
    done = only(deliver(text))
    assert (done.accepted, done.rejected) == (2, 0)


WHOLE: list[tuple[str, bytes, dict[str, object], str]] = [
    ("another delimiter", as_csv([person(441)], delimiter=";").encode(), {}, "delivery_header"),
    ("tabs", as_csv([person(441)], delimiter="\t").encode(), {}, "delivery_header"),
    ("a header twice", as_csv([person(441)], [*HEADER[:2], "姓名", *HEADER[3:]]).encode(), {}, "delivery_header"),
    ("no key", as_csv([person(441)], ["曾用名", *HEADER[1:]]).encode(), {}, "delivery_header"),
    ("an undeclared column", as_csv([person(441)], [*HEADER[:2], "血型", *HEADER[3:]]).encode(), {}, "delivery_undeclared"),
    ("another department's field", as_csv([person(441)], [*HEADER[:7], "手机号", *HEADER[8:]]).encode(), {}, "delivery_undeclared"),
    ("nothing at all", b"", {}, "delivery_unreadable"),
    ("only blanks", b"\n \n", {}, "delivery_unreadable"),
    ("UTF-16", as_csv([person(441)]).encode("utf-16"), {}, "delivery_unreadable"),
    ("NUL in the header", b"\0" + as_csv([person(441)]).encode(), {}, "delivery_unreadable"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, {"rows": 1}, "delivery_undeclared"),
    ("fewer rows than promised", as_csv([person(441)]).encode(), {"rows": 7}, "delivery_altered"),
    ("an unknown register", as_csv([person(441)]).encode(), {"register": "horses"}, "delivery_undeclared"),
    ("a department that is no source", as_csv([person(441)]).encode(), {"department": "tax"}, "delivery_undeclared"),
    ("an encoding nobody knows", as_csv([person(441)]).encode(), {"encoding": "klingon"}, "delivery_unreadable"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "how", "code"), [w[1:] for w in WHOLE], ids=[w[0] for w in WHOLE])
async def test_a_file_that_cannot_be_taken_is_refused_whole(
    deliver: Deliver, pg, raw: bytes, how: dict[str, object], code: str
) -> None:
    before = await versions(pg)
    done = only(deliver(raw, **how))
    assert done.state == "refused"
    assert done.refused is not None
    assert done.refused.code == code
    assert done.refused.message
    assert done.refused.fix
    assert await versions(pg) == before
    async with pg() as conn:
        row = await conn.fetchrow(
            "SELECT state, refused_says FROM lake.delivery WHERE id = $1", done.delivery
        )
    assert (row["state"], row["refused_says"]) == ("refused", done.refused.message)


async def test_bytes_that_are_not_those_vouched_for_are_not_even_landed(
    deliver: Deliver, tmp_path: Path
) -> None:
    done = only(deliver(as_csv([person(451)]), sha256="0" * 64))
    assert done.refused is not None
    assert done.refused.code == "delivery_altered"
    assert not list((tmp_path / "landing").rglob("*.csv"))


async def test_landed_copies_are_immutable_and_outlive_the_folder(deliver: Deliver, tmp_path: Path) -> None:
    text = as_csv([person(461)])
    deliver(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    copy = tmp_path / "landing" / digest[:2] / f"{digest}.csv"
    assert copy.read_text() == text
    assert copy.stat().st_mode & 0o777 == 0o400
    (tmp_path / "psb.csv").unlink()
    assert copy.exists()


async def test_a_killed_load_goes_on_where_it_stopped(
    deliver: Deliver, database, declared: City, tmp_path: Path, pg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "CHUNK", 10)
    absorb = loading._absorb
    calls = 0

    def dies(*given: object) -> tuple[int, int]:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return absorb(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(loading, "_absorb", dies)
    rows = [person(501 + n) for n in range(35)]
    rows[4]["性别"] = "7"
    with pytest.raises(KeyboardInterrupt):
        deliver(as_csv(rows))
    assert await current(pg, number(520)) is not None, "two chunks are in"
    assert await current(pg, number(521)) is None
    monkeypatch.setattr(loading, "_absorb", absorb)
    before = await versions(pg)
    done = only(load(database, declared, tmp_path, landing=tmp_path / "landing"))
    assert (done.state, done.accepted) == ("published", 15)
    assert await versions(pg) == before + 15
    async with pg() as conn:
        row = await conn.fetchrow(
            "SELECT accepted, rejected, added FROM lake.delivery WHERE id = $1", done.delivery
        )
    assert tuple(row.values()) == (34, 1, 34)


async def test_a_refused_delivery_gets_another_try_when_the_city_declares_more(
    deliver: Deliver, database, declared: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = as_csv([person(551)])
    count = loading.Opened.count
    monkeypatch.setattr(loading.Opened, "count", lambda self: 99)
    assert only(deliver(text)).state == "refused"
    monkeypatch.setattr(loading.Opened, "count", count)
    done = only(load(database, declared, tmp_path, landing=tmp_path / "landing"))
    assert (done.state, done.added) == ("published", 1)


async def test_the_web_sees_nothing_of_the_lake(pg) -> None:
    async with pg("dizuo_app") as conn:
        for table in ("lake.delivery", "lake.rejected", "registers.record", "registers.intake"):
            with pytest.raises(Exception, match="permission denied"):
                await conn.execute(f"SELECT 1 FROM {table}")
    async with pg("dizuo_loader") as conn:
        for statement in (
            "SELECT 1 FROM registers.record",
            "DELETE FROM lake.delivery",
            "UPDATE lake.rejected SET raw = ''",
        ):
            with pytest.raises(Exception, match="permission denied"):
                await conn.execute(statement)


async def test_the_database_being_away_is_an_error_and_not_a_refusal(declared: City, tmp_path: Path) -> None:
    class Away:
        def dsn(self, role: str) -> str:
            return "postgresql://nobody@127.0.0.1:1/none?connect_timeout=2"

    write_manifest(
        tmp_path, Manifest(notice="演示数据", city="wuxi", today=TODAY, people=0, seed=0, files=())
    )
    with pytest.raises(psycopg.OperationalError):
        load(Away(), declared, tmp_path)
