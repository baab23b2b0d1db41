"""What holds for every read, whatever is asked: nothing beyond the declared needs, every value entered, tickets empty."""

from __future__ import annotations

import asyncio
import hashlib
import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_city import FATHER, MOTHER, STRANGER, small_city

from dizuo.engines.registers import ReadRequest

MATTER = small_city().matters["newborn"]
NEEDS = {item.id: {fact for need in item.needs for fact in need.facts} for item in MATTER.items}
ALL = sorted(set().union(*NEEDS.values()))
EVERY = sorted(f"{p.id}.{f}" for p in MATTER.parties for f in small_city().registers[p.register].fields)
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(
    items=st.sets(st.sampled_from(sorted(NEEDS))),
    facts=st.none() | st.sets(st.sampled_from(ALL)) | st.sets(st.sampled_from(EVERY), max_size=4),
    reader=st.sampled_from([MOTHER, FATHER, STRANGER]),
    about=st.sampled_from([MOTHER, FATHER]),
)
async def test_no_fact_beyond_the_needs_and_no_fact_without_its_entry(town, pg, items, facts, reader, about):
    request = ReadRequest(
        "newborn", {"applicant": str(town.ids[about])}, "draft-p", town.resident(reader), tuple(sorted(items)),
        facts=None if facts is None else tuple(sorted(facts)),
    )  # fmt: skip
    result = await town.registers.read(request)
    allowed = set().union(*(NEEDS[item] for item in items)) if items else set()
    assert set(result.facts) <= allowed
    if facts is not None:
        assert set(result.facts) <= facts
        if facts - allowed and items:
            assert [r.reason for r in result.refusals] == ["outside"]
    if reader != about:
        assert not result.facts
    async with pg() as conn:
        rows = await conn.fetch(
            "SELECT id, kind, body FROM ledger.entry WHERE id = ANY ($1)", list(result.entries)
        )
    entries = {row["id"]: row for row in rows}
    assert set(entries) == set(result.entries)
    for name, fact in result.facts.items():
        body = entries[fact.entry]["body"]
        assert body["party"] == fact.party, name
        assert fact.field in body["fields"], name
        assert any(fact.field in use["fields"] for use in body["uses"])
    for refusal in result.refusals:
        assert entries[refusal.entry]["kind"] == "register.refused"


async def test_two_batches_that_need_new_plans_in_different_order_do_not_lock_each_other(town, pg):
    def question(fact):
        return {"access": "newborn", "version": "v1", "items": ["household"], "facts": fact, "case": "draft-d",
                "given": {"applicant": {"identity": town.ids[MOTHER]}},
                "actor": {"kind": "resident", "subject": town.ids[MOTHER]},
                "holder": hashlib.sha256(os.urandom(32)).hexdigest()}  # fmt: skip

    plans = [["mother.name"], ["father.name"], ["home.address"], ["marriage.state"], ["certificate.born_on"]]
    async with pg("dizuo_app") as one, pg("dizuo_app") as two, pg() as owner:
        await owner.execute("DELETE FROM registers.access_plan")
        mark = await owner.fetchval("SELECT coalesce(max(id), 0) FROM ledger.entry")
        await asyncio.gather(
            one.fetchval("SELECT registers.request($1)", [question(p) for p in plans]),
            two.fetchval("SELECT registers.request($1)", [question(p) for p in reversed(plans)]),
        )
        refused = await owner.fetchval(
            "SELECT count(*) FROM ledger.entry WHERE id > $1 AND kind = 'register.refused'", mark)  # fmt: skip
    assert refused == 0


async def test_a_ticket_points_and_holds_no_value(town, pg):
    await town.registers.read(
        ReadRequest("newborn", {"applicant": str(town.ids[MOTHER])}, "draft-t", town.resident())
    )
    async with pg() as owner:
        plans = await owner.fetchval("SELECT string_agg(plan::text, ' ') FROM registers.ticket")
    assert '"v": 1' in plans
    assert not any(value in plans for value in ("林晓晴", "王启明", "13800000001", "崇安寺"))
