"""From a call to 我的数据: what the person concerned reads about it, made by the citizen's own page from the real entry."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from exchange_town import MOTHER, PURPOSE, ExchangeTown

from dizuo.doors.citizen import DOOR
from dizuo.doors.citizen.views_data import DataMaker
from dizuo.engines.exchange.delivery import CallRefused
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.ledger import EntryView
from dizuo.web.words import load_words

CITY = load_city(Path(__file__).resolve().parents[3] / "cities" / "wuxi")


async def seen(town: ExchangeTown) -> list[EntryView]:
    """The entries about the mother as the serving role reads them, newest first."""
    async with town.pg("dizuo_app") as app:
        rows = await app.fetch("SELECT * FROM ledger.entries_of($1, NULL, 50)", town.ids[MOTHER])
    return [msgspec.convert(dict(row), EntryView) for row in rows]


async def test_a_read_says_who_what_why_on_which_law_and_in_which_case(town: ExchangeTown) -> None:
    await town.grant(fields=("name",))
    await town.exchange.call(town.caller(), town.call(case="HRSS-2026-77"))
    (use,) = DataMaker(CITY, town.ids[MOTHER], "林晓晴", "zh", load_words(Path(DOOR.folder))["zh"]).uses(
        (await seen(town))[:1]
    )
    assert CITY.organisations["hrss"].short.zh in use.who
    assert use.why == PURPOSE
    assert use.case == "HRSS-2026-77"
    assert "58" in use.law
    assert CITY.registers["person"].fields["name"].name.zh in use.uses[0].says
    assert not use.refused


async def test_a_refusal_is_seen_too(town: ExchangeTown) -> None:
    grant = await town.grant(fields=("name",))
    with pytest.raises(CallRefused):
        await town.exchange.call(town.caller(), town.call(grant=grant, fields=("illness",)))
    (use,) = DataMaker(CITY, town.ids[MOTHER], "林晓晴", "zh", load_words(Path(DOOR.folder))["zh"]).uses(
        (await seen(town))[:1]
    )
    assert use.refused
    assert CITY.organisations["hrss"].short.zh in use.who
