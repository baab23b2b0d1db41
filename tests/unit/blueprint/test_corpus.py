"""Every broken city gets exactly the messages written beside it, and every code of the checker has a broken city."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from broken_cities import BROKEN, CASES, GOOD, build

from dizuo.foundation.blueprint import BlueprintError, check_city, load_city
from dizuo.foundation.blueprint.codes import CODES
from dizuo.foundation.blueprint.findings import Log
from dizuo.foundation.blueprint.model import Place

SOURCE = Path(__file__).parents[3] / "src" / "dizuo" / "foundation" / "blueprint"
DOCS = Path(__file__).parents[3] / "docs" / "know" / "check-errors.md"
# Made in test_folder.py, because a repository cannot hold them: links, unreadable and huge files, thousands of mistakes.
# The planner reports this one, when `dizuo check` runs the examples.
ELSEWHERE = {"example-fails"}
NOT_IN_A_REPOSITORY = {"leaves-folder", "too-large", "too-many", "unreadable"}


def test_the_good_city_has_no_finding() -> None:
    report = check_city(GOOD)
    assert report.render() == ""
    assert report.city is not None


@pytest.mark.parametrize("case", CASES, ids=[f"{c.parent.name}/{c.name}" for c in CASES])
def test_messages(case: Path, tmp_path: Path) -> None:
    report = check_city(build(case, tmp_path / "city"))
    assert report.render() + "\n" == (case / "expected.txt").read_text(encoding="utf-8")
    assert case.parent.name in {finding.code for finding in report.findings}
    assert (report.city is None) == bool(report.errors)


def test_errors_are_raised_all_at_once_and_in_order(tmp_path: Path) -> None:
    city = build(BROKEN / "unknown-key" / "near", tmp_path / "city")
    build_more = city / "clocks.yaml"
    build_more.write_text(
        build_more.read_text(encoding="utf-8").replace("60 calendar_day", "60 day"), encoding="utf-8"
    )
    with pytest.raises(BlueprintError) as caught:
        load_city(city)
    places = [finding.place for finding in caught.value.findings]
    assert places == sorted(places)
    assert {"unknown-key", "unknown-word"} <= {finding.code for finding in caught.value.findings}


def test_every_code_has_a_broken_city() -> None:
    assert {case.parent.name for case in CASES} | NOT_IN_A_REPOSITORY | ELSEWHERE == CODES


def test_every_code_is_documented_once() -> None:
    headings = re.findall(r"^### `([a-z0-9-]+)`", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(CODES)


def test_every_code_is_used() -> None:
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py") if path.stem != "codes"
    )
    # A reference that does not resolve is reported as unknown-<kind>.
    unused = {
        code for code in CODES if f'"{code}"' not in text and f'"{code.removeprefix("unknown-")}"' not in text
    }
    assert unused == ELSEWHERE


def test_a_code_outside_the_list_is_a_mistake_of_ours() -> None:
    with pytest.raises(LookupError):
        Log().add("no-such-code", Place("city.yaml", 1, 1), "x")
