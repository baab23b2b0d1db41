"""docs/know/rules.md names every function, and its examples are rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dizuo.foundation.rules import parse
from dizuo.foundation.rules.functions import FUNCTIONS
from dizuo.foundation.rules.lexer import MAX_TEXT
from dizuo.foundation.rules.parser import MAX_DEPTH, MAX_LIST
from dizuo.foundation.rules.values import PARTS

PAGE = (Path(__file__).parents[3] / "docs/know/rules.md").read_text(encoding="utf-8")
EXAMPLES = [
    line for block in re.findall(r"```feel\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_is_described(name: str):
    assert f"`{name}(" in PAGE


def test_every_part_and_limit_is_described():
    assert all(f"{part}`" in PAGE for part in PARTS)
    assert all(f"{limit:,}" in PAGE for limit in (MAX_TEXT, MAX_DEPTH, MAX_LIST))


@pytest.mark.parametrize("rule", EXAMPLES)
def test_every_example_is_a_rule(rule: str):
    assert parse(rule)


def test_there_are_examples():
    assert len(EXAMPLES) >= 8
