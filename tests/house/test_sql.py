"""An engine's SQL names its own schema, the foundation, or a function another engine published for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ENGINES = Path(__file__).resolve().parents[2] / "src" / "dizuo" / "engines"
SCHEMAS = ("registers", "directory", "cases", "lake", "exchange", "opendata")
# Published functions: what another engine may call in the database.
PUBLISHED = {
    "registers.absorb",
    "registers.identities",
    "registers.change_reach",
    "registers.pick_changes",
    "registers.enter_delivered",
    "registers.open_delivered",
    "registers.pick_current",
    "registers.enter_records",
    "registers.open_records",
    "registers.field_types",
    "registers.request_shared",
    "registers.release",
    "registers.durable",
}
NAMED = re.compile(r"(?<![\w.\"'/])(" + "|".join(SCHEMAS) + r")\.([a-z_]+)")
KEYWORD = re.compile(
    r"\b(FROM|JOIN|INTO|UPDATE|TABLE|CALL|EXECUTE|SELECT|REFERENCES|ON|TRUNCATE)\s+$", re.IGNORECASE
)


def statements() -> list[tuple[Path, int, str]]:
    found = []
    for path in sorted(ENGINES.rglob("*")):
        if path.suffix == ".sql" or path.suffix == ".py":
            found += [
                (path, n, line) for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            ]
    return found


@pytest.mark.parametrize("engine", SCHEMAS)
def test_an_engine_stays_in_its_schema(engine: str) -> None:
    wrong = []
    for path, number, line in statements():
        if (
            path.relative_to(ENGINES).parts[0] != engine
            or "import" in line
            or line.lstrip().startswith(("--", "#"))
        ):
            continue
        for match in NAMED.finditer(line):
            schema, name = match.groups()
            called = path.suffix == ".sql" or KEYWORD.search(line[: match.start()])
            if called and schema != engine and f"{schema}.{name}" not in PUBLISHED:
                wrong.append(f"{path.relative_to(ENGINES)}:{number} names {schema}.{name}")
    assert not wrong, "\n".join(wrong)


def test_doors_and_web_hold_no_sql() -> None:
    sql = re.compile(r"\b(SELECT\s+\S|INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\w+\.\w+\s+SET)")
    root = ENGINES.parent
    found = [
        f"{path.relative_to(root)}:{n}"
        for folder in ("doors", "web")
        for path in sorted((root / folder).rglob("*.py"))
        for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if sql.search(line)
    ]
    assert not found, found


def test_a_door_asks_an_engine_and_never_its_tables() -> None:
    """A door may read the foundation by itself; what an engine holds, the engine tells (rule 1 of the house)."""
    root = ENGINES.parent
    found = []
    for path in sorted((root / "doors").rglob("*.sql")):
        for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.lstrip().startswith("--"):
                found += [
                    f"{path.relative_to(root)}:{n} names {'.'.join(m.groups())}" for m in NAMED.finditer(line)
                ]
    assert not found, "\n".join(found)


def test_a_door_has_no_hand_in_an_engines_statements() -> None:
    """Nor by the back way: importing the named queries of an engine to run them."""
    root = ENGINES.parent
    taken = re.compile(r"\b(QUERIES|READS|FIXES|CENTRE)\b\s*\[|import\b.*\b(QUERIES|READS|FIXES|CENTRE)\b")
    found = [
        f"{path.relative_to(root)}:{n}"
        for path in sorted((root / "doors").rglob("*.py"))
        for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if taken.search(line) or re.search(r"Queries\.load\(\"dizuo\.engines", line)
    ]
    assert not found, found
