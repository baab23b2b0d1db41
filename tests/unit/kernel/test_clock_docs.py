"""The examples in docs/know/clocks.md are true."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.kernel.clocks import Deadline, Duration, PauseReason, Term, Unit, due, start

PAGE = (Path(__file__).parents[3] / "docs/know/clocks.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\| (\d{4}-\d\d-\d\d \d\d:\d\d) \| (\d+) (\w+) \| (\S+) \|$", PAGE, re.MULTILINE)


def test_the_page_has_examples_and_names_every_unit_and_reason():
    assert len(EXAMPLES) >= 10
    assert all(f"`{unit}`" in PAGE for unit in Unit)
    assert all(reason.word in PAGE for reason in PauseReason)


@pytest.mark.parametrize(("received", "n", "unit", "expected"), EXAMPLES)
def test_each_example(received: str, n: str, unit: str, expected: str):
    term = Term(id="t", duration=Duration(int(n), Unit(unit)), law="", verified=True, starts_on="")
    end = due(start(term, datetime.fromisoformat(received).replace(tzinfo=SHANGHAI)), WorkCalendar())
    assert (end.date.isoformat() if isinstance(end, Deadline) else "unknown") == expected
