"""The audit's tickets as pages show them: by department and rule, and one ticket with its way and what may be done now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

import msgspec

from dizuo.engines.exchange import catalogue
from dizuo.engines.lake import review
from dizuo.foundation.blueprint.model import City
from dizuo.web.format import moment, thousands
from dizuo.web.words import fill

from .saying import Saying
from .views_catalogue import href_of

FILTERS: Final = ("organisation", "rule", "state")
_TONES: Final = {"high": "bad", "mid": "warn", "low": ""}
_STATE_TONES: Final = {"found": "warn", "assigned": "info", "claimed": "info", "mending": "info", "review": "warn", "returned": "bad", "closed": "ok"}  # fmt: skip
_WAY: Final = ("found", "assigned", "claimed", "mending", "review", "closed")


class TicketRow(msgspec.Struct, frozen=True):
    id: int
    rule: str
    says: str
    organisation: str
    severity: str
    severity_tone: str
    state: str
    state_tone: str
    since: str
    again: str


class CountRow(msgspec.Struct, frozen=True):
    """A department or a rule with how many tickets stand and were closed; ``href`` shows them."""

    what: str
    says: str
    open: str
    closed: str
    href: str
    on: bool


class AuditView(msgspec.Struct, frozen=True):
    here: str
    steward: bool
    totals: list[tuple[str, str, str]]
    last: str
    departments: list[CountRow]
    rules: list[CountRow]
    states: list[CountRow]
    tickets: list[TicketRow]
    clear: str


class WayLine(msgspec.Struct, frozen=True):
    name: str
    state: str


class StepLine(msgspec.Struct, frozen=True):
    when: str
    what: str
    says: str


class ActLine(msgspec.Struct, frozen=True):
    value: str
    label: str


class TicketView(msgspec.Struct, frozen=True):
    """One ticket; ``acts`` are the steps that the reader may take now, ``noted`` says that one of them wants a note."""

    here: str
    steward: bool
    id: int
    version: int
    title: str
    rule: str
    severity: str
    severity_tone: str
    state: str
    state_tone: str
    says: str
    fix: str
    facts: list[tuple[str, str, str]]
    way: list[WayLine]
    steps: list[StepLine]
    acts: list[ActLine]
    noted: bool
    note: str
    errors: list[tuple[str, str]]
    stale: str


class AuditMaker(Saying):
    """Makes the audit's pages in one language."""

    def __init__(self, city: City, lang: str, words: Mapping[str, dict[str, str]]) -> None:
        super().__init__(city, lang)
        self.w = words["audit"]

    def listed(
        self,
        found: Sequence[catalogue.Finding],
        counts: Sequence[catalogue.FindingCount],
        last: catalogue.AuditRun | None,
        asked: Mapping[str, str],
    ) -> AuditView:
        """The tickets that were asked for, and the counts of all."""
        waiting = sum(one.findings for one in counts if one.state != "closed")
        closed = sum(one.findings for one in counts if one.state == "closed")
        grave = sum(1 for one in found if one.severity == "high" and one.state != "closed")
        total = waiting + closed
        return AuditView(
            here="audit", steward=False,
            totals=[
                (self.w["t_open"], thousands(waiting), self.w["t_open_why"]),
                (self.w["t_grave"], thousands(grave), self.w["t_grave_why"]),
                (self.w["t_closed"], thousands(closed), self.w["t_closed_why"]),
                (self.w["t_rate"], f"{100 * closed // total}%" if total else "—", self.w["t_rate_why"]),
            ],
            last=self.w["never"] if last is None else fill(
                self.w["last"], when=moment(last.at, self.lang), cause=self.w.get(f"cause_{last.cause}", last.cause), opened=last.opened,
                closed=last.closed + 0, again=last.reopened,
            ),
            departments=self._counted("organisation", counts, asked), rules=self._counted("rule", counts, asked),
            states=self._counted("state", counts, asked), tickets=[self._row(one) for one in found],
            clear="/data/audit" if any(asked.get(name) for name in FILTERS) else "",
        )  # fmt: skip

    def _counted(
        self, name: str, counts: Sequence[catalogue.FindingCount], asked: Mapping[str, str]
    ) -> list[CountRow]:
        stand: dict[str, list[int]] = {}
        for one in counts:
            pair = stand.setdefault(str(getattr(one, name)), [0, 0])
            pair[one.state == "closed"] += one.findings
        order = {state: place for place, state in enumerate(catalogue.FINDING_STATES)}

        def first(value: str) -> tuple[int, int, str]:
            """States in the order in which they follow, others by how much waits."""
            return (
                (order.get(value, 0), 0, value) if name == "state" else (-stand[value][0], len(value), value)
            )

        rows: list[CountRow] = []
        for value in sorted(stand, key=first):
            on = asked.get(name) == value
            pairs = {other: asked.get(other, "") for other in FILTERS} | {name: "" if on else value}
            query = urlencode({other: text for other, text in pairs.items() if text})
            waiting, closed = stand[value]
            rows.append(
                CountRow(
                    self._named(name, value), self.pick(catalogue.RULES[value].name) if name == "rule" and value in catalogue.RULES else "",
                    thousands(waiting), thousands(closed), f"/data/audit{f'?{query}' if query else ''}", on,
                )
            )  # fmt: skip
        return rows

    def _named(self, name: str, value: str) -> str:
        if name == "organisation":
            return self.unit(value)
        return self.w[f"state_{value}"] if name == "state" else value

    def _row(self, one: catalogue.Finding) -> TicketRow:
        return TicketRow(
            one.id, one.rule, one.says(self.lang), self.unit(one.organisation), self.w[f"sev_{one.severity}"], _TONES[one.severity],
            self.w[f"state_{one.state}"], _STATE_TONES[one.state], moment(one.found_at, self.lang),
            fill(self.w["again"], n=one.reopened) if one.reopened else "",
        )  # fmt: skip

    def ticket(
        self, one: catalogue.Finding, steps: Sequence[catalogue.FindingMove], who: review.Steward | None,
        *, note: str = "", errors: Mapping[str, str] | None = None, stale: str = "",
    ) -> TicketView:  # fmt: skip
        """One ticket, with what ``who`` may do about it."""
        rule = catalogue.RULES[one.rule]
        acts = [
            ActLine(to, self.w[f"act_{to}"])
            for to in catalogue.STEPS[one.state]
            if who is not None and catalogue.may_move(self.city, who, one, to)
        ]
        return TicketView(
            here="audit", steward=who is not None, id=one.id, version=one.version, title=fill(self.w["ticket"], n=one.id),
            rule=f"{one.rule} {self.pick(rule.name)}", severity=self.w[f"sev_{one.severity}"], severity_tone=_TONES[one.severity],
            state=self.w[f"state_{one.state}"], state_tone=_STATE_TONES[one.state], says=one.says(self.lang), fix=one.fix(self.lang),
            facts=[
                (self.w["c_owner"], f"{self.unit(one.organisation)}{self._post(one)}", ""),
                (self.w["c_about"], one.about, href_of(one.resource) if one.resource else ""),
                (self.w["c_found"], moment(one.found_at, self.lang), ""),
                (self.w["c_seen"], moment(one.seen_at, self.lang), ""),
                (self.w["c_reopened"], thousands(one.reopened), ""),
            ],
            way=self._way(one.state), steps=[self._step(step) for step in steps], acts=acts,
            noted=any(act.value in catalogue.NOTED for act in acts), note=note, errors=list((errors or {}).items()), stale=stale,
        )  # fmt: skip

    def _post(self, one: catalogue.Finding) -> str:
        known = self.city.organisations.get(one.organisation)
        post = next((post for post in known.posts if post.id == one.post), None) if known else None
        return f" {self.pick(post.name)}" if post else ""

    def _way(self, state: str) -> list[WayLine]:
        at = _WAY.index("claimed" if state == "returned" else state)
        return [
            WayLine(self.w[f"state_{name}"], "done" if place < at else "now" if place == at else "later")
            for place, name in enumerate(_WAY)
        ]

    def _step(self, step: catalogue.FindingMove) -> StepLine:
        by = self.w["by_audit"] if step.by == "audit" else self.w["by_person"]
        # What the audit itself writes is said in the reader's language by the step; a person's note stays as written.
        note = "" if step.by == "audit" and self.lang == "en" else step.note
        says = f"{by}{self.w['dot']}{note}" if note else by
        return StepLine(moment(step.at, self.lang), self.w[f"state_{step.became}"], says)
