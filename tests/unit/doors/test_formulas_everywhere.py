"""No file that somebody downloads as CSV runs a formula in a spreadsheet, whichever door or engine wrote it (OWASP, CSV injection)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

import dizuo
from dizuo.doors.citizen import pages_taken
from dizuo.doors.data import pages_requests
from dizuo.engines.exchange.catalogue import reporting
from dizuo.engines.exchange.delivery import bulk_formats
from dizuo.engines.lake.intake import returning as intake_returning
from dizuo.engines.lake.review import returning as review_returning
from dizuo.engines.opendata import exporting
from dizuo.engines.opendata.ckan import datastore

WRITERS: dict[str, Callable[[str], str]] = {
    "doors/citizen/pages_taken.py": pages_taken.safe,
    "doors/data/pages_requests.py": lambda cell: _first(pages_requests.as_csv(["name"], [[cell]])),
    "engines/exchange/catalogue/reporting.py": reporting.harmless,
    "engines/exchange/delivery/bulk_formats.py": bulk_formats.harmless,
    "engines/lake/intake/returning.py": intake_returning.harmless,
    "engines/lake/review/returning.py": review_returning.harmless,
    "engines/opendata/ckan/datastore.py": datastore._disarmed,
    "engines/opendata/exporting.py": exporting.disarmed,
}
"""Every module that writes CSV for somebody, with how it writes a cell."""
FOR_MACHINES = {"engines/lake/simulate.py"}
"""Deliveries of invented sources: read by the intake, which looks for formulas itself, and opened by nobody."""
ATTACKS = [
    "=1+1",
    '=HYPERLINK("http://x","y")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "＠SUM(1)",
]
HARMLESS = ["无锡市", "阿依古丽·吐尔逊", "𠮷野", "1=1", "a@b.cn", "2026-11-23", "'已经有引号", "（=）"]


def _first(raw: bytes) -> str:
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))[1][0]


@pytest.mark.parametrize("place", WRITERS)
def test_no_cell_begins_a_formula(place: str) -> None:
    for attack in ATTACKS:
        assert WRITERS[place](attack) == f"'{attack}"
    for text in HARMLESS:
        assert WRITERS[place](text) == text


def test_no_writer_of_csv_is_forgotten() -> None:
    root = Path(dizuo.__file__).parent
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if "csv.writer(" in (text := path.read_text(encoding="utf-8")) or "csv.DictWriter(" in text
    }
    assert found - FOR_MACHINES <= set(WRITERS), found - FOR_MACHINES - set(WRITERS)
