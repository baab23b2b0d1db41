"""The directory on the real database: sessions, acting for others, mandates, window service, demonstration accounts."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import msgspec
import pytest

from dizuo.engines.directory import (
    Directory,
    Representation,
    SeedPerson,
    Session,
    forget_sessions,
    publish_representations,
    publish_units,
    seed_demo,
    unit_for,
)
from dizuo.engines.directory.errors import (
    AccountClosed,
    AccountUnknown,
    MandateEnded,
    MandateInvalid,
    MandateUnknown,
    NotRepresented,
    WindowRefused,
)
from dizuo.engines.directory.sessions import token_hash
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import FrozenNow
from dizuo.foundation.kernel.errors import Refused, SignInNeeded

ROOT = Path(__file__).resolve().parents[3]
TODAY = dt.date(2026, 11, 23)
LIN, WANG, MOTHER, SHOP = 101, 102, 103, 900


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(ROOT / "cities" / "wuxi")


@pytest.fixture(scope="module")
async def seeded(pg, city: City) -> int:
    people = [
        SeedPerson("lin", LIN, "林晓晴", "新手妈妈", "New mother"),
        SeedPerson("wang", WANG, "王启明", "新手爸爸", "New father"),
    ]
    async with pg() as conn:
        await publish_units(conn, city)
        officials = await seed_demo(conn, city, people, TODAY)
        again = await seed_demo(conn, city, people, TODAY)
        assert again == officials
        assert (
            await publish_representations(conn, [Representation(SHOP, LIN, "演示餐饮有限公司", TODAY)]) == 1
        )
        count = await conn.fetchval("SELECT count(*) FROM directory.account WHERE kind = 'official'")
    assert count == officials
    return officials


@pytest.fixture
def directory(app_pool, city: City, frozen_now: FrozenNow, seeded: int) -> Directory:
    return Directory(app_pool, city, frozen_now)


async def signed_in(directory: Directory, key: str) -> tuple[str, Session]:
    account = await directory.demo_account(key)
    assert account is not None
    opened = await directory.open_session(account)
    return opened.token, opened.session


async def test_a_session_is_found_by_its_token_and_by_nothing_else(directory: Directory) -> None:
    token, opened = await signed_in(directory, "lin")
    found = await directory.find_session(token)
    assert found is not None
    assert (found.account.name, found.account.subject, found.account.kind) == ("林晓晴", LIN, "resident")
    assert found.account.demo
    assert found.csrf_key == opened.csrf_key
    assert len(found.csrf_key) == 32
    for wrong in ("", "x" * 43, token[:-1], token + "a", token.upper(), "林" * 43):
        assert await directory.find_session(wrong) is None


async def test_the_database_never_holds_a_token(directory: Directory, pg) -> None:
    token, _ = await signed_in(directory, "lin")
    async with pg() as conn:
        stored = await conn.fetchval(
            "SELECT token_hash FROM directory.session WHERE token_hash = $1", token_hash(token)
        )
        text = await conn.fetchval("SELECT string_agg(s::text, ' ') FROM directory.session s")
    assert stored is not None
    assert token not in text
    assert token.encode().hex() not in text


async def test_a_session_slides_and_ends_after_half_an_hour_of_idling(
    directory: Directory, frozen_now: FrozenNow
) -> None:
    token, _ = await signed_in(directory, "lin")
    for _ in range(4):
        frozen_now.advance(minutes=29)
        assert await directory.find_session(token) is not None
    frozen_now.advance(minutes=31)
    assert await directory.find_session(token) is None


async def test_no_session_outlives_twelve_hours(directory: Directory, frozen_now: FrozenNow) -> None:
    token, _ = await signed_in(directory, "lin")
    for _ in range(28):
        frozen_now.advance(minutes=25)
        assert await directory.find_session(token) is not None, "11 h 40 min of use"
    frozen_now.advance(minutes=25)
    assert await directory.find_session(token) is None


async def test_signing_out_ends_it_here_at_once_and_elsewhere_within_two_seconds(
    directory: Directory, app_pool, city: City, frozen_now: FrozenNow
) -> None:
    other = Directory(app_pool, city, frozen_now)
    token, _ = await signed_in(directory, "wang")
    assert await directory.find_session(token) is not None
    await other.end_session(token)
    fresh = Directory(app_pool, city, frozen_now)
    assert await fresh.find_session(token) is None
    frozen_now.advance(seconds=2)
    assert await directory.find_session(token) is None, "remembered for two seconds and no longer"
    await directory.end_session(token)
    assert await directory.find_session(token) is None
    await directory.end_session(token)


async def test_signing_out_everywhere(
    directory: Directory, app_pool, city: City, frozen_now: FrozenNow
) -> None:
    tokens = [(await signed_in(directory, "wang"))[0] for _ in range(3)]
    account = await directory.demo_account("wang")
    assert account is not None
    assert await directory.end_sessions_of(account) >= 3
    assert [await directory.find_session(token) for token in tokens] == [None, None, None]


async def test_old_sessions_are_forgotten_and_live_ones_stay(
    directory: Directory, frozen_now: FrozenNow, pg
) -> None:
    old, _ = await signed_in(directory, "lin")
    frozen_now.advance(hours=30)
    live, _ = await signed_in(directory, "lin")
    async with pg() as conn:
        assert await forget_sessions(conn, frozen_now() - dt.timedelta(hours=24)) > 0
        left = await conn.fetch("SELECT token_hash FROM directory.session")
    hashes = {row["token_hash"] for row in left}
    assert token_hash(live) in hashes
    assert token_hash(old) not in hashes


async def test_a_closed_account_gets_no_session_and_loses_those_it_has(
    directory: Directory, app_pool, city: City, frozen_now: FrozenNow, pg
) -> None:
    account = await directory.resident(777, "演示人")
    opened = await directory.open_session(account.id)
    async with pg() as conn:
        await conn.execute("UPDATE directory.account SET closed_at = now() WHERE id = $1", account.id)
    assert await Directory(app_pool, city, frozen_now).find_session(opened.token) is None
    with pytest.raises(AccountClosed):
        await directory.open_session(account.id)
    with pytest.raises(AccountUnknown):
        await directory.open_session(10**12)


async def test_a_resident_has_one_account_however_often_they_sign_in(directory: Directory) -> None:
    first = await directory.resident(555, "演示人甲")
    again = await directory.resident(555, "演示人甲")
    renamed = await directory.resident(555, "演示人乙")
    assert first.id == again.id == renamed.id
    assert renamed.name == "演示人乙"
    assert (await directory.resident(LIN, "别的名字")).name == "林晓晴", "a demo account keeps its name"


async def test_officials_have_the_powers_their_posts_are_declared_with(
    directory: Directory, city: City
) -> None:
    _, session = await signed_in(directory, "district_service-joint_reviewer")
    (post,) = session.account.posts
    assert session.account.name == "周敏"
    assert post.unit_name.startswith("梁溪区")
    assert post.division == "320213"
    declared = {p.id: p for p in city.organisations["district_service"].posts}["joint_reviewer"]
    assert post.powers == declared.powers
    assert directory.has_power(session, "psb.household.decide")
    assert not directory.has_power(session, "ledger.audit")
    _, resident = await signed_in(directory, "lin")
    assert not directory.has_power(resident, "psb.household.decide")


async def test_a_post_that_ended_gives_no_power(directory: Directory, pg, frozen_now: FrozenNow) -> None:
    account = await directory.demo_account("tobacco-tobacco_officer")
    assert account is not None
    async with pg() as conn:
        await conn.execute(
            "UPDATE directory.posting SET valid_to = $2 WHERE account = $1",
            account,
            TODAY - dt.timedelta(days=1),
        )
    assert (await directory.account(account)).posts == ()


async def test_every_post_of_every_unit_is_held_by_somebody(city: City, seeded: int, pg) -> None:
    async with pg() as conn:
        empty = await conn.fetch(
            "SELECT u.id FROM directory.unit u WHERE NOT EXISTS (SELECT 1 FROM directory.posting p WHERE p.unit = u.id)"
        )
    with_posts = {o.id for o in city.organisations.values() if o.posts}
    assert [row["id"] for row in empty if row["id"].split(":")[0] in with_posts] == []


async def test_the_demo_list_holds_residents_first_then_named_officials(directory: Directory) -> None:
    people = await directory.demo_people()
    kinds = [p.kind for p in people]
    assert kinds == sorted(kinds, reverse=True)
    assert {"lin", "wang", "psb-household_officer", "town_service-town_clerk", "data-steward"} <= {
        p.key for p in people
    }
    assert all(p.note_zh and p.note_en for p in people)
    assert len(people) < 60


async def test_another_invented_city_may_bring_the_same_keys(city: City, directory: Directory, pg) -> None:
    def parent(subject: int) -> SeedPerson:
        return SeedPerson("parent-01", subject, f"演示{subject}", "有新生儿", "Has a newborn")

    async with pg() as conn:
        await seed_demo(conn, city, [parent(8001)], TODAY)
        first = await directory.demo_account("parent-01")
        await seed_demo(conn, city, [parent(8002)], TODAY)
        second = await directory.demo_account("parent-01")
    assert first is not None
    assert second is not None
    assert first != second
    assert (await directory.account(first)).demo, "invented people stay marked"
    assert first not in {p.account for p in await directory.demo_people()}


async def test_demo_accounts_are_refused_outside_a_demonstration(city: City, pg) -> None:
    real = msgspec.structs.replace(city, demonstration=False)
    async with pg() as conn:
        with pytest.raises(Refused):
            await seed_demo(conn, real, [], TODAY)


async def test_only_the_legal_representative_acts_for_the_enterprise(directory: Directory) -> None:
    token, _ = await signed_in(directory, "lin")
    assert [r.subject for r in await directory.represented_by(LIN)] == [SHOP]
    session = await directory.act_for_enterprise(token, SHOP)
    assert session.acting_for is not None
    assert (session.acting_for.kind, session.subject) == ("enterprise", SHOP)
    back = await directory.act_for_nobody(token)
    assert back.acting_for is None
    assert back.subject == LIN
    other, _ = await signed_in(directory, "wang")
    with pytest.raises(NotRepresented):
        await directory.act_for_enterprise(other, SHOP)
    found = await directory.find_session(other)
    assert found is not None
    assert found.acting_for is None


async def test_a_mandate_lets_the_proxy_act_until_it_is_revoked(
    directory: Directory, frozen_now: FrozenNow, pg
) -> None:
    giver, _ = await signed_in(directory, "lin")
    proxy, _ = await signed_in(directory, "wang")
    mandate = await directory.grant_mandate(
        giver, WANG, "王启明", ["newborn"], TODAY, TODAY + dt.timedelta(days=30)
    )
    session = await directory.act_on_mandate(proxy, mandate)
    assert session.acting_for is not None
    assert session.subject == LIN
    await directory.check_acting(session, "newborn")
    with pytest.raises(Refused):
        await directory.check_acting(session, "restaurant")
    with pytest.raises(MandateUnknown):
        await directory.act_on_mandate(giver, mandate)
    await directory.revoke_mandate(giver, mandate)
    after = await directory.find_session(proxy)
    assert after is not None
    assert after.acting_for is None, "revoking stops who acts on it"
    with pytest.raises(MandateEnded):
        await directory.act_on_mandate(proxy, mandate)
    with pytest.raises(MandateEnded):
        await directory.check_acting(session, "newborn")
    with pytest.raises(MandateUnknown):
        await directory.revoke_mandate(giver, mandate)
    async with pg() as conn:
        kinds = await conn.fetch("SELECT kind FROM ledger.entry WHERE subject = $1 ORDER BY id", LIN)
    assert [k["kind"] for k in kinds][-3:] == ["mandate.granted", "mandate.used", "mandate.revoked"]


async def test_a_mandate_ends_with_its_last_day(directory: Directory, frozen_now: FrozenNow) -> None:
    giver, _ = await signed_in(directory, "lin")
    mandate = await directory.grant_mandate(giver, WANG, "王启明", [], TODAY, TODAY)
    proxy, _ = await signed_in(directory, "wang")
    await directory.act_on_mandate(proxy, mandate)
    frozen_now.advance(hours=16)
    proxy, _ = await signed_in(directory, "wang")
    with pytest.raises(MandateEnded):
        await directory.act_on_mandate(proxy, mandate)


@pytest.mark.parametrize(
    ("proxy", "matters", "first", "last", "field"),
    [
        (LIN, [], 0, 10, "proxy"),
        (WANG, ["nonsense"], 0, 10, "matters"),
        (WANG, [], 0, -1, "valid_to"),
        (WANG, [], 0, 400, "valid_to"),
        (WANG, [], -3, 3, "valid_from"),
    ],
)
async def test_mandates_that_nobody_should_give(
    directory: Directory, proxy: int, matters: list[str], first: int, last: int, field: str
) -> None:
    giver, _ = await signed_in(directory, "lin")
    day = dt.timedelta(days=1)
    with pytest.raises(MandateInvalid) as caught:
        await directory.grant_mandate(giver, proxy, "某人", matters, TODAY + first * day, TODAY + last * day)
    assert set(caught.value.fields) == {field}


async def test_an_official_cannot_give_a_mandate(directory: Directory) -> None:
    token, _ = await signed_in(directory, "data-steward")
    with pytest.raises(Refused):
        await directory.grant_mandate(token, WANG, "王启明", [], TODAY, TODAY)


async def test_a_clerk_serves_somebody_present_and_they_see_it(directory: Directory, pg) -> None:
    token, _ = await signed_in(directory, "town_service-town_clerk")
    session = await directory.serve(token, MOTHER, "赵玉珍", "居民身份证原件")
    assert session.acting_for is not None
    assert (session.acting_for.kind, session.subject) == ("window", MOTHER)
    async with pg() as conn:
        entry = await conn.fetchrow("SELECT kind, body FROM ledger.entry WHERE subject = $1", MOTHER)
    assert entry["kind"] == "window.serve"
    assert entry["body"]["post"] == "town_clerk"
    assert "赵玉珍" not in str(entry["body"])
    await directory.act_for_nobody(token)


@pytest.mark.parametrize("key", ["psb-household_officer", "lin"])
async def test_nobody_serves_at_a_window_without_the_power(directory: Directory, key: str) -> None:
    token, _ = await signed_in(directory, key)
    with pytest.raises(WindowRefused):
        await directory.serve(token, MOTHER, "赵玉珍", "居民身份证原件")


async def test_acting_needs_a_live_session(directory: Directory) -> None:
    token, _ = await signed_in(directory, "lin")
    await directory.end_session(token)
    with pytest.raises(SignInNeeded):
        await directory.act_for_enterprise(token, SHOP)


async def test_the_web_cannot_make_officials_or_posts(pg) -> None:
    async with pg("dizuo_app") as conn:
        for statement in (
            "INSERT INTO directory.posting (account, post, unit, valid_from) VALUES (1, 'x', 'y', now())",
            "UPDATE directory.account SET kind = 'official'",
            "INSERT INTO directory.account (kind, name, demo_key) VALUES ('resident', 'x', 'y')",
            "UPDATE directory.representation SET person = 1",
            "DELETE FROM directory.session",
            "UPDATE directory.mandate SET proxy = 5",
        ):
            with pytest.raises(Exception, match="permission denied"):
                await conn.execute(statement)


def test_the_unit_for_a_place_is_found_through_either_code_system(city: City) -> None:
    assert unit_for(city, "psb", "320213021") in ("psb:320213021", "psb:320213001")
    assert unit_for(city, "health", "320213021") == "health:320213"
    assert unit_for(city, "data", "320213021") == f"data:{city.code}"
    assert unit_for(city, "psb", "320213") is None, "a district has no one station"
    assert unit_for(city, "nobody", "320213") is None
    village = next(d for d in city.divisions.values() if d.level == "village")
    assert unit_for(city, "psb", village.code) == f"psb:{village.parent}"


def test_facts_are_frozen() -> None:
    with pytest.raises((AttributeError, dataclasses.FrozenInstanceError)):
        SeedPerson("a", 1, "b", "c", "d").name = "e"  # type: ignore[misc]
