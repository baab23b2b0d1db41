"""A sentence is written once: YAML would take the second of two equal keys without a word, and the first page would lie."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[3] / "src" / "dizuo"
FILES = sorted(SRC.rglob("words.*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_no_key_stands_twice_on_a_page(path: Path) -> None:
    page, found = "", Counter[str]()
    for line in path.read_text(encoding="utf-8").splitlines():
        if top := re.match(r"([a-z_0-9]+):", line):
            page = top[1]
            found[page] += 1
        elif key := re.match(r"  ([A-Za-z_0-9]+):", line):
            found[f"{page}.{key[1]}"] += 1
    twice = [name for name, count in found.items() if count > 1]
    assert len(found) > 5
    assert not twice, twice
