"""本部门的数据接口 as the page shows it: keys, subscriptions, what calls came to, use against limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from dizuo.engines.exchange import connection, requests
from dizuo.foundation.blueprint.model import City
from dizuo.web.words import fill

from .telling import full_day, pick, when
from .views_queue import RailView

_SOON: Final = dt.timedelta(days=30)
_CIRCUIT: Final = {"closed": "ok", "failing": "warn", "open": "bad"}
_GRANT: Final = {"open": "ok", "suspended": "warn", "revoked": "bad"}


class KeyRow(msgspec.Struct, frozen=True):
    """A key; ``href`` while it may be stopped."""

    id: str
    algorithm: str
    since: str
    until: str
    state: str
    kind: str
    used: str
    note: str
    href: str


class FeedRow(msgspec.Struct, frozen=True):
    """A subscription."""

    href: str
    number: str
    what: str
    way: str
    state: str
    kind: str
    notes: list[str]


class RightRow(msgspec.Struct, frozen=True):
    """A right and its use; ``share`` of the day's limit in percent."""

    number: str
    href: str
    what: str
    methods: str
    state: str
    kind: str
    until: str
    used: str
    of: str
    share: int
    week: str


class CallRow(msgspec.Struct, frozen=True):
    """Calls of one kind in one minute."""

    when: str
    iso: str
    what: str
    about: str
    key: str
    times: str
    status: str
    kind: str
    says: str
    code: str
    entry: str


class ConnectionView(msgspec.Struct, frozen=True):
    """The whole page; ``units`` when the reader looks after several departments: name, address, whether it is this one."""

    rail: RailView
    here: str
    title: str
    units: list[tuple[str, str, bool]]
    warns: list[str]
    keys: list[KeyRow]
    feeds: list[FeedRow]
    rights: list[RightRow]
    calls: list[CallRow]
    only: bool
    all_href: str
    refused_href: str
    said: str


class ConfirmView(msgspec.Struct, frozen=True):
    """The page before something that cannot be undone, or that stops others: what it is, what it means, the button.

    ``why``: the label of the words that are asked for, '' for none.
    """

    rail: RailView
    here: str
    title: str
    crumbs: list[tuple[str, str]]
    about: list[tuple[str, str]]
    says: str
    action: str
    version: int
    sure: str
    go: str
    back: str
    wrong: str
    step: str = ""
    why: str = ""
    wrote: str = ""
    wrong_why: str = ""


class ConnectionMaker:
    """Words one department's connection in one language."""

    def __init__(self, city: City, now: dt.datetime, lang: str, words: Mapping[str, dict[str, str]]) -> None:
        self.city = city
        self.now = now
        self.lang = lang
        self.words = words
        self.w = words["wire"]

    def page(
        self,
        rail: RailView,
        seen: connection.OwnConnection,
        units: Sequence[str],
        *,
        refused: bool,
        said: str,
    ) -> ConnectionView:
        """Everything; what needs somebody's attention is told first."""
        at = "/desk/connection?" + urlencode({"unit": seen.unit})
        titles = {one.resource: self._title(one) for one in seen.rights}
        return ConnectionView(
            rail, "shares", fill(self.w["of"], unit=self._unit(seen.unit)),
            [(self._unit(one), "/desk/connection?" + urlencode({"unit": one}), one == seen.unit) for one in units] if len(units) > 1 else [],
            self._warns(seen),
            [self._key(one, seen) for one in seen.keys],
            [self._feed(one, seen, titles) for one in seen.feeds],
            [self._right(one) for one in seen.rights],
            [self._call(one, titles) for one in seen.calls],
            refused, f"{at}#calls", f"{at}&refused=1#calls", said,
        )  # fmt: skip

    def _warns(self, seen: connection.OwnConnection) -> list[str]:
        w = self.w
        running = [one for one in seen.keys if self._holds(one)]
        told: list[str] = []
        if seen.rights and not running:
            told.append(w["warn_no_key"])
        elif running and (last := max(one.valid_until for one in running)) - self.now < _SOON:
            told.append(fill(w["warn_key_ends"], day=full_day(last, self.lang)))
        if failing := sum(1 for one in seen.feeds if one.state == "open" and one.circuit == "open"):
            told.append(fill(w["warn_feeds"], n=failing))
        if near := sum(1 for one in seen.rights if one.state == "open" and one.used * 10 >= one.per_day * 9):
            told.append(fill(w["warn_limit"], n=near))
        return told

    # ------------------------------------------------------------------------------------------------ keys

    def _holds(self, one: connection.SigningKey) -> bool:
        return one.revoked_at is None and one.valid_from <= self.now < one.valid_until

    def key_state(self, one: connection.SigningKey) -> tuple[str, str]:
        """(its state in words, the colour)."""
        if one.revoked_at is not None:
            return self.w["key_revoked"], "bad"
        if self.now < one.valid_from:
            return self.w["key_later"], "info"
        if self.now >= one.valid_until:
            return self.w["key_over"], ""
        return (
            (self.w["key_soon"], "warn") if one.valid_until - self.now < _SOON else (self.w["key_ok"], "ok")
        )

    def _key(self, one: connection.SigningKey, seen: connection.OwnConnection) -> KeyRow:
        state, kind = self.key_state(one)
        used = seen.last_used.get(one.id)
        note = ""
        if one.revoked_at is not None:
            note = fill(self.w["revoked_by"], when=self._when(one.revoked_at), who=one.revoked_by, why=one.revoked_why)  # fmt: skip
        stoppable = one.revoked_at is None and self.now < one.valid_until
        return KeyRow(
            one.id, "SM2" if one.algorithm.startswith("sm2") else "Ed25519", full_day(one.valid_from, self.lang),
            full_day(one.valid_until, self.lang), state, kind, self._when(used) if used else self.w["never"], note,
            f"/desk/connection/keys/{quote(one.id)}" if stoppable else "",
        )  # fmt: skip

    def stopping(
        self,
        rail: RailView,
        one: connection.SigningKey,
        wrote: str = "",
        wrong: str = "",
        wrong_why: str = "",
    ) -> ConfirmView:
        """The page before a key is stopped."""
        w, at = self.w, f"/desk/connection/keys/{quote(one.id)}"
        state, _ = self.key_state(one)
        about = [
            (w["key"], one.id), (w["state"], state), (w["since"], full_day(one.valid_from, self.lang)),
            (w["until"], full_day(one.valid_until, self.lang)), (w["made_by"], one.made_by),
        ]  # fmt: skip
        back = "/desk/connection?" + urlencode({"unit": one.consumer})
        return ConfirmView(
            rail, "shares", fill(w["stop_title"], key=one.id), [(w["title"], back), (one.id, "")], about, w["stop_says"], at, 0,
            w["stop_sure"], w["stop_go"], back, wrong, "stop", w["stop_why"], wrote, wrong_why,
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------ subscriptions

    def feed_state(self, one: connection.Subscription) -> tuple[str, str]:
        """(its state in words, the colour)."""
        if one.state == "ended":
            return self.w["feed_ended"], ""
        if one.state == "paused":
            return self.w["feed_paused"], "warn"
        return self.w[f"feed_{one.circuit}"], _CIRCUIT[one.circuit]

    def _feed_lines(self, one: connection.Subscription, behind: int | None) -> list[tuple[str, str]]:
        w = self.w
        lines = [
            (w["last_delivery"], self._when(one.delivered_at) if one.delivered_at else w["never"]),
            (w["delivered"], f"{one.delivered:,}"),
        ]
        if behind is not None:
            lines.append((w["behind"], fill(w["positions"], n=f"{behind:,}") if behind else w["nothing"]))
        if one.failures:
            lines.append((w["failures"], fill(w["in_a_row"], n=one.failures, why=one.last_error)))
        if one.retry_at is not None and one.failures and one.state == "open":
            lines.append((w["retry_at"], self._when(one.retry_at)))
        if one.state == "ended":
            lines.append((w["ended_why"], w.get(f"why_{one.why}", one.why)))
        return lines

    def _feed(
        self, one: connection.Subscription, seen: connection.OwnConnection, titles: Mapping[str, str]
    ) -> FeedRow:
        state, kind = self.feed_state(one)
        lines = self._feed_lines(one, seen.behind.get(one.id))
        return FeedRow(
            f"/desk/connection/feeds/{one.id}" if one.state != "ended" else "", fill(self.w["feed"], n=one.id),
            titles.get(one.resource, one.resource), self._way(one), state, kind, [self._line(name, value) for name, value in lines],
        )  # fmt: skip

    def _line(self, name: str, value: str) -> str:
        return fill(self.w["line"], name=name, value=value)

    def _way(self, one: connection.Subscription) -> str:
        if one.channel == "stream":
            return self.w["by_stream"]
        parts = urlsplit(one.target)  # a query may hold the consumer's own secret
        return fill(
            self.w["by_webhook"], target=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        )

    def feed(self, rail: RailView, one: connection.Subscription, wrong: str = "") -> ConfirmView:
        """One subscription and what may be done with it: pause, or go on."""
        w = self.w
        state, _ = self.feed_state(one)
        back = "/desk/connection?" + urlencode({"unit": one.consumer})
        paused = one.state == "paused"
        register = self.city.registers.get(one.register)
        about = [
            (w["register"], pick(register.name, self.lang) if register else one.register), (w["right"], str(one.grant)),
            (w["way"], self._way(one)), (w["state"], state), *self._feed_lines(one, None),
        ]  # fmt: skip
        go = "" if one.state == "ended" else w["resume_go"] if paused else w["pause_go"]
        return ConfirmView(
            rail, "shares", fill(w["feed"], n=one.id), [(w["title"], back), (fill(w["feed"], n=one.id), "")], about,
            "" if not go else w["resume_says"] if paused else w["pause_says"], f"/desk/connection/feeds/{one.id}", 0,
            "" if paused else w["pause_sure"], go, back, wrong, "resume" if paused else "pause", "" if paused else w["pause_why"],
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------ use and calls

    def _right(self, one: connection.GrantUsed) -> RightRow:
        w = self.w
        methods = [
            pick(requests.METHODS[each], self.lang) for each in one.methods if each in requests.METHODS
        ]
        counted = bool({"query", "batch"} & set(one.methods))
        return RightRow(
            str(one.id), f"/desk/shares/{one.request}" if one.request else "", self._title(one), w["sep"].join(methods),
            pick(requests.GRANT_STATES[one.state], self.lang), _GRANT.get(one.state, ""), full_day(one.expires, self.lang),
            f"{one.used:,}" if counted else "", fill(w["of_limit"], n=f"{one.per_day:,}") if counted else w["no_limit"],
            min(100, round(100 * one.used / one.per_day)) if counted else 0, fill(w["week"], n=f"{one.week:,}") if one.week else "",
        )  # fmt: skip

    def _call(self, one: connection.CallsSeen, titles: Mapping[str, str]) -> CallRow:
        w, kind = (
            self.w,
            "ok" if one.status < 400 else "warn" if one.status >= 500 or one.status == 429 else "bad",
        )
        about = " ".join(part for part in (titles.get(one.resource, one.resource), fill(w["under"], n=one.grant_id) if one.grant_id else "") if part)  # fmt: skip
        says = one.says
        if one.code and not says:
            says = w["claimed"]
        return CallRow(
            self._when(one.last_at), one.last_at.isoformat(timespec="minutes"), w.get(f"call_{one.call}", one.call), about, one.key,
            f"{one.times:,}", str(one.status), kind, says, one.code, fill(w["entry"], n=one.entry) if one.entry else "",
        )  # fmt: skip

    def _title(self, one: connection.GrantUsed) -> str:
        return (one.title_en or one.title) if self.lang == "en" else one.title

    def _unit(self, organisation: str) -> str:
        known = self.city.organisations.get(organisation)
        return organisation if known is None else pick(known.short, self.lang)

    def _when(self, moment: dt.datetime) -> str:
        return when(moment, self.now, self.words["time"], self.lang)


def looked_after(units: Sequence[tuple[str | None, Sequence[str]]]) -> list[str]:
    """The departments whose connection an official looks after, by (department, powers) of each post."""
    return list(dict.fromkeys(unit for unit, powers in units if unit and connection.ROLES & set(powers)))
