"""Cases as the person sees them: list, receipt, progress, withdrawal, consent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Protocol

from dizuo.engines.cases import (
    ApplicationState,
    CaseLine,
    ConsentAsked,
    Correction,
    DraftView,
    Endings,
    ItemState,
    Progress,
    ProgressItem,
    consent_page,
    consents_of,
    count_endings,
    drafts_of,
    my_cases,
    progress,
)
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.citing import law_text
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.foundation.kernel.terms import PauseReason
from dizuo.web import WebRequest
from dizuo.web.format import day, iso_moment, moment
from dizuo.web.words import fill

from .case_facts import (
    Again,
    Ask,
    ConsentPage,
    Happened,
    Line,
    Link,
    ListView,
    ProgressView,
    ReceiptView,
    TrackItem,
    WithdrawPage,
)
from .declared import answer_said, document_said, listed, pick, title_said
from .form_facts import LineView, OptionView
from .views_matter import Texts
from .views_rating import followed_view

SAYS = {
    ApplicationState.RUNNING: "says_running",
    ApplicationState.WAITING_FOR_APPLICANT: "says_waiting",
    ApplicationState.WAITING_FOR_CONSENT: "says_consent",
    ApplicationState.PARTLY_DONE: "says_partly_done",
    ApplicationState.DONE: "says_done",
    ApplicationState.PARTLY_REFUSED: "says_partly_refused",
    ApplicationState.REFUSED: "says_refused",
    ApplicationState.WITHDRAWN: "says_withdrawn",
}
KINDS = {
    ApplicationState.RUNNING: "info",
    ApplicationState.WAITING_FOR_APPLICANT: "warn",
    ApplicationState.WAITING_FOR_CONSENT: "warn",
    ApplicationState.PARTLY_DONE: "info",
    ApplicationState.DONE: "ok",
    ApplicationState.PARTLY_REFUSED: "warn",
    ApplicationState.REFUSED: "bad",
    ApplicationState.WITHDRAWN: "",
}
_BAD = {
    ItemState.REFUSED,
    ItemState.NOT_ACCEPTED,
    ItemState.RETURNED,
    ItemState.SENT_BACK,
    ItemState.FIX_AWAITED,
}
_IDLE = {ItemState.WITHDRAWN, ItemState.VOID}
_HELD = {ItemState.WAITING, ItemState.CONSENT, ItemState.SPECIAL}
_TAGS = {"ok": "ok", "bad": "warn", "wait": "", "now": "info", "no": "", "none": ""}


# That an item waits is shown at the item; steps that follow by themselves name nobody.
_NOISE = {"wait"}
_OFFICIAL = "工作人员"
_PERSONAL = {"submit", "consent_given", "consent_refused", "fix", "fix_given_up", "withdraw", "rated"}


def state_of(state: ItemState) -> str:
    """The shape beside an item: ok, now, wait, bad, no."""
    if state in _BAD:
        return "bad"
    if state in _IDLE:
        return "no"
    if state in _HELD:
        return "wait"
    return "ok" if state.succeeded or state.ended else "now"


def counted(ends: Endings, lang: str, words: Texts) -> str:
    """How many items are done; those that were refused or withdrawn are said, and are none of them."""
    says = words["progress"]
    parts = [fill(says["done_of"], done=ends.done, total=ends.total)]
    if ends.refused:
        parts.append(fill(says["refused_of"], n=ends.refused))
    if ends.dropped:
        parts.append(fill(says["dropped_of"], n=ends.dropped))
    return ("，" if lang == "zh" else ", ").join(parts)


class Event(Protocol):
    """A line of a case's history, as the engine tells it."""

    @property
    def at(self) -> dt.datetime: ...
    @property
    def what(self) -> str: ...
    @property
    def item(self) -> Words | None: ...
    @property
    def who(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def name(self) -> str: ...


class CaseMaker:
    """Reads and words the cases of one person in one language."""

    def __init__(self, app: Any, actor: Actor, lang: str, words: Texts) -> None:
        self.app = app
        self.actor = actor
        self.lang = lang
        self.words = words

    # --- lists

    async def list(self) -> ListView:
        """Everything of mine: unfinished forms, consents asked of me, cases."""
        cases = self.app.cases
        lines = await my_cases(cases, self.actor, limit=100)
        return ListView(
            [self.draft_line(draft) for draft in await drafts_of(cases, self.actor)],
            [self.consent_line(one) for one in await consents_of(cases, self.actor)],
            [self.case_line(line) for line in lines if not line.state.ended],
            [self.case_line(line) for line in lines if line.state.ended],
        )

    def draft_line(self, draft: DraftView) -> Line:
        note = fill(self.words["cases"]["draft_note"], when=moment(draft.updated_at, self.lang))
        return Line(f"/matters/{draft.matter}/apply?draft={draft.id}", pick(draft.name, self.lang), note)

    def consent_line(self, one: ConsentAsked) -> Line:
        note = fill(
            self.words["cases"]["consent_note"], who=one.applicant, until=day(one.expires_at, self.lang)
        )
        tags = {"pending": ("due_consent_tag", "warn"), "given": ("consent_given", "ok")}
        tag, kind = tags.get(one.state, ("consent_closed", ""))
        title = title_said(self.app.city, one.title, self.lang)
        return Line(f"/cases/{one.number}/consents/{one.id}", title, note, self.words["home"][tag], kind)

    def case_line(self, line: CaseLine) -> Line:
        note = f"{line.number} · {day(line.submitted_at, self.lang)}"
        title = title_said(self.app.city, line.title, self.lang)
        return Line(f"/cases/{line.number}", title, note, self.state_word(line.state), KINDS[line.state])

    def state_word(self, state: ApplicationState) -> str:
        """The state of a case in a word or two."""
        return self.words["states"][f"case_{state.value}"]

    def item_word(self, item: ProgressItem) -> str:
        """The state of an item in a word or two."""
        return self.words["states"][f"item_{item.state.value}"]

    # --- one case

    async def progress(self, number: str) -> ProgressView:
        """One case with everything that its applicant may do."""
        found = await progress(self.app.cases, self.actor, number)
        words = self.words["progress"]
        return ProgressView(
            number=found.number,
            title=title_said(self.app.city, found.title, self.lang),
            says=words[SAYS[found.state]],
            bar=counted(count_endings(item.state for item in found.items), self.lang, self.words),
            items=[self._item(found, item, self._asked(found, item)) for item in found.items],
            asks=[self._fix_ask(found, item) for item in found.items if _open_fix(item)],
            again=self._again(found),
            history=self._history(found.history),
            rate=self._ratings() if found.may_rate else [],
            rated=fill(words["rated"], level=words[f"rate_{found.rating}"]) if found.rating else "",
            followed=None
            if found.followed is None
            else followed_view(found.followed, self.lang, self.words["rated"]),
            submitted=fill(words["submitted"], when=moment(found.submitted_at, self.lang)),
            promised=self._promised(found.promised),
            next=self._next(found),
            documents=[
                Link(f"/me/documents/{number}", document_said(self.app.city, name, self.lang))
                for number, name in found.documents
            ],
            withdraw=found.may_withdraw,
        )

    def _promised(self, promised: dt.datetime | None) -> str:
        return day(promised, self.lang) if promised else self.words["receipt"]["promised_unknown"]

    def _asked(self, case: Progress, item: ProgressItem) -> str:
        """Whose consent the item still waits for, and until when: each party by what the city calls it."""
        pending = [one for one in case.consents if one.state == "pending" and item.id in one.items]
        if item.state is not ItemState.CONSENT or not pending:
            return ""
        matter = self.app.city.matters.get(case.matter)
        names = {party.id: pick(party.name, self.lang) for party in matter.parties} if matter else {}
        who = listed([names.get(one.party, one.party) for one in pending], self.lang)
        until = day(min(one.expires_at for one in pending), self.lang)
        return fill(self.words["progress"]["asked"], who=who, until=until)

    def _item(self, case: Progress, item: ProgressItem, asked: str) -> TrackItem:
        state = state_of(item.state)
        names = {number: document_said(self.app.city, name, self.lang) for number, name in case.documents}
        links = [
            Link(
                f"/me/documents/{number}",
                fill(self.words["progress"]["open_document"], name=names.get(number, number)),
            )
            for number in item.documents
        ]
        if item.fix is not None and item.fix.answered_at is not None:
            links.append(Link(f"/cases/{case.number}/fix/{item.id}", self.words["fix"]["look"]))
        return TrackItem(
            pick(item.name, self.lang),
            " · ".join(part for part in (self._note(item), asked) if part),
            state,
            self.item_word(item),
            _TAGS[state] if state != "bad" or item.state is not ItemState.REFUSED else "bad",
            self._said(item),
            links,
        )

    def _note(self, item: ProgressItem) -> str:
        words, by = self.words["progress"], pick(item.department, self.lang)
        if item.waits_for and item.state is ItemState.WAITING:
            before = listed([pick(name, self.lang) for name in item.waits_for], self.lang)
            return fill(words["waits"], department=by, items=before)
        if item.paused:
            return fill(words["paused"], department=by, why=self._pause(item.pause_reason))
        if item.state.before_decision and item.due_promise:
            return fill(words["by"], department=by, date=day(item.due_promise, self.lang))
        return fill(words["by_none"], department=by)

    def _pause(self, reason: str) -> str:
        """What stopped the clock, in the reader's words; how long it takes as the official wrote it."""
        kinds = {kind.word: self.words["pauses"][kind.value] for kind in PauseReason}
        word, stop, rest = reason.partition("，")
        return kinds.get(word, word) + stop + rest

    def _said(self, item: ProgressItem) -> list[str]:
        """Reason, law and remedy of a refusal; a granted item needs no more words."""
        decision = item.decision
        if decision is None or decision.verdict != "refuse":
            return []
        law = law_text(self.app.city, decision.law, self.lang)
        return [line for line in (f"{decision.reason}（{law}）", decision.remedy) if line]

    def _fix_ask(self, case: Progress, item: ProgressItem) -> Ask:
        words, until = self.words["progress"], item.fix.until if item.fix else case.submitted_at
        says = fill(words["fix_says"], item=pick(item.name, self.lang), until=day(until, self.lang))
        return Ask(words["fix_title"], says, f"/cases/{case.number}/fix/{item.id}", words["fix_act"])

    def _again(self, case: Progress) -> list[Again]:
        """Consents to ask for once more, each id once, while an item still stands for them."""
        returned = {item.id for item in case.items if item.state is ItemState.RETURNED}
        lapsed = {
            one.id: one
            for one in case.consents
            if one.state in ("refused", "expired") and returned.intersection(one.items)
        }
        words = self.words["progress"]
        names = {item.id: pick(item.name, self.lang) for item in case.items}
        return [
            Again(
                fill(
                    words[f"again_{one.state}"],
                    items=listed([names[item] for item in one.items if item in names], self.lang),
                ),
                f"/cases/{case.number}/consents/{one.id}/again",
            )
            for one in lapsed.values()
        ]

    def _history(self, lines: Sequence[Event]) -> list[Happened]:
        """What happened, newest first; what happened to one item in one minute is one line, in its order."""
        joined: list[list[Event]] = []
        for line in lines:
            if line.name in _NOISE:
                continue
            last = joined[-1][-1] if joined else None
            same = last is not None and last.item is not None and last.item == line.item
            if last is not None and same and _minute(last) == _minute(line) and last.reason == line.reason:
                joined[-1].append(line)
            else:
                joined.append([line])
        return [self._event(several) for several in reversed(joined)]

    def _event(self, lines: Sequence[Event]) -> Happened:
        line = lines[0]
        item = pick(line.item, self.lang) if line.item else ""
        what = listed([self.words["events"].get(one.name, one.what) for one in lines], self.lang)
        by = self.words["progress"]["official"] if line.who == _OFFICIAL else line.who
        by = by if line.name in _PERSONAL or line.who == _OFFICIAL else ""
        who = " · ".join(part for part in (by, line.reason) if part)
        local = to_shanghai(line.at)
        text = f"{item}：{what}" if item and self.lang == "zh" else f"{item}: {what}" if item else what
        return Happened(f"{local:%m-%d %H:%M}", line.at.isoformat(), text, who, "")

    def _ratings(self) -> list[OptionView]:
        return [
            OptionView(str(level), self.words["progress"][f"rate_{level}"], "") for level in (5, 4, 3, 2, 1)
        ]

    def _next(self, case: Progress) -> list[str]:
        words = self.words["progress"]
        if case.state is ApplicationState.DONE:
            return [words["next_done"]]
        if case.state in (ApplicationState.REFUSED, ApplicationState.PARTLY_REFUSED):
            return [words["next_refused"], words["next_done"]]
        if case.state is ApplicationState.WITHDRAWN:
            return [words["next_withdrawn"]]
        waiting: dict[str, list[str]] = {}
        for item in case.items:
            if item.state is ItemState.WAITING and item.waits_for:
                before = pick(item.waits_for[0], self.lang)
                waiting.setdefault(before, []).append(pick(item.name, self.lang))
        waits = [
            fill(words["next_wait"], items=listed(items, self.lang), before=before)
            for before, items in waiting.items()
        ]
        asked = any(one.state == "pending" for one in case.consents)
        return [*([self.words["receipt"]["next_consent"]] if asked else []), words["next_running"], *waits]

    async def receipt(self, number: str) -> ReceiptView:
        """What was just submitted."""
        found = await progress(self.app.cases, self.actor, number)
        words = self.words["receipt"]
        next_ = [words["next_1"], words["next_2"], words["next_3"]]
        if any(consent.state == "pending" for consent in found.consents):
            next_.insert(0, words["next_consent"])
        return ReceiptView(
            found.number,
            title_said(self.app.city, found.title, self.lang),
            fill(words["says"], n=found.total) if found.total != 1 else words["says_one"],
            moment(found.submitted_at, self.lang),
            self._promised(found.promised),
            next_,
        )

    # --- what the applicant does

    async def withdraw(self, number: str, *, missing: bool = False) -> WithdrawPage:
        """What can still be withdrawn."""
        found = await progress(self.app.cases, self.actor, number)
        words = self.words["withdraw"]
        able = [item for item in found.items if item.may_withdraw]
        options = [
            OptionView(item.id, pick(item.name, self.lang), pick(item.department, self.lang)) for item in able
        ]
        error = words["missing"] if missing else ""
        return WithdrawPage(
            found.number,
            title_said(self.app.city, found.title, self.lang),
            f"/cases/{found.number}/withdraw",
            [OptionView("all", words["all"], words["all_detail"]), *options] if able else [],
            error,
            [("item", error)] if error else [],
        )

    def _answer(self, asks: Words, value: str) -> LineView:
        """A question and its answer, as the one whose consent is asked reads them."""
        said = answer_said(self.app.city, asks, value, self.lang, self.words["answers"])
        return LineView(pick(asks, self.lang).rstrip("？?"), said, "", "")

    async def consent(self, number: str, consent: str, *, missing: bool = False) -> ConsentPage:
        """What somebody else asks me to agree to: only that."""
        one = await consent_page(self.app.cases, self.actor, number, consent)
        words = self.words["consent"]
        listed_items = [pick(name, self.lang) for name in one.items]
        lines = [
            LineView(words["who"], one.applicant, "", ""),
            *(self._answer(asks, value) for asks, value in one.shows),
            LineView(words["what"], listed(listed_items, self.lang), "", ""),
            LineView(words["law"], law_text(self.app.city, one.law, self.lang), "", ""),
            LineView(words["until"], moment(one.expires_at, self.lang), "", ""),
        ]
        error = words["missing"] if missing else ""
        return ConsentPage(
            action=f"/cases/{number}/consents/{consent}",
            asks=pick(one.asks, self.lang),
            lines=lines,
            open=one.state == "pending",
            options=[OptionView("yes", words["agree_yes"], ""), OptionView("no", words["agree_no"], "")],
            state=words.get(f"state_{one.state}", ""),
            error=error,
            errors=[("answer", error)] if error else [],
        )


def _minute(line: Event) -> dt.datetime:
    return line.at.replace(second=0, microsecond=0)


def _open_fix(item: ProgressItem) -> bool:
    return item.fix is not None and item.fix.answered_at is None and item.state is ItemState.FIX_AWAITED


def correction_lines(request: WebRequest, corrections: Sequence[Correction]) -> list[Line]:
    """Errors that I reported, with who answers by when."""
    words = request.shell.templates(request.door).words[request.lang]["correct"]
    city = request.dizuo.city
    kinds = {"open": "info", "confirmed": "ok", "declined": "warn"}
    lines: list[Line] = []
    for one in corrections:
        who = pick(city.organisations[one.source].short, request.lang)
        note = fill(words["note"], department=who, due=iso_moment(one.due)[:10]) if one.due else who
        register = city.registers[one.register]
        field = pick(register.fields[one.field].name, request.lang) if one.field in register.fields else ""
        title = f"{pick(register.name, request.lang)} · {field or one.field_name} → {one.wants}"
        reason = f" · {one.reason}" if one.reason else ""
        lines.append(Line("", title, note + reason, words[one.state], kinds[one.state]))
    return lines
