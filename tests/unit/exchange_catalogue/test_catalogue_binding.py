"""业务事项 → 系统 → 目录 → 资源, both ways; and who is meant by a name of today or of the past."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from catalogue_records import register_record
from msgspec.structs import replace

from dizuo.engines.exchange import catalogue
from dizuo.foundation.blueprint import City
from dizuo.foundation.blueprint.model import FormerName
from dizuo.foundation.store import Pool


@pytest.fixture
async def known(app_pool: Pool, declared: City, now: datetime) -> tuple[catalogue.Resource, ...]:
    await catalogue.publish_catalogue(app_pool, declared, now)
    return await catalogue.resources(app_pool)


def named(
    known: tuple[catalogue.Resource, ...], *, register: str | None = None, source: str | None = None
) -> catalogue.Resource:
    return next(one for one in known if (one.register, one.source) == (register, source))


async def test_a_register_names_the_items_that_read_it_and_they_lead_back(
    city: City, known: tuple[catalogue.Resource, ...]
) -> None:
    certificate = named(known, register="birth_certificate")
    uses = catalogue.uses_of(city, certificate)
    assert {use.matter for use in uses} == {"newborn"}
    for use in uses:
        assert set(use.fields) <= set(city.registers["birth_certificate"].fields)
        assert use.purpose in city.purposes
        assert use.basis.partition(":")[0] in city.laws
    assert certificate in catalogue.resources_of_matter(city, known, "newborn")
    assert certificate not in catalogue.resources_of_matter(city, known, "restaurant")


async def test_every_declared_read_is_in_some_resource_and_nothing_else_is(
    city: City, known: tuple[catalogue.Resource, ...]
) -> None:
    walked = {use for one in known if one.register for use in catalogue.uses_of(city, one)}
    assert walked == set(catalogue.matter_uses(city))


async def test_a_source_leads_to_its_system_and_back_and_to_what_it_feeds(
    city: City, known: tuple[catalogue.Resource, ...]
) -> None:
    hukou = named(known, source="hukou")
    (system,) = catalogue.systems_of(city, hukou)
    assert (system.department, system.source) == ("psb", "hukou")
    back = catalogue.resources_of_system(city, known, "psb", system.name.zh)
    assert {hukou, named(known, register="person"), named(known, register="household")} <= set(back)
    fed = {field for feed in city.sources["hukou"].feeds for field in feed.fields}
    for use in catalogue.uses_of(city, hukou):
        assert set(use.fields) <= fed
    assert catalogue.registers_behind(city, hukou)[0] == "person"


async def test_what_is_really_there_is_told(
    app_pool: Pool, owner_pool: Pool, city: City, known: tuple[catalogue.Resource, ...], now: datetime
) -> None:
    vehicle = named(known, register="vehicle")
    assert (
        catalogue.bind_state(
            vehicle, (await catalogue.standings(app_pool, city, known, now)).get(vehicle.code)
        )
        == "unbound"
    )
    await register_record(owner_pool, "vehicle", "B1", {"plate": "B1"})
    standing = (await catalogue.standings(app_pool, city, known, now))[vehicle.code]
    assert standing.records == 1
    assert standing.last_at is not None
    assert catalogue.bind_state(vehicle, standing) == "bound"
    assert catalogue.bind_state(vehicle, replace(standing, late=3)) == "faulty"
    assert catalogue.bind_state(replace(vehicle, state="offline"), standing) == "stopped"


@pytest.mark.parametrize(
    ("said", "who", "how"),
    [
        ("psb", "psb", "id"),
        ("无锡市公安局", "psb", "name"),
        ("市公安局", "psb", "short"),
        ("公安局", "psb", "name"),
        (" 无锡市　公安局 ", "psb", "name"),
        ("11320200DEM000014J", "data", "code"),
        ("11320200dem000014j", "data", "code"),
        ("无锡市大数据管理局", "data", "renamed"),
        ("大数据管理局", "data", "renamed"),
        ("市大数据管理局", "data", "renamed"),
        ("无锡市食品药品监督管理局", "market", "merged"),
    ],
)
def test_a_name_means_somebody(city: City, said: str, who: str, how: str) -> None:
    found = catalogue.organisation_named(city, said)
    assert found is not None
    assert (found.organisation, found.how) == (who, how) or (
        who == found.organisation and how in {"name", "short"}
    )
    assert (found.former is not None) == (how in {"renamed", "merged"})


@pytest.mark.parametrize("said", ["", " ", "局", "火星事务局", "公" * 10_000])
def test_a_name_that_means_nobody(city: City, said: str) -> None:
    assert catalogue.organisation_named(city, said) is None


def test_a_former_name_that_two_bear_is_nobodys_and_todays_name_comes_first(city: City) -> None:
    past = FormerName("无锡市老局", date(2000, 1, 1), date(2010, 1, 1))
    two = {name: replace(city.organisations[name], former=(past,)) for name in ("psb", "tax")}
    both = replace(city, organisations={**city.organisations, **two})
    assert catalogue.organisation_named(both, "无锡市老局") is None
    taken = FormerName("无锡市公安局", date(2000, 1, 1), date(2010, 1, 1))
    other = replace(
        city, organisations={**city.organisations, "tax": replace(city.organisations["tax"], former=(taken,))}
    )
    found = catalogue.organisation_named(other, "无锡市公安局")
    assert found is not None
    assert found.organisation == "psb"


def test_names_are_told_from_today_back(city: City) -> None:
    names = catalogue.names_of(city.organisations["market"])
    assert (names[0].name, names[0].how, names[0].end) == ("无锡市市场监督管理局", "now", None)
    assert names[0].start == date(2015, 1, 1)
    assert {one.how for one in names} == {"now", "renamed", "merged"}


def test_did_you_mean_offers_todays_names(city: City) -> None:
    assert catalogue.near_organisations(city, "市公按局")[0] == "无锡市公安局"
    assert "无锡市数据局" in catalogue.near_organisations(city, "无锡市大数据局")
    assert catalogue.near_organisations(city, "qqqqqqqq") == ()
