"""差评回访 as the pages show it: the list without whoever rated, and one rating with what is to be done now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from dizuo.engines.cases import (
    FollowUpDone,
    FollowUpLine,
    FollowUpPage,
    FollowUpState,
    FollowUpStep,
    MendPage,
)
from dizuo.foundation.blueprint.citing import law_text
from dizuo.foundation.blueprint.model import City
from dizuo.web.words import fill

from .telling import full_day, pick, remaining, when
from .views_queue import RailView

_KINDS = {
    FollowUpState.TO_VERIFY: "bad",
    FollowUpState.REVIEWING: "bad",
    FollowUpState.VERIFYING: "warn",
    FollowUpState.MENDING: "warn",
    FollowUpState.TO_CALL: "info",
    FollowUpState.CLOSED: "ok",
}


class RatingRow(msgspec.Struct, frozen=True):
    """One bad rating in the list."""

    href: str
    title: str
    number: str
    level: str
    since: str
    left: str
    late: bool
    state: str
    kind: str
    result: str


class RatingsView(msgspec.Struct, frozen=True):
    """The list."""

    rail: RailView
    here: str
    open: list[RatingRow]
    ended: list[RatingRow]
    more: str


class ChoiceView(msgspec.Struct, frozen=True):
    value: str
    label: str
    detail: str


class DoneView(msgspec.Struct, frozen=True):
    when: str
    iso: str
    what: str
    who: str


class RatingView(msgspec.Struct, frozen=True):
    """One bad rating; ``act`` is empty at the end, ``typed`` and ``errors`` come back after a form that was not right."""

    rail: RailView
    here: str
    number: str
    title: str
    unit: str
    state: str
    kind: str
    left: str
    late: bool
    until: str
    lines: list[tuple[str, str]]
    clocks: str
    act: str
    act_says: str
    may_act: bool
    choices: list[ChoiceView]
    choice: str
    departments: list[ChoiceView]
    department: str
    typed: str
    version: int
    done: list[DoneView]
    looked: str
    errors: list[tuple[str, str]]
    said: str
    stale: str


class MendView(msgspec.Struct, frozen=True):
    """What a department is to mend."""

    rail: RailView
    here: str
    number: str
    title: str
    left: str
    late: bool
    until: str
    lines: list[tuple[str, str]]
    law: str
    open: bool
    typed: str
    version: int
    errors: list[tuple[str, str]]
    stale: str


class RatingMaker:
    """Turns what the engine tells into the templates' views."""

    def __init__(self, city: City, now: dt.datetime, lang: str, words: dict[str, dict[str, str]]) -> None:
        self.city = city
        self.now = now
        self.lang = lang
        self.words = words
        self.w = words["rating"]

    def list(
        self, rail: RailView, found: Sequence[FollowUpLine], ended: Sequence[FollowUpLine]
    ) -> RatingsView:
        """The open ones as they are due, and those that ended last."""
        return RatingsView(
            rail=rail,
            here="ratings",
            open=[self._row(one) for one in found],
            ended=[self._row(one) for one in ended],
            more=fill(self.w["first"], n=len(found)) if len(found) >= 200 else "",
        )

    def _row(self, one: FollowUpLine) -> RatingRow:
        closed = one.closed_at
        return RatingRow(
            href=f"/desk/ratings/{one.number}",
            title=pick(one.matter, self.lang),
            number=one.number,
            level=self.w[f"level_{one.level}"],
            since=when(closed or one.opened_at, self.now, self.words["time"], self.lang),
            left="" if closed else remaining(one.due, self.now, self.words["time"]),
            late=closed is None and one.due is not None and one.due < self.now,
            state=self.w[f"state_{one.state.value}"],
            kind=_KINDS[one.state],
            result=self._result(one.finding, one.outcome),
        )

    def _result(self, finding: str | None, outcome: str | None) -> str:
        parts = [self.w[f"choice_{finding}"]] if finding else []
        if outcome:
            parts.append(self.w[f"outcome_{outcome}"])
        return self.w["and"].join(parts)

    def view(
        self,
        rail: RailView,
        found: FollowUpPage,
        step: FollowUpStep,
        errors: Mapping[str, str],
        *,
        said: str = "",
        stale: str = "",
    ) -> RatingView:
        """The page, with what was typed."""
        w, act = self.w, found.act.value if found.act else ""
        # What the state does not ask for any more is a sign of an old page, and no field of this one.
        wrong = {name: text for name, text in errors.items() if name != "choice" or found.choices}
        return RatingView(
            rail=rail,
            here="ratings",
            number=found.number,
            title=pick(found.matter, self.lang),
            unit=found.unit_name,
            state=w[f"state_{found.state.value}"],
            kind=_KINDS[found.state],
            left=remaining(found.due, self.now, self.words["time"]) if act else "",
            late=found.due is not None and found.due < self.now,
            until=full_day(found.due, self.lang),
            lines=self._lines(found),
            clocks=self._clocks(found),
            act=w[f"act_{act}"] if act else "",
            act_says=w["says_mend_alone" if act == "mend" and not found.handed_over else f"says_{act}"]
            if act
            else "",
            may_act=found.may_act,
            choices=[ChoiceView(one, w[f"choice_{one}"], w[f"about_{one}"]) for one in found.choices],
            choice=step.choice,
            departments=[ChoiceView(id_, pick(name, self.lang), "") for id_, name in found.departments]
            if act in ("find", "review")
            else [],
            department=step.department,
            typed=step.says,
            version=found.version,
            done=[self._done(one) for one in reversed(found.done)],
            looked=fill(w["looked"], n=found.entry),
            errors=list(wrong.items()),
            said=said,
            stale=stale,
        )

    def _lines(self, found: FollowUpPage) -> list[tuple[str, str]]:
        w = self.w
        items = [
            fill(w["item_by"], item=pick(name, self.lang), by=pick(by, self.lang)) for name, by in found.items
        ]
        lines = [
            (w["level"], w[f"level_{found.level}"]),
            (w["words"], found.says or w["no_words"]),
            (w["rater"], found.rater),
            (w["rated_at"], when(found.rated_at, self.now, self.words["time"], self.lang)),
            (w["items"], w["next"].join(items)),
        ]
        if found.finding:
            lines.append((w["finding"], w[f"choice_{found.finding.value}"]))
        if found.department:
            lines.append((w["department"], pick(found.department, self.lang)))
        if found.outcome:
            lines.append((w["outcome"], w[f"outcome_{found.outcome}"]))
        return lines

    def _clocks(self, found: FollowUpPage) -> str:
        days = [
            fill(self.w[name], day=full_day(day, self.lang))
            for name, day in (("contact_by", found.contact_due), ("mend_by", found.mend_due))
            if day is not None
        ]
        law = law_text(self.city, found.law, self.lang)
        unsure = "" if found.verified else self.w["unverified"]
        return " ".join(part for part in (*days, fill(self.w["by_law"], law=law), unsure) if part)

    def _done(self, one: FollowUpDone) -> DoneView:
        what = self.w[f"did_{one.act}"]
        if one.choice:
            what = fill(self.w["did_so"], what=what, choice=self.w[f"choice_{one.choice}"])
        who = [pick(one.department, self.lang) if one.department else "", one.who, one.says]
        return DoneView(
            when(one.at, self.now, self.words["time"], self.lang),
            one.at.isoformat(timespec="minutes"),
            what,
            "　".join(part for part in who if part),
        )

    def mending(
        self, rail: RailView, found: MendPage, typed: str, errors: Mapping[str, str], stale: str
    ) -> MendView:
        """The department's page, with what was typed."""
        w = self.words["mend"]
        lines = [
            (w["department"], pick(found.department, self.lang)),
            (w["items"], self.w["next"].join(pick(name, self.lang) for name in found.items)),
            (w["demand"], found.demand),
            (w["asked"], when(found.asked_at, self.now, self.words["time"], self.lang)),
        ]
        if found.answered_at is not None:
            at = when(found.answered_at, self.now, self.words["time"], self.lang)
            lines.append((w["answered"], f"{at}　{found.answer}"))
        return MendView(
            rail=rail,
            here="waiting",
            number=found.number,
            title=pick(found.matter, self.lang),
            left=remaining(found.due, self.now, self.words["time"]) if found.open else "",
            late=found.due is not None and found.due < self.now,
            until=full_day(found.due, self.lang),
            lines=lines,
            law=law_text(self.city, found.law, self.lang),
            open=found.open,
            typed=typed,
            version=found.version,
            errors=list(errors.items()),
            stale=stale,
        )
