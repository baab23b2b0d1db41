"""差评回访: a bad rating is verified, mended and asked about again, on the city's clocks, and whoever was rated is kept out."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product
from typing import Any

import asyncpg
import msgspec
import pytest
from family import MOTHER, STRANGER

from dizuo.engines import cases as engine
from dizuo.engines.cases import Act, Finding, FollowUpState, FollowUpStep
from dizuo.engines.cases.follow_up import act_in, choices_in, next_state
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.kernel.errors import Invalid, Refused

HOUSEHOLD = "household"
SAYS = "窗口说好的时间没有兑现"
S = FollowUpState


def supervisor(bench: Any, who: str = "o-9", name: str = "孙悦", place: str = "320213") -> Any:
    return bench.official("cases.supervise", place=place, post="district_supervisor", name=name, who=who)


async def rated(bench: Any, level: int = 1, says: str = SAYS) -> str:
    """An application that ended and was rated so on Monday 2026-11-23 at nine."""
    bench.now.set(datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI))
    receipt = await bench.submitted()
    await engine.withdraw(bench.cases, bench.resident(), receipt.number)
    await engine.rate(bench.cases, bench.resident(), receipt.number, level, says)
    return receipt.number


async def step(
    bench: Any, number: str, choice: str, says: str = "电话里说清楚了", *, who: Any = None, **more: Any
) -> Any:
    return await engine.take_follow_up_step(
        bench.cases, who or supervisor(bench), number, FollowUpStep(choice, says, **more)
    )


async def steps(bench: Any, number: str) -> list[tuple[str, str, str | None]]:
    async with bench.pg() as conn:
        rows = await conn.fetch(
            "SELECT s.act, s.choice, s.official FROM cases.follow_up_step s"
            " JOIN cases.follow_up f ON f.application = s.application WHERE f.number = $1 ORDER BY s.seq",
            number,
        )
    return [tuple(row.values()) for row in rows]


# --- pure: the table of states ----------------------------------------------------------------------------


def test_every_way_ends_and_every_choice_leads_somewhere() -> None:
    """From each state the end can be reached, and nothing leads on from it."""
    reached = {S.CLOSED}
    for _ in S:
        reached |= {
            s for s in S if act_in(s) and any(next_state(s, c) in reached for c in choices_in(s) or ("",))
        }
    assert reached == set(S)
    assert act_in(S.CLOSED) is None
    for state, choice in product(S, ("", "phone", "valid", "satisfied", "upheld", "anything")):
        if choice not in (choices_in(state) or ("",)) or state is S.CLOSED:
            with pytest.raises(Invalid):
                next_state(state, choice)


def test_only_what_was_a_mistake_or_malice_does_not_count() -> None:
    assert [one for one in Finding if not one.counts] == [Finding.MISTAKEN, Finding.MALICIOUS]


# --- opening ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [3, 4, 5])
async def test_a_rating_that_is_not_bad_starts_nothing(bench: Any, level: int) -> None:
    number = await rated(bench, level)
    told = await engine.progress(bench.cases, bench.resident(), number)
    assert (told.rating, told.followed) == (level, None)
    found, _ = await engine.follow_ups(bench.cases, supervisor(bench))
    assert number not in {line.number for line in found}


@pytest.mark.parametrize("level", [1, 2])
async def test_a_bad_rating_is_work_for_the_supervisor_on_the_citys_clock(bench: Any, level: int) -> None:
    number = await rated(bench, level)
    page = await engine.follow_up_page(bench.cases, supervisor(bench), number)
    assert (page.state, page.act, page.level, page.says) == (S.TO_VERIFY, Act.CONTACT, level, SAYS)
    assert page.rater == "林晓晴"
    assert page.contact_due is not None
    assert page.mend_due is not None
    # One working day after Monday is Tuesday; fifteen end on Monday three weeks on. Neither is Wuxi's own number.
    assert (page.contact_due.date().isoformat(), page.mend_due.date().isoformat()) == (
        "2026-11-24",
        "2026-12-14",
    )
    assert not page.verified
    queue = await engine.desk_queue(bench.cases, supervisor(bench), limit=500)
    row = next(row for row in queue.rows if row.number == number)
    assert (row.kind, row.applicant, row.due) == ("rating", "", page.contact_due)
    # Nobody else has it before them: not the police, not another district's supervisor.
    for others in (bench.official(), supervisor(bench, place="320281")):
        queue = await engine.desk_queue(bench.cases, others, limit=500)
        assert number not in {row.number for row in queue.rows}
    notices = await engine.notices_of(bench.cases, bench.resident())
    assert any(one.number == number and "督办" in one.says for one in notices)


# --- the whole way ----------------------------------------------------------------------------------------


async def test_from_the_rating_to_the_archive(bench: Any) -> None:
    number = await rated(bench)
    assert await step(bench, number, "phone") is S.VERIFYING
    with pytest.raises(Invalid) as wrong:  # a valid one needs somebody who mends it
        await step(bench, number, "valid")
    assert set(wrong.value.fields) == {"department"}
    assert await step(bench, number, "valid", "承诺的时间没有兑现", department="psb") is S.MENDING
    assert await step(bench, number, "", "窗口已改为当日回电") is S.TO_CALL
    assert await step(bench, number, "satisfied", "本人表示满意") is S.CLOSED
    told = (await engine.progress(bench.cases, bench.resident(), number)).followed
    assert told is not None
    assert (told.state, told.finding, told.outcome, told.due) == (S.CLOSED, Finding.VALID, "satisfied", None)
    assert told.department is not None
    assert told.department.zh == bench.cases.city.organisations["psb"].short.zh
    assert [one.act for one in told.done] == ["open", "contact", "find", "mend", "call"]
    assert {one.who for one in told.done} == {""}  # officials stay inside
    assert await steps(bench, number) == [
        ("open", "", None),
        ("contact", "phone", "o-9"),
        ("find", "valid", "o-9"),
        ("mend", "", "o-9"),
        ("call", "satisfied", "o-9"),
    ]
    queue = await engine.desk_queue(bench.cases, supervisor(bench), limit=500)
    assert number not in {row.number for row in queue.rows}
    _, ended = await engine.follow_ups(bench.cases, supervisor(bench))
    assert ended[0].number == number
    with pytest.raises(engine.FollowUpChanged):
        await step(bench, number, "phone")


async def test_whoever_is_still_unhappy_is_heard_by_another_official(bench: Any) -> None:
    number = await rated(bench)
    await step(bench, number, "unreached")
    await step(bench, number, "unfounded", "法律没有规定当日办结")
    assert await step(bench, number, "dissatisfied", "仍不认可") is S.REVIEWING
    with pytest.raises(engine.FollowUpSameReviewer):
        await step(bench, number, "upheld")
    other = supervisor(bench, "o-10", "曹刚", place="")
    bench.now.set(datetime(2026, 12, 1, 9, 0, tzinfo=SHANGHAI))
    with pytest.raises(Invalid):  # before, nobody had to mend it: somebody must be named now
        await step(bench, number, "again", "窗口应当一次说清", who=other)
    assert await step(bench, number, "again", "窗口应当一次说清", who=other, department="psb") is S.MENDING
    page = await engine.follow_up_page(bench.cases, other, number)
    assert page.finding is Finding.VALID
    assert page.mend_due is not None
    assert page.mend_due.date().isoformat() == "2026-12-22"  # fifteen workdays anew
    await step(bench, number, "", "已补发一次性告知单", who=other)
    assert await step(bench, number, "dissatisfied", "还是不满意", who=other) is S.REVIEWING
    assert await step(bench, number, "upheld", "处理已到位", who=other) is S.CLOSED


async def test_what_was_a_mistake_is_out_of_the_count(bench: Any) -> None:
    before = await engine.figures(bench.cases)
    number = await rated(bench, 2)
    assert (await engine.figures(bench.cases)).rated == before.rated + 1
    await step(bench, number, "phone")
    assert await step(bench, number, "mistaken", "本人说点错了") is S.TO_CALL
    assert (await engine.figures(bench.cases)).rated == before.rated


# --- who, and when ----------------------------------------------------------------------------------------


async def test_only_the_post_its_place_and_nobody_who_worked_on_it(bench: Any) -> None:
    number = await rated(bench)
    for others in (bench.official(), supervisor(bench, place="320281"), bench.official("window.serve")):
        with pytest.raises(Refused):
            await engine.follow_up_page(bench.cases, others, number)
        with pytest.raises(Refused):
            await step(bench, number, "phone", who=others)
    async with bench.pg() as conn:
        await conn.execute(
            "INSERT INTO cases.handled SELECT 'o-77', id, 'household', now() FROM cases.application WHERE number = $1",
            number,
        )
    with pytest.raises(engine.FollowUpRecused):
        await engine.follow_up_page(bench.cases, supervisor(bench, "o-77"), number)
    with pytest.raises(engine.CaseNotFound):
        await engine.follow_up_page(bench.cases, supervisor(bench), "WX00000000000000")
    with pytest.raises(engine.CaseNotFound):
        await engine.progress(bench.cases, bench.resident(STRANGER), number)


async def test_the_rated_learn_nothing_from_the_case(bench: Any) -> None:
    """The case's own history, the file and the export say that it was rated, not how, and nothing of what follows."""
    number = await rated(bench)
    await step(bench, number, "phone")
    await step(bench, number, "valid", "承诺的时间没有兑现", department="psb")
    async with bench.pg() as conn:
        names = [
            row["name"]
            for row in await conn.fetch(
                "SELECT e.name FROM cases.event e JOIN cases.application a ON a.id = e.application"
                " WHERE a.number = $1 ORDER BY seq",
                number,
            )
        ]
    assert names[-1] == "rated"
    for rail in ("waiting", "cooperating", "supervised", "mine"):
        queue = await engine.desk_queue(bench.cases, bench.official(), rail=rail, limit=500)
        assert SAYS not in msgspec.json.encode(queue.rows).decode()
        assert "rating" not in {row.kind for row in queue.rows}
    list_open, _ = await engine.follow_ups(bench.cases, supervisor(bench))
    assert "林晓晴" not in msgspec.json.encode(list_open).decode()


async def test_every_look_and_step_is_the_raters_to_see(bench: Any) -> None:
    number = await rated(bench)
    page = await engine.follow_up_page(bench.cases, supervisor(bench), number)
    await step(bench, number, "phone", "已电话了解情况")
    async with bench.pg() as conn:
        rows = await conn.fetch(
            "SELECT id, kind, body, payload, subject FROM ledger.entry WHERE payload->>'case' = $1 AND kind LIKE 'rating.%'"
            " ORDER BY id",
            number,
        )
    assert [row["kind"] for row in rows] == ["rating.view", "rating.step"]
    assert {row["subject"] for row in rows} == {bench.ids[MOTHER]}
    assert page.entry == rows[0]["id"]
    assert "已电话" not in str(rows[1]["body"])


async def test_what_nobody_takes_up_in_time_is_late_work(bench: Any) -> None:
    number = await rated(bench)
    page = await engine.follow_up_page(bench.cases, supervisor(bench), number)
    assert page.due is not None
    bench.now.set(page.due - timedelta(minutes=1))
    await bench.due()
    assert number not in await _late(bench)
    bench.now.set(page.due + timedelta(minutes=1))
    await bench.due()
    assert number in await _late(bench)
    assert ("overdue", "", None) in await steps(bench, number)
    # Taken up, it is on the longer clock, and late again when that is over.
    await step(bench, number, "phone")
    assert number not in await _late(bench)
    assert page.mend_due is not None
    bench.now.set(page.mend_due + timedelta(minutes=1))
    await bench.due()
    assert number in await _late(bench)
    # Found valid after its time, it does not become punctual by being handed on.
    await step(bench, number, "valid", department="psb")
    assert number in await _late(bench)


async def test_a_year_without_its_holidays_has_no_last_day(bench: Any) -> None:
    """Fifteen workdays from late December end in a year whose arrangement nobody published: unknown, not guessed."""
    number = await rated(bench)
    bench.now.set(datetime(2026, 12, 21, 9, 0, tzinfo=SHANGHAI))
    receipt = await bench.submitted()
    await engine.withdraw(bench.cases, bench.resident(), receipt.number)
    await engine.rate(bench.cases, bench.resident(), receipt.number, 1)
    page = await engine.follow_up_page(bench.cases, supervisor(bench), receipt.number)
    assert page.contact_due is not None
    assert page.mend_due is None
    await step(bench, receipt.number, "phone")
    told = (await engine.progress(bench.cases, bench.resident(), receipt.number)).followed
    assert told is not None
    assert told.due is None
    # It stands behind all that has a last day, and nobody calls it late.
    found, _ = await engine.follow_ups(bench.cases, supervisor(bench))
    numbers = [line.number for line in found]
    assert numbers.index(number) < numbers.index(receipt.number)
    bench.now.set(datetime(2026, 12, 30, 9, 0, tzinfo=SHANGHAI))
    await bench.due()
    assert receipt.number not in await _late(bench)


async def _late(bench: Any) -> set[str | None]:
    rail = await engine.desk_queue(bench.cases, supervisor(bench), rail="supervised", limit=500)
    assert all(row.applicant == "" for row in rail.rows)
    return {row.number for row in rail.rows if row.kind == "rating"}


async def test_a_colleague_was_faster(bench: Any) -> None:
    number = await rated(bench)
    page = await engine.follow_up_page(bench.cases, supervisor(bench), number)
    await step(bench, number, "phone", version=page.version)
    with pytest.raises(engine.FollowUpChanged) as late:
        await step(bench, number, "message", who=supervisor(bench, "o-10"), version=page.version)
    assert "孙悦" in late.value.message
    assert "核实中" in late.value.message


@pytest.mark.parametrize(
    ("choice", "says", "field"), [("", "写了", "choice"), ("valid", "写了", "choice"), ("phone", " ", "says"),
                                  ("phone", "长" * 2001, "says")],
)  # fmt: skip
async def test_a_step_that_is_not_right_changes_nothing(
    bench: Any, choice: str, says: str, field: str
) -> None:
    number = await rated(bench)
    with pytest.raises(Invalid) as wrong:
        await step(bench, number, choice, says)
    assert set(wrong.value.fields) == {field}
    assert [act for act, _, _ in await steps(bench, number)] == ["open"]


async def test_the_history_is_only_added_to(bench: Any) -> None:
    number = await rated(bench)
    for verb in ("UPDATE cases.follow_up_step SET says = ''", "DELETE FROM cases.follow_up_step"):
        async with bench.pg() as conn:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match=r"cases\.follow_up_step"):
                await conn.execute(verb)
    assert len(await steps(bench, number)) == 1


async def test_a_city_without_the_declaration_keeps_the_rating_and_starts_nothing(bench: Any) -> None:
    plain = msgspec.structs.replace(bench.cases.city, bad_rating=None)
    cases = engine.Cases(bench.cases.pool, plain, bench.cases.registers, bench.cases.policy, bench.now)
    receipt = await bench.submitted()
    await engine.withdraw(cases, bench.resident(), receipt.number)
    await engine.rate(cases, bench.resident(), receipt.number, 1)
    told = await engine.progress(cases, bench.resident(), receipt.number)
    assert (told.rating, told.followed) == (1, None)


# --- the department that mends ----------------------------------------------------------------------------


def head(bench: Any, unit: str = "psb", who: str = "o-40", place: str = "320213") -> Any:
    return bench.official(
        f"{unit}.approve", unit=unit, post=f"{unit}_head", name="钱勇", who=who, place=place
    )


async def to_mend(bench: Any) -> tuple[str, str]:
    """A rating found valid, and the number of the department's work."""
    number = await rated(bench)
    await step(bench, number, "phone")
    await step(bench, number, "valid", "承诺的时间没有兑现", department="psb")
    queue = await engine.desk_queue(bench.cases, head(bench, place="320200"), limit=500)
    (row,) = [row for row in queue.rows if row.kind == "mend" and row.number is not None][-1:]
    assert row.due is not None
    assert row.applicant == ""
    return number, str(row.number)


async def test_the_department_mends_what_it_is_told_and_no_more(bench: Any) -> None:
    number, work = await to_mend(bench)
    assert work.startswith("ZG")
    assert engine.read_number(work) == work
    place = (await bench.item(number, HOUSEHOLD))["unit"]
    page = await engine.mend_page(bench.cases, head(bench, place=place), work)
    assert (page.open, page.demand, page.answer) == (True, "承诺的时间没有兑现", "")
    everything = msgspec.json.encode(page).decode()
    for hidden in (number, "林晓晴", SAYS, "沐言", "孙悦"):
        assert hidden not in everything
    with pytest.raises(Invalid):
        await engine.answer_mend(bench.cases, head(bench, place=place), work, " ")
    await engine.answer_mend(
        bench.cases, head(bench, place=place), work, "已改为当日回电", version=page.version
    )
    assert (await steps(bench, number))[-1] == ("mend", "", "o-40")
    told = (await engine.progress(bench.cases, bench.resident(), number)).followed
    assert told is not None
    assert told.state is S.TO_CALL
    assert (told.done[-1].says, told.done[-1].who) == ("已改为当日回电", "")
    assert told.done[-1].department is not None
    after = await engine.mend_page(bench.cases, head(bench, place=place), work)
    assert (after.open, after.answer) == (False, "已改为当日回电")
    with pytest.raises(engine.FollowUpChanged):
        await engine.answer_mend(bench.cases, head(bench, place=place), work, "再写一次")
    queue = await engine.desk_queue(bench.cases, head(bench, place=place), limit=500)
    assert work not in {row.number for row in queue.rows}


async def test_mending_is_the_heads_of_that_department_and_place(bench: Any) -> None:
    _, work = await to_mend(bench)
    for others in (
        head(bench, "medical", place=""),
        head(bench, place="320281"),
        bench.official(),
        supervisor(bench),
    ):
        with pytest.raises(Refused):
            await engine.mend_page(bench.cases, others, work)
        with pytest.raises(Refused):
            await engine.answer_mend(bench.cases, others, work, "已改")
    with pytest.raises(engine.CaseNotFound):
        await engine.mend_page(bench.cases, head(bench), "ZG202611230000" + "00")


async def test_the_supervisor_may_enter_what_was_mended_otherwise(bench: Any) -> None:
    number, work = await to_mend(bench)
    assert await step(bench, number, "", "所里来电说已经改好") is S.TO_CALL
    queue = await engine.desk_queue(bench.cases, head(bench, place=""), limit=500)
    assert work not in {row.number for row in queue.rows}
