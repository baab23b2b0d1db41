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
from dizuo.foundation.signing import SM2, PrivateKey

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
