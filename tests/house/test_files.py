"""Rules of the house about files: size, names, unfinished marks, what a city may hold."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def tracked(pattern: str) -> list[Path]:
    """Files of the project that match, from git where there is a checkout, else from the folder."""
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", pattern], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode == 0:
        return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]
    return [p for p in ROOT.rglob(pattern) if ".venv" not in p.parts and p.is_file()]


def test_no_python_file_passes_500_lines() -> None:
    long = {
        str(p.relative_to(ROOT)): n
        for p in tracked("*.py")
        if (n := p.read_text(encoding="utf-8").count("\n")) > 500
    }
    assert not long, f"split by noun: {long}"


def test_no_two_test_files_have_one_name() -> None:
    """They are imported by their bare names, what they share too: two of one name stop the run before its first test."""
    names = Counter(p.name for p in tracked("tests/**/*.py") if p.name not in {"conftest.py", "__init__.py"})
    twice = sorted(name for name, n in names.items() if n > 1)
    assert not twice, f"rename one of each: {twice}"


def test_no_room_for_odds_and_ends() -> None:
    odd = [
        p
        for p in tracked("*.py")
        if p.stem in FORBIDDEN_NAMES or FORBIDDEN_NAMES & set(p.relative_to(ROOT).parts)
    ]
    assert not odd, odd


def test_nothing_in_src_is_unfinished() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    found = [
        f"{p.relative_to(ROOT)}:{i}"
        for p in tracked("src/*")
        if p.suffix in {".py", ".sql", ".html", ".css", ".yaml"}
        for i, line in enumerate(p.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert not found, found


def test_cities_hold_declarations_only() -> None:
    allowed = {".yaml", ".csv", ".geojson", ".md", ".png", ".svg", ""}
    odd = [
        str(p.relative_to(ROOT))
        for p in tracked("cities/*")
        if p.suffix not in allowed or (p.suffix == "" and p.name not in {"NOTICE", "LICENSE"})
    ]
    assert not odd, odd


def test_no_machine_path_in_the_project() -> None:
    path = re.compile(r"(^|[^A-Za-z0-9_.])/(work|farm|root)/")
    found = []
    for p in tracked("*"):
        if p.suffix in {".png", ".geojson", ".csv", ".parquet"} or p.name == "test_files.py":
            continue
        for i, line in enumerate(p.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if path.search(line):
                found.append(f"{p.relative_to(ROOT)}:{i}")
    assert not found, found


def test_no_third_party_code_is_kept_here() -> None:
    odd = [
        p
        for p in tracked("*")
        if re.search(r"\.min\.(js|css)$", p.name) or {"node_modules", "vendor"} & set(p.parts)
    ]
    assert not odd, odd


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "README.zh-CN.md",
        "LICENSE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "run",
        "test",
    ],
)
def test_the_house_has_its_papers(name: str) -> None:
    assert (ROOT / name).is_file()
