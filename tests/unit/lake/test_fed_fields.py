"""What matters read is delivered by somebody; what nobody delivers is told in the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.blueprint.model import Matter

ROOT = Path(__file__).parents[3]
WUXI = load_city(ROOT / "cities" / "wuxi")
PAGE = (ROOT / "docs" / "know" / "golden.md").read_text(encoding="utf-8")


def fed(city: City) -> set[tuple[str, str]]:
    return {
        (feed.register, field) for s in city.sources.values() for feed in s.feeds for field in feed.fields
    }


def read_by(matter: Matter) -> Iterator[tuple[str, str]]:
    """(register, field) that a matter finds parties by, shows or needs."""
    registers = {party.id: party.register for party in matter.parties}
    for party in matter.parties:
        for fields, _ in party.match:
            yield from ((party.register, field) for field in fields)
        yield from ((party.register, field) for field in (*party.where, *party.label))
        if party.order_by:
            yield party.register, party.order_by
    for item in matter.items:
        for need in item.needs:
            for fact in need.facts:
                party, _, field = fact.partition(".")
                yield registers[party], field


@pytest.mark.parametrize("matter", sorted(WUXI.matters))
def test_what_a_matter_reads_is_delivered(matter: str) -> None:
    wanted = set(read_by(WUXI.matters[matter]))
    assert len(wanted) > 8
    assert wanted - fed(WUXI) == set()


def test_the_page_names_every_field_that_nobody_feeds() -> None:
    silent = {(r.id, f) for r in WUXI.registers.values() for f in r.fields if (r.id, f) not in fed(WUXI)}
    table = PAGE.partition("## What no source feeds")[2].partition("\n## ")[0]
    told = {
        (register, field)
        for register, fields in re.findall(r"^\| `(\w+)` \| ([^|]+) \|", table, re.MULTILINE)
        for field in re.findall(r"`(\w+)`", fields)
    }
    assert told == silent
