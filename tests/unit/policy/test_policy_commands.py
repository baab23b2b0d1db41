"""`dizuo policy` and `dizuo policy-key` as an operator types them, on the real database."""

from __future__ import annotations

import asyncio
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from dizuo.cli import main
from dizuo.commands import policy, policy_key
from dizuo.foundation.store import OWNER, connect

TEMPLATE = Path(__file__).resolve().parents[3] / "cities" / "template"


@pytest.fixture
def at(database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands' words for an installation in an empty folder over the test's database."""
    for module in (policy, policy_key):
        monkeypatch.setattr(module, "opened", lambda _: nullcontext(database))
    return ["--city", str(TEMPLATE), "--data", str(tmp_path)]


def entered(database: Any, kind: str) -> list[dict[str, Any]]:
    async def look() -> list[dict[str, Any]]:
        owner = await connect(database.dsn(OWNER))
        try:
            rows = await owner.fetch("SELECT body FROM ledger.entry WHERE kind = $1 ORDER BY id", kind)
            return [row["body"] for row in rows]
        finally:
            await owner.close()

    return asyncio.run(look())


def test_a_key_is_made_listed_and_revoked_and_the_ledger_knows(at, database, tmp_path, capsys):
    assert main(["policy-key", "make", "审计平台", "--by", "steward", *at]) == 0
    key = capsys.readouterr().out.splitlines()[0]
    assert key.startswith("dzp_")
    file = tmp_path / "secrets" / "policy-keys.json"
    assert key not in file.read_text("utf-8")
    assert main(["policy-key", "make", "门禁", "--by", "steward", "--days", "1", *at]) == 0
    assert main(["policy-key", "revoke", "1", "--by", "steward", "--why", "换系统", *at]) == 0
    capsys.readouterr()
    assert main(["policy-key", "list", *at]) == 0
    newest, oldest = capsys.readouterr().out.splitlines()
    assert newest.split()[:2] == ["2", "门禁"]
    assert "until" in newest
    assert "revoked" in oldest
    made = entered(database, "policy.key_made")
    assert [one["key"] for one in made] == [1, 2]
    assert "审计平台" not in str(made), "who asks is not for the public log"
    assert entered(database, "policy.key_revoked") == [{"key": 1, "by": "steward", "why": "换系统"}]
    assert main(["policy-key", "revoke", "1", "--by", "steward", "--why", "again", *at]) == 2
    assert "没有在用" in capsys.readouterr().err


def test_the_reports_of_a_city_that_read_nothing(at, capsys):
    assert main(["policy", "--analyse", *at]) == 0
    assert "0 entries of reads" in capsys.readouterr().out
    assert main(["policy", "--analyse", "--json", "--since", "2026-01-01", *at]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["entries"] == 0
    assert len(told["unused"]) == told["grants"]
    assert main(["policy", "--replay", "--against", str(TEMPLATE), "--json", *at]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["decided"], told["refused"], told["allowed"]) == (0, [], [])
    assert len(told["assumed"]) == 5
    assert main(["policy", *at]) == 0
    assert "permit (" in capsys.readouterr().out


def test_replay_against_a_folder_that_is_no_city(at, tmp_path, capsys):
    assert main(["policy", "--replay", "--against", str(tmp_path / "nowhere"), *at]) == 2
    assert capsys.readouterr().err
