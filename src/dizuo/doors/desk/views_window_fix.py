"""补正 at a window: what is asked, what the person answers, the files that the clerk scans, and what was sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from dizuo.engines.cases import FixForm, PlannedQuestion, Upload, takes_files
from dizuo.foundation.blueprint.citing import law_text
from dizuo.foundation.blueprint.model import City, Words
from dizuo.web import human_size
from dizuo.web.format import moment
from dizuo.web.words import fill

from .telling import pick
from .views_queue import RailView
from .views_window import AskView, WindowMaker

FILE = "file-"


class Asked(msgspec.Struct, frozen=True):
    """One request that waits for the person present."""

    number: str
    title: str
    item: str
    item_name: Words
    until: dt.datetime


class LinkView(msgspec.Struct, frozen=True):
    href: str
    title: str
    note: str


class FixesView(msgspec.Struct, frozen=True):
    """What the person present may complete."""

    rail: RailView
    here: str
    client: str
    asked: list[LinkView]
    other: str


class FixTyped(msgspec.Struct, frozen=True):
    """What was typed, and what is wrong with it."""

    answers: Mapping[str, str]
    words: str
    agreed: bool = False
    kept: bool = False
    errors: Mapping[str, str] = {}
    stale: str = ""

    def wrong(self, errors: Mapping[str, str], stale: str = "") -> FixTyped:
        return msgspec.structs.replace(self, errors=dict(errors), stale=stale, kept=False)


class KeptView(msgspec.Struct, frozen=True):
    id: int
    name: str
    size: str


class PaperView(msgspec.Struct, frozen=True):
    """One line of the request that may be answered with files."""

    id: str
    label: str
    error: str
    kept: list[KeptView]


class AgainView(msgspec.Struct, frozen=True):
    """One question put again: what was answered, and why it is asked."""

    ask: AskView
    notes: list[str]


class WindowFix(msgspec.Struct, frozen=True):
    """The whole page. ``open`` False shows what was sent."""

    rail: RailView
    here: str
    action: str
    number: str
    title: str
    item: str
    client: str
    until: str
    reason: str
    laws: list[str]
    open: bool
    says: str
    questions: list[AgainView]
    papers: list[PaperView]
    notes: list[str]
    words: str
    seen: str
    consent: str
    agreed: bool
    kept: str
    stale: str
    errors: list[tuple[str, str]]
    changes: list[tuple[str, str, str]]
    files: list[KeptView]
    served: str


class WindowFixMaker(WindowMaker):
    """Words a fix request for the clerk who reads it aloud."""

    def __init__(
        self, city: City, lang: str, words: dict[str, dict[str, str]], rail: RailView, client: str
    ) -> None:
        super().__init__(city, lang, words)
        self.f = words["window_fix"]
        self.rail = rail
        self.client = client

    def list(self, asked: Sequence[Asked], matter: str) -> FixesView:
        """The requests that wait, and the way to a new application."""
        return FixesView(
            self.rail,
            "window",
            self.client,
            [
                LinkView(
                    f"/desk/window/fix/{one.number}/{one.item}",
                    f"{one.title} · {pick(one.item_name, self.lang)}",
                    fill(self.f["by"], until=moment(one.until, self.lang)),
                )
                for one in asked
            ],
            f"/desk/window/{matter}",
        )

    def page(self, form: FixForm, typed: FixTyped | None = None) -> WindowFix:
        """The page as first opened, with what was typed and its errors, or with what was sent."""
        f, wrong = self.f, dict(typed.errors) if typed is not None else {}
        ids = {question.id for question in form.questions}
        return WindowFix(
            rail=self.rail,
            here="window",
            action=f"/desk/window/fix/{form.number}/{form.item}",
            number=form.number,
            title=form.title,
            item=pick(form.item_name, self.lang),
            client=self.client,
            until=moment(form.until, self.lang),
            reason=form.reason,
            laws=[
                law_text(self.city, key, self.lang)
                for key in dict.fromkeys(w["law"] for w in form.wants if w.get("law"))
            ],
            open=form.open,
            says=self._says(form),
            questions=[self._again(form, question, typed, wrong) for question in form.questions],
            papers=self._papers(form, wrong) if form.open else [],
            notes=self._notes(form),
            words=form.answer if typed is None else typed.words,
            seen=form.seen,
            consent=fill(f["consent"], client=self.client),
            agreed=typed is not None and typed.agreed,
            kept=f["kept_says"] if typed is not None and typed.kept else "",
            stale=typed.stale if typed is not None else "",
            errors=[(f"q-{name}" if name in ids else name, says) for name, says in wrong.items()],
            changes=[
                (
                    pick(one.asks, self.lang),
                    pick(one.was, self.lang) or f["none"],
                    pick(one.now, self.lang) or f["none"],
                )
                for one in form.changes
            ],
            files=[self._kept(one) for one in form.uploads if one.sent_at is not None],
            served=fill(
                f["served"], window=form.served.window, clerk=form.served.clerk, proof=form.served.proof
            )
            if form.served is not None
            else "",
        )

    def _says(self, form: FixForm) -> str:
        if form.open:
            return self.f["says"]
        if form.answered_at is not None:
            return fill(self.f["sent_says"], when=moment(form.answered_at, self.lang))
        return self.f["closed_says"]

    def _again(
        self, form: FixForm, question: PlannedQuestion, typed: FixTyped | None, wrong: Mapping[str, str]
    ) -> AgainView:
        given = typed.answers.get(question.id) if typed is not None else None
        ask = self._ask(question, wrong.get(question.id, ""))
        if given is not None:
            ask = msgspec.structs.replace(ask, value=given)
        was = form.present.get(question.id)
        notes = [fill(self.f["was"], value=pick(was, self.lang))] if was is not None else []
        notes += [
            fill(self.f["because"], why=want["why"])
            for want in form.wants
            if want.get("question") == question.id and want.get("why")
        ]
        return AgainView(ask, notes)

    def _papers(self, form: FixForm, wrong: Mapping[str, str]) -> list[PaperView]:
        return [
            PaperView(
                f"{FILE}{n}",
                " · ".join(part for part in (want.get("what", ""), want.get("why", "")) if part),
                wrong.get(f"{FILE}{n}", ""),
                [self._kept(one) for one in form.uploads if one.want == n],
            )
            for n, want in enumerate(form.wants, 1)
            if takes_files(want)
        ]

    def _kept(self, one: Upload) -> KeptView:
        return KeptView(one.id, one.name, human_size(one.size))

    def _notes(self, form: FixForm) -> list[str]:
        found = [self.f["agreed"]] if form.agreed and form.open else []
        if form.shared and form.open:
            names = "、".join(pick(name, self.lang) for name in form.shared)
            found.append(fill(self.f["shared"], items=names))
        return found
