"""kill -9 between deciding, entering and releasing; a key revoked while two processes serve; what a crash leaves behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from exchange_town import ExchangeTown

from dizuo.engines.exchange.delivery import Caller, revoke_signing_key
from dizuo.engines.exchange.delivery.keys import FRESH
from dizuo.foundation.signing import RequestReplayed, verify_request

HERE = Path(__file__).parent


class Victims:
    """Serving processes of this test; only these are ever ended."""

    def __init__(self, town: ExchangeTown, dsn: str) -> None:
        self.town = town
        self.dsn = dsn
        self.started: list[asyncio.subprocess.Process] = []

    async def start(self, key: str, *what: str) -> asyncio.subprocess.Process:
        file = self.town.data / f"{key}.json"
        file.write_text(json.dumps(self.town.keys[key].as_jwk()))
        done = await asyncio.create_subprocess_exec(
            sys.executable, str(HERE / "exchange_victim.py"), self.dsn, str(self.town.data), str(file), *what,
            stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
        )  # fmt: skip
        self.started.append(done)
        return done


@pytest.fixture
async def victims(town: ExchangeTown, database: Any) -> AsyncIterator[Victims]:
    made = Victims(town, database.dsn("dizuo_app"))
    yield made
    for one in made.started:
        if one.returncode is None:
            one.kill()
            await one.wait()


@pytest.mark.parametrize(
    ("moment", "entered"), [("verified", 1), ("decided", 1), ("asked", 2), ("released", 2)]
)
async def test_killed_at_every_step(town: ExchangeTown, victims: Victims, moment: str, entered: int) -> None:
    """The second call dies at the moment: what was seen outside is on record, and the record may say more, never less."""
    await town.grant()
    process = await victims.start("hrss", "die", moment, "2")
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == -signal.SIGKILL
    said = [json.loads(line) for line in out.splitlines()]
    answers = [one for one in said if "entry" in one]
    assert [one["case"] for one in answers] == [f"{moment}-0"]
    mine = [
        one
        for one in await town.entries()
        if one["kind"] == "register.read" and str(one["payload"].get("case")).startswith(moment)
    ]
    assert {one["entry"] for one in answers} <= {one["id"] for one in mine}, "released and not entered"
    assert len(mine) == entered
    assert {one["subject"] for one in mine} == {town.ids["320213199403151026"]}
    # What the dead process had sent can be sent again by a thief only where its nonce was not used up yet.
    last = [one for one in said if "sent" in one][-1]["sent"]
    signed = verify_request(
        "POST", "http://test/data/exchange/v1/query", last, b"{}", town.exchange.keys.find, now=town.now()
    )
    again = town.exchange.call(Caller("hrss", signed), town.call())
    if entered == 2:
        with pytest.raises(RequestReplayed):
            await again
    else:
        await again


async def test_a_stolen_key_stops_in_every_process(town: ExchangeTown, victims: Victims) -> None:
    """Two processes serve a key at full speed; after the revocation is committed neither reads anything with it."""
    await town.grant("civil", fields=("name",))
    assert FRESH <= 0.5
    processes = [await victims.start("civil", "keep") for _ in range(2)]
    for one in processes:
        assert one.stdout is not None
        for _ in range(4):
            await asyncio.wait_for(one.stdout.readline(), 30)
    key = town.keys["civil"].id
    async with town.pg("dizuo_loader") as loader:
        await revoke_signing_key(loader, key, "data.steward", "被盗")
    for one in processes:
        out, _ = await asyncio.wait_for(one.communicate(), 30)
        assert json.loads(out.splitlines()[-1]) == {"ended": True}
        assert one.returncode == 0
    async with town.pg() as owner:
        late = await owner.fetchval(
            "WITH gone AS (SELECT at, tx FROM ledger.entry WHERE kind = 'exchange.key_revoked' AND body ->> 'key' = $1)"
            " SELECT count(*) FROM ledger.entry r, gone WHERE r.kind = 'register.read' AND r.body ->> 'key' = $1"
            " AND r.at > gone.at + interval '1 second'",
            key,
        )
    assert late == 0
    await town.add_key("civil")


async def test_nonces_and_limits_survive_a_crash_of_the_database(town: ExchangeTown) -> None:
    """They are logged tables: an unlogged one is empty after a crash, and every call of the last minutes could be made again."""
    async with town.pg() as owner:
        kept = await owner.fetch(
            "SELECT relname, relpersistence FROM pg_class WHERE oid IN"
            " ('exchange.nonce'::regclass, 'exchange.sequence'::regclass, 'exchange.grant_use'::regclass)"
        )
    assert {row["relpersistence"] for row in kept} == {b"p"}


async def test_a_lost_connection_is_tried_again_as_the_same_call(
    town: ExchangeTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entered, then the answer is lost: the second try is no replay, and both entries stand."""
    await town.grant()
    town.exchange._rights.clear()
    before = await town.last_entry()
    whole, times = town.exchange._both, 0

    async def lose_the_first(asked: Any) -> Any:
        nonlocal times
        times += 1
        done = await whole(asked)
        if times == 1:
            raise ConnectionResetError("gone")
        return done

    monkeypatch.setattr(town.exchange._queries, "_flush", lose_the_first)
    answer = await town.exchange.call(town.caller(), town.call())
    assert answer.results[0].state == "found"
    read = [one["id"] for one in await town.entries(before) if one["kind"] == "register.read"]
    assert len(read) == 2
    assert answer.results[0].entry == read[1]
