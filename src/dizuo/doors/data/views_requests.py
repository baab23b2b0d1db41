"""Sharing between departments as the public pages show it: figures from the record, and lists with a row a right, need or resource."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from dizuo.engines.exchange import requests
from dizuo.foundation.blueprint.citing import law_text
from dizuo.foundation.blueprint.model import City
from dizuo.web.format import day, thousands
from dizuo.web.words import fill

from .saying import Saying

LISTS = ("rights", "needs", "duties", "negative")
Fields = Sequence[tuple[str, str, str, str, bool]]


class OverviewView(msgspec.Struct, frozen=True):
    """Figures of the last year. ``providers``: name, answers, mean, in time, refused; ``reasons``: reason, law, how often, share."""

    here: str
    since: str
    totals: list[tuple[str, str, str]]
    providers: list[tuple[str, str, str, str, str]]
    reasons: list[tuple[str, str, str, str]]
    lists: list[tuple[str, str, str]]
    figures: requests.Figures


class Listed(msgspec.Struct, frozen=True):
    """One list: ``rows`` as people read it, ``facts`` as machines do."""

    here: str
    id: str
    title: str
    says: str
    as_of: str
    columns: list[str]
    rows: list[list[str]]
    facts: list[dict[str, Any]]
    none: str
    lists: list[tuple[str, str, str]]


class SharingMaker(Saying):
    """Makes the pages in one language on one day."""

    def __init__(self, city: City, lang: str, words: Mapping[str, dict[str, str]], today: dt.date) -> None:
        super().__init__(city, lang)
        self.w = words["sharing"]
        self.today = today

    def overview(self, found: requests.Figures, lawful: Sequence[requests.Reason]) -> OverviewView:
        """What is computed from the record of the last year; what cannot be known is a dash."""
        w = self.w
        since = self.today - dt.timedelta(days=365)
        return OverviewView(
            here="sharing",
            since=fill(w["since"], day=day(since, self.lang)),
            totals=[
                (w["k_mean"], _days(found.mean_days), fill(w["k_mean_why"], n=found.answers)),
                (
                    w["k_in_time"],
                    _share(found.in_time, found.timed),
                    fill(w["k_in_time_why"], part=found.in_time, n=found.timed),
                ),
                (
                    w["k_refused"],
                    _share(found.refused, found.answers),
                    fill(w["k_refused_why"], part=found.refused, n=found.answers),
                ),
                (
                    w["k_satisfied"],
                    _share(found.satisfied, found.decided),
                    fill(w["k_satisfied_why"], part=found.satisfied, n=found.decided, running=found.running),
                ),
                (
                    w["k_real"],
                    _share(found.real_time, found.rights),
                    fill(w["k_real_why"], part=found.real_time, n=found.rights),
                ),
                (
                    w["k_prevented"],
                    str(found.prevented),
                    fill(
                        w["k_prevented_why"],
                        requests=found.pointed_requests,
                        questions=found.pointed_questions,
                    ),
                ),
                (
                    w["k_returned"],
                    thousands(found.returned),
                    fill(w["k_returned_why"], n=found.returned_rights),
                ),
            ],
            providers=[
                (
                    self.unit(one.provider),
                    str(one.answers),
                    _days(one.mean_days),
                    _share(one.in_time, one.timed),
                    _share(one.refused, one.answers),
                )
                for one in found.by_provider
            ],
            reasons=[
                (
                    self.pick(one.name),
                    law_text(self.city, one.law, self.lang) + ("" if one.verified else w["unverified"]),
                    str(found.by_reason.get(one.id, 0)),
                    _share(found.by_reason.get(one.id, 0), found.refused),
                )
                for one in lawful
            ],
            lists=self._lists(),
            figures=found,
        )

    def _lists(self) -> list[tuple[str, str, str]]:
        return [(f"/data/sharing/{one}", self.w[f"l_{one}"], self.w[f"l_{one}_says"]) for one in LISTS]

    def rights(self, found: Sequence[requests.Right]) -> Listed:
        """谁能用什么: one row a right."""
        w = self.w
        rows: list[list[str]] = []
        facts: list[dict[str, Any]] = []
        for one in found:
            grant = one.grant
            state = grant.shown_state(self.today)
            rows.append(
                [
                    self.unit(grant.consumer),
                    self._of(one.title, one.title_en, one.provider),
                    self.pick(requests.GRANT_STATES[state]),
                    day(grant.expires, self.lang),
                    grant.purpose,
                    self._names(one.fields, grant.fields),
                    law_text(self.city, grant.basis, self.lang),
                    self._matter(grant.matter),
                    self.sep.join(
                        [
                            *(self.pick(requests.METHODS[m]) for m in grant.methods),
                            self.pick(requests.FREQUENCIES[grant.frequency]),
                        ]
                    ),
                ]
            )
            facts.append(
                {
                    "grant": grant.id, "consumer": grant.consumer, "resource": grant.resource, "provider": one.provider,
                    "share_type": one.share_type, "fields": grant.fields, "purpose": grant.purpose, "matter": grant.matter,
                    "basis": grant.basis, "methods": grant.methods, "frequency": grant.frequency, "per_day": grant.per_day,
                    "starts": grant.starts, "expires": grant.expires, "state": state, "version": grant.version,
                }
            )  # fmt: skip
        columns = [
            "consumer",
            "resource",
            "state",
            "expires",
            "purpose",
            "fields",
            "basis",
            "matter",
            "methods",
        ]
        return self._made("rights", columns, rows, facts, w)

    def needs(self, found: Sequence[requests.Need]) -> Listed:
        """需求清单: one row a request that was sent."""
        rows = [
            [
                one.number,
                self.unit(one.department),
                self._of(one.title, one.title_en, one.provider),
                self.pick(requests.STATES[one.state]),
                day(one.sent_at, self.lang),
                one.purpose,
                self.pick(requests.SHARE_TYPES[one.share_type]),
                law_text(self.city, one.basis, self.lang),
                self._matter(one.matter),
            ]
            for one in found
        ]
        columns = [
            "number",
            "department",
            "resource",
            "state",
            "sent",
            "purpose",
            "share_type",
            "basis",
            "matter",
        ]
        return self._made("needs", columns, rows, [msgspec.to_builtins(one) for one in found], self.w)

    def duties(self, found: Sequence[requests.Duty]) -> Listed:
        """责任清单: one row a resource that a provider is bound to provide."""
        rows = [
            [
                self.unit(one.provider),
                self._title(one.title, one.title_en),
                one.code,
                self.pick(requests.SHARE_TYPES[one.share_type]),
                one.share_condition or "—",
                str(len(one.fields)),
                str(one.waiting),
                str(one.provided),
                str(one.refused),
            ]
            for one in found
        ]
        columns = [
            "provider",
            "resource",
            "code",
            "share_type",
            "condition",
            "fields_n",
            "waiting",
            "provided",
            "refused",
        ]
        return self._made("duties", columns, rows, [_plain(one) for one in found], self.w)

    def negative(self, found: Sequence[requests.KeptBack]) -> Listed:
        """负面清单: one row a resource that is not shared; one without a law is a fault, and says so."""
        rows = [
            [
                self.unit(one.provider),
                self._title(one.title, one.title_en),
                one.code,
                law_text(self.city, one.share_basis, self.lang) if one.share_basis else self.w["no_basis"],
                str(len(one.fields)),
            ]
            for one in found
        ]
        columns = ["provider", "resource", "code", "basis", "fields_n"]
        return self._made("negative", columns, rows, [_plain(one) for one in found], self.w)

    def _made(
        self,
        which: str,
        columns: Sequence[str],
        rows: list[list[str]],
        facts: list[dict[str, Any]],
        w: Mapping[str, str],
    ) -> Listed:
        return Listed(
            here="sharing",
            id=which,
            title=w[f"l_{which}"],
            says=w[f"l_{which}_says"],
            as_of=self.today.isoformat(),
            columns=[w[f"c_{name}"] for name in columns],
            rows=rows,
            facts=facts,
            none=w[f"l_{which}_none"],
            lists=self._lists(),
        )

    @property
    def sep(self) -> str:
        return ", " if self.lang == "en" else "、"

    def _title(self, zh: str, en: str) -> str:
        return en if self.lang == "en" and en else zh

    def _of(self, zh: str, en: str, provider: str) -> str:
        return fill(self.w["of"], title=self._title(zh, en), provider=self.unit(provider))

    def _names(self, known: Fields, fields: Sequence[str]) -> str:
        names = {f[0]: (f[2] or f[1]) if self.lang == "en" else f[1] for f in known}
        return self.sep.join(names.get(one, one) for one in fields)

    def _matter(self, matter: str) -> str:
        known = self.city.matters.get(matter)
        return self.pick(known.name) if known else self.w["duty"]


def _plain(one: requests.Duty | requests.KeptBack) -> dict[str, Any]:
    """A row for machines: fields by their ids."""
    return {**msgspec.to_builtins(one), "fields": [field[0] for field in one.fields]}


def _share(part: int, whole: int) -> str:
    """A share in per cent; a dash where there is nothing to measure."""
    return f"{part * 1000 // whole / 10:g}%" if whole else "—"


def _days(mean: float | None) -> str:
    return "—" if mean is None else f"{mean:.1f}"
