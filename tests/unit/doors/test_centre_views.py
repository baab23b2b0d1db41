"""The operations page: shares of too few are not told, usual is a band of earlier weekdays, the map keeps its shape."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from dizuo.doors.centre.district_map import HEIGHT, WIDTH, districts
from dizuo.doors.centre.figures import DepartmentWork, Figures, Urgent
from dizuo.doors.centre.views import ENOUGH, CentreMaker, CentreView
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.web.words import load_words

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 23, 10, 30, tzinfo=SHANGHAI)
QUIET = (0,) * 24


@pytest.fixture(scope="module")
def wuxi() -> City:
    return load_city(ROOT / "cities" / "wuxi")


def figures(
    *,
    ended: int = 0,
    in_time: int = 0,
    over: int = 0,
    today: tuple[int, ...] = QUIET,
    usual: tuple[tuple[int, ...], ...] = (),
    urgent: tuple[Urgent, ...] = (),
) -> Figures:
    work = DepartmentWork("psb", 7, 1, over, ended, in_time, 0)
    daily = tuple((date(2026, 11, 14) + timedelta(days=n), n) for n in range(10))
    return Figures(NOW, 9, 2, (work,), {"320213": 7}, {"320213": over}, today, usual, daily, urgent, 0, 0)


def shown(city: City, found: Figures) -> CentreView:
    words = load_words(ROOT / "src" / "dizuo" / "doors" / "centre")["zh"]
    return CentreMaker(city, "zh", words).view(found, ROOT / "cities/wuxi" / city.geography.shapes, live=True)


def test_a_share_of_too_few_is_not_told(wuxi: City) -> None:
    few = shown(wuxi, figures(ended=ENOUGH - 1, in_time=ENOUGH - 1))
    assert few.vitals[2].value == "—"
    assert "太少" in few.rows[0].share
    assert not few.rows[0].enough
    enough = shown(wuxi, figures(ended=ENOUGH, in_time=ENOUGH - 2))
    assert enough.vitals[2].value == f"{100 * (ENOUGH - 2) / ENOUGH:.1f}"
    assert enough.rows[0].under  # below the target of 95 %


def test_usual_needs_three_days_and_compares_up_to_this_hour(wuxi: City) -> None:
    late = (0,) * 20 + (50,) + (0,) * 3
    today = (0,) * 9 + (4,) + (0,) * 14
    assert "还说不了平常是多少" in shown(wuxi, figures(today=today, usual=(late, late))).chart.finding
    # Fifty that came at eight in the evening are no yardstick for half past ten.
    compared = shown(wuxi, figures(today=today, usual=(late,) * 3)).chart
    assert "比常见范围（0 到 0）多" in compared.finding
    assert compared.band
    within = ((0,) * 9 + (3,) + (0,) * 14, (0,) * 9 + (5,) + (0,) * 14, (0,) * 9 + (6,) + (0,) * 14)
    assert "在常见范围（3 到 6）内" in shown(wuxi, figures(today=today, usual=within)).chart.finding


def test_bars_stand_on_the_axis_and_below_its_top(wuxi: City) -> None:
    today = tuple(range(24))
    chart = shown(wuxi, figures(today=today)).chart
    assert len(chart.bars) == 23  # an hour with none has no bar
    assert max(value for _, value in chart.grid) >= 23
    assert all(abs(bar.y + bar.height - 191) < 0.2 for bar in chart.bars)


def test_late_work_says_so_in_words(wuxi: City) -> None:
    def work(due: timedelta) -> Urgent:
        return Urgent(
            "WX1",
            "judge",
            "newborn",
            "household",
            "psb",
            "320213021",
            "reviewing",
            False,
            NOW + due,
            NOW - timedelta(days=1),
        )

    view = shown(wuxi, figures(over=1, urgent=(work(-timedelta(hours=3)), work(timedelta(days=4)))))
    assert view.lines[0].left == "超 3 时 0 分"
    assert (view.lines[0].kind, view.lines[0].part) == ("bad", 100)
    assert view.lines[1].kind == "ok"
    assert view.vitals[1].state == "bad"
    assert "3 时" in view.vitals[1].why


def test_the_map_fits_its_frame_and_labels_stand_inside(wuxi: City) -> None:
    found = districts(ROOT / "cities/wuxi" / wuxi.geography.shapes)
    assert len(found) == 7
    for one in found:
        numbers = [float(n) for n in one.path.replace("M", " ").replace("L", " ").replace("Z", " ").split()]
        assert all(0 <= x <= WIDTH for x in numbers[0::2])
        assert all(0 <= y <= HEIGHT for y in numbers[1::2])
        assert min(numbers[0::2]) < one.x < max(numbers[0::2])
    by_name = {one.name: one for one in found}
    assert by_name["江阴市"].y < by_name["宜兴市"].y  # north is up
    assert by_name["宜兴市"].x < by_name["锡山区"].x  # west is left


def test_a_ring_without_area_and_a_city_without_shapes(tmp_path: Path) -> None:
    line = {"type": "Polygon", "coordinates": [[[120, 31], [121, 32], [120, 31]]]}
    file = tmp_path / "line.geojson"
    file.write_text(json.dumps({"features": [{"properties": {"code": "1", "name": "x"}, "geometry": line}]}))
    assert districts(file)[0].path.startswith("M")
    assert districts(tmp_path / "none.geojson") == ()
