"""What the pages of seals show: counts, closed seals without anybody, orders for those who asked or may decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from dizuo.engines.registers import SealedRecord, SealOrder
from dizuo.foundation.blueprint.citing import law_text
from dizuo.foundation.blueprint.model import City, SealGround, Words
from dizuo.foundation.ledger import Seal, SealsInForce
from dizuo.web import ONCE_FIELD, Form
from dizuo.web.format import day, moment
from dizuo.web.tokens import once_token
from dizuo.web.words import fill

_FIELDS: Final = ("number", "scheme", "whom", "fields", "opens_on", "why", "state", "said")
_TONES: Final = {"asked": "info", "approved": "ok", "declined": ""}


class SealLine(msgspec.Struct, frozen=True):
    """One closed seal; ``keeps`` when the reader may extend it."""

    entry: int
    who: str
    basis: str
    since: str
    opens: str
    extended: int
    overlong: bool
    keeps: bool


class OrderLine(msgspec.Struct, frozen=True):
    """One order in a list."""

    href: str
    number: str
    ground: str
    when: str
    state: str
    tone: str


class FieldChoice(msgspec.Struct, frozen=True):
    """A field that may be read on a ground."""

    value: str
    label: str
    on: bool


class AskForm(msgspec.Struct, frozen=True):
    """The form to order a read on one ground."""

    ground: str
    title: str
    says: str
    fields: list[tuple[str, list[FieldChoice]]]
    schemes: list[dict[str, str]]
    given: dict[str, str]
    once: str


class SealsView(msgspec.Struct, frozen=True):
    """The page 封存."""

    force: list[tuple[str, str, int, int, int]]
    lines: list[SealLine]
    orders: list[OrderLine]
    asks: list[AskForm]
    errors: list[tuple[str, str]]
    error: dict[str, str]


class OrderView(msgspec.Struct, frozen=True):
    """The page of one order; ``records`` after reading: (field, value, source) of each."""

    id: int
    number: str
    state: str
    tone: str
    about: list[tuple[str, str]]
    decides: bool
    usable: bool
    states: list[dict[str, str]]
    was_read: bool
    records: list[list[tuple[str, str, str]]]
    errors: list[tuple[str, str]]
    error: dict[str, str]


class SealsMaker:
    """Words seals and orders in one language."""

    def __init__(self, city: City, lang: str, words: Mapping[str, Any]) -> None:
        self.city = city
        self.lang = lang
        self.words = words

    def page(
        self, force: Sequence[SealsInForce], closed: Sequence[Seal], orders: Sequence[SealOrder], posts: Mapping[str, str],
        errors: Mapping[str, str], sent: Form | None,
    ) -> SealsView:  # fmt: skip
        """The whole page; what was sent stands again beside its errors."""
        grounds = [
            one for one in self.city.seal_grounds.values() if posts.get(one.organisation) in one.orders
        ]
        return SealsView(
            [(self._ground(one.ground), self._unit(one.unit), one.closed, one.extended, one.overlong) for one in force],
            [self._line(one, posts) for one in closed],
            [self._order_line(one) for one in orders],
            [self._ask(one, sent) for one in grounds],
            list(errors.items()), {name: errors.get(name, "") for name in _FIELDS},
        )  # fmt: skip

    def order(
        self,
        one: SealOrder,
        records: Sequence[SealedRecord],
        errors: Mapping[str, str],
        *,
        read: bool = False,
    ) -> OrderView:
        """One order and what was read on it."""
        w, register = self.words, self.city.registers.get(one.register)
        named = {name: self._said(f.name) for name, f in register.fields.items()} if register else {}
        about = [
            (w["ground"], self._ground(one.ground)), (w["whom"], one.whom),
            (w["register"], self._said(register.name) if register else one.register),
            (w["fields"], w["comma"].join(named.get(name, name) for name in one.fields)),
            (w["opens_on"], day(one.opens_on, self.lang)), (w["why"], one.why),
            (w["asked_by"], f"{self._post(one.unit, one.asked_post)} {moment(one.asked_at, self.lang)}"),
        ]  # fmt: skip
        if one.decided_at:
            about.append((w["decided_by"], f"{self._post(one.unit, one.decided_post)} {moment(one.decided_at, self.lang)}"))  # fmt: skip
        if one.said:
            about.append((w["said"], one.said))
        states = [{"value": name, "label": w[name], "detail": ""} for name in ("approve", "decline")]
        values = [
            [(named.get(name, name), "" if value is None else str(value), self._unit(source)) for name, value, source in some.values]
            for some in records
        ]  # fmt: skip
        return OrderView(
            one.id, one.number, w[f"state_{one.state}"], _TONES[one.state], about, one.decides, one.usable, states, read, values,
            list(errors.items()), {name: errors.get(name, "") for name in _FIELDS},
        )  # fmt: skip

    def _ask(self, ground: SealGround, sent: Form | None) -> AskForm:
        chosen = set(sent.all("fields")) if sent else set[str]()
        fields = [
            (
                self._said(self.city.registers[name].name),
                [
                    FieldChoice(
                        f"{name}.{one}",
                        self._said(self.city.registers[name].fields[one].name),
                        f"{name}.{one}" in chosen,
                    )
                    for one in some
                ],
            )
            for name, some in ground.reads.items()
        ]
        says = fill(
            self.words["ask_says"], law=law_text(self.city, ground.basis.key, self.lang), n=ground.longest
        )
        schemes = [
            {"value": name, "label": self.words[name], "detail": ""} for name in ("citizen_id", "uscc")
        ]
        names = ("number", "scheme", "whom", "opens_on", "why")
        given = {name: sent.text(name) if sent else "" for name in names}
        once = sent.text(ONCE_FIELD)[:60] if sent else ""
        return AskForm(ground.id, self._said(ground.name), says, fields, schemes, given, once or once_token())

    def _line(self, one: Seal, posts: Mapping[str, str]) -> SealLine:
        ground = self.city.seal_grounds.get(one.ground)
        keeps = ground is not None and posts.get(ground.organisation) in ground.approves
        law = law_text(self.city, one.basis, self.lang)
        return SealLine(
            one.entry, f"{self._unit(one.unit)} · {self._post(one.unit, one.post)}", law, day(one.since, self.lang),
            day(one.opens_on, self.lang), one.extended, one.overlong, keeps,
        )  # fmt: skip

    def _order_line(self, one: SealOrder) -> OrderLine:
        return OrderLine(
            f"/data/seals/orders/{one.id}", one.number, self._ground(one.ground), moment(one.asked_at, self.lang),
            self.words[f"state_{one.state}"], _TONES[one.state],
        )  # fmt: skip

    def _said(self, words: Words) -> str:
        return words.en if self.lang == "en" and words.en else words.zh

    def _ground(self, ground: str) -> str:
        known = self.city.seal_grounds.get(ground)
        return self._said(known.name) if known else ground

    def _unit(self, unit: str) -> str:
        known = self.city.organisations.get(unit.partition(":")[0])
        return self._said(known.short) if known else unit

    def _post(self, unit: str, post: str) -> str:
        known = self.city.organisations.get(unit.partition(":")[0])
        return next((self._said(one.name) for one in known.posts if one.id == post), post) if known else post
