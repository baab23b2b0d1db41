"""The case engine on the real database, with the demonstration city and an invented family."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from family import FATHER, GRANDFATHER, MOTHER, OWNER, STRANGER, USCC, Records, deliver, family

from dizuo.engines import cases as engine
from dizuo.engines.cases import Cases, Receipt, handlers
from dizuo.engines.registers import Actor, Registers, publish
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import SHANGHAI, FrozenNow
from dizuo.foundation.policy import Policy
from dizuo.foundation.store.jobs import JobRunner

_SERIAL = itertools.count(2)
ANSWERS = {
    "surname": "father",
    "given_name": "沐言",
    "household_with": "father",
    "clinic": "c001",
    "delivery": "mail",
}


@dataclass
class Bench:
    """The engine, its people and the hands to move the clock and run what is due."""

    cases: Cases
    now: FrozenNow
    pg: Any
    ids: Mapping[str, int]
    runner: JobRunner
    answers: dict[str, str] = field(default_factory=lambda: dict(ANSWERS))

    def resident(self, number: str = MOTHER, name: str = "林晓晴", **more: Any) -> Actor:
        return Actor("resident", subject=self.ids[number], name=name, **more)

    def official(
        self,
        power: str = "psb.household.decide",
        *,
        place: str = "320213",
        unit: str = "district_service",
        post: str = "joint_reviewer",
        name: str = "周敏",
        who: str = "o-1",
        more: tuple[str, ...] = (),
    ) -> tuple[Actor, ...]:
        return (
            Actor(
                "official", official=who, post=post, unit=unit, place=place, name=name, powers=(power, *more)
            ),
        )

    async def child(self, **how: Any) -> str:
        """A new birth certificate of the same parents, so that each test has its own child; returns its number."""
        suffix = f"9{next(_SERIAL):04d}"
        records: Records = {
            "birth_certificate": family(suffix)["birth_certificate"],
            **({"real_estate": family(**how)["real_estate"]} if how else {}),
        }
        await deliver(self.pg, self.cases.city, records)
        return f"Z3202{suffix}"

    async def submitted(self, **answers: str) -> Receipt:
        """An application of the mother for a child of her own."""
        certificate = await self.child()
        return await engine.submit(
            self.cases,
            self.resident(),
            1,
            "newborn",
            {**self.answers, **answers},
            {"certificate": certificate},
            uuid.uuid4().hex,
        )

    async def agreed(self, **answers: str) -> Receipt:
        """An application to which the father and the head of the household have agreed, with what follows done."""
        receipt = await self.submitted(**answers)
        await engine.answer_consent(
            self.cases, self.resident(FATHER, "王启明"), receipt.number, "other_parent", agrees=True
        )
        await engine.answer_consent(
            self.cases, self.resident(GRANDFATHER, "王建国"), receipt.number, "father_side_head", agrees=True
        )
        await self.due()
        return receipt

    async def due(self) -> int:
        done = await self.runner.run_due()
        async with self.pg() as conn:
            failed = await conn.fetch("SELECT kind, last_error FROM store.job WHERE attempts > 0")
        assert not failed, [tuple(row.values()) for row in failed]
        return done

    async def item(self, number: str, item: str) -> Any:
        async with self.pg() as conn:
            return await conn.fetchrow(
                "SELECT i.* FROM cases.item i JOIN cases.application a ON a.id = i.application"
                " WHERE a.number = $1 AND i.id = $2",
                number,
                item,
            )

    async def states(self, number: str) -> dict[str, str]:
        async with self.pg() as conn:
            rows = await conn.fetch(
                "SELECT i.id, i.state FROM cases.item i JOIN cases.application a ON a.id = i.application"
                " WHERE a.number = $1 ORDER BY i.position",
                number,
            )
        return {row["id"]: row["state"] for row in rows}


@pytest.fixture(scope="session")
def wuxi() -> City:
    return load_city(Path(__file__).parents[3] / "cities" / "wuxi")


@pytest.fixture(scope="module")
async def bench(pg: Any, app_pool: Any, wuxi: City) -> Bench:
    """Declarations published and the family delivered, once a module."""
    async with pg() as owner:
        await publish(owner, wuxi)
    await deliver(pg, wuxi, family())
    people = [MOTHER, FATHER, GRANDFATHER, STRANGER, OWNER]
    async with pg("dizuo_loader") as loader:
        ids = list(await loader.fetchval("SELECT registers.identities('citizen_id', $1)", people))
        firms = await loader.fetchval("SELECT registers.identities('uscc', $1)", [USCC])
    policy = Policy.from_city(wuxi)
    now = FrozenNow(datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI))
    cases = Cases(app_pool, wuxi, Registers(app_pool, wuxi, policy), policy, now)
    return Bench(
        cases,
        now,
        pg,
        {**dict(zip(people, ids, strict=True)), USCC: firms[0]},
        JobRunner(app_pool, handlers(cases), now),
    )


@pytest.fixture(autouse=True)
def _monday_morning(request: pytest.FixtureRequest) -> None:
    """Every test with the bench starts on Monday 2026-11-23, 09:00."""
    if "bench" in request.fixturenames:
        request.getfixturevalue("bench").now.set(datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI))
