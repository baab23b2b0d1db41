"""Forms and lists around people: applications, tickets, showcases, what waits for officials."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from dizuo.engines.opendata import DatasetSeen, Stopped, people
from dizuo.foundation.kernel.clock_source import to_shanghai

from .views import OpenMaker


class Choice(msgspec.Struct, frozen=True):
    """One thing to choose."""

    value: str
    label: str
    detail: str = ""
    on: bool = False


class FormView(msgspec.Struct, frozen=True):
    """A form: where it goes, what was written, what is wrong, what there is to choose."""

    here: str
    title: str
    says: str
    dataset: str
    dataset_title: str
    given: Mapping[str, str]
    errors: Mapping[str, str]
    summary: tuple[tuple[str, str], ...]
    choices: tuple[Choice, ...] = ()


class Line(msgspec.Struct, frozen=True):
    """One thing in a list: what, about which dataset (title, address), how it stands, until when, what was answered."""

    id: int
    kind: str
    about: str
    href: str
    said: str
    state: str
    tone: str
    when: str
    due: str
    reply: str
    step: str = ""
    extra: str = ""
    link: str = ""
    late: bool = False


class ListView(msgspec.Struct, frozen=True):
    """A list of lines; ``done`` says what just happened."""

    here: str
    lines: tuple[Line, ...]
    done: str = ""


class StoppedShown(msgspec.Struct, frozen=True):
    """A dataset that the gate stopped: what it is called, where its report is, what is served meanwhile, when."""

    title: str
    href: str
    says: str
    when: str


class DeskView(msgspec.Struct, frozen=True):
    """What waits for officials."""

    here: str
    applications: tuple[Line, ...]
    tickets: tuple[Line, ...]
    showcases: tuple[Line, ...]
    stopped: tuple[StoppedShown, ...]
    reviews: bool
    errors: tuple[tuple[str, str], ...]
    kept: Mapping[str, str]


_TONES = {
    "submitted": "info", "accepted": "info", "approved": "warn", "open": "ok", "reported": "ok", "refused": "bad",
    "ended": "", "agreed": "ok", "declined": "bad", "shown": "ok", "expired": "",
}  # fmt: skip


class PeopleMaker:
    """Makes these views in one language."""

    def __init__(self, base: OpenMaker) -> None:
        self.base = base
        self.w = base.words["people"]

    def apply(self, seen: DatasetSeen, given: Mapping[str, str], errors: Mapping[str, str]) -> FormView:
        """The form of an application."""
        condition = seen.condition_en if self.base.lang == "en" and seen.condition_en else seen.condition
        return self._view("apply", seen, given, errors, condition)

    def ask(self, seen: DatasetSeen | None, given: Mapping[str, str], errors: Mapping[str, str]) -> FormView:
        """The form of a ticket."""
        kinds = [kind for kind in people.TICKETS if kind != "correction" or seen is not None]
        choices = tuple(Choice(kind, self.w[f"kind_{kind}"], self.w[f"kind_{kind}_says"]) for kind in kinds)
        return self._view("ask", seen, given, errors, self.w["ask_says"], choices)

    def showcase(
        self,
        titles: Mapping[str, str],
        given: Mapping[str, str],
        used: Sequence[str],
        errors: Mapping[str, str],
    ) -> FormView:
        """The form of a showcase."""
        choices = tuple(Choice(id, title, "", id in used) for id, title in sorted(titles.items()))
        return self._view("showcase", None, given, errors, self.w["showcase_says"], choices)

    def _view(
        self, what: str, seen: DatasetSeen | None, given: Mapping[str, str], errors: Mapping[str, str], says: str,
        choices: tuple[Choice, ...] = (),
    ) -> FormView:  # fmt: skip
        filled = {
            name: given.get(name, "")
            for name in ("kind", "text", "place", "unit", "purpose", "until", "title", "url", "maker")
        }
        title = seen.called(self.base.lang) if seen else ""
        return FormView(
            "asks" if what == "ask" else "showcases" if what == "showcase" else "find",
            self.w[f"{what}_title"], says, seen.id if seen else "", title, filled,
            {name: errors.get(name, "") for name in (*filled, "datasets")}, tuple(errors.items()), choices,
        )  # fmt: skip

    def asks(self, answered: Sequence[people.Ticket], titles: Mapping[str, str]) -> ListView:
        """Answered tickets for everybody."""
        return ListView("asks", tuple(self._ticket(one, titles) for one in answered))

    def showcases(self, shown: Sequence[people.Showcase], titles: Mapping[str, str]) -> ListView:
        """Showcases for everybody."""
        return ListView("showcases", tuple(self._showcase(one, titles) for one in shown))

    def mine(
        self, own: Sequence[people.Own], titles: Mapping[str, str], done: str, today: dt.date
    ) -> ListView:
        """What somebody asked for."""
        said = self.w.get(f"done_{done}", "")
        return ListView("mine", tuple(self._own(one, titles, today) for one in own), said)

    def _own(self, one: people.Own, titles: Mapping[str, str], today: dt.date) -> Line:
        over = (
            one.what == "application"
            and one.state in ("open", "reported")
            and one.until is not None
            and one.until < today
        )
        state = "expired" if over else one.state
        prefix = {"application": "state", "ticket": "ticket", "showcase": "showcase"}[one.what]
        kind = self.w[f"kind_{one.kind}"] if one.what == "ticket" else self.w[f"what_{one.what}"]
        step = {"approved": "sign", "open": "report"}.get(state, "") if one.what == "application" else ""
        waits = state in ("submitted", "accepted") or (one.what == "ticket" and state == "open")
        until = self.w["until"].format(day=one.until) if one.until else ""
        return Line(
            one.id, kind, titles.get(one.dataset or "", one.dataset or ""), f"/open/data/{one.dataset}" if one.dataset in titles else "",
            one.said, self.w[f"{prefix}_{state}"], _TONES.get("submitted" if one.what == "ticket" and state == "open" else state, "info"), f"{to_shanghai(one.made_at):%Y-%m-%d}",
            self.w["due"].format(day=one.due) if one.due and waits else until,
            one.reply, step,
        )  # fmt: skip

    def _ticket(self, one: people.Ticket, titles: Mapping[str, str]) -> Line:
        late = one.state == "open" and one.due is not None and one.due < self.base.now.date()
        return Line(
            one.id, self.w[f"kind_{one.kind}"], titles.get(one.dataset or "", ""), f"/open/data/{one.dataset}" if one.dataset in titles else "",
            one.text, self.w[f"ticket_{one.state}"], _TONES.get(one.state, "info"), f"{to_shanghai(one.answered_at or one.made_at):%Y-%m-%d}",
            self.w["due"].format(day=one.due) if one.due else "", one.answer, "", one.place, late=late,
        )  # fmt: skip

    def _showcase(self, one: people.Showcase, titles: Mapping[str, str]) -> Line:
        used = "、".join(titles.get(id, id) for id in one.datasets)
        return Line(
            one.id, self.w["what_showcase"], one.title, "", one.text, self.w[f"showcase_{one.state}"], _TONES.get(one.state, "info"),
            f"{to_shanghai(one.made_at):%Y-%m-%d}", "", "", "", self.w["by_uses"].format(maker=one.maker, used=used), one.url,
        )  # fmt: skip

    def desk(
        self, applications: Sequence[people.Application], tickets: Sequence[people.Ticket], showcases: Sequence[people.Showcase],
        stopped: Sequence[Stopped], titles: Mapping[str, str], reviews: bool, errors: Mapping[str, str], written: str,
    ) -> DeskView:  # fmt: skip
        """What waits for officials."""
        steps = {"submitted": "accept", "accepted": "approve", "open": "end", "reported": "end"}
        made = tuple(
            Line(
                one.id, self.w["what_application"], titles.get(one.dataset, one.dataset), f"/open/data/{one.dataset}", one.purpose,
                self.w[f"state_{one.state}"], _TONES.get(one.state, "info"), f"{to_shanghai(one.made_at):%Y-%m-%d}",
                self.w["due"].format(day=one.due) if one.due and one.state in ("submitted", "accepted") else self.w["until"].format(day=one.use_until),
                one.report, steps.get(one.state, ""), f"{one.who}{'，' + one.unit if one.unit else ''}",
                late=one.due is not None and one.due < self.base.now.date() and one.state in ("submitted", "accepted"),
            )
            for one in applications
        )  # fmt: skip
        shown = tuple(self._showcase(one, titles) for one in showcases)
        return DeskView(
            "desk",
            made,
            tuple(self._ticket(one, titles) for one in tickets),
            shown,
            tuple(self._stopped(one) for one in stopped),
            reviews,
            tuple(errors.items()),
            dict.fromkeys(errors, written),
        )

    def _stopped(self, one: Stopped) -> StoppedShown:
        words = self.base.words["desk"]
        return StoppedShown(
            one.title_en if self.base.lang == "en" and one.title_en else one.title,
            f"/open/data/{one.id}/gate",
            words["stopped_served" if one.shown else "stopped_nothing"].format(
                n=one.stops, unit=self.base.unit(one.provider)
            ),
            f"{to_shanghai(one.at):%Y-%m-%d %H:%M}",
        )
