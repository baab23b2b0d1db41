"""Who may lean on whom (docs/why/house.md), read from the imports themselves. The exception list is empty."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src" / "dizuo"

# room → rooms it may import; a room always may import itself.
MAY_IMPORT: dict[str, set[str]] = {
    "foundation.kernel": set(),
    "foundation.store": {"foundation.kernel"},
    "foundation.rules": {"foundation.kernel"},
    "foundation.blueprint": {"foundation.kernel", "foundation.rules"},
    "foundation.policy": {"foundation.kernel", "foundation.blueprint"},
    "foundation.ledger": {"foundation.kernel", "foundation.store"},
    "foundation.signing": {"foundation.kernel"},
    "engines.directory": {"foundation.*"},
    "engines.registers": {"foundation.*", "engines.directory"},
    "engines.lake": {"foundation.*", "engines.registers"},
    "engines.cases": {"foundation.*", "engines.registers", "engines.directory"},
    "engines.exchange": {"foundation.*", "engines.registers", "engines.directory", "engines.lake"},
    "engines.opendata": {"foundation.*", "engines.registers", "engines.directory", "engines.exchange"},
    "node": {"foundation.kernel", "foundation.signing"},
    "web": {"foundation.kernel"},
    "doors.citizen": {"foundation.*", "engines.*", "web"},
    "doors.desk": {"foundation.*", "engines.*", "web"},
    "doors.centre": {"foundation.*", "engines.*", "web"},
    "doors.data": {"foundation.*", "engines.*", "web"},
    "doors.open": {"foundation.*", "engines.*", "web"},
}
EVERYWHERE = {"dizuo.app", "dizuo.cli", "dizuo.commands"}


def room_of(module: str) -> str | None:
    """The room of a dotted module name, or None for the top level."""
    parts = module.split(".")
    if len(parts) < 2 or parts[0] != "dizuo":
        return None
    if parts[1] in {"web", "node"}:
        return parts[1]
    return ".".join(parts[1:3]) if len(parts) > 2 and parts[1] in {"foundation", "engines", "doors"} else None


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(SRC.rglob("*.py")):
        dotted = ".".join(("dizuo", *path.relative_to(SRC).with_suffix("").parts))
        found.append((dotted.removesuffix(".__init__"), path))
    return found


def imports_of(dotted: str, path: Path) -> list[tuple[int, str]]:
    """(line, absolute module or name) of every import in a file, also those inside functions."""
    package = dotted if path.name == "__init__.py" else dotted.rpartition(".")[0]
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]) if base else ".".join(above)
            found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
    return [(line, name) for line, name in found if name.startswith("dizuo")]


def allowed(room: str, target: str) -> bool:
    rules = MAY_IMPORT[room]
    return target == room or target in rules or f"{target.split('.')[0]}.*" in rules


def test_every_room_is_known() -> None:
    rooms = {room_of(dotted) for dotted, _ in modules()} - {None}
    assert rooms <= set(MAY_IMPORT), (
        f"give these rooms a line in MAY_IMPORT: {sorted(rooms - set(MAY_IMPORT))}"
    )


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_leans_only_on_those_below(room: str) -> None:
    wrong = []
    for dotted, path in modules():
        if room_of(dotted) != room:
            continue
        for line, name in imports_of(dotted, path):
            target = room_of(name)
            if target is None and (name in {"dizuo.__version__"} or name == "dizuo"):
                continue
            if target is None or not allowed(room, target):
                wrong.append(f"{path.relative_to(SRC)}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


def public_names(room: str) -> set[str]:
    init = SRC / room.replace(".", "/") / "__init__.py"
    names: set[str] = set()
    for node in ast.parse(init.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
    return names


def test_an_engine_is_only_what_its_front_door_shows() -> None:
    wrong = []
    for dotted, path in modules():
        here = room_of(dotted)
        for line, name in imports_of(dotted, path):
            target = room_of(name)
            if target is None or target == here or not target.startswith("engines."):
                continue
            rest = name.removeprefix(f"dizuo.{target}").lstrip(".")
            if rest and (rest.count(".") or rest not in public_names(target)):
                wrong.append(f"{path.relative_to(SRC)}:{line} reaches into {name}")
    assert not wrong, "\n".join(wrong)


def test_a_door_never_imports_a_door() -> None:
    for dotted, path in modules():
        here = room_of(dotted)
        if here and here.startswith("doors."):
            for line, name in imports_of(dotted, path):
                target = room_of(name)
                assert target == here or not (target or "").startswith("doors."), f"{path}:{line} {name}"
