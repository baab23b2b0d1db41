"""docs/know/simulation.md shows the error model as it is."""

from __future__ import annotations

import re
from pathlib import Path

from dizuo.engines.lake.simulation import KINDS, RATES, TRAITS, Rates

PAGE = Path(__file__).resolve().parents[3] / "docs" / "know" / "simulation.md"


def test_the_table_of_slips_is_the_one_that_runs() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([0-9.]+) \| [^|]+ \| (×?) ?\|$", text, re.M)
    base = Rates()
    assert {kind: float(rate) for kind, rate, _ in rows} == {kind: getattr(base, kind) for kind in KINDS}
    assert all(f"`{trait}`" in text for trait in TRAITS)


def test_each_sources_factor_is_the_one_that_runs() -> None:
    text = PAGE.read_text(encoding="utf-8")
    shown = dict(re.findall(r"^\| (\w+) \| ([0-9.]+) \|", text, re.M))
    assert set(shown) == set(RATES)
    for source, factor in shown.items():
        assert abs(RATES[source].homophone - Rates().homophone * float(factor)) < 1e-9, source
