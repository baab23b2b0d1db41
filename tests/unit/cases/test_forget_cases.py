"""What is personal in ended cases can be erased, wherever it was written, and nothing else changes."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import asyncpg
import pytest
from family import FATHER, MOTHER, STRANGER
from test_fix_files import file, jpeg

from dizuo.engines import cases as engine
from dizuo.engines.cases import ByClerk, FixWant, Forgotten, forget_cases
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.store import begin

LATER = dt.datetime(2028, 1, 1, tzinfo=SHANGHAI)
NAME = FixWant("宝宝叫什么名字？", "和出生证上林晓晴写的不一样", "hukou-1958:7", question="given_name")
PAPER = FixWant("林晓晴的姓名申报表", "看不清", "hukou-1958:7")
WORDS = "申报表是林晓晴写错的"
PERSONAL = ("林晓晴", "沐言", "沐妍", "申报表", "看错了行", MOTHER, "再看看")


async def found(bench: Any, *texts: str) -> list[str]:
    """Every table of the cases, and every text of these in it."""
    async with bench.pg() as conn:
        tables = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'cases' ORDER BY 1")
        hits: list[str] = []
        for (table,) in (row.values() for row in tables):
            for text in texts:
                n = await conn.fetchval(
                    f"SELECT count(*) FROM cases.{table} t WHERE t::text LIKE '%' || $1 || '%'",
                    text,
                )
                hits += [f"{table}: {text} × {n}"] if n else []
    return hits


async def forget(bench: Any, pool: Any, who: str, before: dt.datetime = LATER) -> Forgotten:
    async with begin(pool, bench.now) as tx:
        return await forget_cases(tx, bench.ids[who], before=before, basis="pipl-2021:47", case="JC1")


async def full_case(bench: Any) -> str:
    """Asked twice over, answered with a new name, a file and words at a window, agreed to, withdrawn: all is written."""
    receipt = await bench.agreed()
    number = receipt.number
    await engine.request_fix(
        bench.cases, bench.official(), number, "household", (NAME, PAPER), "林晓晴看错了行"
    )
    clerk = bench.official(
        "window.serve", place="320213001", unit="town_service", post="town_clerk", who="o-9", name="许蕾"
    )
    await engine.answer_fix(
        bench.cases, bench.resident(), number, "household", WORDS, {"given_name": "沐妍"},
        files=(file(2, jpeg(900), "林晓晴 申报表.jpg"),), served_by=ByClerk(clerk[0], "居民身份证原件"),
    )  # fmt: skip
    await engine.withdraw(bench.cases, bench.resident(), number, "household", "林晓晴要再看看")
    await engine.save_draft(bench.cases, bench.resident(), 1, "newborn", {"given_name": "沐言"}, {})
    bench.now.advance(days=40)
    await bench.due()
    return number


async def ended(bench: Any, number: str) -> Any:
    async with bench.pg() as conn:
        return await conn.fetchrow("SELECT * FROM cases.application WHERE number = $1", number)


async def test_nothing_of_the_person_stays_in_any_table(bench: Any, eraser_pool: Any) -> None:
    number = await full_case(bench)
    assert (await ended(bench, number))["ended_at"] is not None, await bench.states(number)
    before = await found(bench, *PERSONAL)
    for table in ("fix:", "fix_change:", "upload:", "event:", "notice:", "answer:", "application:", "draft:"):
        assert any(hit.startswith(table) for hit in before), (table, before)
    digest = file(2, jpeg(900)).sha256.hex()
    assert await found(bench, digest)

    early = await forget(bench, eraser_pool, MOTHER, dt.datetime(2026, 11, 1, tzinfo=SHANGHAI))
    assert early == Forgotten(0, 0, 0, 0)
    assert await found(bench, *PERSONAL) == before
    done = await forget(bench, eraser_pool, MOTHER)
    assert (done.own, done.files) == (1, 1)
    # The issued papers that are valid are her titles; nothing else tells of her.
    left = await found(bench, *PERSONAL, digest)
    assert all(hit.startswith("document:") for hit in left), left
    again = await forget(bench, eraser_pool, MOTHER)
    assert (again.own, again.files) == (0, 0)

    async with bench.pg() as conn:
        entries = await conn.fetch(
            "SELECT body, payload, subject FROM ledger.entry WHERE kind = 'case.forget'"
        )
        events = await conn.fetch(
            "SELECT name, to_state, actor_kind, post, clock FROM cases.event e JOIN cases.application a"
            " ON a.id = e.application WHERE a.number = $1 ORDER BY seq", number
        )  # fmt: skip
    assert len(entries) == 1
    assert entries[0]["body"]["basis"] == "pipl-2021:47"
    assert (entries[0]["body"]["own"], entries[0]["body"]["files"]) == (1, 1)
    assert entries[0]["payload"] == {"case": "JC1"}
    assert entries[0]["subject"] is None
    # What was done, and when, still stands, and whoever opens the case sees that it was emptied.
    page = await engine.case_page(bench.cases, bench.official(), number)
    assert (page.applicant, page.title, page.answers) == ("（已抹去）", "（已抹去）", ())
    assert await engine.fix_uploads(bench.cases, bench.official(), number, "household") == ()
    assert number not in {line.number for line in await engine.my_cases(bench.cases, bench.resident())}
    assert [row["name"] for row in events].count("fix") == 1
    assert any(row["post"] == "town_clerk" for row in events)


async def test_in_another_persons_case_only_ones_own_part_goes(bench: Any, eraser_pool: Any) -> None:
    certificate = await bench.child()
    receipt = await engine.submit(
        bench.cases, bench.resident(FATHER, "王启明"), 2, "newborn", bench.answers, {"certificate": certificate},
        uuid.uuid4().hex,
    )  # fmt: skip
    number = receipt.number
    asked = [one for one in await engine.consents_of(bench.cases, bench.resident()) if one.number == number]
    assert asked
    for one in asked:
        await engine.answer_consent(bench.cases, bench.resident(), number, one.id, agrees=True)
    await bench.due()
    await engine.withdraw(bench.cases, bench.resident(FATHER, "王启明"), number, None, "王启明不办了")
    bench.now.advance(days=40)
    await bench.due()
    mother = str(bench.ids[MOTHER])
    async with bench.pg() as conn:
        open_ = await conn.fetchval(
            "SELECT count(*) FROM cases.application WHERE number = $1 AND ended_at IS NULL", number
        )
    done = await forget(bench, eraser_pool, MOTHER)
    async with bench.pg() as conn:
        subjects = await conn.fetch(
            "SELECT c.party, c.subject FROM cases.consent c JOIN cases.application a ON a.id = c.application"
            " WHERE a.number = $1", number
        )  # fmt: skip
        actors = await conn.fetch(
            "SELECT e.actor, e.actor_name FROM cases.event e JOIN cases.application a ON a.id = e.application"
            " WHERE a.number = $1 AND e.actor_kind = 'resident'", number
        )  # fmt: skip
        applicant = await conn.fetchval(
            "SELECT applicant_name FROM cases.application WHERE number = $1", number
        )
    assert open_ == 0
    assert done.own == 0
    assert done.others == 1
    assert applicant == "王启明"
    assert all(row["subject"] != bench.ids[MOTHER] for row in subjects)
    assert all(row["actor"] != mother and row["actor_name"] != "林晓晴" for row in actors)
    assert any(row["actor_name"] == "王启明" for row in actors)


async def test_what_runs_and_what_is_anothers_is_not_touched(bench: Any, eraser_pool: Any) -> None:
    receipt = await bench.agreed()
    await engine.request_fix(bench.cases, bench.official(), receipt.number, "household", (PAPER,), "要补")
    await engine.keep_files(bench.cases, bench.resident(), receipt.number, "household", [file()])
    before = await found(bench, "林晓晴")
    assert await forget(bench, eraser_pool, STRANGER) == Forgotten(0, 0, 0, 0)
    done = await forget(bench, eraser_pool, MOTHER)
    assert done.own == 0
    assert await found(bench, "林晓晴") == before
    assert (await engine.fix_form(bench.cases, bench.resident(), receipt.number, "household")).uploads


async def test_nobody_else_may_and_the_history_stands_otherwise(bench: Any, app_pool: Any) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        await forget(bench, app_pool, MOTHER)
    async with bench.pg() as owner:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only added to"):
            await owner.execute("UPDATE cases.event SET reason = ''")
        await owner.execute("SELECT set_config('dizuo.erasing', '1', false)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only added to"):
            await owner.execute("UPDATE cases.event SET reason = ''")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only added to"):
            await owner.execute("DELETE FROM cases.event")
