"""Declarations and stores as the data door shows them: whose, on which law, for what, how much."""

from __future__ import annotations

import datetime as dt

import msgspec

from dizuo.foundation.blueprint.citing import law_text
from dizuo.foundation.blueprint.lineage import sources_of
from dizuo.foundation.blueprint.model import City, Item, Matter, Register
from dizuo.foundation.ledger import PublicKey
from dizuo.web.format import as_date, day, moment, thousands
from dizuo.web.words import fill

from .saying import Saying
from .stores import Asked, LastDelivery, Stores


class RegisterLine(msgspec.Struct, frozen=True):
    """One register in the catalogue."""

    id: str
    name: str
    owner: str
    base: str
    fields: int
    personal: int
    records: str
    delivered: str
    age: str


class FieldLine(msgspec.Struct, frozen=True):
    """One field of a register."""

    id: str
    name: str
    type: str
    source: str
    law: str
    level: str
    personal: str
    used: int
    origins: list[tuple[str, str]]
    """Columns of sources that feed it, in the order in which they are asked, with their addresses: the lineage (血缘)."""


class DeliveryLine(msgspec.Struct, frozen=True):
    """The last delivery of one department."""

    register: str
    department: str
    period: str
    landed: str
    rows: str
    outcome: str
    faults: list[str]
    bad: bool


class NeedLine(msgspec.Struct, frozen=True):
    """What an item reads of one party: fields, purpose, law."""

    party: str
    register: str
    fields: str
    purpose: str
    law: str
    when: bool


class ItemLine(msgspec.Struct, frozen=True):
    """One item of a matter: who, on which law, how long, what it reads, what it checks."""

    id: str
    name: str
    department: str
    law: str
    promise: str
    needs: list[NeedLine]
    checks: list[tuple[str, str]]
    count: int


class MatterLine(msgspec.Struct, frozen=True):
    """One matter: how much its form asks of people and how much the city knows."""

    id: str
    name: str
    items: int
    facts: int
    registers: int
    asked: str
    known: str
    share: int
    measured: str


class HomeView(msgspec.Struct, frozen=True):
    """The catalogue."""

    here: str
    registers: list[RegisterLine]
    matters: list[MatterLine]
    ledger: str
    sealed: str
    totals: list[tuple[str, str, str]]


class RegisterView(msgspec.Struct, frozen=True):
    """One register."""

    here: str
    id: str
    name: str
    lead: str
    stat: list[tuple[str, str, str]]
    fields: list[FieldLine]
    deliveries: list[DeliveryLine]
    readers: list[tuple[str, str, str]]


class MatterView(msgspec.Struct, frozen=True):
    """One matter's access specification."""

    here: str
    id: str
    name: str
    lead: str
    stat: list[tuple[str, str, str]]
    items: list[ItemLine]
    not_needed: str


class LedgerView(msgspec.Struct, frozen=True):
    """The state of the ledger, and how anybody verifies it."""

    here: str
    size: str
    at: str
    root: str
    note: str
    key: str
    origin: str


_UNITS = {
    "workday": "个工作日",
    "calendar_day": "天",
    "work_hour": "个工作小时",
    "hour": "小时",
    "month": "个月",
    "year": "年",
}


class DataMaker(Saying):
    """Makes the pages in one language."""

    def __init__(self, city: City, lang: str, words: dict[str, dict[str, str]]) -> None:
        super().__init__(city, lang)
        self.w = words["data"]

    def law(self, key: str) -> str:
        return law_text(self.city, key, self.lang)

    # -------------------------------------------------------------- catalogue

    def home(self, stores: Stores) -> HomeView:
        """Every register and every matter."""
        registers = [self._register_line(one, stores) for one in self.city.registers.values()]
        fields = [field for one in self.city.registers.values() for field in one.fields.values()]
        head, w = stores.head, self.w
        return HomeView(
            here="data",
            registers=registers,
            matters=[self._matter_line(one, stores.asked.get(one.id)) for one in self.city.matters.values()],
            ledger="0" if head is None else thousands(head.size),
            sealed=w["not_sealed"] if head is None else moment(head.at, self.lang),
            totals=[
                (w["t_registers"], str(len(registers)), w["t_registers_why"]),
                (
                    w["t_records"],
                    thousands(sum(held.records for held in stores.holdings.values())),
                    w["t_records_why"],
                ),
                (w["t_fields"], str(len(fields)), w["t_fields_why"]),
                (w["t_sources"], str(len({f.source for f in fields})), w["t_sources_why"]),
                (w["t_matters"], str(len(self.city.matters)), w["t_matters_why"]),
                (w["t_ledger"], "0" if head is None else thousands(head.size), w["t_ledger_why"]),
            ],
        )

    def _register_line(self, one: Register, stores: Stores) -> RegisterLine:
        last = self._up_to(one, stores)
        return RegisterLine(
            id=one.id,
            name=self.pick(one.name),
            owner=self.unit(one.owner),
            base=self.w[f"base_{one.base}"],
            fields=len(one.fields),
            personal=sum(1 for field in one.fields.values() if field.personal),
            records=self._records(one, stores),
            delivered="—" if last is None else last.isoformat(),
            age="" if last is None else self._age(last, stores.at),
        )

    @staticmethod
    def _records(one: Register, stores: Stores) -> str:
        held = stores.holdings.get(one.id)
        return "0" if held is None else thousands(held.records)

    @staticmethod
    def _up_to(one: Register, stores: Stores) -> dt.date | None:
        """The day up to which the departments' deliveries reach; a register is as fresh as its oldest source."""
        taken = [d.period_to for d in stores.deliveries if d.register == one.id and d.state == "published"]
        return min(taken, default=None)

    def _age(self, last: dt.date, now: dt.datetime) -> str:
        days = max(0, (as_date(now) - last).days)
        return self.w["age_today"] if days == 0 else fill(self.w["age_days"], n=days)

    def _matter_line(self, one: Matter, asked: Asked | None) -> MatterLine:
        facts = {fact for item in one.items for need in item.needs for fact in need.facts}
        parties = {party.id: party.register for party in one.parties}
        w = self.w
        if asked is None:
            return MatterLine(
                one.id, self.pick(one.name), len(one.items), len(facts), self._registers_of(parties, facts),
                str(len(one.questions)), "—", 0, w["not_measured"],
            )  # fmt: skip
        whole = asked.asked + asked.known
        return MatterLine(
            one.id, self.pick(one.name), len(one.items), len(facts), self._registers_of(parties, facts),
            f"{asked.asked:.1f}", f"{asked.known:.1f}", round(100 * asked.known / whole) if whole else 0,
            fill(w["measured"], n=asked.n),
        )  # fmt: skip

    @staticmethod
    def _registers_of(parties: dict[str, str], facts: set[str]) -> int:
        return len({parties[fact.partition(".")[0]] for fact in facts if fact.partition(".")[0] in parties})

    # --------------------------------------------------------------- register

    def register(self, one: Register, stores: Stores) -> RegisterView:
        """One register: fields with source and law, deliveries, who reads it for what."""
        w = self.w
        came = [d for d in stores.deliveries if d.register == one.id]
        used = self._used(one)
        held = stores.holdings.get(one.id)
        clock = self.city.clocks[one.correction_clock]
        origins = sources_of(self.city, one.id)
        return RegisterView(
            here="data",
            id=one.id,
            name=self.pick(one.name),
            lead=fill(w["register_lead"], owner=self.unit(one.owner)),
            stat=[
                (w["s_records"], self._records(one, stores), w["s_records_why"]),
                (w["s_fresh"], *self._fresh(one, stores)),
                (w["s_taken"], *self._taken(came)),
                (w["s_fields"], str(len(one.fields)), fill(w["s_fields_why"], n=sum(f.personal for f in one.fields.values()))),
                (w["s_written"], day(held.last_at, self.lang) if held and held.last_at else "—", w["s_written_why"]),
                (w["s_correct"], f"{clock.length.n} {self._length_unit(clock.length.unit)}", self.law(clock.law.key)),
            ],
            fields=[
                FieldLine(
                    f.id, self.pick(f.name), w[f"type_{f.type}"], self.unit(f.source), self.law(f.basis.key), f.level,
                    w["yes"] if f.personal else w["no"], used.get(f.id, 0),
                    [(f"{self.pick(self.city.sources[o.source].name)} · {o.header}", f"/data/sources/{o.source}") for o in origins[f.id]],
                )
                for f in one.fields.values()
            ],
            deliveries=[self._delivery(d, one) for d in came],
            readers=self._readers(one),
        )  # fmt: skip

    def _length_unit(self, unit: str) -> str:
        return unit.replace("_", " ") if self.lang == "en" else _UNITS[unit]

    def _used(self, one: Register) -> dict[str, int]:
        """How many items read each field."""
        found: dict[str, int] = {}
        for _, _, fields in self._reads(one):
            for field in fields:
                found[field] = found.get(field, 0) + 1
        return found

    def _reads(self, one: Register) -> list[tuple[Matter, Item, set[str]]]:
        found: list[tuple[Matter, Item, set[str]]] = []
        for matter in self.city.matters.values():
            parties = {party.id for party in matter.parties if party.register == one.id}
            for item in matter.items:
                facts = {fact.partition(".") for need in item.needs for fact in need.facts}
                fields = {field for party, _, field in facts if party in parties}
                if fields:
                    found.append((matter, item, fields))
        return found

    def _readers(self, one: Register) -> list[tuple[str, str, str]]:
        return [
            (
                f"{self.pick(matter.name)} · {self.pick(item.name)}",
                f"/data/matters/{matter.id}#{item.id}",
                "、".join(self.pick(one.fields[field].name) for field in one.fields if field in fields),
            )
            for matter, item, fields in self._reads(one)
        ]

    def _fresh(self, one: Register, stores: Stores) -> tuple[str, str]:
        """How old the data are, and what was promised: nothing, as long as the city declares no cycle for a register."""
        last = self._up_to(one, stores)
        if last is None:
            return "—", self.w["s_fresh_none"]
        return self._age(last, stores.at), fill(self.w["s_fresh_why"], day=last.isoformat())

    def _taken(self, came: list[LastDelivery]) -> tuple[str, str]:
        """The share of delivered rows that passed every check, with those that did not."""
        rows, rejected = sum(d.rows for d in came), sum(d.rejected for d in came)
        if not rows:
            return "—", self.w["s_taken_none"]
        # Cut, not rounded: one row sent back must not read as 100 %.
        share = (rows - rejected) * 10_000 // rows
        return f"{share / 100:.2f}%", fill(self.w["s_taken_why"], n=thousands(rejected), of=thousands(rows))

    def _delivery(self, one: LastDelivery, register: Register) -> DeliveryLine:
        w = self.w
        outcome = fill(w["rejected"], n=thousands(one.rejected))
        return DeliveryLine(
            register=one.register,
            department=self.unit(one.department),
            period=one.period_to.isoformat(),
            landed=moment(one.landed_at, self.lang),
            rows=thousands(one.rows),
            outcome=w["refused_whole"] if one.state == "refused" else outcome,
            faults=[
                fill(
                    w["fault"],
                    field=fault.field or w["fault_row"],
                    what=w.get(f"fault_{fault.code}", fault.code),
                    n=thousands(fault.rows),
                )
                for fault in one.faults
            ],
            bad=one.state == "refused" or bool(one.rejected),
        )

    # ----------------------------------------------------------------- matter

    def matter(self, one: Matter, asked: Asked | None) -> MatterView:
        """Which item reads what, for what purpose, on which law."""
        w, line = self.w, self._matter_line(one, asked)
        registers = {p.register for p in one.parties}
        read = {(p.register, fact.partition(".")[2]) for i in one.items for n in i.needs for fact in n.facts
                for p in one.parties if p.id == fact.partition(".")[0]}  # fmt: skip
        unread = [
            self.pick(field.name)
            for name in sorted(registers)
            for field in self.city.registers[name].fields.values()
            if field.notable and (name, field.id) not in read
        ]
        return MatterView(
            here="data",
            id=one.id,
            name=self.pick(one.name),
            lead=self.pick(one.summary),
            stat=[
                (w["m_items"], str(line.items), w["m_items_why"]),
                (w["m_facts"], str(line.facts), fill(w["m_facts_why"], n=line.registers)),
                (w["m_asked"], line.asked, line.measured),
                (w["m_known"], line.known, w["m_known_why"]),
            ],
            items=[self._item(one, item) for item in one.items],
            not_needed="、".join(unread),
        )

    def _item(self, matter: Matter, item: Item) -> ItemLine:
        parties = {party.id: party for party in matter.parties}
        needs: list[NeedLine] = []
        for need in item.needs:
            by: dict[str, list[str]] = {}
            for fact in need.facts:
                party, _, field = fact.partition(".")
                by.setdefault(party, []).append(field)
            for party, fields in by.items():
                register = self.city.registers[parties[party].register]
                needs.append(
                    NeedLine(
                        party=self.pick(parties[party].name),
                        register=register.id,
                        fields="、".join(self.pick(register.fields[field].name) for field in fields),
                        purpose=self.pick(self.city.purposes[need.purpose].name),
                        law=self.law(need.basis.key),
                        when=need.when is not None,
                    )
                )
        return ItemLine(
            id=item.id,
            name=self.pick(item.name),
            department=self.unit(item.department),
            law="、".join(self.law(ref.key) for ref in item.basis),
            promise=f"{item.promise.n} {self._length_unit(item.promise.unit)}",
            needs=needs,
            checks=[
                (self.pick(check.says), "" if check.basis is None else self.law(check.basis.key))
                for step in item.steps
                for check in step.checks
            ],
            count=len({fact for need in item.needs for fact in need.facts}),
        )

    # ----------------------------------------------------------------- ledger

    def ledger(self, stores: Stores, key: PublicKey, origin: str) -> LedgerView:
        """Size, last checkpoint, public key."""
        head = stores.head
        return LedgerView(
            here="ledger",
            size="0" if head is None else thousands(head.size),
            at=self.w["not_sealed"] if head is None else moment(head.at, self.lang),
            root="" if head is None else head.root,
            note="" if head is None else head.note,
            key=str(key),
            origin=origin,
        )
