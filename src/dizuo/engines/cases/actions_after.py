"""After the end, and beside it: rate what was done (好差评), report what a register has wrong (校核纠错)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dizuo.engines.cases.actions_follow_up import open_follow_up
from dizuo.engines.cases.context import QUERIES, Cases
from dizuo.engines.cases.errors import (
    AlreadyRated,
    CaseNotFound,
    NotFinished,
)
from dizuo.engines.cases.follow_up import BAD
from dizuo.engines.cases.leads import LONGEST, open_correction
from dizuo.engines.cases.reach import own_case
from dizuo.engines.cases.records import load_case
from dizuo.engines.cases.wording import moment_words
from dizuo.engines.cases.work import Work
from dizuo.engines.registers import Actor
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.store import begin

RATINGS: Mapping[int, str] = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
"""好差评五级 (GB/T 39735)."""


async def rate(cases: Cases, actor: Actor, number: str, level: int, says: str = "") -> None:
    """好差评: once, after everything has ended; five levels. Errors: NotFinished, AlreadyRated, Invalid."""
    if level not in RATINGS:
        raise Invalid({"level": "请选一个满意程度。"})
    if len(says) > 500:
        raise Invalid({"says": f"最多 500 个字，现在有 {len(says)} 个。"})
    async with begin(cases.pool, cases.now) as tx:
        case = await load_case(cases, tx.conn, number, lock=True)
        own_case(actor, case)
        if not case.application.state.ended:
            raise NotFinished()
        made = await tx.conn.fetchval(
            QUERIES["insert_rating"], case.application.id, level, says.strip(), tx.now
        )
        if made is None:
            raise AlreadyRated()
        work = Work(cases, tx, case, actor)
        # Who rated how is confidential towards those rated: the history only says that it was done.
        await work.history("rated")
        if level <= BAD:
            await open_follow_up(work)


async def report_error(
    cases: Cases,
    actor: Actor,
    register: str,
    key: str,
    field: str,
    wants: str,
    form_token: str,
    *,
    says: str = "",
    number: str | None = None,
    place: str | None = None,
) -> tuple[str, datetime | None]:
    """校核纠错: a resident says that a record is wrong; its source department must answer within its clock.

    ``wants`` is what it should say, ``says`` why; ``number`` the case it was seen in. Returns the correction's
    number and when the answer is due. The same ``form_token`` twice is the same report. Errors: Invalid.
    """
    text = wants.strip()
    if len(text) < 1 or len(text) > LONGEST:
        raise Invalid({"wants": f"请写下正确的内容，最多 {LONGEST} 个字。"})
    if len(says) > LONGEST:
        raise Invalid({"says": f"最多 {LONGEST} 个字，现在有 {len(says)} 个。"})
    if actor.subject is None:
        raise Invalid({"wants": "请用本人账号报告。"})
    async with begin(cases.pool, cases.now) as tx:
        application: int | None = None
        if number is not None:
            case = await load_case(cases, tx.conn, number, lock=False)
            own_case(actor, case)
            application, place = case.application.id, place or case.application.place
        made = await open_correction(
            cases,
            tx,
            token=form_token,
            subject=actor.subject,
            reporter=actor.name,
            register=register,
            key=key,
            field=field,
            says=says.strip(),
            wants=text,
            place=place,
            application=application,
        )
        if made is None:
            found = await tx.conn.fetchval(QUERIES["correction_by_token"], form_token, actor.subject)
            if found is None:
                raise CaseNotFound()
            return str(found), None
        body = {"register": register, "field": field, "actor": {"kind": actor.kind, "channel": actor.channel}}
        await tx.conn.fetchval(
            QUERIES["append_entry"],
            "correction.report",
            body,
            actor.subject,
            {"correction": made[0], "key": key},
        )
        await tx.conn.fetchval(
            QUERIES["insert_notice"],
            actor.subject,
            application,
            None,
            "correction",
            f"您报告的错误已转给数据来源部门，编号 {made[0]}"
            + ("。" if made[1] is None else f"，最晚 {moment_words(made[1])}答复。"),
            tx.now,
        )
        return made
