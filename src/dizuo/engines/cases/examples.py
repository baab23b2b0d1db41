"""A city's own Given/When/Then (tests.yaml), run through the planner without a database.

The example's facts stand in for the registers: only what the planner wants is handed out, so an example also
shows that nothing else is read. Used by ``dizuo check``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple, cast

import msgspec

from dizuo.engines.cases.answers import complete, read_answers
from dizuo.engines.cases.compiled import CompiledMatter, calendar_of, compiled
from dizuo.engines.cases.plan import deciding, needs_to_read, plan
from dizuo.engines.cases.plan_model import Known, Plan, Value
from dizuo.engines.cases.planned_questions import answer_text
from dizuo.engines.cases.rules import advance
from dizuo.engines.cases.scope import Open
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


class Outcome(NamedTuple):
    """What comes of an example: all that its ``then`` can speak of.

    ``exceptions`` are what the items' own checks would leave to a person; they mean nothing while ``errors`` or an
    unmet condition keep the application from being submitted.
    """

    ready: CompiledMatter
    plan: Plan
    read: set[str]
    values: Mapping[str, Value]
    errors: Mapping[str, str]
    exceptions: tuple[str, ...]


def plan_example(ready: CompiledMatter, example: Example, calendar: WorkCalendar) -> Outcome:
    """The plan of an example, the facts that were read for it, what would keep it from being submitted, and what its
    items' own checks would leave to a person."""
    now = _moment(example.given.get("today"))
    answers = {key: _text(value) for key, value in example.answers.items()}
    checked = read_answers(ready, answers, now.date())
    known, read = read_from(ready, _records(ready, example), checked.values, now)
    made = plan(ready.matter, ready.city, known, checked.values, now, calendar)
    scope = deciding(ready, known, checked.values, now).scope
    exceptions = tuple(
        f"{item.id}.{check}"
        for item in made.applied
        for check in advance(ready, ready.items[item.id], (), scope).exceptions
        if not (item.waits_for and _written_later(ready, known, item.id, check))
    )
    named = {name: scope.value(expression) for name, expression in ready.names.items()}
    values = {name: value for name, value in named.items() if not isinstance(value, Open)}
    return Outcome(ready, made, read, values, complete(made, checked), exceptions)


def _written_later(ready: CompiledMatter, known: Known, item: str, check: str) -> bool:
    """Whether a check reads somebody who is in no register yet: the item that this one waits for may write them."""
    rules = (c.rule for step in ready.items[item].steps for c in step.checks if c.id == check)
    parties = {fact.partition(".")[0] for rule in rules for fact in ready.compile(rule).facts}
    return any(known.parties[party].state == "missing" for party in parties)


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
        seen = ready.reached(wanted.facts, wanted.parties)
        parties = {**known.parties, **{party: _party(party, records) for party in seen}}
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
        outcome = plan_example(ready, example, calendar)
    except (KeyError, ValueError, TypeError) as error:
        return [_finding(example, f"这个例子写得不对：{error}", "given.facts 写成“参与方: {字段: 值}”。")]
    made, read = outcome.plan, outcome.read
    findings: list[Finding] = []
    for key, wanted in example.then.items():
        if key == "exceptions" and (why := _not_submitted(outcome)):
            findings.append(
                _finding(
                    example, f"还不能提交（{why}），说不出有哪些例外。", "把回答写全，或去掉 exceptions。"
                )
            )
            continue
        got = CHECKS[key](outcome)
        if isinstance(wanted, Mapping):  # an example speaks of some values only
            got = {name: got.get(name) for name in cast("Mapping[str, Any]", wanted)}
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


def _not_submitted(outcome: Outcome) -> str:
    """What keeps the application from being submitted; empty when nothing does."""
    if outcome.plan.eligible:
        return "不符合办理条件"
    missing = [*outcome.plan.choose, *sorted(outcome.errors)]
    return f"还缺 {'、'.join(missing)}" if missing else ""


CHECKS: Mapping[str, Callable[[Outcome], Any]] = {
    "eligible": lambda o: not o.plan.eligible,
    "applies": lambda o: [item.id for item in o.plan.applied],
    "not_applies": lambda o: [item.id for item in o.plan.items if item.applies is False],
    "done_already": lambda o: [item.id for item in o.plan.items if item.done_already],
    "exceptions": lambda o: list(o.exceptions),
    "waits": lambda o: {item.id: list(item.waits_for) for item in o.plan.items if item.waits_for},
    "asked": lambda o: [question.id for question in o.plan.questions],
    "not_asked": lambda o: [question.id for question in o.plan.questions],
    "silent": lambda o: [silent.question for silent in o.plan.silent],
    "errors": lambda o: sorted(o.errors),
    "choose": lambda o: list(o.plan.choose),
    "reads": lambda o: sorted(o.read),
    "not_read_includes": lambda o: sorted(o.read),
    "consents": lambda o: [consent.id for consent in o.plan.consents],
    "materials": lambda o: [material.id for material in o.plan.materials],
    "documents": lambda o: [d for i in o.plan.applied if (d := o.ready.items[i.id].document) is not None],
    "promised": lambda o: (
        o.plan.promised.date.isoformat() if isinstance(o.plan.promised, Deadline) else "unknown"
    ),
    "counts": lambda o: msgspec.structs.asdict(o.plan.counts),
    "values": lambda o: {name: answer_text(value) for name, value in o.values.items()},
    "title": lambda o: o.plan.title,
    "where": lambda o: o.plan.place,
}
"""What the plan says to each key that an example may hold (blueprint's ``THEN_KEYS``; a test holds the two together)."""


def _same(key: str, wanted: Any, got: Any) -> bool:
    if key in ("not_asked", "not_read_includes"):
        return not set(cast("Iterable[str]", wanted)) & set(got)
    if key == "reads":
        return set(cast("Iterable[str]", wanted)) <= set(got)
    if key in ("waits", "values", "counts"):
        return all(
            _plain(got.get(name)) == _plain(value)
            for name, value in cast("Mapping[str, Any]", wanted).items()
        )
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
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, object]", value).items()
        return "{" + ", ".join(f"{name}: {_show(one)}" for name, one in pairs) + "}"
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
