"""Who used my data: ledger entries as the person concerned reads them (个人信息保护法 §45)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from dizuo.foundation.blueprint.citing import articles_text
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.foundation.ledger import EntryView
from dizuo.web.format import day, moment
from dizuo.web.words import fill

from .declared import article_order, department, listed, pick
from .form_facts import OptionView
from .prepared import AT_HOME
from .views_matter import Texts

OBJECTIONABLE = frozenset({"register.read", "register.write", "identity.look", "case.view", "case.reveal", "case.supervise_view",
                           "rating.view", "exchange.read"})  # fmt: skip
"""Kinds of entries that are a use by a department, beside every other kind of reading."""
AT_WINDOW = "window:"
"""The case of a read at a window is this and the matter, until there is an application."""


class UsedView(msgspec.Struct, frozen=True):
    """What one entry released from one register."""

    entry: int
    says: str
    proof: str
    wrong: str
    number: str = ""


class UseView(msgspec.Struct, frozen=True):
    """One use: entries of the same moment, actor and case."""

    title: str
    who: str
    why: str
    law: str
    case: str
    case_href: str
    when: str
    iso: str
    refused: bool
    uses: list[UsedView]
    note: str = ""
    objects: str = ""


class FilterView(msgspec.Struct, frozen=True):
    name: str
    href: str
    on: bool


class RecordView(msgspec.Struct, frozen=True):
    """A record that was used and may be wrong."""

    href: str
    name: str
    note: str


class CorrectView(msgspec.Struct, frozen=True):
    """The page 更正我的信息: first which record, then which field and what it should be.

    ``elsewhere`` when the record asked for is not among the reader's own.
    """

    records: list[RecordView]
    record: str
    entry: int
    options: list[OptionView]
    chosen: str
    wants: str
    says: str
    once: str
    errors: list[tuple[str, str]]
    error_fact: str
    error_wants: str
    running: list[Any]
    sent: bool
    elsewhere: bool = False


def _dict(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _texts(value: object) -> list[str]:
    return [str(one) for one in cast("list[object]", value) if one] if isinstance(value, list) else []


def said_of(entry: EntryView) -> EntryView:
    """What an entry tells: of one that was sealed and is open now, what lay under the seal."""
    if entry.kind != "sealed.opened":
        return entry
    return msgspec.structs.replace(
        entry, kind=str(entry.body.get("kind", "")), body=_dict(entry.body.get("said"))
    )


def kept_by(entry: EntryView, kind: str, me: int, name: str) -> bool:
    """Whether an entry passes a filter: all, mine, others, refused."""
    if kind == "refused":
        return entry.kind.endswith("refused")
    own = by_me(entry, me, name)
    return {"mine": own, "others": not own}.get(kind, True)


def by_me(entry: EntryView, me: int, name: str) -> bool:
    """Whether the person concerned made the entry themself. Entries about cases name the actor, not the identity."""
    payload = _dict(entry.payload)
    if (
        entry.kind == "correction.report"
    ):  # entered about whoever reports, and nobody reports for somebody else
        return True
    mine = payload["subject"] == me if "subject" in payload else payload.get("name") == name
    return mine and _dict(entry.body.get("actor")).get("kind") == "resident"


class KeptThere(msgspec.Struct, frozen=True):
    """A resource that stays at its department: its title and its items' names by id, in the reader's language."""

    title: str
    items: Mapping[str, str]


def at_node(entry: EntryView) -> str:
    """The resource's code where an entry tells of data at a department's node, '' otherwise."""
    body = said_of(entry).body
    return str(body.get("resource") or "") if body.get("node") else ""


class DataMaker:
    """Words ledger entries for one person in one language."""

    def __init__(
        self,
        city: City,
        me: int,
        name: str,
        lang: str,
        words: Texts,
        kept: Mapping[str, KeptThere] | None = None,
    ) -> None:
        """``kept``: what entries about data at departments' nodes mean, by the resource's code."""
        self.city = city
        self.kept = kept or {}
        self.me = me
        self.name = name
        self.lang = lang
        self.words = words["data"]
        self.around = words["tracker"]

    def uses(self, entries: Sequence[EntryView], numbers: Mapping[int, int] | None = None) -> list[UseView]:
        """Entries grouped into uses, newest first: those of one minute; a day's looks at this very list.

        ``numbers``: under which number of the reader's each entry stands.
        """
        groups: dict[tuple[object, ...], list[EntryView]] = {}
        for entry in entries:
            payload = _dict(entry.payload)
            looked = entry.kind == "data.viewed"
            when = to_shanghai(entry.at).date() if looked else entry.at.replace(second=0, microsecond=0)
            key = (entry.kind, when, payload.get("case"), str(entry.body.get("actor")))
            groups.setdefault(key, []).append(entry)
        return [self._use(members, numbers or {}) for members in groups.values()]

    def _use(self, given: list[EntryView], numbers: Mapping[int, int]) -> UseView:
        note = self._note(given[0])
        members = [said_of(one) for one in given]
        first = members[0]
        payload = _dict(first.payload)
        known = str(payload.get("case", ""))
        case, href = self._case(known, first.body)
        whys = [self._at_home(first)] if known.startswith(AT_HOME) else map(self._why, members)
        return UseView(
            title=self._title(first, members),
            who=self._who(first),
            why=listed(list(dict.fromkeys(whys)), self.lang),
            law=self._laws(members),
            case=case,
            case_href=href,
            when=moment(first.at, self.lang),
            iso=first.at.isoformat(),
            refused=first.kind.endswith("refused"),
            uses=[self._used(entry, numbers.get(entry.id)) for entry in members],
            note=note,
            objects=f"/me/data/object?entry={first.id}" if self.may_object(first) else "",
        )

    def may_object(self, entry: EntryView) -> bool:
        """Whether a department used the reader's data here, which then has to answer."""
        actor = _dict(entry.body.get("actor"))
        known = str(actor.get("unit") or "").partition(":")[0] in self.city.organisations
        used = entry.kind in OBJECTIONABLE or entry.kind.endswith(".read")
        return known and used and not by_me(entry, self.me, self.name)

    def _note(self, entry: EntryView) -> str:
        """What is to be said of an entry that was sealed, or is."""
        if entry.kind == "sealed":
            return fill(self.around["sealed_note"], day=day(str(entry.body.get("opens_on")), self.lang))
        if entry.kind == "sealed.opened":
            return fill(self.around["opened_note"], day=day(str(entry.body.get("since")), self.lang))
        return ""

    def _title(self, first: EntryView, members: list[EntryView]) -> str:
        key = "kind_" + first.kind.replace(".", "_")
        if first.kind == "register.read" and not any(_texts(entry.body.get("fields")) for entry in members):
            key = "kind_register_looked"
        if first.kind == "data.viewed" and len(members) > 1:
            return fill(self.words["viewed_often"], n=len(members))
        registers = dict.fromkeys(self._of(entry) for entry in members)
        named = listed([name for name in registers if name], self.lang)
        return fill(self.words.get(key, self.words["kind_other"]), what=named, kind=first.kind)

    def _register(self, register: str) -> str:
        known = self.city.registers.get(register)
        return pick(known.name, self.lang) if known else register

    def _of(self, entry: EntryView) -> str:
        """The register of an entry, or what a department keeps itself, as the catalogue names it."""
        there = self.kept.get(at_node(entry))
        return there.title if there else self._register(str(entry.body.get("register", "")))

    def _fields(self, entry: EntryView, register: str, fields: list[str]) -> list[str]:
        there = self.kept.get(at_node(entry))
        if there is not None:
            return [there.items.get(name, name) for name in fields]
        known = self.city.registers.get(register)
        if known is None:
            return fields
        return [pick(known.fields[name].name, self.lang) if name in known.fields else name for name in fields]

    def _used(self, entry: EntryView, number: int | None = None) -> UsedView:
        register = str(entry.body.get("register", ""))
        fields = self._fields(
            entry, register, _texts(entry.body.get("fields")) or _texts([entry.body.get("field")])
        )
        if register and fields:
            says = fill(self.words["of_register"], register=self._of(entry), fields=listed(fields, self.lang))
        elif entry.body.get("state") == "missing":
            says = fill(self.words["not_held"], register=self._of(entry))
        elif not register:
            says = self._items(entry.body)
        else:
            says = fill(self.words["only_found"], register=self._of(entry))
        found = bool(_dict(entry.payload).get("key")) and entry.kind == "register.read" and fields
        return UsedView(
            entry.id,
            says,
            f"/me/data/{entry.id}/proof",
            f"/me/data/correct?entry={entry.id}" if found else "",
            "" if number is None else fill(self.around["number"], n=number),
        )

    def _items(self, body: Mapping[str, Any]) -> str:
        matter = self.city.matters.get(str(body.get("matter", "")))
        wanted = _texts(body.get("items"))
        return (
            listed([pick(i.name, self.lang) for i in matter.items if i.id in wanted], self.lang)
            if matter
            else ""
        )

    def _who(self, entry: EntryView) -> str:
        actor, payload = _dict(entry.body.get("actor")), _dict(entry.payload)
        kind = actor.get("kind")
        if by_me(entry, self.me, self.name):
            return self.words["self"]
        unit = str(actor.get("unit") or "")
        where = department(self.city, unit.partition(":")[0], self.lang) if unit else ""
        if kind == "official":
            return " · ".join(
                part for part in (where, self._post(unit, str(actor.get("post") or ""))) if part
            )
        if kind == "resident":
            # Who acts in the reader's name is named; of others it is told that there was one, and nothing about them.
            mine = payload.get("acting_for") == self.me or entry.kind.startswith("mandate.")
            return str(payload.get("name") or self.words["resident"]) if mine else self.words["resident"]
        how = self.around["exchange"] if entry.body.get("grant") else self.words["system"]
        return " · ".join(part for part in (where, how) if part)

    def _post(self, unit: str, post: str) -> str:
        organisation = self.city.organisations.get(unit.partition(":")[0])
        for known in organisation.posts if organisation else ():
            if known.id == post:
                return pick(known.name, self.lang)
        return post

    def _matter(self, body: Mapping[str, Any]) -> str:
        matter = self.city.matters.get(str(body.get("matter", "")))
        return pick(matter.name, self.lang) if matter else ""

    def _at_home(self, entry: EntryView) -> str:
        mine = by_me(entry, self.me, self.name)
        return fill(self.words["why_home" if mine else "why_home_other"], matter=self._matter(entry.body))

    def _why(self, entry: EntryView) -> str:
        body = entry.body
        if entry.kind == "sealed":
            return self.around["sealed_why"]
        purpose = self.city.purposes.get(str(body.get("purpose", "")))
        if purpose is not None:
            return pick(purpose.name, self.lang)
        matter = self.city.matters.get(str(body.get("matter", "")))
        if matter is not None:
            return pick(matter.name, self.lang)
        if entry.kind.endswith("refused"):
            return self.words["why_refused"]
        return str(body.get("reason") or body.get("purpose") or self.words["why_kept"])

    def _laws(self, members: list[EntryView]) -> str:
        found: dict[str, dict[str, None]] = {}
        for entry in members:
            uses = cast("list[object]", entry.body.get("uses") or [])
            bases = [_dict(use).get("basis") for use in uses]
            for basis in bases or [entry.body.get("basis") or entry.body.get("law")]:
                if basis:
                    law, _, number = str(basis).partition(":")
                    found.setdefault(law, {})[number] = None
        laws = [
            articles_text(self.city, law, sorted(numbers, key=article_order), self.lang)
            for law, numbers in found.items()
        ]
        if laws:
            return listed(laws, self.lang)
        return self.words["law_none" if members[0].kind.endswith("refused") else "law_own"]

    def _case(self, case: str, body: Mapping[str, Any]) -> tuple[str, str]:
        if not case or case.startswith(AT_HOME):  # nobody opened a form: the reason says it all
            return "", ""
        if case.startswith(self.city.number_prefix) and case[len(self.city.number_prefix) :].isdigit():
            return case, f"/cases/{case}"
        if not self._matter(body):  # another system's case, by the number that it gave
            return case, ""
        at = "case_window" if case.startswith(AT_WINDOW) else "case_form"
        return fill(self.words[at], matter=self._matter(body)), ""

    # --- for corrections

    def records(self, entries: Sequence[EntryView]) -> list[RecordView]:
        """The records about this person that were found lately, each once."""
        found: dict[tuple[str, str], RecordView] = {}
        for entry in entries:
            register, key = str(entry.body.get("register", "")), str(_dict(entry.payload).get("key", ""))
            if entry.kind != "register.read" or not key or (register, key) in found:
                continue
            known = self.city.registers.get(register)
            if known is None or not _texts(entry.body.get("fields")):
                continue
            note = fill(self.words["kept_at"], department=department(self.city, known.owner, self.lang))
            found[register, key] = RecordView(
                f"/me/data/correct?entry={entry.id}", self._register(register), note
            )
        return list(found.values())

    def fields(self, entry: EntryView) -> list[OptionView]:
        """The fields of one entry to choose from, each with the department that answers for it."""
        register = self.city.registers.get(str(entry.body.get("register", "")))
        if register is None:
            return []
        return [
            OptionView(
                name,
                pick(register.fields[name].name, self.lang),
                fill(
                    self.words["kept_at"],
                    department=department(self.city, register.fields[name].source, self.lang),
                ),
            )
            for name in _texts(entry.body.get("fields"))
            if name in register.fields
        ]

    def name_of(self, entry: EntryView) -> str:
        """The register of an entry."""
        return self._register(str(entry.body.get("register", "")))
