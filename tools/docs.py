"""Writes the pages of docs/know that must agree with the code: errors, commands, routes.

.venv/bin/python tools/docs.py           write them
.venv/bin/python tools/docs.py --check   say which are out of date (tests/house does this)
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

import dizuo
from dizuo.cli import parser
from dizuo.foundation.kernel.errors import DizuoError

KNOW = Path(__file__).resolve().parents[1] / "docs" / "know"


def every_module() -> None:
    """Import all of dizuo, so that every error class is defined."""
    for module in pkgutil.walk_packages(dizuo.__path__, "dizuo."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def kinds_below(kind: type[DizuoError]) -> list[type[DizuoError]]:
    found: list[type[DizuoError]] = []
    for below in kind.__subclasses__():
        found += [below, *kinds_below(below)]
    return found


def errors() -> str:
    """One heading per error code, with the message, the status and the way out."""
    every_module()
    lines = [
        "# Errors",
        "",
        "Every error has a public code. A page says what happened, what was kept and what to do next; JSON says",
        '`{"ok": false, "code", "message", "fields", "fix"}`. Written by `tools/docs.py` from the classes.',
        "",
    ]
    found = [k for k in kinds_below(DizuoError) if k.__module__.startswith("dizuo.")]
    for kind in sorted({k.code: k for k in found}.values(), key=lambda k: k.code):
        told = " ".join((kind.__doc__ or "").strip().split("\n\n", 1)[0].split())
        lines += [
            f"## {kind.code}",
            "",
            f"HTTP {kind.http}. `{kind.__module__}.{kind.__name__}`",
            "",
            f"> {told}",
            "",
        ]
        if kind.fix:
            lines += [f"Way out: {kind.fix}", ""]
    return "\n".join(lines)


def commands() -> str:
    """One heading per command, with its help."""
    top = parser()
    lines = [
        "# Commands",
        "",
        "`dizuo --help` and this page say the same. Exit code 0: done. 1: it found what it looks for (an error in a",
        "declaration, an altered ledger). 2: it could not run; the message says why and the way out.",
        "",
    ]
    actions = [a for a in top._actions if isinstance(a, argparse._SubParsersAction)]
    for name, one in actions[0].choices.items():
        lines += [
            f"## dizuo {name}",
            "",
            one.description or "",
            "",
            "| option | default | meaning |",
            "|---|---|---|",
        ]
        for action in one._actions:
            if action.dest == "help":
                continue
            names = ", ".join(f"`{o}`" for o in action.option_strings) or f"`{action.metavar or action.dest}`"
            default = action.default
            shown = (
                "" if default in (None, False, "") or isinstance(default, list) else f"`{relative(default)}`"
            )
            lines.append(f"| {names} | {shown} | {action.help or ''} |")
        lines.append("")
    return "\n".join(lines)


def relative(value: object) -> object:
    root = Path(__file__).resolve().parents[1]
    return value.relative_to(root) if isinstance(value, Path) and value.is_relative_to(root) else value


def routes() -> str:
    """Every address of every door: who may call it, and why it exists."""
    lines = [
        "# Routes",
        "",
        "Each address states who may call it and for what purpose; one that does not, does not start.",
        "Written by `tools/docs.py` from the doors' tables.",
        "",
    ]
    for door in ("citizen", "desk", "centre", "data", "open"):
        module = importlib.import_module(f"dizuo.doors.{door}")
        lines += [f"## {door}", "", "| method | address | who | purpose |", "|---|---|---|---|"]
        for route in module.ROUTES:
            lines.append(f"| {route.method} | `{route.path}` | {route.who} | {route.purpose} |")
        lines.append("")
    return "\n".join(lines)


PAGES = {"errors.md": errors, "commands.md": commands, "routes.md": routes}


def stale(check: bool) -> list[str]:
    """Names of pages that differ from the code; writes them unless `check`."""
    different = []
    for name, make in PAGES.items():
        text = make().rstrip() + "\n"
        path = KNOW / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            different.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    return different


if __name__ == "__main__":
    names = stale("--check" in sys.argv)
    print("\n".join(names) or "docs/know agrees with the code")
    raise SystemExit(1 if names and "--check" in sys.argv else 0)
