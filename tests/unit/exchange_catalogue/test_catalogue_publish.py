"""The catalogue is made from the declarations: idempotent, codes for ever, every change kept, nothing vanishes."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from dizuo.engines.exchange import catalogue
from dizuo.foundation.blueprint import City
from dizuo.foundation.blueprint.atoms import LawRef, Place, Words
from dizuo.foundation.blueprint.model_catalogue import CatalogueTerms, Opening, Sharing
from dizuo.foundation.store import Pool

HERE = Place("x.yaml", 1, 1)


def without(city: City, *, register: str = "", source: str = "") -> City:
    """The city with one declaration less; what feeds a lost register feeds it no more."""
    sources = {
        name: replace(one, feeds=tuple(feed for feed in one.feeds if feed.register != register))
        for name, one in city.sources.items()
        if name != source
    }
    kept = {name: one for name, one in city.registers.items() if name != register}
    return replace(city, registers=kept, sources=sources, version="other")


def declaring(city: City, terms: CatalogueTerms, register: str) -> City:
    changed = replace(city.registers[register], catalogue=terms)
    return replace(city, registers={**city.registers, register: changed}, version="other")


async def test_every_register_and_every_source_is_a_resource(
    app_pool: Pool, city: City, now: datetime
) -> None:
    done = await catalogue.publish_catalogue(app_pool, city, now)
    found = await catalogue.resources(app_pool)
    assert len(done.new) == len(found) == len(city.registers) + len(city.sources)
    assert {one.register for one in found if one.kind == "register"} == set(city.registers)
    assert {one.source for one in found if one.kind == "source"} == set(city.sources)
    person = (await catalogue.resources(app_pool, register="person"))[0]
    parts = catalogue.parts_of(person.code)
    assert parts is not None
    assert (parts.class_, parts.item, parts.detail) == ("1", "01", city.code)
    assert person.provider == "psb"
    assert person.provider_code == city.organisations["psb"].uscc
    assert person.category == "基础信息资源/人口"
    assert {field.type for field in person.fields} <= set(catalogue.ITEM_TYPES)
    birth = person.field("birth_date")
    assert birth is not None
    assert (birth.type, birth.level, birth.personal) == ("D", "L3", True)
    hukou = (await catalogue.resources(app_pool, source="hukou"))[0]
    assert hukou.code.startswith("301")
    assert hukou.update_cycle == "daily"
    assert len(hukou.fields) == len(city.sources["hukou"].columns)


async def test_what_is_personal_is_shared_on_condition_with_its_law_and_marked_as_derived(
    app_pool: Pool, city: City, now: datetime
) -> None:
    await catalogue.publish_catalogue(app_pool, city, now)
    for one in await catalogue.resources(app_pool):
        if "share_type" in one.derived:
            assert not one.verified
            assert one.share_type == (2 if one.personal else 1)
            assert bool(one.share_condition) == bool(one.share_basis) == one.personal
            assert ("bulk" in one.share_methods) != one.personal
        if one.personal:
            assert one.open_type == 3


async def test_publishing_twice_changes_nothing_and_enters_nothing(
    app_pool: Pool, owner_pool: Pool, city: City, now: datetime
) -> None:
    await catalogue.publish_catalogue(app_pool, city, now)
    before = await catalogue.resources(app_pool)
    entries = await owner_pool.fetchval("SELECT count(*) FROM ledger.entry")
    done = await catalogue.publish_catalogue(app_pool, city, now + timedelta(days=1))
    assert done == catalogue.Published()
    assert await catalogue.resources(app_pool) == before
    assert await owner_pool.fetchval("SELECT count(*) FROM ledger.entry") == entries


async def test_a_declaration_that_goes_leaves_a_resource_offline_and_gets_its_code_back(
    app_pool: Pool, city: City, now: datetime
) -> None:
    await catalogue.publish_catalogue(app_pool, city, now)
    before = (await catalogue.resources(app_pool, register="vehicle"))[0]
    done = await catalogue.publish_catalogue(
        app_pool, without(city, register="vehicle"), now + timedelta(days=1)
    )
    assert before.code in done.offline
    gone = await catalogue.resource(app_pool, before.code)
    assert gone is not None
    assert gone.state == "offline"
    assert "vehicle" in gone.state_why
    again = await catalogue.publish_catalogue(app_pool, city, now + timedelta(days=2))
    assert before.code in again.online
    assert not again.new
    back = await catalogue.resource(app_pool, before.code)
    assert back is not None
    assert (back.state, back.state_why, back.published_on) == ("published", "", before.published_on)
    kinds = [one.kind for one in await catalogue.history(app_pool, before.code)]
    assert kinds == ["online", "offline", "new"]


async def test_a_new_declaration_gets_a_new_code_and_moves_no_other(
    app_pool: Pool, city: City, now: datetime
) -> None:
    await catalogue.publish_catalogue(app_pool, city, now)
    before = {one.code: one.title for one in await catalogue.resources(app_pool)}
    more = replace(city.registers["vehicle"], id="boat", name=Words("船舶", "Boats"))
    done = await catalogue.publish_catalogue(
        app_pool, replace(city, registers={"boat": more, **city.registers}), now
    )
    assert len(done.new) == 1
    after = {one.code: one.title for one in await catalogue.resources(app_pool)}
    assert {code: after[code] for code in before} == before
    assert after[done.new[0]] == "船舶"
    await catalogue.publish_catalogue(app_pool, city, now)


@pytest.mark.parametrize("kind", ["unconditional", "conditional", "none"])
async def test_what_is_declared_is_taken_and_the_change_is_kept(
    app_pool: Pool, city: City, now: datetime, kind: str
) -> None:
    await catalogue.publish_catalogue(app_pool, city, now)
    basis = LawRef("hukou-1958", "7", HERE) if kind == "none" else None
    condition = Words("用于经批准的研究", "For approved research") if kind == "conditional" else Words("")
    terms = CatalogueTerms(
        Words("人口的摘要", "About persons"), Sharing(kind, condition, basis, (), HERE),  # type: ignore[arg-type]
        Opening("none", Words(""), HERE), "weekly", HERE,
    )  # fmt: skip
    done = await catalogue.publish_catalogue(app_pool, declaring(city, terms, "person"), now)
    assert len(done.changed) == 1
    person = await catalogue.resource(app_pool, done.changed[0])
    assert person is not None
    assert person.share_type == {"unconditional": 1, "conditional": 2, "none": 3}[kind]
    assert (person.share_condition, person.update_cycle, person.abstract) == (
        condition.zh,
        "weekly",
        "人口的摘要",
    )
    assert person.verified
    last = (await catalogue.history(app_pool, person.code))[0]
    assert last.kind == "changed"
    assert last.after["update_cycle"] == "weekly"
    assert last.before["update_cycle"] != "weekly"
    await catalogue.publish_catalogue(app_pool, city, now)


async def test_one_ledger_entry_says_what_a_publication_changed(
    app_pool: Pool, owner_pool: Pool, city: City, now: datetime
) -> None:
    await catalogue.publish_catalogue(app_pool, city, now)
    done = await catalogue.publish_catalogue(app_pool, without(city, source="vehicles"), now)
    row = await owner_pool.fetchrow("SELECT kind, body FROM ledger.entry WHERE id = $1", done.entry)
    assert row is not None
    assert row["kind"] == "catalogue.publish"
    assert row["body"]["offline"] == list(done.offline)
    await catalogue.publish_catalogue(app_pool, city, now)


async def test_the_list_is_filtered_and_searched_by_any_part(
    app_pool: Pool, city: City, now: datetime
) -> None:
    await catalogue.publish_catalogue(app_pool, city, now)
    police = await catalogue.resources(app_pool, provider="psb", kind="register")
    assert police
    assert all(one.provider == "psb" and one.kind == "register" for one in police)
    found = await catalogue.resources(app_pool, search="籍贯")
    assert {one.register or one.source for one in found} >= {"person", "hukou"}
    assert await catalogue.resources(app_pool, search="没有这样的数据") == ()
    named = await catalogue.resources(app_pool, search="没有这样的数据", also=["psb"])
    assert {one.provider for one in named} == {"psb"}
    assert await catalogue.resources(app_pool, cycle="daily") != ()
    assert {one.share_type for one in await catalogue.resources(app_pool, share_type=2)} == {2}
    assert await catalogue.resource(app_pool, "no such code") is None
