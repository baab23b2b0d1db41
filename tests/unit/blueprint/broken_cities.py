"""Broken cities: each is a patch on the good one, so that a case shows only what is wrong.

``patch.txt`` has blocks. ``@ path`` opens a file, ``- text`` must occur in it exactly once and is replaced by the
``+ text`` that follows; ``@ +path`` makes a new file, ``@ -path`` removes one. Files under ``files/`` are laid over.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from dizuo.foundation.blueprint import check_city

BROKEN = Path(__file__).parents[2] / "broken"
GOOD = BROKEN / "_good"
CASES = sorted(path.parent for path in BROKEN.glob("*/*/expected.txt"))


def build(case: Path, target: Path) -> Path:
    """The broken city of a case, in ``target``."""
    shutil.copytree(GOOD, target)
    patch = case / "patch.txt"
    if patch.exists():
        apply(patch.read_text(encoding="utf-8"), target)
    overlay = case / "files"
    if overlay.is_dir():
        shutil.copytree(overlay, target, dirs_exist_ok=True)
    return target


def apply(patch: str, target: Path) -> None:
    file = target
    old: list[str] = []
    new: list[str] = []

    def flush() -> None:
        if old:
            text = file.read_text(encoding="utf-8")
            before, after = "\n".join(old), "\n".join(new)
            assert text.count(before) == 1, f"{file.name}: {text.count(before)} × {before!r}"
            file.write_text(text.replace(before, after), encoding="utf-8")
        elif new:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("\n".join(new) + "\n", encoding="utf-8")
        old.clear()
        new.clear()

    for line in patch.splitlines():
        mark, text = line[:1], line[2:]
        if mark == "@":
            flush()
            if text.startswith("-"):
                (target / text[1:]).unlink()
            else:
                file = target / text.removeprefix("+")
        elif mark == "-":
            if new:
                flush()
            old.append(text)
        elif mark == "+":
            new.append(text)
        else:
            assert not line.strip(), f"not a patch line: {line!r}"
    flush()


def rewrite() -> None:
    """Write every expected.txt anew from what the checker says now."""
    for case in sorted(path for path in BROKEN.glob("*/*") if path.is_dir() and path.parent != GOOD):
        with tempfile.TemporaryDirectory() as folder:
            report = check_city(build(case, Path(folder) / "city"))
        (case / "expected.txt").write_text(report.render() + "\n", encoding="utf-8")


if __name__ == "__main__":
    rewrite()
