"""归档: put away once its time has come, outcomes unchanged, with a digest of its history in the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from dizuo.engines import cases as engine
from dizuo.engines.cases.archive import digest_of
from dizuo.engines.cases.retention import archive_at
from dizuo.foundation.kernel.clock_source import SHANGHAI


@pytest.mark.parametrize(
    ("ended", "put_away"),
    [
        ("2026-11-23 17:00", "2027-05-24 03:00"),
        (
            "2026-08-31 23:59",
            "2027-03-01 03:00",
        ),  # February has no 31st: its last day, and the night after it
        ("2026-12-31 09:00", "2027-07-01 03:00"),
    ],
)
def test_six_months_and_a_night(ended: str, put_away: str) -> None:
    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)

    assert archive_at(at(ended)) == at(put_away)


async def events(bench: Any, number: str) -> list[Any]:
    async with bench.pg() as conn:
        return await conn.fetch(
            "SELECT e.* FROM cases.event e JOIN cases.application a ON a.id = e.application WHERE a.number = $1"
            " ORDER BY e.seq",
            number,
        )


async def application(bench: Any, number: str) -> Any:
    async with bench.pg() as conn:
        return await conn.fetchrow("SELECT * FROM cases.application WHERE number = $1", number)


async def test_a_case_that_ended_is_put_away_once_with_its_digest(bench: Any) -> None:
    receipt = await bench.submitted()
    await engine.withdraw(bench.cases, bench.resident(), receipt.number)
    states = await bench.states(receipt.number)
    ended = (await application(bench, receipt.number))["ended_at"]
    bench.now.set(archive_at(ended) - timedelta(minutes=1))
    await bench.due()
    assert (await application(bench, receipt.number))["archived_at"] is None

    before = await events(bench, receipt.number)
    bench.now.set(archive_at(ended))
    await bench.due()
    kept = await application(bench, receipt.number)
    assert kept["archived_at"] is not None
    assert kept["ended_at"] == ended
    assert await bench.states(receipt.number) == states  # archived, but still what became of it
    (line,) = [event for event in await events(bench, receipt.number) if event["name"] == "archive"]
    assert line["detail"] == {"events": len(before), "sha256": digest_of(before)}
    async with bench.pg() as conn:
        entries = [
            row["body"]
            for row in await conn.fetch("SELECT body, payload FROM ledger.entry WHERE kind = 'case.archive'")
            if row["payload"]["case"] == receipt.number
        ]
    assert [body["sha256"] for body in entries] == [digest_of(before)]
    seen = await engine.progress(bench.cases, bench.resident(), receipt.number)
    assert any(event.what == "归档" for event in seen.history)

    bench.now.advance(days=1)
    await bench.due()
    assert len([event for event in await events(bench, receipt.number) if event["name"] == "archive"]) == 1


async def test_a_changed_history_does_not_fit_its_digest(bench: Any) -> None:
    receipt = await bench.submitted()
    await engine.withdraw(bench.cases, bench.resident(), receipt.number)
    history = [dict(event) for event in await events(bench, receipt.number)]
    digest = digest_of(history)
    history[0]["reason"] = "改过"
    assert digest_of(history) != digest
    assert digest_of(history[:-1]) != digest


async def test_a_running_case_is_not_put_away(bench: Any) -> None:
    receipt = await bench.submitted()
    bench.now.advance(days=400)
    await bench.due()
    found = await application(bench, receipt.number)
    assert found["ended_at"] is None or found["archived_at"] is None
