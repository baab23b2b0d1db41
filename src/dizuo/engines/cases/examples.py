"""A city's own Given/When/Then (tests.yaml), run through the planner without a database.

The example's facts stand in for the registers: only what the planner wants is handed out, so an example also
shows that nothing else is read. Used by ``dizuo check``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, cast

from dizuo.engines.cases.answers import complete, read_answers
from dizuo.engines.cases.compiled import CompiledMatter, calendar_of, compiled
from dizuo.engines.cases.plan import needs_to_read, plan
from dizuo.engines.cases.plan_model import Known, Plan, Value
from dizuo.engines.cases.planned_questions import answer_text
from dizuo.engines.registers import Candidate, Fact, PartyState
from dizuo.foundation.blueprint import City, Example, Finding
from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.kernel.clocks import Deadline

_ROUNDS = 6
_OPENING = time(9, 0)


def run_examples(city: City, examples: Iterable[Example]) -> tuple[Finding, ...]:
    """Every example that does not hold, with its place; empty when all hold."""
    calendar = calendar_of(city)
    findings: list[Finding] = []
    for example in examples:
        matter = city.matters.get(example.matter)
        if matter is None:
            findings.append(_finding(example, f"没有“{example.matter}”这件事。", "请检查文件夹的名字。"))
            continue
        findings += _run(compiled(city, matter), example, calendar)
    return tuple(findings)


def plan_example(
    ready: CompiledMatter, example: Example, calendar: WorkCalendar
) -> tuple[Plan, set[str], Mapping[str, str]]:
    """The plan of an example, the facts that were read for it, and what would keep it from being submitted."""
    now = _moment(example.given.get("today"))
    answers = {key: _text(value) for key, value in example.answers.items()}
    checked = read_answers(ready, answers, now.date())
    known, read = read_from(ready, _records(ready, example), checked.values, now)
    made = plan(ready.matter, ready.city, known, checked.values, now, calendar)
    return made, read, complete(made, checked)


def read_from(
    ready: CompiledMatter,
    records: Mapping[str, Mapping[str, Any] | Sequence[Mapping[str, Any]]],
    answers: Mapping[str, Value],
    now: datetime,
) -> tuple[Known, set[str]]:
    """Hand out wanted facts from plain records until the planner wants no more; also what was handed out."""
    known = Known({}, {})
    read: set[str] = set()
    for _ in range(_ROUNDS):
        wanted = needs_to_read(ready.matter, ready.city, known, answers, now)
        if wanted.nothing:
            break
        parties = known.parties or {party.id: _party(party.id, records) for party in ready.matter.parties}
        facts = dict(known.facts)
        for fact in wanted.facts:
            party, _, field = fact.partition(".")
            if parties[party].state != "found":
                continue
            record = cast("Mapping[str, Any]", records[party])
            declared = ready.fields[fact]
            facts[fact] = Fact(
                party,
                ready.parties[party].register,
                field,
                _json(record.get(field)),
                declared.source,
                now.date(),
                1,
            )
            read.add(fact)
        known = Known(parties, facts)
    return known, read


def _party(party: str, records: Mapping[str, Any]) -> PartyState:
    record = records.get(party)
    if record is None:
        return PartyState("missing")
    if isinstance(record, (list, tuple)):
        several = cast("Sequence[Mapping[str, Any]]", record)
        return PartyState(
            "choose",
            None,
            tuple(Candidate(str(i), {k: _json(v) for k, v in one.items()}) for i, one in enumerate(several)),
        )
    return PartyState("found", str(record.get("citizen_id") or record.get("uscc") or party))


def _records(ready: CompiledMatter, example: Example) -> Mapping[str, Any]:
    facts = dict(cast("Mapping[str, Any]", example.given.get("facts", {})))
    applicant = example.given.get("applicant")
    if isinstance(applicant, str) and applicant in facts:
        facts[ready.given] = facts[applicant]
    facts.setdefault(ready.given, {})
    return facts


def _run(ready: CompiledMatter, example: Example, calendar: WorkCalendar) -> list[Finding]:
    try:
        made, read, errors = plan_example(ready, example, calendar)
    except (KeyError, ValueError, TypeError) as error:
        return [_finding(example, f"这个例子写得不对：{error}", "given.facts 写成“参与方: {字段: 值}”。")]
    findings: list[Finding] = []
    for key, wanted in example.then.items():
        check = _CHECKS.get(key)
        if check is None:
            findings.append(_finding(example, f"then 里不认识“{key}”。", f"可以写：{'、'.join(_CHECKS)}。"))
            continue
        got = check(made, read, errors)
        if not _same(key, wanted, got):
            findings.append(
                _finding(
                    example,
                    f"{key} 应当是 {_show(wanted)}，算出来是 {_show(got)}。",
                    "请改声明，或改这个例子。",
                )
            )
    extra = sorted(
        fact
        for fact in read
        if not any(fact in i.needs_facts for i in made.applied) and fact not in ready.deciding.facts
    )
    if extra and not made.eligible and not made.undecided:
        lost = [
            f
            for f in extra
            if not any(f in n.facts for i in ready.matter.items if i.id in ready.sure for n in i.needs)
        ]
        if lost:
            findings.append(_finding(example, f"多读了 {'、'.join(lost)}。", "没有要办的事项需要它。"))
    return findings


_Check = Callable[[Plan, set[str], Mapping[str, str]], Any]
_CHECKS: Mapping[str, _Check] = {
    "applies": lambda p, r, e: [i.id for i in p.items if i.applies and not i.done_already],
    "not_applies": lambda p, r, e: [i.id for i in p.items if i.applies is False],
    "done": lambda p, r, e: [i.id for i in p.items if i.done_already],
    "undecided": lambda p, r, e: list(p.undecided),
    "asked": lambda p, r, e: [q.id for q in p.questions],
    "not_asked": lambda p, r, e: [q.id for q in p.questions],
    "silent": lambda p, r, e: [s.question for s in p.silent],
    "read_includes": lambda p, r, e: sorted(r),
    "not_read_includes": lambda p, r, e: sorted(r),
    "promised": lambda p, r, e: (
        p.promised.date.isoformat() if isinstance(p.promised, Deadline) else "unknown"
    ),
    "waits": lambda p, r, e: {i.id: list(i.waits_for) for i in p.items if i.waits_for},
    "consents": lambda p, r, e: {c.id: list(c.parties) for c in p.consents},
    "materials": lambda p, r, e: [m.id for m in p.materials],
    "visits": lambda p, r, e: p.counts.visits,
    "eligible": lambda p, r, e: not p.eligible,
    "choose": lambda p, r, e: list(p.choose),
    "errors": lambda p, r, e: sorted(e),
    "title": lambda p, r, e: p.title,
    "place": lambda p, r, e: p.place,
    "values": lambda p, r, e: {name: answer_text(value) for name, value in p.values.items()},
}


def _same(key: str, wanted: Any, got: Any) -> bool:
    if key in ("not_asked", "not_read_includes"):
        return not set(cast("Iterable[str]", wanted)) & set(got)
    if key == "read_includes":
        return set(cast("Iterable[str]", wanted)) <= set(got)
    if key in ("waits", "values"):
        return all(
            _plain(got.get(name)) == _plain(value)
            for name, value in cast("Mapping[str, Any]", wanted).items()
        )
    if key == "consents" and not isinstance(wanted, Mapping):
        return sorted(got) == sorted(cast("Iterable[str]", wanted))
    if isinstance(got, list):
        return sorted(cast("Iterable[str]", wanted)) == sorted(cast("list[str]", got))
    if isinstance(wanted, date):
        return wanted.isoformat() == got
    return wanted == got


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return sorted(str(part) for part in cast("Iterable[object]", value))
    return None if value is None else str(value)


def _show(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(str, cast("Iterable[object]", value))) + "]"
    return str(value)


def _moment(today: Any) -> datetime:
    if isinstance(today, datetime):
        return today if today.tzinfo else today.replace(tzinfo=SHANGHAI)
    day = today if isinstance(today, date) else date.fromisoformat(str(today))
    return datetime.combine(day, _OPENING, SHANGHAI)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def _finding(example: Example, message: str, fix: str) -> Finding:
    return Finding(
        code="example-fails", place=example.place, message=f"例子“{example.name}”：{message}", fix=fix
    )
