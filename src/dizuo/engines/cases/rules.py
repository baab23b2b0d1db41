"""Pure rules of the work on one item: which checks hold, which steps open, what a decision must carry."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from dizuo.engines.cases.compiled import CompiledMatter
from dizuo.engines.cases.errors import ExceptionsOpen, FixOnlyOnce, FixTooLate, ReasonMissing
from dizuo.engines.cases.model import ItemRow
from dizuo.engines.cases.scope import Scope
from dizuo.foundation.blueprint.model import City, Item, Organisation, Step
from dizuo.foundation.kernel.calendar import UnknownYear, WorkCalendar
from dizuo.foundation.kernel.errors import Invalid

UNDO_WINDOW: Final = timedelta(minutes=10)
FIX_NOTICE_WORKDAYS: Final = 5
"""补正要在收到材料之日起 5 个工作日内一次告知 (行政许可法第三十二条)."""

REASON_LIMIT: Final = 2_000


class OpenStep(msgspec.Struct, frozen=True):
    """A step that an official must do, with the power it takes and the exceptions to judge."""

    step: str
    kind: str
    power: str
    exceptions: tuple[str, ...]


class Position(msgspec.Struct, frozen=True):
    """Where an item stands in its step graph: done steps, open steps, checks, and whether all is decided."""

    done: tuple[str, ...]
    open: tuple[OpenStep, ...]
    passed: tuple[str, ...]
    exceptions: tuple[str, ...]

    @property
    def decided(self) -> bool:
        return not self.open


def advance(ready: CompiledMatter, item: Item, done: Collection[str], scope: Scope | None) -> Position:
    """Walk the step graph as far as the system can by itself.

    An auto step is done when every check of it holds. When one fails, whoever judges next sees it as an
    exception; when nobody judges after it, the auto step itself becomes an official's. ``scope`` None means
    that no checks are run again (after an official passed a step).
    """
    finished = dict.fromkeys(done)
    passed: list[str] = []
    carried: dict[str, tuple[str, ...]] = {}
    opened: dict[str, OpenStep] = {}
    moved = True
    while moved:
        moved = False
        for step in item.steps:
            if step.kind not in ("auto", "judge") or step.id in finished or step.id in opened:
                continue
            if not all(before in finished for before in step.after if _decides(item, before)):
                continue
            good, bad = _run_checks(ready, step, scope)
            passed += good
            bad = (*(check for before in step.after for check in carried.get(before, ())), *bad)
            if step.kind == "auto" and (not bad or _judged_after(item, step)):
                finished[step.id] = None
                carried[step.id] = bad
                moved = True
            else:
                opened[step.id] = OpenStep(step.id, _kind(item, step), _power(item, step), bad)
    exceptions = tuple(dict.fromkeys(check for step in opened.values() for check in step.exceptions))
    return Position(tuple(finished), tuple(opened.values()), tuple(passed), exceptions)


def _decides(item: Item, step_id: str) -> bool:
    return any(step.id == step_id and step.kind in ("auto", "judge") for step in item.steps)


def _judged_after(item: Item, step: Step) -> bool:
    return any(later.kind == "judge" and step.id in later.after for later in item.steps)


def _kind(item: Item, step: Step) -> str:
    first = next((s for s in item.steps if not s.after), item.steps[0])
    more = any(later.kind in ("auto", "judge") and step.id in later.after for later in item.steps)
    return "accept" if step is first and step.kind == "judge" and more else "judge"


def _power(item: Item, step: Step) -> str:
    """Who judges: the step's power, else the nearest declared one, else whoever approves in the department."""
    if step.power is not None:
        return step.power
    return next((s.power for s in item.steps if s.power is not None), f"{item.department}.approve")


def _run_checks(
    ready: CompiledMatter, step: Step, scope: Scope | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if scope is None:
        return (), ()
    good: list[str] = []
    bad: list[str] = []
    for check in step.checks:
        # What cannot be verified is not verified: an open or null rule is an exception too.
        (good if scope.value(ready.compile(check.rule)) is True else bad).append(check.id)
    return tuple(good), tuple(bad)


def check_decision(
    item: Item, exceptions: Iterable[str], verdict: str, reason: str, law: str, choices: Mapping[str, str]
) -> None:
    """Refuse a decision that lacks what law asks of it. Errors: ReasonMissing, ExceptionsOpen, Invalid."""
    if len(reason) > REASON_LIMIT:
        raise Invalid({"reason": f"理由最多 {REASON_LIMIT} 个字，现在有 {len(reason)} 个。"})
    if verdict == "refuse":
        missing: dict[str, str] = {}
        if len(reason.strip()) < 4:
            missing["reason"] = "不予办理要写明理由，申请人会看到。"
        if not law.strip():
            missing["law"] = "不予办理要写明法律依据。"
        if missing:
            raise ReasonMissing(missing, fix="写明哪一条要求没有满足、依据哪一条。")
        return
    checks = {check.id: check for step in item.steps for check in step.checks}
    open_now: dict[str, str] = {}
    for exception in exceptions:
        check = checks.get(exception)
        if check is None:
            continue
        allowed = {choice.id: choice for choice in check.choices if choice.effect == "continue"}
        chosen = choices.get(exception)
        if not check.choices:
            if not reason.strip():
                open_now["reason"] = f"“{check.exception.zh}”，准予时请写明理由。"
        elif chosen is None:
            open_now[f"choice_{exception}"] = f"请先处理：{check.exception.zh}"
        elif chosen not in allowed:
            open_now[f"choice_{exception}"] = "这个处理方式不能直接准予，请选择“继续办”，或改用相应的操作。"
    if open_now:
        raise ExceptionsOpen(open_now)


def check_law(city: City, law: str) -> str:
    """The article as people cite it. Errors: Invalid when the city declares no such article."""
    law_id, _, article = law.partition(":")
    found = city.laws.get(law_id)
    if found is None or (article and article not in found.articles):
        raise Invalid({"law": "没有这条法律依据，请从列表里选。"}, fix="写成“法律:条”，例如 hukou-1958:7。")
    return f"《{found.title.zh}》第{article}条" if article else f"《{found.title.zh}》"


def remedy(organisation: Organisation) -> str:
    """How to contest a refusal (救济途径): reconsideration within 60 days, suit within 6 months.

    Source: 行政复议法第二十条, 行政诉讼法第四十六条. The bodies are the organisation's declared ones.
    """
    return (
        f"如不服本决定，您可以自收到决定之日起 60 日内向{organisation.review_body.zh}申请行政复议，"
        f"也可以自收到决定之日起 6 个月内向{organisation.court.zh}提起行政诉讼。"
    )


def check_fix(item: ItemRow, now: datetime, calendar: WorkCalendar) -> None:
    """补正 is asked once, within 5 workdays of receipt. Errors: FixOnlyOnce, FixTooLate."""
    if item.fix_asked_at is not None:
        raise FixOnlyOnce()
    last = fix_notice_until(item.received_at or now, calendar)
    if last is not None and now > last:
        raise FixTooLate()


def fix_notice_until(received: datetime, calendar: WorkCalendar) -> datetime | None:
    """The last moment to ask for 补正; None when the calendar does not know."""
    try:
        return calendar.close_of(calendar.add_workdays(calendar.receipt_day(received), FIX_NOTICE_WORKDAYS))
    except UnknownYear:
        return None


def scopes_of(unit: str) -> tuple[str, ...]:
    """From where a task at a unit is seen: the whole city, its district, town, village."""
    return ("", *(unit[:length] for length in (6, 9, 12) if len(unit) >= length))


def unit_of(city: City, department: str, place: str | None) -> str:
    """The division whose unit of the department does the work at ``place``: the department's level or above."""
    organisation = city.organisations[department]
    code = place or city.code
    length = {"city": 0, "district": 6, "town": 9, "village": 12}[organisation.units_at]
    if length == 0 or code == city.code:
        return city.code
    return code[:length]
