from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dizuo.foundation.kernel.clock_source import SHANGHAI, FrozenNow, SystemNow, to_shanghai
from dizuo.foundation.kernel.geometry import haversine_m


def test_the_frozen_clock_moves_only_when_told_and_only_forward():
    now = FrozenNow(datetime(2026, 11, 23, 1, 0, tzinfo=UTC))
    assert now().isoformat() == "2026-11-23T09:00:00+08:00"
    assert now() is now()
    now.advance(days=1, hours=15)
    assert now.today().isoformat() == "2026-11-25"
    with pytest.raises(ValueError, match="backwards"):
        now.advance(seconds=-1)
    assert now.set(datetime(2026, 1, 1, tzinfo=SHANGHAI)) == now()


def test_the_system_clock_is_in_shanghai():
    assert SystemNow()().utcoffset() == timedelta(hours=8)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        to_shanghai(datetime(2026, 11, 23))


def test_distances():
    # Wuxi city hall to Suzhou's, about 40 km; a degree of latitude is 111.195 km on the mean sphere.
    assert haversine_m(120.31, 31.49, 120.58, 31.30) == pytest.approx(33_200, rel=0.02)
    assert haversine_m(120, 31, 120, 32) == pytest.approx(111_195, abs=1)
    assert haversine_m(120, 31, 120, 31) == 0
    assert haversine_m(0, 0, 180, 0) == pytest.approx(20_015_115, abs=10)
    with pytest.raises(ValueError, match="longitude comes first"):
        haversine_m(31.49, 120.31, 0, 0)
