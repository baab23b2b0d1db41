"""The front page: greeting, what is prepared, what waits, what can be done, promises kept."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from dizuo.engines.cases import ApplicationState, Delivered, Endings, Home, delivered, endings_of, my_home
from dizuo.engines.directory import Session
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.foundation.ledger import NewKinds
from dizuo.web import WebRequest
from dizuo.web.format import day, moment
from dizuo.web.words import fill

from .declared import pick, title_said
from .people import actor_now, maybe_resident, self_of
from .prepared import Prepared, PreparedShelf
from .views_case import KINDS, SAYS, counted
from .views_matter import LIFE_CARDS, MatterCard, Texts, Topic, shelf_of

_HOURS = ((5, "night"), (9, "morning"), (11, "forenoon"), (13, "noon"), (18, "afternoon"), (23, "evening"))
_COUNT_SECONDS = 60.0
_SINCE = dt.timedelta(days=30)


class PreparedView(msgspec.Struct, frozen=True):
    title: str
    says: str
    bar: str
    known: int
    asked: int
    href: str
    guide: str
    act: str


class FocusView(msgspec.Struct, frozen=True):
    """The first card when nothing is prepared: what waits, what runs, or that nothing does; ``total`` 0 = no bar."""

    tag: str
    kind: str
    title: str
    says: str
    href: str
    act: str
    done: int = 0
    total: int = 0
    bar: str = ""


class Due(msgspec.Struct, frozen=True):
    """Something that waits for the person, or runs."""

    icon: str
    href: str
    title: str
    note: str
    tag: str
    kind: str


class Trust(msgspec.Struct, frozen=True):
    """One true number."""

    title: str
    number: str
    unit: str
    says: str
    href: str
    act: str


class HomeView(msgspec.Struct, frozen=True):
    greeting: str
    hints: list[str]
    prepared: PreparedView | None
    focus: FocusView | None
    due: list[Due]
    life: list[MatterCard]
    matter_count: int
    topics: list[Topic]
    item_count: int
    trust: list[Trust]
    used: str = ""


class _Counts:
    """Numbers for everybody, counted at most once a minute in a process."""

    def __init__(self) -> None:
        self._kept: Delivered | None = None
        self._at = 0.0

    async def get(self, app: Any) -> Delivered:
        if self._kept is None or time.monotonic() - self._at > _COUNT_SECONDS:
            self._kept = await delivered(app.cases, app.now() - _SINCE)
            self._at = time.monotonic()
        return self._kept


def remembered(request: WebRequest) -> tuple[PreparedShelf, _Counts]:
    """What this process remembers for the front page, kept on the application's state."""
    state = request.app.state
    if not hasattr(state, "citizen_home"):
        state.citizen_home = (PreparedShelf(), _Counts())
    return state.citizen_home


async def _newly_used(request: WebRequest, subject: int | None, words: Texts) -> str:
    """Kinds of use of the person's data that are new to them, in one quiet sentence; nothing when there is none."""
    if subject is None:
        return ""
    state = request.app.state
    if not hasattr(state, "citizen_new_kinds"):
        state.citizen_new_kinds = NewKinds()
    count = await state.citizen_new_kinds.of(request.dizuo.pool, subject)
    return fill(words["home"]["used_new"], n=count) if count else ""


async def home_view(request: WebRequest) -> HomeView:
    """Everything of the front page for this reader."""
    app, lang = request.dizuo, request.lang
    words = request.shell.templates(request.door).words[lang]
    shelf, session = shelf_of(app.city), maybe_resident(request)
    mine = await my_home(app.cases, actor_now(session)) if session else None
    running = [line.number for line in mine.running] if mine else []
    ends: Mapping[str, Endings] = await endings_of(app.cases, actor_now(session), running) if session else {}
    prepared_for, counts = remembered(request)
    # Whoever acts for somebody else looks at that one's things: their own records are none of it.
    own = session is not None and session.acting_for is None
    prepared = await prepared_for.of(app.cases, self_of(session), mine) if session and mine and own else ()
    ready = next(iter(prepared), None)
    waits = due(mine, ends, app.city, lang, words) if mine else []
    card = focus(mine, waits, ends, session, lang, words) if session and mine and not ready else None
    return HomeView(
        greeting=greeting(app.now(), session.account.name if session else "", words),
        hints=shelf.hints(lang),
        prepared=_prepared(ready, mine, app, lang, words) if ready and mine else None,
        focus=card,
        due=[one for one in waits if card is None or not card.total or one.href != card.href],
        life=shelf.cards(lang, words["home"]["life_items"])[:LIFE_CARDS],
        matter_count=len(app.city.matters),
        topics=shelf.topics(lang),
        item_count=shelf.item_count,
        trust=_trust(await counts.get(app), session, words),
        used=await _newly_used(request, session.account.subject if own and session else None, words),
    )


def focus(
    mine: Home, waits: list[Due], ends: Mapping[str, Endings], session: Session, lang: str, words: Texts
) -> FocusView:
    """What matters most now: what waits for the person, else what runs, else where to go."""
    home = words["home"]
    if urgent := len(mine.fixes) + len(mine.consents) + len(mine.drafts):
        first = waits[0]
        title = fill(home["focus_due"], n=urgent) if urgent > 1 else home["focus_due_one"]
        return FocusView(first.tag, first.kind, title, first.title, first.href, home["focus_due_act"])
    if mine.running:
        line = mine.running[0]
        one = ends.get(line.number, Endings(line.items, 0, 0, 0))
        shown = next(due for due in waits if due.href == f"/cases/{line.number}")
        says, act = words["progress"][SAYS[line.state]], words["receipt"]["progress"]
        return FocusView(
            shown.tag, "info", shown.title, says, shown.href, act, one.done, one.total, shown.note
        )
    if session.acting_for is not None:
        title = fill(home["focus_acting"], name=session.acting_for.name)
        return FocusView("", "", title, home["focus_acting_says"], "/matters", home["all_matters"])
    says = home["prepared_none_says"]
    return FocusView(
        home["prepared_none_tag"], "", home["prepared_none"], says, "/matters", home["all_matters"]
    )


def greeting(now: dt.datetime, name: str, words: Texts) -> str:
    """By the hour, with the given name where it is certain which part that is."""
    if not name:
        return words["home"]["stranger"]
    hour = to_shanghai(now).hour
    key = next((word for until, word in _HOURS if hour < until), "night")
    # 林晓晴 → 晓晴; other lengths may be compound surnames or names with a dot: the whole name is never wrong.
    short = name[1:] if len(name) == 3 else name
    return fill(words["home"][key], name=short)


def _prepared(one: Prepared, mine: Home, app: Any, lang: str, words: Texts) -> PreparedView:
    matter, home = app.city.matters[one.matter], words["home"]
    counts = {"known": one.known, "asked": one.asked, "items": one.items, "n": one.choose}
    choose = "prepared_choose_one" if one.choose == 1 else "prepared_choose" if one.choose else ""
    started = any(draft.matter == one.matter for draft in mine.drafts)
    return PreparedView(
        title=fill(home["prepared_title"], matter=pick(matter.name, lang)),
        says=fill(home[choose or "prepared_says"], **counts),
        bar=fill(home["prepared_choose_bar" if one.choose else "prepared_bar"], **counts),
        known=one.known,
        asked=one.asked if not choose else 1,
        href=f"/matters/{one.matter}/apply",
        guide=f"/matters/{one.matter}",
        act=home["resume" if started else "start"],
    )


def due(mine: Home, ends: Mapping[str, Endings], city: City, lang: str, words: Texts) -> list[Due]:
    """What waits for the person, the most urgent kind first; six at most."""
    home = words["home"]
    found = [
        Due(
            "alert",
            f"/cases/{fix.number}/fix/{fix.item}",
            fill(home["due_fix"], title=pick(fix.item_name, lang)),
            fill(home["due_fix_note"], until=day(fix.until, lang)),
            home["due_fix_tag"],
            "warn",
        )
        for fix in mine.fixes
    ]
    found += [
        Due(
            "people",
            f"/cases/{one.number}/consents/{one.id}",
            fill(home["due_consent"], title=title_said(city, one.title, lang)),
            fill(home["due_consent_note"], who=one.applicant, until=day(one.expires_at, lang)),
            home["due_consent_tag"],
            "warn",
        )
        for one in mine.consents
    ]
    found += [
        Due(
            "doc",
            f"/matters/{draft.matter}/apply?draft={draft.id}",
            fill(home["due_draft"], title=pick(draft.name, lang)),
            fill(home["due_draft_note"], when=moment(draft.updated_at, lang)),
            home["due_draft_tag"],
            "info",
        )
        for draft in mine.drafts
    ]
    for line in mine.running:
        says = counted(ends.get(line.number, Endings(line.items, 0, 0, 0)), lang, words)
        if line.promised:
            says = fill(home["due_running_until"], counted=says, promised=day(line.promised, lang))
        title, tag = title_said(city, line.title, lang), home["due_running_tag"]
        found.append(Due("clock", f"/cases/{line.number}", title, says, tag, "info"))
    found += [
        Due(
            "check" if line.state is ApplicationState.DONE else "doc",
            f"/cases/{line.number}#rate",
            title_said(city, line.title, lang),
            home["due_done_note"],
            words["states"][f"case_{line.state.value}"],
            KINDS[line.state],
        )
        for line in mine.ended
        if not line.rated
    ]
    return found[:6]


def _trust(counts: Delivered, session: Session | None, words: Texts) -> list[Trust]:
    home = words["home"]
    used = Trust(
        home["kept_used"],
        "",
        home["kept_used_in_unit"],
        home["kept_used_says"],
        "/me/data",
        home["kept_used_in"],
    )
    if session is not None:
        used = msgspec.structs.replace(used, unit="", act=home["kept_used_link"])
    if not counts.ended:
        none = home["kept_cases_none"]
        return [used, Trust(home["kept_cases"], "0", home["kept_cases_unit"], none, "", "")]
    share = round(100 * counts.in_time / counts.ended)
    done = Trust(
        home["kept_cases"],
        str(counts.ended),
        home["kept_cases_unit"],
        fill(home["kept_cases_says"], share=share),
        "",
        "",
    )
    saved = Trust(
        home["kept_saved"],
        f"{counts.known:.0f}",
        home["kept_saved_unit"],
        fill(home["kept_saved_says"], n=f"{counts.asked:.0f}"),
        "",
        "",
    )
    return [used, done, saved]
