"""The form of a data request as its page shows it: resources by provider, the fields of the one chosen, laws, matters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from dizuo.engines.exchange import requests
from dizuo.foundation.blueprint.citing import law_text
from dizuo.foundation.blueprint.model import City
from dizuo.web.words import fill

from .telling import pick
from .views_queue import RailView


class Choice(msgspec.Struct, frozen=True):
    value: str
    label: str
    detail: str
    chosen: bool


class Group(msgspec.Struct, frozen=True):
    """Choices under one heading of a list."""

    name: str
    choices: list[Choice]


class Looked(msgspec.Struct, frozen=True):
    """A look at what the city holds already: what was looked for, by which department, what is there; ``wrong`` when nothing was named."""

    datum: str = ""
    matter: str = ""
    department: str = ""
    held: requests.Held | None = None
    asked: bool = False
    wrong: str = ""


class LookupView(msgspec.Struct, frozen=True):
    """The form of a look, and its answer; ``resource`` is what to ask for where there is no right yet."""

    data: list[Group]
    matters: list[Choice]
    says: str
    resource: str
    wrong: str


class FormTyped(msgspec.Struct, frozen=True):
    """What came back from the browser: (until, per_day) as typed, None on a first look; what was wrong."""

    typed: tuple[str, str] | None
    errors: Mapping[str, str]


class ShareFormView(msgspec.Struct, frozen=True):
    """The form; ``errors`` in the order of the fields on the page."""

    rail: RailView
    here: str
    number: str
    state: str
    supply: bool
    asked_more: str
    version: int
    resources: list[Group]
    resource: str
    about: list[tuple[str, str]]
    way: str
    fields: list[Choice]
    purpose: str
    laws: list[Group]
    matters: list[Choice]
    duty: str
    scope: str
    methods: list[Choice]
    frequencies: list[Choice]
    per_day: str
    until: str
    responsible: str
    committed: bool
    held: int
    held_says: str
    despite: str
    errors: list[tuple[str, str]]
    wrong: dict[str, str]
    said: str
    stale: str


_ORDER = (
    "resource", "fields", "purpose", "basis", "matter", "scope", "methods", "frequency", "per_day", "until", "responsible", "committed",
    "despite",
)  # fmt: skip


class FormMaker:
    """What the pages of requests share: the city in one language at one moment."""

    def __init__(self, city: City, now: dt.datetime, lang: str, words: dict[str, dict[str, str]]) -> None:
        self.city = city
        self.now = now
        self.lang = lang
        self.words = words
        self.w = words["share"]

    def unit(self, organisation: str) -> str:
        """The short name of an organisation; its id when it is not declared any more."""
        known = self.city.organisations.get(organisation)
        return organisation if known is None else pick(known.short, self.lang)

    def _law(self, key: str, *, verified: bool | None = None) -> str:
        """A citation; one whose article nobody held against the text says so."""
        law, _, article = key.partition(":")
        known = self.city.laws.get(law)
        if verified is None:
            verified = bool(known and article in known.articles and known.articles[article].verified)
        said = law_text(self.city, key, self.lang)
        return said if verified else f"{said}{self.w['unverified_law']}"

    def lookup(self, looked: Looked) -> LookupView:
        """Everything that registers hold, by register; and what came out of a look."""
        groups = [
            Group(
                pick(register.name, self.lang),
                [
                    Choice(f.datum, pick(f.name, self.lang), "", f.datum == looked.datum)
                    for f in register.fields.values()
                ],
            )
            for register in self.city.registers.values()
        ]
        return LookupView(
            data=groups,
            matters=[
                Choice(m.id, pick(m.name, self.lang), "", m.id == looked.matter)
                for m in self.city.matters.values()
            ],
            says=self._looked(looked),
            resource=looked.held.resource
            if looked.held and looked.held.grant is None and looked.held.provider != looked.department
            else "",
            wrong=looked.wrong,
        )

    def _looked(self, looked: Looked) -> str:
        if not looked.asked:
            return ""
        held = looked.held
        if held is None:
            return self.w["lookup_none"]
        key = (
            "lookup_own"
            if held.provider == looked.department
            else "lookup_ask"
            if held.grant is None
            else "lookup_right"
        )
        return fill(self.w[key], what=held.title, of=self.unit(held.provider), grant=held.grant or "")

    def form(
        self,
        rail: RailView,
        found: requests.RequestPage,
        wish: requests.Wish,
        offers: Sequence[requests.Resource],
        given: FormTyped,
        *,
        held: int = 0,
        said: str = "",
        stale: str = "",
    ) -> ShareFormView:
        """The form with what was kept or typed, and beside each field what is wrong with it."""
        w = self.w
        chosen = next((one for one in offers if one.code == wish.resource), None)
        until, many = given.typed or (
            wish.until.isoformat() if wish.until else "",
            str(wish.per_day) if wish.per_day else "",
        )
        asked = next((one.words for one in reversed(found.steps) if one.event in ("ask_more", "return")), "")
        return ShareFormView(
            rail=rail,
            here="shares",
            number=found.request.number,
            state=found.request.state,
            supply=found.request.state == "supplement",
            asked_more=asked,
            version=found.request.version,
            resources=self._resources(offers, found.request.department, wish.resource),
            resource=wish.resource,
            about=self._about(chosen),
            way=w[f"way_{chosen.share_type}"] if chosen else "",
            fields=[
                Choice(
                    f[0],
                    (f[2] or f[1]) if self.lang == "en" else f[1],
                    w["personal"] if f[4] else "",
                    f[0] in wish.fields,
                )
                for f in (chosen.fields if chosen else ())
            ],
            purpose=wish.purpose,
            laws=self._laws(wish.basis),
            matters=[
                Choice(m.id, pick(m.name, self.lang), "", m.id == wish.matter)
                for m in self.city.matters.values()
            ],
            duty=wish.duty,
            scope=wish.scope,
            methods=[
                Choice(id_, pick(name, self.lang), "", id_ in wish.methods)
                for id_, name in requests.METHODS.items()
            ],
            frequencies=[
                Choice(id_, pick(name, self.lang), "", id_ == wish.frequency)
                for id_, name in requests.FREQUENCIES.items()
            ],
            per_day=many,
            until=until,
            responsible=wish.responsible,
            committed=wish.committed,
            held=held,
            held_says=given.errors.get("despite", ""),
            despite=wish.despite,
            errors=[(name, given.errors[name]) for name in _ORDER if name in given.errors],
            wrong={name: given.errors.get(name, "") for name in _ORDER},
            said=said,
            stale=stale,
        )

    def _resources(self, offers: Sequence[requests.Resource], department: str, chosen: str) -> list[Group]:
        groups: dict[str, list[Choice]] = {}
        for one in offers:
            if one.provider == department:
                continue
            kind = pick(requests.SHARE_TYPES[one.share_type], self.lang)
            title = one.title_en if self.lang == "en" and one.title_en else one.title
            line = Choice(one.code, fill(self.w["offer"], title=title, kind=kind), "", one.code == chosen)
            groups.setdefault(one.provider, []).append(line)
        return [Group(self.unit(provider), choices) for provider, choices in sorted(groups.items())]

    def _about(self, one: requests.Resource | None) -> list[tuple[str, str]]:
        if one is None:
            return []
        w = self.w
        lines = [
            (w["provider"], self.unit(one.provider)),
            (w["share_type"], pick(requests.SHARE_TYPES[one.share_type], self.lang)),
            (w["share_condition"], one.share_condition),
            (w["share_basis"], self._law(one.share_basis) if one.share_basis else ""),
        ]
        return [(label, value) for label, value in lines if value]

    def _laws(self, chosen: str) -> list[Group]:
        """Every declared article of a law in force; the gist tells which is which."""
        today = self.now.date()
        groups: list[Group] = []
        for law in self.city.laws.values():
            keys = [f"{law.id}:{number}" for number in law.articles]
            lines = [
                Choice(
                    key, fill(self.w["article"], article=number, gist=article.gist[:60]), "", key == chosen
                )
                for key, (number, article) in zip(keys, law.articles.items(), strict=True)
                if requests.law_known(key, self.city, today)
            ]
            if lines:
                groups.append(Group(pick(law.title, self.lang), lines))
        return groups
