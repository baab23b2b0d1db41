"""Projects an invented cluster of kin to rows of the city's registers, as the departments would know them.

The field names are those of the base registers (`registers/*.yaml`). A field or a whole person register that this
module does not know is filled by its declared type, so that a city can add one without code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from dizuo.engines.lake.people import Birth, Cluster, Enterprise, Home, Household, Marriage, Person
from dizuo.foundation.blueprint.model import City, Field, Words

Cell = str | int | date | datetime | None
_BANKS = ("江苏银行", "无锡农村商业银行", "工商银行", "建设银行", "农业银行", "中国银行")
_DELIVERY = {"1": "顺产", "2": "剖宫产", "3": "阴道助产"}
_STATES = {"存续": "1", "吊销": "2", "注销": "3", "歇业": "5"}


@dataclass(frozen=True, slots=True)
class Row:
    """One record of one register, all departments' fields together; `as_of` is the date of the record."""

    register: str
    values: Mapping[str, Cell]
    as_of: date


class Projection:
    """Maps clusters to rows for one city and one day."""

    def __init__(self, city: City, rng: Random, today: date) -> None:
        self._city = city
        self._rng = rng
        self._today = today
        self._month = today.replace(day=1)
        self._place = city.name.zh
        person = city.registers.get("person")
        self._relations: Mapping[str, Words] = (
            person.fields["relation_to_head"].codes if person and "relation_to_head" in person.fields else {}
        )
        licence = city.registers.get("e_licence")
        self._licences: Mapping[str, Words] = (
            licence.fields["licence_type"].codes if licence and "licence_type" in licence.fields else {}
        )
        known = {
            "person", "household", "marriage", "birth_certificate", "death", "real_estate", "enterprise", "e_licence",
            "social_insurance", "medical_insurance",
        }  # fmt: skip
        self._others = [
            r for r in city.registers.values()
            if r.id not in known and r.entity and r.fields[r.key].type == "citizen_id"
        ]  # fmt: skip
        self._serial = 0

    def rows(self, cluster: Cluster) -> Iterator[Row]:
        """All rows of a cluster, in any register that the city declares."""
        for row in self._all(cluster):
            if row.register in self._city.registers:
                yield row

    def _all(self, cluster: Cluster) -> Iterator[Row]:
        recent = {id(b.mother): b for b in cluster.births if b.child is None}
        certificates = {id(b.child): b.certificate for b in cluster.births if b.child is not None}
        for house in cluster.households:
            yield self._household(house)
        for person in cluster.people:
            yield self._person(person, certificates.get(id(person)))
            yield from self._insurances(person, recent.get(id(person)))
            yield from self._licences_of(person)
            if person.died is not None:
                yield self._death(person, person.died)
            for register in self._others:
                yield Row(register.id, {register.key: person.number}, self._month)
        for marriage in cluster.marriages:
            yield self._marriage(marriage)
        for birth in cluster.births:
            same = sum(
                1 for b in cluster.births if b.mother is birth.mother and b.born.date() == birth.born.date()
            )
            yield self._birth(birth, same)
        for home in cluster.homes:
            yield self._home(home)
        for enterprise in cluster.enterprises:
            yield from self._enterprise(enterprise)

    def _person(self, p: Person, certificate: str | None) -> Row:
        house = p.household
        door = house.door if house else None
        address = door.text(self._place) if door else None
        home = None if p.unknown_home else p.lives_at or door
        age = p.age(self._today)
        card = (
            None
            if age < 16
            else date(2099, 12, 31)
            if age >= 46
            else _later(self._month, 10 if age <= 25 else 20, self._rng)
        )
        values: dict[str, Cell] = {
            "citizen_id": p.number, "name": p.name, "surname": p.surname or None, "given_name": p.given, "former_name": p.former_name,
            "sex": p.sex, "birth_date": p.birth, "ethnicity": p.ethnic, "native_place": p.native_place, "birth_place": p.native_place,
            "hukou_kind": "1", "hukou_address": address, "division": door.town.code if door else None,
            "household_no": house.number if house else None, "relation_to_head": self._relation(p.relation),
            "residence_address": home.text(self._place) if home else None, "residence_division": home.town.code if home else None,
            "phone": p.phone if age >= 14 else None,
            "mother_citizen_id": p.mother.number if p.mother else None, "father_citizen_id": p.father.number if p.father else None,
            "birth_certificate_no": certificate, "id_valid_to": card, "former_citizen_id": p.former_number,
            "state": "2" if p.died else "1", "marital_status": p.marital, "education": p.education if age >= 18 else None,
            "occupation": p.occupation or None, "disability_level": self._rng.choice("1234") if p.disabled else None,
            "fund_account": f"3202{int(p.number[-9:-1]):09d}" if p.works else None,
        }  # fmt: skip
        since = max(p.birth, p.joined or p.birth, house.since if house else p.birth)
        return Row("person", values, min(since, self._today))

    def _relation(self, code: str) -> str:
        known = self._relations
        if not known or (code in known and not (code == "01" and "02" in known)):
            return code
        if code == "01":
            return "02"
        # Children-in-law stand among the sons and daughters in GB/T 4761 (28, 38); a short list has no place for them.
        return "99" if code in ("28", "38") else f"{code[0]}0" if f"{code[0]}0" in known else "99"

    def _household(self, h: Household) -> Row:
        living = [m for m in h.members if m.died is None]
        values: dict[str, Cell] = {
            "household_no": h.number, "kind": "1", "head_citizen_id": h.head.number, "head_name": h.head.name,
            "address": h.door.text(self._place), "division": h.door.town.code,
            "village": h.door.village.code if h.door.village else None, "members": len(living), "registered_on": h.since,
            "state": "1" if living else "2",
        }  # fmt: skip
        return Row("household", values, h.since)

    def _marriage(self, m: Marriage) -> Row:
        values: dict[str, Cell] = {
            "certificate_no": m.certificate, "husband_citizen_id": m.husband.number, "wife_citizen_id": m.wife.number,
            "husband_name": m.husband.name, "wife_name": m.wife.name, "state": "2" if m.divorced else "1", "registered_on": m.on,
            "office": m.office, "division": m.region, "ended_on": m.divorced, "marriage_times": "初婚",
        }  # fmt: skip
        return Row("marriage", values, m.divorced or m.on)

    def _birth(self, b: Birth, together: int) -> Row:
        values: dict[str, Cell] = {
            "number": b.certificate, "child_sex": b.sex, "born_at": b.born, "birth_place": b.hospital, "division": b.region,
            "hospital": b.hospital, "issued_on": b.signed, "mother_name": b.mother_name or b.mother.name,
            "mother_citizen_id": b.mother.number, "father_name": b.father.name if b.father else None,
            "father_citizen_id": b.father.number if b.father else None, "plurality": together,
            "birth_order": b.order if together > 1 else 1, "household_state": "1" if b.child else "0", "state": "1",
            "weight_g": b.weight, "length_cm": b.length, "gestation_weeks": b.weeks, "delivery_mode": _DELIVERY[b.delivery],
            "health_state": "良好",
        }  # fmt: skip
        return Row("birth_certificate", values, b.signed)

    def _death(self, p: Person, on: date) -> Row:
        self._serial += 1
        values: dict[str, Cell] = {
            "certificate_no": f"D{on:%Y}{self._serial:08d}", "citizen_id": p.number, "name": p.name, "died_on": on,
            "place": self._rng.choice(("家中", "医院", "养老机构")), "cause": "疾病",
            "cancelled_on": min(on + timedelta(days=self._rng.randint(3, 29)), self._today),
        }  # fmt: skip
        return Row("death", values, on)

    def _home(self, h: Home) -> Row:
        values: dict[str, Cell] = {
            "unit_no": h.unit, "certificate_no": h.certificate, "owner_citizen_id": h.owner.number, "owner_name": h.owner.name,
            "co_owner_citizen_id": h.co_owner.number if h.co_owner else None, "owner_uscc": None,
            "address": h.door.text(self._place, h.door_registered), "division": h.door.town.code, "usage": "1", "registered_on": h.on,
            "state": "1", "area": h.area, "share": "1" if h.co_owner else "0", "price": h.area * self._rng.randint(90, 260) * 100,
            "mortgage": "有抵押" if self._rng.random() < 0.3 else None,
        }  # fmt: skip
        return Row("real_estate", values, h.on)

    def _enterprise(self, e: Enterprise) -> Iterator[Row]:
        values: dict[str, Cell] = {
            "uscc": e.code, "name": e.name, "kind": "2" if e.kind == "92" else "1", "legal_citizen_id": e.legal.number,
            "legal_name": e.legal.name, "capital": e.capital, "founded_on": e.founded, "term_to": None, "address": e.address,
            "division": e.town.code, "scope": e.scope, "industry": e.industry,
            "authority": f"{self._city.divisions[e.town.parent].name if e.town.parent in self._city.divisions else ''}市场监督管理局",
            "state": _STATES[e.state], "phone": e.legal.phone, "staff": e.staff, "area": e.area, "taxpayer_no": e.code, "tax_state": "1",
            "turnover": e.staff * self._rng.randint(5, 60) * 10_000, "penalties": None,
        }  # fmt: skip
        yield Row("enterprise", values, e.founded)
        if "business_licence" in self._licences:
            yield self._licence("business_licence", f"BL{e.code}", e.name, e.founded, None, e.town.code, uscc=e.code,
                                issuer=str(values["authority"]), state="1" if e.state == "存续" else "3")  # fmt: skip

    def _insurances(self, p: Person, birth: Birth | None) -> Iterator[Row]:
        age = p.age(self._today)
        if p.died is not None:
            return
        retired = age >= (60 if p.sex == "1" else 55)
        covered = p.works or (retired and self._rng.random() < 0.7)
        months = max(1, (min(age, 60) - 22) * 11) if covered else 0
        if age >= 16:
            social: dict[str, Cell] = {
                "citizen_id": p.number, "card_no": f"A{int(p.number[6:17]) % 100_000_000:08d}", "card_state": "1",
                "bank_state": "1" if self._rng.random() < 0.85 else "0", "bank": self._rng.choice(_BANKS),
                "kind": "110" if covered or p.works else "170",
                "pension_state": "3" if covered and retired else "1" if p.works else "2" if self._rng.random() < 0.2 else "0",
                "employer_uscc": p.employer_code if p.works else None, "employer_name": p.employer if p.works else None,
                "base_yuan": self._rng.randint(48, 220) * 100 if p.works else None, "paid_months": months,
            }  # fmt: skip
            yield Row("social_insurance", social, self._month)
        open_cost = birth is not None and self._rng.random() < 0.6
        medical: dict[str, Cell] = {
            "citizen_id": p.number, "kind": "310" if covered else "390", "state": "1" if self._rng.random() < 0.97 else "2",
            "division": p.household.door.town.parent if p.household else None,
            "enrolled_on": max(p.birth + timedelta(days=30), date(2001, 1, 1)) if not p.works else _start_of_work(p),
            "maternity_state": "1" if p.works else "0", "employer_uscc": p.employer_code if p.works else None,
            "employer_name": p.employer if p.works else None,
            "delivery_settled": "0" if birth is None else "2" if open_cost else "1",
            "delivery_cost": self._rng.randint(180, 480) * 10 if open_cost else None,
            "guardian_citizen_id": p.mother.number if age < 18 and p.mother else None,
            "balance": self._rng.randint(0, 9000) if covered else None, "visits": None, "diagnosis": None,
        }  # fmt: skip
        if p.settled_cost is not None:
            medical |= {"state": "1", "delivery_settled": "2", "delivery_cost": p.settled_cost}
        if medical["enrolled_on"] is not None and str(medical["enrolled_on"]) > self._today.isoformat():
            return
        yield Row("medical_insurance", medical, self._month)

    def _licences_of(self, p: Person) -> Iterator[Row]:
        age = p.age(self._today)
        if p.died is not None or p.household is None:
            return
        area = p.household.door.town.parent
        district = p.household.door.district_name
        if age >= 16 and "id_card" in self._licences:
            issued = self._month - timedelta(days=self._rng.randint(40, 3000))
            yield self._licence(
                "id_card", f"ID{p.number}", p.name, issued, None, area, person=p, issuer=f"{district}公安分局"
            )
        if age < 7 and "vaccination_record" in self._licences:
            issued = min(p.birth + timedelta(days=25), self._today)
            yield self._licence(
                "vaccination_record",
                f"VR{p.number}",
                p.name,
                issued,
                None,
                area,
                person=p,
                issuer=f"{district}疾病预防控制中心",
            )
        if age >= 60 and p.senior_card and "senior_card" in self._licences:
            issued = self._month - timedelta(days=self._rng.randint(30, 900))
            yield self._licence(
                "senior_card",
                f"SC{p.number}",
                p.name,
                issued,
                None,
                area,
                person=p,
                issuer=f"{district}民政局",
            )

    def _licence(
        self, kind: str, number: str, holder: str, issued: date, until: date | None, area: str, *,
        issuer: str, person: Person | None = None, uscc: str | None = None, state: str = "1",
    ) -> Row:  # fmt: skip
        words = self._licences[kind]
        values: dict[str, Cell] = {
            "number": number, "licence_type": kind, "name": words.zh, "holder_name": holder,
            "holder_citizen_id": person.number if person else None, "holder_uscc": uscc, "issuer": issuer, "issued_on": issued,
            "valid_from": issued, "valid_to": until, "state": state, "trust_level": "A", "area": area,
        }  # fmt: skip
        return Row("e_licence", values, issued)


def invented(field: Field, rng: Random, today: date) -> Cell:
    """A plausible value for a field known only by its declared type; half of the free texts stay empty."""
    match field.type:
        case "code":
            return rng.choice(list(field.codes)) if field.codes else None
        case "number":
            return rng.randint(0, 100)
        case "money":
            return rng.randint(0, 10_000)
        case "boolean":
            return rng.choice(("是", "否"))
        case "date":
            return today - timedelta(days=rng.randint(1, 3000))
        case "datetime":
            return datetime.combine(today - timedelta(days=rng.randint(1, 3000)), datetime.min.time())
        case "text":
            return f"演示{field.name.zh}" if rng.random() < 0.5 else None
        case "division" | "citizen_id" | "uscc":
            return None


def _later(month: date, years: int, rng: Random) -> date:
    return date(month.year + rng.randint(1, years), rng.randint(1, 12), rng.randint(1, 28))


def _start_of_work(p: Person) -> date:
    return max(date(p.birth.year + 22, 7, 1), date(2001, 1, 1))
