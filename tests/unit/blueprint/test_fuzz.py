"""However a city is damaged, the checker answers with findings; it never falls over, and it never takes long."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from broken_cities import GOOD
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dizuo.foundation.blueprint import check_city
from dizuo.foundation.blueprint.findings import Finding, Log, Span
from dizuo.foundation.blueprint.folder import text_of
from dizuo.foundation.blueprint.model import Place
from dizuo.foundation.blueprint.nodes import plain_value, read_yaml

DECLARATIONS = sorted(
    str(path.relative_to(GOOD))
    for path in GOOD.rglob("*")
    if path.suffix in (".yaml", ".csv") and path.is_file()
)
# Pieces that break structure, types, references and expressions in turn.
PIECES = [
    "", ":", ": ", "- ", "\n", "  ", "\t", "{", "}", "[", "]", "&a ", "*a", "!!str ", "<<: ", "|", ">", "#", "'", '"', ",",
    "null", "~", "true", "0", "-1", "1e9", "9" * 40, "id", "kind: law/1\n", "---\n", "...\n", "%YAML 1.1\n", "…", "䶵", "🙂",
    "\x00", "\x1b[31m", "\u202e", "\ufeff", "not(", "if ", "a.b.c", "{x}", "{}", "mother.*", "2026-13-01", "hukou-1958:",
]  # fmt: skip

bounded = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@bounded
@given(st.sampled_from(DECLARATIONS), st.randoms(use_true_random=False), st.integers(1, 4))
def test_mutated_declarations_give_findings(
    tmp_path: Path, name: str, dice: random.Random, times: int
) -> None:
    city = tmp_path / "city"
    if not city.exists():
        shutil.copytree(GOOD, city)
    text = (GOOD / name).read_text(encoding="utf-8")
    for _ in range(times):
        start = dice.randrange(len(text) + 1)
        end = min(len(text), start + dice.choice([0, 1, 2, 5, 20, 80]))
        text = text[:start] + dice.choice([*PIECES, text[end : end + 30]]) + text[end:]
    try:
        (city / name).write_text(text, encoding="utf-8")
        report = check_city(city)
    finally:
        shutil.copyfile(GOOD / name, city / name)
    assert (report.city is None) == bool(report.errors)
    for finding in report.findings:
        assert finding.render()
        assert finding.render(colour=True)
        assert finding.place.line >= 1
        assert finding.place.col >= 1


@bounded
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    log = Log()
    text = text_of("any.yaml", data, log)
    tree = read_yaml("any.yaml", text, log) if text is not None else None
    if tree is None:
        assert log.failed
    else:
        plain_value(tree)


@bounded
@given(st.text(alphabet="abk:{}[]-,|>#&*!%@`'\" \n\u4e2d0~", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    log = Log()
    tree = read_yaml("any.yaml", text, log)
    assert tree is not None or log.failed


def test_a_rendered_finding_keeps_terminal_codes_out() -> None:
    log = Log()
    log.lines_of("a.yaml", ["name: \x1b[31mred\x07"])
    log.add("wrong-form", Span(Place("a.yaml", 1, 7), 4), "x")
    (finding,) = log.sorted()
    assert "\x1b" not in finding.render()
    assert "\x07" not in finding.render()


def test_a_caret_stands_under_what_is_meant() -> None:
    finding = Finding(
        code="x",
        place=Place("a.yaml", 12, 5),
        message="m",
        source="名称: 值",
        span=1,
        suggestion="s",
        fix="f",
    )
    assert finding.render().splitlines() == [
        "a.yaml:12:5: error[x]: m",
        "  12 | 名称: 值",
        "     |       ^^",
        "  did you mean: s",
        "  fix: f",
    ]


def test_a_long_line_is_cut_around_the_caret() -> None:
    line = "x" * 300 + "HERE" + "y" * 300
    finding = Finding(code="x", place=Place("a.yaml", 1, 301), message="m", source=line, span=4)
    shown, carets = finding.render().splitlines()[1:]
    assert len(shown) < 180
    at = carets.index("^")
    assert shown[at : at + 4] == "HERE"
    assert carets.count("^") == 4
