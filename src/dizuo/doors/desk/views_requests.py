"""数据共享 as the desk's pages show it: the list by what is due first, and one request with the steps that may be taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import msgspec

from dizuo.engines.exchange import connection, requests
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.citing import law_text
from dizuo.web import Form
from dizuo.web.words import fill

from .telling import full_day, pick, when
from .views_connection import ConfirmView
from .views_queue import RailView
from .views_requests_form import FormMaker, Looked, LookupView

_KINDS = {
    "draft": "", "department_review": "info", "authority_review": "info", "supplement": "warn", "provider_reply": "info",
    "agreed": "warn", "provisioned": "ok", "in_use": "ok", "suspended": "warn", "expired": "", "ended": "", "refused": "bad",
    "dispute": "warn", "ruling": "warn",
}  # fmt: skip
_TONES = {"green": "", "yellow": "warn", "red": "bad", "black": "bad", "unknown": ""}
_STAGES = ("department_review", "authority_review", "provider_reply", "agreed", "in_use")
_REACHED = {
    "draft": 0, "department_review": 0, "authority_review": 1, "supplement": 1, "provider_reply": 2, "refused": 2, "dispute": 2,
    "ruling": 2, "agreed": 3, "provisioned": 4, "in_use": 4, "suspended": 4, "expired": 4, "ended": 4,
}  # fmt: skip


class ShareRow(msgspec.Struct, frozen=True):
    """One request in the list."""

    href: str
    number: str
    what: str
    who: str
    state: str
    kind: str
    left: str
    tone: str
    until: str


class ShareListView(msgspec.Struct, frozen=True):
    rail: RailView
    here: str
    may_ask: bool
    has_part: bool
    has_wire: bool
    mine: list[ShareRow]
    asked: list[ShareRow]
    answered: list[ShareRow]
    lookup: LookupView | None
    said: str


class StepView(msgspec.Struct, frozen=True):
    value: str
    label: str
    detail: str


class DoneView(msgspec.Struct, frozen=True):
    """One line of the record; ``notes`` are words, reason, time kept."""

    when: str
    iso: str
    what: str
    who: str
    notes: list[str]


class StageView(msgspec.Struct, frozen=True):
    name: str
    note: str
    state: str


class ShareView(msgspec.Struct, frozen=True):
    """One request; ``typed`` comes back after a step that could not be taken."""

    rail: RailView
    here: str
    number: str
    title: str
    state: str
    kind: str
    left: str
    tone: str
    until: str
    clock: str
    clock_law: str
    stages: list[StageView]
    lines: list[tuple[str, str]]
    right: list[tuple[str, str]]
    refusal: str
    may_write: bool
    may_discard: bool
    connection: str
    steps: list[StepView]
    step: str
    words: str
    reasons: list[StepView]
    reason: str
    waits: str
    version: int
    done: list[DoneView]
    errors: list[tuple[str, str]]
    said: str
    stale: str


class ShareMaker(FormMaker):
    """Turns what the engine tells into the templates' views."""

    def list(
        self,
        rail: RailView,
        lines: Sequence[requests.WorkLine],
        actors: Sequence[Actor],
        looked: Looked,
        said: str = "",
    ) -> ShareListView:
        """Mine by what is due first; then what my departments asked for, and what they are asked for."""
        units = {one.unit for one in actors}
        held = {power for one in actors for power in one.powers}
        rest = [line for line in lines if not line.mine]
        return ShareListView(
            rail=rail,
            here="shares",
            may_ask=requests.ASK in held,
            has_part=bool(held & set(requests.POWERS)),
            has_wire=bool(held & connection.ROLES),
            mine=[self._row(line) for line in lines if line.mine],
            asked=[self._row(line) for line in rest if line.request.department in units],
            answered=[self._row(line) for line in rest if line.request.department not in units],
            lookup=self.lookup(looked) if requests.ASK in held else None,
            said=said,
        )

    def _row(self, line: requests.WorkLine) -> ShareRow:
        request = line.request
        left, tone, until = self._left(line.timing)
        return ShareRow(
            href=f"/desk/shares/{request.number}",
            number=request.number,
            what=request.title or self.w["no_resource"],
            who=fill(self.w["who_asks"], asks=self.unit(request.department), of=self.unit(request.provider))
            if request.provider
            else self.unit(request.department),
            state=pick(requests.STATES[request.state], self.lang),
            kind=_KINDS[request.state],
            left=left,
            tone=tone,
            until=until,
        )

    def _left(self, timing: requests.Timing | None) -> tuple[str, str, str]:
        """(what is left, its tone, by when): an unknown year is said to be unknown."""
        if timing is None:
            return "", "", ""
        if timing.left is None or timing.due is None:
            return self.w["left_unknown"], "", timing.why
        key = "left_over" if timing.left < 0 else "left_today" if timing.left == 0 else "left_days"
        return fill(self.w[key], n=abs(timing.left)), _TONES[timing.level], full_day(timing.due, self.lang)

    # ------------------------------------------------------------- one request

    def one(
        self,
        rail: RailView,
        found: requests.RequestPage,
        lawful: Sequence[requests.Reason],
        sent: Form,
        errors: Mapping[str, str],
        *,
        said: str,
        stale: str,
        actors: Sequence[Actor] = (),
    ) -> ShareView:
        """The page, with what was typed."""
        request, timing = found.request, found.timing
        left, tone, until = self._left(timing)
        by = {"reject": "authority", "refuse": "provider"}
        givers = {by[step] for step in found.can if step in by}
        steps = [step for step in found.can if step not in ("submit", "supply")]
        return ShareView(
            rail=rail,
            here="shares",
            number=request.number,
            title=fill(
                self.w["one_title"],
                who=self.unit(request.department),
                what=request.title or self.w["no_resource"],
            ),
            state=pick(requests.STATES[request.state], self.lang),
            kind=_KINDS[request.state],
            left=left,
            tone=tone,
            until=until,
            clock=self._clock(timing),
            clock_law=law_text(self.city, timing.law, self.lang) if timing else "",
            stages=self._stages(request),
            lines=self._lines(found),
            right=self._right(found.grant, request),
            refusal=self._refusal(request, lawful),
            may_write="submit" in found.can or "supply" in found.can,
            may_discard=requests.drafter(actors, request) is not None,
            connection=self._connection(found, actors),
            steps=[self._step(step, request) for step in steps],
            step=sent.text("step"),
            words=sent.text("words"),
            reasons=[
                StepView(one.id, pick(one.name, self.lang), self._law(one.law, verified=one.verified))
                for one in lawful
                if one.by == "both" or one.by in givers
            ]
            if givers
            else [],
            reason=sent.text("reason"),
            waits="" if found.can and set(found.can) - {"withdraw"} else self._waits(request),
            version=request.version,
            done=[self._done(one, lawful) for one in reversed(found.steps)],
            errors=list(errors.items()),
            said=said,
            stale=stale,
        )

    def _connection(self, found: requests.RequestPage, actors: Sequence[Actor]) -> str:
        """Where those who use the right see how its calls go; '' for everybody else."""
        mine = any(
            one.unit == found.request.department and connection.ROLES & set(one.powers) for one in actors
        )
        return (
            f"/desk/connection?{urlencode({'unit': found.request.department})}"
            if found.grant and mine
            else ""
        )

    def discarding(self, rail: RailView, request: requests.Request, wrong: str) -> ConfirmView:
        """The page before a draft is deleted."""
        w, at = self.w, f"/desk/shares/{request.number}"
        return ConfirmView(
            rail, "shares", w["discard"], [(w["title"], "/desk/shares"), (request.number, at), (w["discard"], "")],
            [(w["number"], request.number), (w["resource"], request.title or self.w["no_resource"]), (w["purpose"], request.wish.purpose or w["not_yet"])],
            w["discard_says"], f"{at}/delete", request.version, w["discard_sure"], w["discard_go"], at, wrong,
        )  # fmt: skip

    def _clock(self, timing: requests.Timing | None) -> str:
        if timing is None:
            return ""
        declared = self.city.clocks[timing.clock]
        parts = [pick(declared.name, self.lang)]
        if timing.extended:
            parts.append(self.w["extended"])
        if not timing.verified:
            parts.append(self.w["unverified"])
        return self.w["and"].join(parts)

    def _stages(self, request: requests.Request) -> list[StageView]:
        """Where it is on its way; what is unconditional has no answer of a provider to wait for."""
        names = [name for name in _STAGES if not (name == "provider_reply" and request.share_type == 1)]
        reached = _STAGES[_REACHED[request.state]]
        at = names.index(reached) if reached in names else 1
        over = request.state in ("refused", "ended", "expired")
        return [
            StageView(
                self.w[f"stage_{name}"],
                pick(requests.STATES[request.state], self.lang) if n == at and request.state != name else "",
                "done"
                if n < at or (n == at and request.state == "in_use")
                else "now"
                if n == at and not over
                else "later",
            )
            for n, name in enumerate(names)
        ]

    def _lines(self, found: requests.RequestPage) -> list[tuple[str, str]]:
        w, request, wish = self.w, found.request, found.request.wish
        names = (
            {f[0]: (f[2] or f[1]) if self.lang == "en" else f[1] for f in found.resource.fields}
            if found.resource
            else {}
        )
        matter = self.city.matters.get(wish.matter)
        kind = requests.SHARE_TYPES.get(request.share_type or 0)
        lines = [
            (w["department"], self.unit(request.department)),
            (w["resource"], f"{request.title}（{wish.resource}）" if wish.resource else ""),
            (w["provider"], self.unit(request.provider) if request.provider else ""),
            (w["share_type"], pick(kind, self.lang) if kind else ""),
            (w["share_condition"], found.resource.share_condition if found.resource else ""),
            (w["fields"], w["list_sep"].join(names.get(one, one) for one in wish.fields)),
            (w["purpose"], wish.purpose),
            (w["basis"], self._law(wish.basis) if wish.basis else ""),
            (w["matter"], pick(matter.name, self.lang) if matter else wish.duty),
            (w["scope"], wish.scope),
            (w["methods"], w["list_sep"].join(pick(requests.METHODS[m], self.lang) for m in wish.methods)),
            (w["frequency"], pick(requests.FREQUENCIES[wish.frequency], self.lang) if wish.frequency else ""),
            (w["per_day"], fill(w["times_a_day"], n=wish.per_day) if wish.per_day else ""),
            (w["until"], full_day(wish.until, self.lang) if wish.until else ""),
            (w["responsible"], wish.responsible),
            (w["committed"], w["committed_yes"] if wish.committed else ""),
            (w["despite"], wish.despite),
        ]
        return [
            (label, value or w["not_yet"])
            for label, value in lines
            if value or label not in (w["despite"], w["share_condition"])
        ]

    def _right(self, grant: requests.Grant | None, request: requests.Request) -> list[tuple[str, str]]:
        if grant is None:
            return []
        w, state = self.w, grant.shown_state(self.now.date())
        return [
            (w["right_number"], str(grant.id)),
            (
                w["right_state"],
                pick(requests.GRANT_STATES[state], self.lang)
                + (f"　{grant.ended_why}" if grant.ended_why else ""),
            ),
            (
                w["right_days"],
                fill(
                    w["from_to"],
                    start=full_day(grant.starts, self.lang),
                    end=full_day(grant.expires, self.lang),
                ),
            ),
            (w["right_version"], str(grant.version)),
        ]

    def _refusal(self, request: requests.Request, lawful: Sequence[requests.Reason]) -> str:
        reason = next((one for one in lawful if one.id == request.refusal), None)
        if reason is None:
            return ""
        return fill(
            self.w["refused_why"],
            reason=pick(reason.name, self.lang),
            law=self._law(reason.law),
            words=request.refusal_words,
        )

    def _step(self, step: str, request: requests.Request) -> StepView:
        w = self.w
        return StepView(step, w[f"step_{step}"], w[f"step_{step}_says"])

    def _waits(self, request: requests.Request) -> str:
        key = f"waits_{request.state}"
        if key not in self.w:
            return ""
        return fill(
            self.w[key],
            asks=self.unit(request.department),
            of=self.unit(request.provider) if request.provider else "",
        )

    def _done(self, one: requests.Step, lawful: Sequence[requests.Reason]) -> DoneView:
        w = self.w
        reason = next((r for r in lawful if r.id == one.reason), None)
        notes = [pick(reason.name, self.lang)] if reason else []
        if one.words:
            notes.append(one.words)
        if one.in_time is not None and one.used is not None:
            notes.append(fill(w["in_time" if one.in_time else "late"], n=one.used))
        notes.append(fill(w["entry"], n=one.entry))
        post = self._post(one.unit, one.post)
        who = (
            w["system"]
            if one.actor == "system"
            else "　".join(part for part in (self.unit(one.unit) if one.unit else "", post, one.name) if part)
        )
        return DoneView(
            when(one.at, self.now, self.words["time"], self.lang),
            one.at.isoformat(timespec="minutes"),
            w[f"did_{one.event}"],
            who,
            notes,
        )

    def _post(self, unit: str, post: str) -> str:
        organisation = self.city.organisations.get(unit)
        return (
            next((pick(one.name, self.lang) for one in organisation.posts if one.id == post), post)
            if organisation
            else post
        )
