"""Corrections (校核纠错): somebody found an error in a register, and its source department answers on a clock.

A resident reports one; and when an official decides between two registers that disagree, the department whose
record lost is told as a lead (更正线索).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime

from dizuo.engines.cases.compiled import term_of
from dizuo.engines.cases.context import QUERIES, Cases
from dizuo.engines.cases.numbers import make_number
from dizuo.engines.cases.plan_model import Known
from dizuo.engines.cases.records import write_clock
from dizuo.engines.cases.rules import scopes_of, unit_of
from dizuo.engines.cases.work import Work
from dizuo.foundation.kernel.clocks import Deadline, due, start
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.store import Tx

LONGEST = 500


async def open_correction(
    cases: Cases,
    tx: Tx,
    *,
    token: str,
    subject: int,
    reporter: str,
    register: str,
    key: str,
    field: str,
    says: str,
    wants: str,
    place: str | None,
    application: int | None = None,
) -> tuple[str, datetime | None] | None:
    """Enter a correction and put it on the source department's desk; None when the token made one already.

    Returns its number and when the answer is due. Errors: Invalid for a field that no register has.
    """
    declared = cases.city.registers.get(register)
    column = None if declared is None else declared.fields.get(field)
    if declared is None or column is None:
        raise Invalid({"field": "没有这一项资料。"}, fix="请从“我的数据”里点“有误？”进来。")
    clock = start(term_of(cases.city.clocks[declared.correction_clock], None), tx.now)
    end = due(clock, cases.calendar)
    unit = unit_of(cases.city, column.source, place)
    count = int(await tx.conn.fetchval(QUERIES["next_number"]))
    number = make_number("JC", tx.now.date(), count)
    end_at = end.at if isinstance(end, Deadline) else None
    made = await tx.conn.fetchval(
        QUERIES["insert_correction"],
        number,
        token,
        subject,
        reporter,
        register,
        key,
        field,
        says[:LONGEST],
        wants[:LONGEST],
        column.source,
        unit,
        application,
        write_clock(clock),
        end_at,
        tx.now,
    )
    if made is None:
        return None
    await tx.conn.fetchval(
        QUERIES["insert_task"],
        "correction",
        None,
        None,
        None,
        column.source,
        unit,
        f"{column.source}.correct",
        end_at,
        {"correction": number, "field": f"{register}.{field}"},
        tx.now,
        "waiting",
        list(scopes_of(unit)),
    )
    return number, end_at


async def open_leads(work: Work, item_id: str, known: Known, choices: Mapping[str, str]) -> None:
    """For each exception decided in favour of one register: tell the source of the other one."""
    item = work.ready.items[item_id]
    for check in (check for step in item.steps for check in step.checks if check.compare is not None):
        chosen = next((c for c in check.choices if c.id == choices.get(check.id)), None)
        if chosen is None or chosen.effect != "continue" or check.compare is None:
            continue
        for fact in check.compare:
            field, found = work.ready.field(fact), known.facts.get(fact)
            if field is None or found is None or field.source == item.department:
                continue
            state = known.parties.get(found.party)
            if state is None or state.key is None:
                continue
            await open_correction(
                work.cases,
                work.tx,
                token=f"lead:{secrets.token_hex(12)}",
                subject=work.application.applicant,
                reporter="系统线索",
                register=found.register,
                key=state.key,
                field=field.id,
                says=f"办件 {work.application.number} 核对时发现：{check.exception.zh}",
                wants=f"经办人选择“{chosen.name.zh}”",
                place=work.items[item_id].unit,
                application=work.application.id,
            )
            await work.history("lead", item=item_id, reason=check.exception.zh, detail={"field": fact})
            break
