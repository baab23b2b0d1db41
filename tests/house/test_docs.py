"""Documentation that cannot rot: what the code has, docs/know has."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load_docs_tool():
    spec = importlib.util.spec_from_file_location("docs_tool", ROOT / "tools" / "docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["errors.md", "commands.md", "routes.md"])
def test_generated_pages_agree_with_the_code(page: str) -> None:
    tool = load_docs_tool()
    made = tool.PAGES[page]().rstrip() + "\n"
    assert (ROOT / "docs" / "know" / page).read_text(encoding="utf-8") == made, (
        "run .venv/bin/python tools/docs.py"
    )


def test_every_link_between_documents_leads_somewhere() -> None:
    dead = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if (
                "://" not in target
                and not target.startswith("mailto:")
                and not (page.parent / target).exists()
            ):
                dead.append(f"{page.relative_to(ROOT)} → {target}")
    assert not dead, dead


def test_every_file_that_a_document_names_is_there() -> None:
    named = re.compile(
        r"`((?:src|tests|bench|docs|tools|cities)/[A-Za-z0-9_./-]+\.(?:py|sql|md|yaml|sh|html|css))`"
    )
    gone = [
        f"{page.relative_to(ROOT)} → {name}"
        for page in (ROOT / "docs").rglob("*.md")
        for name in named.findall(page.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    ]
    assert not gone, gone


def test_every_runtime_dependency_has_its_line_of_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    reasons = (ROOT / "docs" / "decisions" / "0001-what-we-stand-on.md").read_text(encoding="utf-8")
    table = " ".join(line.split("|")[1] for line in reasons.splitlines() if line.startswith("|"))
    for dependency in project["dependencies"]:
        name = re.split(r"[\[<>=;\s]", dependency)[0]
        assert re.search(rf"\b{re.escape(name)}\b", table), f"{name} has no line in decision 0001"


def test_both_readmes_name_the_two_commands() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "./run" in text
        assert "./test" in text
