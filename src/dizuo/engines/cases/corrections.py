"""The source department answers a correction: it confirms and changes its own record, or declines with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from dizuo.engines.cases.context import QUERIES, Cases
from dizuo.engines.cases.errors import CaseNotFound, CorrectionClosed, ReasonMissing
from dizuo.engines.cases.reach import Actors, principal_of, refused_by, scope_place
from dizuo.engines.registers import Actor, RegisterChange
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.policy import Ask, Request, Verdict
from dizuo.foundation.store import Row, begin


class Correction(msgspec.Struct, frozen=True):
    """A reported error as the source department and the reporter see it."""

    number: str
    register: str
    key: str
    field: str
    field_name: str
    says: str
    wants: str
    source: str
    unit: str
    reporter: str
    state: str
    reason: str
    due: datetime | None
    opened_at: datetime
    ended_at: datetime | None


async def decide_correction(
    cases: Cases, actors: Actors, number: str, *, confirm: bool, reason: str, value: str | None = None
) -> None:
    """Confirm (the record gets a new version with ``value``) or decline with a reason.

    Only the department that is the field's source may do so. Errors: Refused, CorrectionClosed, ReasonMissing,
    Invalid, and the registers' own refusals.
    """
    said = reason.strip()
    if len(said) < 2:
        raise ReasonMissing({"reason": "请写明核对的结果，报告人会看到。"})
    async with begin(cases.pool, cases.now) as tx:
        row = await tx.conn.fetchrow(QUERIES["lock_correction"], number)
        if row is None:
            raise CaseNotFound()
        actor = corrector(cases, actors, row["register"], row["field"], row["unit"])
        if row["state"] != "open":
            raise CorrectionClosed()
        if confirm:
            text = (value if value is not None else row["wants"]).strip()
            if not text:
                raise Invalid({"value": "请填写更正后的内容。"})
            await cases.registers.apply_writes(
                tx,
                [
                    RegisterChange(
                        register=row["register"],
                        key=row["key"],
                        values={row["field"]: text},
                        source=row["source"],
                        date=tx.now.date(),
                        matter="",
                        item="",
                        case=number,
                        actor=actor,
                        basis="pipl-2021:46",
                        reason=said,
                    )
                ],
            )
        state = "confirmed" if confirm else "declined"
        await tx.conn.execute(QUERIES["end_correction"], row["id"], state, said, actor.official, tx.now)
        task = await tx.conn.fetchval(QUERIES["task_of_correction"], number)
        if task is not None:
            await tx.conn.execute(QUERIES["end_task"], task, "done", tx.now, actor.official)
        body = {
            "register": row["register"],
            "field": row["field"],
            "state": state,
            "actor": {"kind": "official", "post": actor.post, "unit": actor.unit},
        }
        await tx.conn.fetchval(
            QUERIES["append_entry"],
            "correction.decide",
            body,
            row["subject"],
            {"correction": number, "actor": actor.official, "reason": said},
        )
        result = "已更正" if confirm else "核对后不更正"
        await tx.conn.fetchval(
            QUERIES["insert_notice"],
            row["subject"],
            row["application"],
            None,
            "correction",
            f"您报告的错误（{number}）{result}：{said}",
            tx.now,
        )


def corrector(cases: Cases, actors: Actors, register: str, field: str, unit: str) -> Actor:
    """The post that may correct this field. Errors: Refused with who can."""
    last: Verdict | None = None
    for actor in actors:
        ask = Ask(relation="duty", at=unit, facts=frozenset({field}))
        verdict = cases.policy.decide(Request(principal_of(actor), "correct", register, ask))
        if verdict.allowed and unit.startswith(scope_place(cases, actor)):
            return actor
        last = verdict
    if last is None or last.allowed:
        raise CaseNotFound()
    raise refused_by(last)


async def correction_page(cases: Cases, actors: Actors, number: str) -> Correction:
    """One correction for the official who may decide it. Errors: CaseNotFound, Refused."""
    async with begin(cases.pool, cases.now) as tx:
        row = await tx.conn.fetchrow(QUERIES["lock_correction"], number)
        if row is None:
            raise CaseNotFound()
        corrector(cases, actors, row["register"], row["field"], row["unit"])
        return correction_of(cases, row)


def correction_of(cases: Cases, row: Row | Mapping[str, Any]) -> Correction:
    found: dict[str, Any] = dict(row.items())
    field = cases.city.registers[found["register"]].fields[found["field"]]
    return Correction(
        number=found["number"],
        register=found["register"],
        key=found["key"],
        field=found["field"],
        field_name=field.name.zh,
        says=found["says"],
        wants=found["wants"],
        source=found["source"],
        unit=found["unit"],
        reporter=found["reporter"],
        state=found["state"],
        reason=found["reason"],
        due=found["due"],
        opened_at=found["opened_at"],
        ended_at=found["ended_at"],
    )
