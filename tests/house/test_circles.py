"""No module leads back to itself by its imports, not even by those that are for types alone."""

from __future__ import annotations

import ast
from pathlib import Path

SRC = Path(__file__).resolve().parents[2] / "src"


def graph() -> dict[str, set[str]]:
    """Module → modules of this project that it names in an import, wherever in the file that stands."""
    files = {
        ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): path
        for path in SRC.rglob("*.py")
    }
    return {module: named(module, path, set(files)) - {module} for module, path in files.items()}


def named(module: str, path: Path, known: set[str]) -> set[str]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {f"{base}.{a.name}" if f"{base}.{a.name}" in known else base for a in node.names}
    return found & known


def circles(modules: dict[str, set[str]]) -> list[str]:
    """Modules that can be reached from themselves."""
    found: list[str] = []
    for start, first in modules.items():
        seen: set[str] = set()
        ahead = list(first)
        while ahead:
            module = ahead.pop()
            if module not in seen:
                seen.add(module)
                ahead += modules[module]
        if start in seen:
            found.append(start)
    return sorted(found)


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c"]


def test_no_module_leads_back_to_itself() -> None:
    modules = graph()
    assert len(modules) > 300
    assert circles(modules) == []
