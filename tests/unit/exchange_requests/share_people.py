"""Invented officials and resources (演示数据) for the tests of requests and rights, and a way to bring a request to a state."""

from __future__ import annotations

import datetime as dt

import msgspec

from dizuo.engines.exchange.requests import (
    Request,
    Sharing,
    Wish,
    new_request,
    request_page,
    save_request,
    take_step,
)
from dizuo.engines.registers import Actor

FREE, ASKED, CLOSED, DRAFT = "TEST001/1", "TEST002/1", "TEST003/1", "TEST004/1"


def _fields(*names: str) -> list[dict[str, object]]:
    return [
        {
            "id": name,
            "zh": name,
            "en": name,
            "type": "C",
            "level": "L3",
            "personal": True,
            "datum": f"test.{name}",
        }
        for name in names
    ]


RESOURCES = (
    (FREE, "企业登记", "market", "enterprise", _fields("uscc", "name", "address"), 1, "", "", "published"),
    (ASKED, "人口", "psb", "person", _fields("citizen_id", "name", "sex", "phone"), 2, "按事项使用", "", "published"),
    (CLOSED, "残疾人证", "dpf", "disability_certificate", _fields("citizen_id", "grade"), 3, "", "disabled-2018:2", "published"),
    (DRAFT, "车辆", "psb", "vehicle", _fields("plate"), 2, "按事项使用", "", "draft"),
)  # fmt: skip


def official(account: str, unit: str, *powers: str, post: str = "officer") -> Actor:
    return Actor("official", official=account, post=post, unit=unit, name=f"演示{account}", powers=powers)


ASKER = (official("11", "civil", "share.request"),)
CHECKER = (official("12", "civil", "share.check", "share.answer", post="civil_head"),)
AUTHORITY = (official("21", "data", "share.review", post="steward"),)
RULER = (official("22", "data", "share.settle", post="supervisor"),)
POLICE = (official("31", "psb", "share.check", "share.answer", post="station_head"),)
MARKET = (official("41", "market", "share.check", "share.answer", post="market_head"),)
DISABLED = (official("51", "dpf", "share.answer", post="dpf_officer"),)
OTHER = (official("61", "hrss", "share.request", "share.check", "share.answer"),)


def wish(today: dt.date, **changed) -> Wish:
    """A complete request for two fields of the person register."""
    whole = Wish(
        resource=ASKED, fields=("citizen_id", "name"), purpose="核对高龄津贴申请人的身份", basis="elderly-2018:33", matter="senior",
        scope="本局福利科，核对全市申请人", methods=("query",), until=today + dt.timedelta(days=200), frequency="realtime", per_day=500,
        responsible="演示负责人，分管负责人", committed=True,
    )  # fmt: skip
    return msgspec.structs.replace(whole, **changed)


async def drafted(sharing: Sharing, **changed) -> str:
    """A saved draft of the civil affairs bureau."""
    number = await new_request(sharing, ASKER)
    await save_request(sharing, ASKER, number, wish(sharing.today, **changed), 1)
    return number


async def step(
    sharing: Sharing, actors: tuple[Actor, ...], number: str, event: str, words: str = "", reason: str = ""
) -> Request:
    """One step on the request as it is now."""
    from dizuo.engines.exchange.requests.sharing import load

    version = (await load(sharing.pool, number)).version
    return await take_step(sharing, actors, number, event, version, words, reason)


async def sent(sharing: Sharing, **changed) -> str:
    """A request that the authority has to review."""
    number = await drafted(sharing, **changed)
    await step(sharing, ASKER, number, "submit")
    await step(sharing, CHECKER, number, "pass")
    return number


async def at_provider(sharing: Sharing, **changed) -> str:
    number = await sent(sharing, **changed)
    await step(sharing, AUTHORITY, number, "forward")
    return number


async def opened(sharing: Sharing, **changed) -> tuple[str, int]:
    """A request whose right is open: its number and the right's id."""
    number = await at_provider(sharing, **changed)
    await step(sharing, POLICE, number, "agree")
    done = await step(sharing, POLICE, number, "provision")
    assert done.grant_id is not None
    return number, done.grant_id


async def events(sharing: Sharing, actors: tuple[Actor, ...], number: str) -> list[str]:
    return [one.event for one in (await request_page(sharing, actors, number)).steps]
