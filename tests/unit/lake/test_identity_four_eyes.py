"""Events in order and in the ledger; two officials before anything uncertain is joined; nothing seen without an entry."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import duckdb
import pytest
from test_identity_comparing import NUMBER, mention
from test_identity_days import HOME, WANG, others, written

from dizuo.engines.lake.identity import (
    ask_people,
    decide_pair,
    decisions,
    default_models,
    events_after,
    identity_map,
    link,
    open_store,
    question_pair,
    review_pair,
    review_queue,
    tell_events,
)
from dizuo.engines.lake.identity.errors import PairDecided, PairUnknown, SamePerson, VerdictInvalid
from dizuo.engines.lake.review.pairs import side_by_side

OLD = mention("hukou:1:self", **WANG, **HOME)
NEW = mention("permits:2:self", **{**WANG, **HOME, "citizen_id": "320211198503071250"})


class Desk:
    """One store and one database, used as a daily run uses them."""

    def __init__(self, database: Any, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.day = 0

    def run(self, rows: list[dict[str, Any]]) -> int:
        """A run with people's decisions, its events told and its doubts asked; returns how many pairs are new in the queue."""
        self.day += 1
        files = [written(self.folder / f"d{self.day}.parquet", rows)] if rows else []
        with open_store(self.folder / "identity", memory="500MB") as store:
            link(store, files, decisions=decisions(self.database))
            tell_events(self.database, store)
            assert tell_events(self.database, store) == 0, "telling twice tells nothing twice"
            return ask_people(self.database, store, default_models())

    def question(self, left: str, right: str) -> bool:
        with open_store(self.folder / "identity", memory="500MB") as store:
            return question_pair(self.database, store, default_models()["person"], left, right)

    def cids(self) -> dict[str, int]:
        with duckdb.connect() as lake:
            now = identity_map(lake, self.folder / "identity" / "map.parquet").everybody
            return dict(lake.execute(f"SELECT record_id, cid FROM {now}").fetchall())


@pytest.fixture
async def desk(database: Any, pg: Any, tmp_path: Path) -> Desk:
    async with pg() as conn:  # one database for the module: each story starts with an empty queue
        await conn.execute(
            "TRUNCATE lake.identity_vote, lake.identity_pair, lake.identity_event RESTART IDENTITY CASCADE"
        )
    return Desk(database, tmp_path)


async def test_two_officials_join_a_pair_and_downstream_learns_it(desk: Desk, app_pool: Any, pg: Any) -> None:
    assert desk.run([OLD, NEW, *others()]) == 1
    first = await events_after(app_pool)
    assert [(e.kind, e.cid, e.last_cid) for e in first] == [("new", 1, 402)]

    (pair,) = await review_queue(app_pool, "zhou")
    assert (pair.why, pair.state, pair.left_source, pair.right_source, pair.mine) == (
        "two_numbers",
        "open",
        "hukou",
        "permits",
        False,
    )
    seen = await review_pair(app_pool, pair.id, "zhou", "核定身份")
    fields = {f.id: f for f in seen.fields}
    assert fields["name"].state == "same"
    assert fields["citizen_id"].state == "differs"
    assert "".join(m.text for m in fields["citizen_id"].left) == NUMBER
    assert any(m.differs for m in fields["citizen_id"].left)
    assert any(not m.differs for m in fields["citizen_id"].left)
    assert {"姓名", "证件号码", "地址"} <= {step.what for step in seen.evidence.steps}

    assert await decide_pair(app_pool, pair.id, "zhou", "same", "户口本有更正记录") == "second"
    with pytest.raises(SamePerson):
        await decide_pair(app_pool, pair.id, "zhou", "same", "我再核一次")
    assert [p.mine for p in await review_queue(app_pool, "zhou")] == [True]
    assert (await review_pair(app_pool, pair.id, "chen", "核定身份")).votes == (), (
        "the second judges for himself"
    )
    desk.run([])
    assert desk.cids()["hukou:1:self"] != desk.cids()["permits:2:self"], "one official alone joins nobody"

    assert await decide_pair(app_pool, pair.id, "chen", "same", "档案一致") == "same"
    with pytest.raises(PairDecided):
        await decide_pair(app_pool, pair.id, "li", "different", "我不同意")
    assert [v.by for v in (await review_pair(app_pool, pair.id, "li", "查看")).votes] == ["zhou", "chen"]
    assert await review_queue(app_pool, "li") == ()
    desk.run([])
    assert desk.cids()["hukou:1:self"] == desk.cids()["permits:2:self"]
    (merge,) = await events_after(app_pool, first[-1].seq)
    assert (merge.kind, merge.who) == ("merge", "zhou、chen")
    assert "档案一致" in merge.why
    assert await events_after(app_pool, merge.seq) == ()
    async with pg() as conn:
        entry = await conn.fetchrow("SELECT kind, body, payload FROM ledger.entry WHERE id = $1", merge.entry)
        looks = await conn.fetch(
            "SELECT subject, body, payload FROM ledger.entry WHERE kind = 'identity.look' ORDER BY id"
        )
    assert entry["kind"] == "identity.merge"
    assert entry["payload"]["cid"] == merge.cid
    assert entry["payload"]["official"] == "zhou、chen"
    assert set(entry["body"]) == {"run", "entity", "nodes", "actor"}, (
        "the open body names no cluster and nobody"
    )
    assert {row["payload"]["official"] for row in looks} == {"zhou", "chen", "li"}
    assert {key for row in looks for key in row["body"]} == {"entity", "purpose", "actor"}, (
        "nor that two were looked at together"
    )
    assert len({row["subject"] for row in looks}) == 2, "both persons see who looked"


async def test_they_disagree_and_a_third_decides(desk: Desk, app_pool: Any) -> None:
    desk.run([OLD, NEW, *others()])
    (pair,) = await review_queue(app_pool, "a")
    assert await decide_pair(app_pool, pair.id, "a", "same", "很像") == "second"
    assert await decide_pair(app_pool, pair.id, "b", "different", "号码不同") == "disputed"
    assert await decide_pair(app_pool, pair.id, "c", "unsure", "看不清") == "disputed"
    assert await decide_pair(app_pool, pair.id, "d", "different", "是兄弟") == "different"
    desk.run([])
    assert desk.cids()["hukou:1:self"] != desk.cids()["permits:2:self"]
    assert desk.run([OLD | {"phone": "13900001111"}, NEW | {"phone": "13900001111"}]) == 0, (
        "a judged pair is not asked again"
    )


async def test_a_wrong_identity_is_questioned_and_taken_apart(desk: Desk, app_pool: Any) -> None:
    rows = [
        mention("a:1:self", **WANG, phone="13900001111"),
        mention("b:2:self", name="王启明", phone="13900001111", **HOME),
    ]
    desk.run(rows + others())
    assert desk.cids()["a:1:self"] == desk.cids()["b:2:self"]
    assert desk.question("b:2:self", "a:1:self")
    assert not desk.question("a:1:self", "b:2:self"), "asked about already"
    with pytest.raises(PairUnknown):
        desk.question("a:1:self", "nobody:0:self")
    (pair,) = await review_queue(app_pool, "a")
    assert pair.why == "questioned"
    for by in ("a", "b"):
        await decide_pair(app_pool, pair.id, by, "different", "父子同名")
    desk.run([])
    assert desk.cids()["a:1:self"] != desk.cids()["b:2:self"]
    split = (await events_after(app_pool))[-1]
    assert (split.kind, split.nodes, split.who) == ("split", 1, "a、b")


async def test_no_value_leaves_without_an_entry_that_is_durable(desk: Desk, pg: Any) -> None:
    desk.run([OLD, NEW, *others()])
    async with pg("dizuo_app") as conn:
        pair = await conn.fetchval("SELECT id FROM lake.identity_pair")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.fetch("SELECT left_values FROM lake.identity_pair")
        with pytest.raises(asyncpg.PostgresError, match="does not allow"):
            await conn.fetch("SELECT * FROM lake.pair_values($1, 1)", pair)
        async with conn.transaction():
            entry = await conn.fetchval("SELECT lake.look_at_pair($1, 'x', 'y')", pair)
            with pytest.raises(asyncpg.PostgresError, match="does not allow"):
                async with conn.transaction():
                    await conn.fetch("SELECT * FROM lake.pair_values($1, $2)", pair, entry)
        assert len(await conn.fetch("SELECT * FROM lake.pair_values($1, $2)", pair, entry)) == 1
        with pytest.raises(asyncpg.PostgresError, match="does not allow"):
            await conn.fetch("SELECT * FROM lake.pair_values($1, $2)", pair + 1, entry)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute("UPDATE lake.identity_pair SET state = 'same'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute("DELETE FROM lake.identity_event")


async def test_a_verdict_needs_a_word_and_a_reason(desk: Desk, app_pool: Any) -> None:
    with pytest.raises(VerdictInvalid) as wrong:
        await decide_pair(app_pool, 1, "a", "perhaps", " ")  # pyright: ignore[reportArgumentType]
    assert set(wrong.value.fields) == {"verdict", "reason"}
    with pytest.raises(PairUnknown):
        await decide_pair(app_pool, 999, "a", "same", "没有这一对")
    with pytest.raises(PairUnknown):
        await review_pair(app_pool, 999, "a", "核定")


def test_differences_are_marked_where_they_are() -> None:
    fields = {
        f.id: f
        for f in side_by_side(
            {"name": "王启明", "phone": "1", "birth_date": "1985-03-07"},
            {"name": "王起明", "birth_date": "1985-03-07", "as_of": str(date(2026, 11, 1))},
        )
    }
    assert [(m.text, m.differs) for m in fields["name"].left] == [("王", False), ("启", True), ("明", False)]
    assert [(m.text, m.differs) for m in fields["name"].right] == [("王", False), ("起", True), ("明", False)]
    assert (fields["birth_date"].state, fields["phone"].state, fields["as_of"].state) == (
        "same",
        "left_only",
        "right_only",
    )


def test_a_writing_that_no_record_has_any_more_is_asked_about_by_nobody(desk: Desk) -> None:
    """The doubt was about a record as it was written before; it was delivered anew in another way."""
    assert desk.run([OLD, NEW, *others()]) == 1
    with open_store(desk.folder / "identity", memory="500MB") as store:
        ((left,),) = store.rows("SELECT l FROM doubt")
        store.connection.execute("DELETE FROM record_person WHERE node = ?", [left])
        assert ask_people(desk.database, store, default_models()) == 0


async def test_a_long_queue_is_in_order_of_evidence_and_age_and_what_people_doubt_comes_first(
    desk: Desk, app_pool: Any, pg: Any
) -> None:
    """Twenty thousand doubts of one night: an old one climbs past likelier new ones, and a source sees its own."""
    assert desk.run([OLD, NEW, *others()]) == 1
    async with pg() as conn:
        await conn.execute(
            "INSERT INTO lake.identity_pair (store, run, entity, left_record, right_record, left_cid, right_cid, weight, why, evidence,"
            " left_values, right_values, found_at) SELECT p.store, 9, 'person', CASE n % 2 WHEN 0 THEN 'births:' ELSE 'credit:' END || n,"
            " 'vehicles:' || n, 1, 2, (n % 500) / 100.0, CASE n WHEN 7 THEN 'questioned' ELSE 'uncertain' END, p.evidence, '{}', '{}',"
            " now() - CASE n WHEN 12 THEN interval '60 days' ELSE interval '0' END"
            " FROM lake.identity_pair p, generate_series(1, 20000) n"
        )
    queue = await review_queue(app_pool, "zhou", limit=500)
    assert queue[0].why == "questioned"
    climbed = [p.weight for p in queue].index(pytest.approx(0.12))
    assert 0 < climbed < 3, "sixty days are worth twelve bits"
    others_of_tonight = [p.weight for p in queue[1:] if p.weight != queue[climbed].weight]
    assert others_of_tonight == sorted(others_of_tonight, reverse=True)
    mine = await review_queue(app_pool, "zhou", limit=500, after=9_000, sources=["births"])
    assert len(mine) == 500
    assert {p.left_source for p in mine} == {"births"}
