"""`dizuo exchange-key` against the database: register, list, revoke, rotate, each with its entry."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
from exchange_town import ExchangeTown

from dizuo.commands.exchange_key import _act
from dizuo.engines.exchange.delivery.errors import DepartmentUnknown, SigningKeyNotInUse, SigningKeyTaken
from dizuo.engines.exchange.delivery.server_keys import ServerKeys
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.signing import SM2, PrivateKey, follow_key_set

WUXI = Path(__file__).resolve().parents[3] / "cities" / "wuxi"


def words(town: ExchangeTown, action: str, which: str = "", **more: Any) -> argparse.Namespace:
    given = {"by": "data-steward", "why": "演示", "jwk": None, "since": None, "days": 30}
    return argparse.Namespace(action=action, which=which, data=town.data, city=WUXI, **{**given, **more})


async def test_from_registering_to_revoking(town: ExchangeTown, database: Any, tmp_path: Path) -> None:
    file = tmp_path / "land.jwk"
    file.write_text(json.dumps(PrivateKey.make("x", SM2).public.as_jwk()))
    before = await town.last_entry()
    id = (await _act(database, words(town, "add", "land", jwk=file))).splitlines()[0]
    assert id.startswith("land.")
    with pytest.raises(SigningKeyTaken):
        await _act(database, words(town, "add", "land", jwk=file))
    other = tmp_path / "other.jwk"
    other.write_text(json.dumps(PrivateKey.make("x").public.as_jwk()))
    with pytest.raises(DepartmentUnknown):
        await _act(database, words(town, "add", "nobody", jwk=other))
    assert f"{id} " in await _act(database, words(town, "list"))
    assert id in await _act(database, words(town, "revoke", id))
    with pytest.raises(SigningKeyNotInUse):
        await _act(database, words(town, "revoke", id))
    assert "revoked" in await _act(database, words(town, "list"))
    said = await _act(database, words(town, "rotate", SM2))
    assert "30 days" in said
    assert [one["kind"] for one in await town.entries(before)] == [
        "exchange.key_added",
        "exchange.key_revoked",
        "exchange.server_key_made",
    ]


async def test_a_stolen_key_of_the_servers_own_is_taken_back(town: ExchangeTown, database: Any) -> None:
    server = ServerKeys(town.data, "wuxi")
    stolen = server.signing("ed25519", SystemNow()())
    before = await town.last_entry()
    said = await _act(database, words(town, "revoke", stolen.id))
    assert stolen.id in said
    told = await town.entries(before)
    assert [one["kind"] for one in told] == ["exchange.server_key_withdrawn"]
    now = SystemNow()()
    assert server.signing("ed25519", now).id == told[0]["body"]["next"] != stolen.id
    assert stolen.id not in {key.id for key in server.public(now)}
    # who knows only the stolen one learns that it ended
    body, headers = server.key_set(now)
    known = {stolen.id: stolen.public}
    found = follow_key_set(headers, body, known.__getitem__, now=int(now.timestamp()))
    assert stolen.id not in {key.id for key in found}
    with pytest.raises(SigningKeyNotInUse):
        await _act(database, words(town, "revoke", stolen.id))
