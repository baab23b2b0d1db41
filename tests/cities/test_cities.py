"""Every city in the repository is sound: no finding, every Given/When/Then holds, and no code."""

from __future__ import annotations

from pathlib import Path

import pytest

from dizuo.engines.cases import run_examples
from dizuo.foundation.blueprint import check_city, load_examples

CITIES = sorted(p for p in (Path(__file__).resolve().parents[2] / "cities").iterdir() if p.is_dir())


@pytest.mark.parametrize("folder", CITIES, ids=lambda p: p.name)
def test_a_city_is_sound(folder: Path) -> None:
    report = check_city(folder)
    assert report.city is not None, report.render()
    assert not report.findings, report.render()


@pytest.mark.parametrize("folder", CITIES, ids=lambda p: p.name)
def test_its_examples_hold(folder: Path) -> None:
    city = check_city(folder).city
    assert city is not None
    found = run_examples(city, load_examples(folder))
    assert not found, "\n".join(finding.render() for finding in found)
    assert load_examples(folder), "a city without a story proves nothing"


def test_wuxi_tells_enough_stories() -> None:
    wuxi = next(p for p in CITIES if p.name == "wuxi")
    assert len(load_examples(wuxi, "newborn")) >= 12
    assert len(load_examples(wuxi, "restaurant")) >= 6
