"""Calls under a grant on the real database: what is delivered, what is entered, what is refused and how it stops."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from exchange_town import FATHER, MOTHER, NOBODY, PURPOSE, STRANGER, ExchangeTown

from dizuo.engines.exchange.delivery import CallRefused, DailyLimitReached, Subject, TooManyCalls
from dizuo.engines.exchange.delivery.limits import Limits
from dizuo.foundation.signing import RequestOutOfOrder, RequestReplayed, SigningKeyEnded


@pytest.fixture
async def granted(town: ExchangeTown) -> int:
    """A grant of its own for every test, the newest and therefore the one that is used."""
    town.exchange.limits = Limits()
    await town.exchange.keys.fresh()
    grant = await town.grant()
    await town.exchange.rights_of("hrss", fresh=True)
    return grant


async def test_one_subject_and_what_the_person_sees(town: ExchangeTown, granted: int) -> None:
    before = await town.last_entry()
    answer = await town.exchange.call(
        town.caller(), town.call(fields=("name", "phone", "illness", "invented"))
    )
    (result,) = answer.results
    assert result.state == "found"
    record = result.records[0]
    assert {name: (v.value, v.source) for name, v in record.fields.items()} == {
        "name": ("林晓晴", "psb"),
        "phone": ("13800000001", "data"),
    }
    assert answer.withheld == ("illness", "invented")
    (entry,) = [one for one in await town.entries(before) if one["kind"] == "register.read"]
    assert entry["id"] == record.entry
    assert entry["subject"] == town.ids[MOTHER]
    body = entry["body"]
    assert body["actor"] == {"kind": "system", "unit": "hrss", "channel": "system"}
    assert (body["purpose"], body["basis"], body["serves"]) == (PURPOSE, "social:58", "newborn")
    assert (body["resource"], body["grant"], body["register"], body["method"]) == (
        "R/person",
        granted,
        "person",
        "query",
    )
    assert sorted(body["fields"]) == ["name", "phone"]
    assert body["withheld"] == ["illness"], "what a caller made up stays out of the public log"
    assert entry["payload"]["case"] == "X2026-1"
    assert MOTHER not in str(body)


async def test_somebody_found_by_what_a_record_says(town: ExchangeTown) -> None:
    """Houses are keyed by their number and found by their owner; several records are several entries."""
    await town.grant(resource="R/house", fields=("area",))
    before = await town.last_entry()
    answer = await town.exchange.call(town.caller(), town.call(resource="R/house", fields=("area",)))
    assert sorted(r.fields["area"].value for r in answer.results[0].records) == [89, 120]
    read = [one for one in await town.entries(before) if one["kind"] == "register.read"]
    assert {one["id"] for one in read} == {r.entry for r in answer.results[0].records}
    assert {one["subject"] for one in read} == {town.ids[MOTHER]}
    by_key = await town.exchange.call(
        town.caller(), town.call(resource="R/house", fields=("area",), subjects=(Subject(0, "key", "H3"),))
    )
    assert by_key.results[0].records[0].fields["area"].value == 60


async def test_nothing_about_somebody_is_an_answer_about_somebody(town: ExchangeTown, granted: int) -> None:
    await town.grant(resource="R/house", fields=("area",))
    before = await town.last_entry()
    answer = await town.exchange.call(
        town.caller(), town.call(STRANGER, resource="R/house", fields=("area",))
    )
    assert answer.results[0].state == "missing"
    (entry,) = await town.entries(before)
    assert (entry["subject"], entry["body"]["state"]) == (town.ids[STRANGER], "missing")
    unknown = await town.exchange.call(town.caller(), town.call(NOBODY))
    assert (unknown.results[0].state, unknown.results[0].records) == ("missing", ())


async def test_a_batch_answers_each_subject(town: ExchangeTown, granted: int) -> None:
    before = await town.last_entry()
    call = town.call(MOTHER, NOBODY, FATHER, MOTHER, method="batch", unread=(4,))
    answer = await town.exchange.call(town.caller(), call)
    assert [(r.n, r.state) for r in answer.results] == [
        (0, "found"), (1, "missing"), (2, "found"), (3, "found"), (4, "refused"),
    ]  # fmt: skip
    assert answer.results[2].records[0].fields["name"].value == "王启明"
    entries = await town.entries(before)
    assert [one["subject"] for one in entries] == [town.ids[MOTHER], None, town.ids[FATHER], town.ids[MOTHER]]
    assert [r.entry for r in answer.results[:4]] == [one["id"] for one in entries]


async def test_calls_at_the_same_time_do_not_mix(town: ExchangeTown, granted: int) -> None:
    who = [MOTHER, FATHER, STRANGER, NOBODY] * 20
    answers = await asyncio.gather(*(town.exchange.call(town.caller(), town.call(one)) for one in who))
    names = {MOTHER: "林晓晴", FATHER: "王启明", STRANGER: "周晓"}
    for one, answer in zip(who, answers, strict=True):
        records = answer.results[0].records
        assert [r.fields["name"].value for r in records] == ([names[one]] if one in names else [])
    entries = [r.entry for answer in answers for r in answer.results]
    assert len(set(entries)) == len(who)


# ------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"fields": ("illness",)}, "share.fields"),
        ({"matter": "marriage"}, "share.matter"),
        ({"basis": "social:1"}, "share.basis"),
        ({"purpose": "看看"}, "share.purpose"),
        ({"case": ""}, "share.case"),
        ({"resource": "R/none"}, "share.none"),
        ({"grant": 999_999}, "share.none"),
    ],
)
async def test_outside_the_grant(town: ExchangeTown, granted: int, more: dict[str, Any], rule: str) -> None:
    before = await town.last_entry()
    with pytest.raises(CallRefused) as caught:
        await town.exchange.call(town.caller(), town.call(**{"grant": granted, **more}))
    assert rule in [b.rule for b in caught.value.breaches]
    assert all(b.zh and b.en and b.law for b in caught.value.breaches)
    (entry,) = await town.entries(before)
    assert (entry["kind"], entry["id"], entry["subject"]) == (
        "register.refused",
        caught.value.entry,
        town.ids[MOTHER],
    )
    assert entry["body"]["rule"] == caught.value.breaches[0].rule
    assert entry["body"]["actor"]["unit"] == "hrss"


async def test_another_departments_grant_is_no_ones_else(town: ExchangeTown, granted: int) -> None:
    with pytest.raises(CallRefused) as caught:
        await town.exchange.call(town.caller("civil"), town.call(grant=granted))
    assert [b.rule for b in caught.value.breaches] == ["share.none"]


async def test_every_bound_that_was_crossed_is_named(town: ExchangeTown, granted: int) -> None:
    with pytest.raises(CallRefused) as caught:
        await town.exchange.call(
            town.caller(), town.call(grant=granted, matter="x", basis="y", case="", fields=("illness",))
        )
    assert [b.rule for b in caught.value.breaches] == [
        "share.matter",
        "share.basis",
        "share.fields",
        "share.case",
    ]


async def test_a_method_that_was_not_granted(town: ExchangeTown, granted: int) -> None:
    grant = await town.grant(methods=("query",))
    before = await town.last_entry()
    with pytest.raises(CallRefused) as caught:
        await town.exchange.call(town.caller(), town.call(MOTHER, FATHER, method="batch", grant=grant))
    assert [b.rule for b in caught.value.breaches] == ["share.method.batch"]
    (entry,) = await town.entries(before)
    assert (entry["kind"], entry["subject"], entry["body"]["subjects"]) == ("exchange.refused", None, 2)


async def test_stops_at_once_and_goes_on_again(town: ExchangeTown) -> None:
    grant = await town.grant()
    call = town.call(grant=grant)
    await town.exchange.call(town.caller(), call)
    await town.move(grant, "suspended")
    with pytest.raises(CallRefused) as caught:
        await town.exchange.call(town.caller(), call)
    assert [b.rule for b in caught.value.breaches] == ["share.state"]
    await town.move(grant, "open")
    await town.exchange.call(town.caller(), call)
    await town.move(grant, "revoked")
    with pytest.raises(CallRefused):
        await town.exchange.call(town.caller(), call)


async def test_the_memory_of_a_process_cannot_outlive_the_right(town: ExchangeTown) -> None:
    """Policy judged by an old memory: the transaction of the entry sees another version, and nothing is released."""
    grant = await town.grant()
    call, caller = town.call(grant=grant), town.caller()
    right, verdict = await town.exchange._judge(caller, call, fresh=True)
    await town.move(grant, "suspended")
    import uuid

    told = await town.exchange._told(caller, call, right, verdict, uuid.uuid4())
    assert [no.reason for no in told.refusals] == ["stale"]
    assert not told.parties


async def test_no_call_slips_through_while_a_right_is_taken(town: ExchangeTown) -> None:
    """Calls all the time, a revocation in the middle: no entry of a read is committed after the revocation is."""
    town.exchange.limits = Limits()
    grant = await town.grant()
    stop = asyncio.Event()
    done = 0

    async def keep_calling() -> None:
        nonlocal done
        while not stop.is_set():
            try:
                await town.exchange.call(town.caller(), town.call(grant=grant))
                done += 1
            except (CallRefused, TooManyCalls):
                return

    tasks = [asyncio.create_task(keep_calling()) for _ in range(8)]
    while done < 30:
        await asyncio.sleep(0.01)
    await town.move(grant, "revoked")
    stop.set()
    await asyncio.gather(*tasks)
    assert done >= 30
    async with town.pg() as owner:
        late = await owner.fetchval(
            "SELECT count(*) FROM ledger.entry r WHERE r.kind = 'register.read' AND r.body @> jsonb_build_object('grant', $1::bigint)"
            " AND r.tx > (SELECT g.tx FROM ledger.entry g WHERE g.kind = 'grant.revoke' AND g.body @> jsonb_build_object('grant', $1::bigint))"
            " AND r.at > (SELECT g.at FROM ledger.entry g WHERE g.kind = 'grant.revoke' AND g.body @> jsonb_build_object('grant', $1::bigint))"
            " + interval '1 second'",
            grant,
        )
    assert late == 0


async def test_the_daily_limit_holds_however_many_call_at_once(town: ExchangeTown) -> None:
    town.exchange.limits = Limits()
    grant = await town.grant(per_day=25)
    call = town.call(grant=grant)
    done = await asyncio.gather(
        *(town.exchange.call(town.caller(), call) for _ in range(40)), return_exceptions=True
    )
    assert sum(not isinstance(one, BaseException) for one in done) == 25
    refused = [one for one in done if isinstance(one, BaseException)]
    assert all(isinstance(one, DailyLimitReached) for one in refused)
    async with town.pg() as owner:
        used = await owner.fetchrow("SELECT used, calls FROM exchange.grant_use WHERE grant_id = $1", grant)
    assert tuple(used) == (25, 25)


async def test_a_batch_over_the_limit_is_refused_whole(town: ExchangeTown) -> None:
    grant = await town.grant(per_day=3)
    with pytest.raises(DailyLimitReached):
        await town.exchange.call(town.caller(), town.call(*[MOTHER] * 4, method="batch", grant=grant))
    answer = await town.exchange.call(town.caller(), town.call(*[MOTHER] * 3, method="batch", grant=grant))
    assert len(answer.results) == 3


async def test_outside_its_days(town: ExchangeTown) -> None:
    async with town.pg() as owner:
        grant = await owner.fetchval(
            "INSERT INTO exchange.data_grant (consumer, resource, fields, purpose, matter, basis, methods, per_day, starts, expires)"
            " VALUES ('hrss', 'R/person', '{name}', 'x', 'newborn', 'social:58', '{query}', 9, current_date - 9, current_date - 1)"
            " RETURNING id"
        )
    with pytest.raises(CallRefused) as caught:
        await town.exchange.call(town.caller(), town.call(grant=grant))
    assert [b.rule for b in caught.value.breaches] == ["share.dates"]


# ------------------------------------------------------------------------------------------ replay, order, keys


async def test_a_call_counts_once(town: ExchangeTown, granted: int) -> None:
    caller = town.caller()
    await town.exchange.call(caller, town.call())
    before = await town.last_entry()
    with pytest.raises(RequestReplayed):
        await town.exchange.call(caller, town.call())
    (entry,) = await town.entries(before)
    assert entry["body"]["reason"] == "replay"


async def test_of_many_replays_at_once_one_is_the_call(town: ExchangeTown, granted: int) -> None:
    caller = town.caller()
    done = await asyncio.gather(
        *(town.exchange.call(caller, town.call()) for _ in range(12)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in done) == ["Answer", *["RequestReplayed"] * 11]


async def test_the_order_that_a_caller_asked_for(town: ExchangeTown, granted: int) -> None:
    first, second, third = (town.caller(sequence=n) for n in (1, 2, 3))
    await town.exchange.call(first, town.call())
    await town.exchange.call(third, town.call())
    with pytest.raises(RequestOutOfOrder):
        await town.exchange.call(second, town.call())
    await town.exchange.call(town.caller(), town.call())  # order is for those who ask for it


async def test_a_nonce_is_swept_only_after_its_signature_expired(town: ExchangeTown, granted: int) -> None:
    caller = town.caller(lifetime=300)
    await town.exchange.call(caller, town.call())
    async with town.pg() as owner:
        until = await owner.fetchval("SELECT until FROM exchange.nonce WHERE nonce = $1", caller.signed.nonce)
    assert until >= caller.signed.expires + 30, "a caller whose clock is behind could still send it then"


async def test_keys_rotate_without_a_gap_and_stop_at_once(town: ExchangeTown) -> None:
    await town.grant("civil", fields=("name",))
    old = town.keys["civil"]
    before = town.caller("civil")
    new = await town.add_key("civil")
    await town.exchange.keys.fresh()
    assert new.id != old.id
    await town.exchange.call(before, town.call())
    await town.exchange.call(town.caller("civil"), town.call())
    town.keys["civil"] = old
    caught_in_flight = town.caller("civil")
    async with town.pg("dizuo_loader") as loader:
        from dizuo.engines.exchange.delivery import revoke_signing_key

        await revoke_signing_key(loader, old.id, "data.steward", "丢失")
    with pytest.raises(SigningKeyEnded):  # verified before, asked after: the entry's transaction looks itself
        await town.exchange.call(caught_in_flight, town.call())
    await town.exchange.keys.fresh()
    with pytest.raises(SigningKeyEnded):
        town.caller("civil")
    town.keys["civil"] = new
    await town.exchange.call(town.caller("civil"), town.call())


async def test_a_key_before_and_after_its_days(town: ExchangeTown) -> None:
    kept = town.keys["hrss"]
    for since, days in ((1, 5), (-5, -1)):
        await town.add_key("hrss", since=since, days=days)
        await town.exchange.keys.fresh()
        with pytest.raises(SigningKeyEnded):
            town.caller()
    town.keys["hrss"] = kept


async def test_keys_and_their_ends_are_entered(town: ExchangeTown) -> None:
    before = await town.last_entry()
    key = await town.add_key("land")
    async with town.pg("dizuo_loader") as loader:
        from dizuo.engines.exchange.delivery import revoke_signing_key

        await revoke_signing_key(loader, key.id, "data.steward", "换机")
    assert [(one["kind"], one["body"]["key"]) for one in await town.entries(before)] == [
        ("exchange.key_added", key.id),
        ("exchange.key_revoked", key.id),
    ]


# ------------------------------------------------------------------------------------------- what the role may


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT registers.request_shared('[]')",
        "INSERT INTO exchange.signing_key VALUES ('a', 'hrss', 'ed25519', '\\x00', now(), now(), 'x')",
        "UPDATE exchange.signing_key SET revoked_at = NULL",
        "DELETE FROM exchange.nonce",
        "SELECT * FROM exchange.nonce",
        "UPDATE exchange.grant_use SET used = 0",
        "DELETE FROM exchange.sequence",
        "UPDATE exchange.data_grant SET per_day = 9",
        "SELECT exchange.add_key('hrss', 'ed25519', '\\x00', now(), now(), 'x')",
        "SELECT exchange.revoke_key('hrss.1', 'x', 'y')",
    ],
)
async def test_the_serving_role_has_no_way_around(town: ExchangeTown, statement: str) -> None:
    import asyncpg

    async with town.pg("dizuo_app") as app:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(statement)


async def test_a_process_that_claims_everything_is_allowed_gets_no_more_than_the_grant(
    town: ExchangeTown,
) -> None:
    """The database does not believe the process: fields, state, method and consumer are its own to judge."""
    import hashlib
    import os
    import uuid

    grant = await town.grant(methods=("query",))
    rights = {r.share.id: r for r in await town.exchange.rights_of("hrss", fresh=True)}
    key = town.keys["hrss"].id
    base = {
        "key": key, "until": town.now() + 60, "consumer": "hrss", "resource": "R/person", "grant_id": grant,
        "version": rights[grant].share.version, "method": "query", "fields": ["name"], "withheld": [], "case_no": "X",
        "subjects": [{"n": 0, "s": "citizen_id", "v": MOTHER}], "refused": None, "sequence": None,
    }  # fmt: skip
    wrong = [
        ({"fields": ["illness"]}, "fields"), ({"fields": ["name", "illness"]}, "fields"), ({"fields": []}, "fields"),
        ({"method": "batch"}, "method"), ({"case_no": " "}, "case"), ({"subjects": []}, "subjects"),
        ({"subjects": [base["subjects"][0]] * 2}, "subjects"), ({"consumer": "civil"}, "key"), ({"key": "nobody"}, "key"),
        ({"version": 0}, "stale"), ({"resource": "R/house"}, "stale"), ({}, ""),
    ]  # fmt: skip
    calls, secrets = [], []
    for more, _ in wrong:
        secret = os.urandom(32)
        secrets.append(secret)
        calls.append(
            {
                **base,
                **more,
                "call": str(uuid.uuid4()),
                "nonce": uuid.uuid4().hex,
                "holder": hashlib.sha256(secret).hexdigest(),
            }
        )
    async with town.pg("dizuo_app") as app:
        tickets = await app.fetchval("SELECT exchange.ask($1)", calls)
        import json

        answers = json.loads(await app.fetchval("SELECT registers.release($1, $2)", tickets, secrets))
    assert [(a["refusals"][0]["reason"] if a["refusals"] else "") for a in answers] == [
        reason for _, reason in wrong
    ]
    assert [bool(a["parties"]) for a in answers] == [reason == "" for _, reason in wrong]


async def test_a_ticket_is_worth_nothing_in_the_transaction_that_made_it(town: ExchangeTown) -> None:
    """Rolling back would undo the entry: release therefore refuses, and the one-journey procedure fails there."""
    import asyncpg

    async with town.pg("dizuo_app") as app:
        with pytest.raises(asyncpg.PostgresError):
            async with app.transaction():
                await app.fetchval("CALL exchange.deliver('[]', '{}', NULL)")
