"""The cast as departments write it: rows of each source, as text, with the slips that a few of them have.

What goes wrong here is meant to be mended on the way: a number of fifteen digits, a name heard wrongly, a space, two digits
exchanged. The golden record must be the right one all the same; a test holds that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from dizuo.engines.lake.simulation.cast.model import (
    Birth,
    Cluster,
    Enterprise,
    Home,
    Household,
    Marriage,
    Person,
)
from dizuo.engines.lake.simulation.cast.numbering import keyed, transposed
from dizuo.engines.lake.simulation.source_person import ETHNIC

Cells = Mapping[str, str | None]
_BANKS = ("江苏银行", "无锡农村商业银行", "工商银行", "建设银行", "农业银行", "中国银行")
_CITY_TIME = " 09:30:00"


@dataclass(frozen=True, slots=True)
class Spoken:
    """Whom a mention of a row speaks of (entity_id of the truth), and the kinds of slips in it."""

    entity: str
    slips: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One row of one source: cells by column id, who is mentioned."""

    source: str
    key: str
    cells: Cells
    said: Mapping[str, Spoken] = field(default_factory=dict[str, Spoken])


class Writer:
    """Writes clusters as rows for one day. ``base`` is where the cast's row numbers begin, ``block`` its number."""

    def __init__(self, rng: Random, today: date, block: int, base: int) -> None:
        self._rng = rng
        self._today = today
        self._block = block
        self._base = base
        self._licences = 0

    def lines(self, cluster: Cluster) -> Iterator[Line]:
        """All rows of a cluster."""
        mothers = {birth.mother.index for birth in cluster.births}
        for house in cluster.households:
            for person in house.members:
                yield self._hukou(person, house)
                yield self._medical(person, house, person.index in mothers)
                if person.age(self._today) >= 16:
                    yield self._social(person)
                    yield self._id_card(person, house)
        for marriage in cluster.marriages:
            yield self._marriage(marriage)
        for birth in cluster.births:
            yield self._birth(birth)
        for home in cluster.homes:
            yield self._home(home)
        for enterprise in cluster.enterprises:
            yield from self._enterprise(enterprise)

    def _row(self, person: Person) -> int:
        return self._base + person.index

    def _who(self, person: Person, *slips: str) -> Spoken:
        return Spoken(f"P{self._row(person):010d}", slips)

    def _lately(self, days: int = 20) -> str:
        return f"{self._today - timedelta(days=self._rng.randint(1, days))}{_CITY_TIME}"

    def _hukou(self, p: Person, house: Household) -> Line:
        key = keyed("32", self._row(p), 6)
        age = p.age(self._today)
        card = date(self._today.year + 3 + p.index % 8, 1 + p.index % 12, 1 + p.index % 28)
        cells: Cells = {
            "person_no": key, "household_no": keyed("", house.index + self._block * 100_000, 1, 9), "citizen_id": p.number,
            "name": p.name, "sex": "男" if p.sex == "1" else "女", "birth_date": f"{p.birth:%Y%m%d}",
            "ethnicity": f"{ETHNIC[int(p.ethnic) - 1]}族", "native_place": p.native_place, "birth_place": p.native_place,
            "relation_to_head": p.relation, "hukou_kind": "家庭户", "address": house.door.text(),
            "mother_citizen_id": p.mother.number if p.mother else None, "father_citizen_id": p.father.number if p.father else None,
            "id_valid_to": "99991231" if age >= 46 else f"{card:%Y%m%d}", "state": "正常", "former_citizen_id": p.former_number,
            "household_since": f"{house.since:%Y%m%d}", "household_members": str(len(house.members)), "household_state": "正常",
            "updated_at": f"{max(house.since, p.birth)}{_CITY_TIME}",
        }  # fmt: skip
        return Line("hukou", key, cells, {"self": self._who(p)})

    def _medical(self, p: Person, house: Household, gave_birth: bool) -> Line:
        key, rng, age = keyed("Y", self._row(p), 20), self._rng, p.age(self._today)
        home = p.lives_at or house.door
        # An operator who typed what was heard: the number is right, so the person is.
        heard = p.name.replace("晴", "情") if p.settled_cost is not None else p.name
        open_cost = p.settled_cost is not None or (gave_birth and rng.random() < 0.6)
        cost = p.settled_cost or rng.randint(180, 480) * 10
        settled = "没有分娩记录" if not gave_birth else "待报销" if open_cost else "出院时已直接结算"
        retired = age >= 60
        cells: Cells = {
            "account_no": key, "name": heard, "id_number": p.number,
            "kind": "职工基本医疗保险" if p.works or retired else "城乡居民基本医疗保险", "state": "正常参保", "phone": p.phone,
            "address": home.text(), "insured_at": house.door.town.parent,
            "enrolled_on": str(max(p.birth + timedelta(days=30), date(2001, 1, 1))),
            "employer": p.employer if p.works else None, "employer_uscc": p.employer_code if p.works else None,
            "maternity_state": "正常参保" if p.works else "未参保", "delivery_settled": settled,
            "delivery_cost": str(cost) if open_cost else None, "balance": f"{rng.randint(100, 9000)}.50" if p.works else None,
            "updated_at": self._lately(),
        }  # fmt: skip
        said = self._who(p, *(("homophone",) if heard != p.name else ()))
        return Line("medical_insurance", key, cells, {"self": said})

    def _social(self, p: Person) -> Line:
        key, rng, age = keyed("", self._row(p) * 2, 18), self._rng, p.age(self._today)
        retired = age >= 60
        months = max(1, (min(age, 60) - 22) * 11) if p.works or retired else 0
        cells: Cells = {
            "account_no": key, "name": p.name, "citizen_id": p.number, "sex": p.sex, "birth_date": str(p.birth),
            "employer": p.employer if p.works else None, "employer_uscc": p.employer_code if p.works else None,
            "kind": "企业职工基本养老保险" if p.works or retired else "城乡居民基本养老保险",
            "state": "正常参保" if p.works else "领取待遇" if retired else "未参保", "phone": p.phone,
            "card_no": keyed("A", self._row(p) * 2, 30), "card_state": "正常", "bank_state": "已激活", "bank": rng.choice(_BANKS),
            "base": str(rng.randint(48, 220) * 100) if p.works else None, "months": str(months),
            "updated_at": f"{self._today.replace(day=1)}{_CITY_TIME}",
        }  # fmt: skip
        return Line("social_insurance", key, cells, {"self": self._who(p)})

    def _id_card(self, p: Person, house: Household) -> Line:
        issued = self._today - timedelta(days=self._rng.randint(40, 1_500))
        area = house.door.town.parent
        return self._licence(
            "居民身份证",
            p.name,
            p.number,
            f"{house.door.above}公安分局",
            issued,
            area,
            {"holder": self._who(p)},
        )

    def _licence(
        self, kind: str, holder: str, code: str, issuer: str, issued: date, area: str, said: Mapping[str, Spoken]
    ) -> Line:  # fmt: skip
        self._licences += 1
        key = keyed("ZZ3202", self._licences + self._block * 100_000, 26)
        cells: Cells = {
            "number": key, "kind": kind, "holder": holder, "holder_code": code, "issuer": issuer, "issued_on": str(issued),
            "state": "正常", "title": kind, "valid_from": str(issued), "trust_level": "A", "area": area,
            "updated_at": f"{issued}{_CITY_TIME}",
        }  # fmt: skip
        return Line("licences", key, cells, said)

    def _marriage(self, m: Marriage) -> Line:
        cells: Cells = {
            "registration_no": m.certificate, "husband_name": m.husband.name, "husband_id": m.husband.number,
            "wife_name": m.wife.name, "wife_id": m.wife.number, "kind": "结婚", "registered_on": str(m.on), "office": m.office,
            "earlier": "初婚", "updated_at": f"{m.on}{_CITY_TIME}",
        }  # fmt: skip
        return Line(
            "marriage", m.certificate, cells, {"husband": self._who(m.husband), "wife": self._who(m.wife)}
        )

    def _birth(self, b: Birth) -> Line:
        said = {
            "mother": self._who(b.mother, *(("homophone",) if b.mother_name else ())),
            "child": Spoken(f"P{self._base + 50_000 + int(b.certificate[-7:]):010d}"),
        }
        if b.father is not None:
            said["father"] = self._who(b.father)
        home = b.mother.household or (b.father.household if b.father else None)
        cells: Cells = {
            "certificate_no": b.certificate, "sex": b.sex, "born_at": f"{b.born:%Y-%m-%d %H:%M:%S}",
            "mother_name": b.mother_name or b.mother.name, "mother_id": b.mother.number,
            "father_name": b.father.name if b.father else None, "father_id": b.father.number if b.father else None,
            "hospital": b.hospital, "address": home.door.text() if home else None, "birth_place": b.place + b.hospital,
            "issued_on": str(b.signed), "plurality": str(b.together), "birth_order": str(b.order), "weight": str(b.weight),
            "length": str(max(42, min(55, round(b.weight / 65)))), "weeks": str(b.weeks), "delivery_mode": b.delivery,
            "health": "良好", "household_state": "未落户", "state": "有效", "updated_at": f"{b.signed} 17:00:00",
        }  # fmt: skip
        return Line("births", b.certificate, cells, said)

    def _home(self, h: Home) -> Line:
        # The old registry kept first-generation numbers; nobody has brought them up to date.
        number = h.owner.former_number or h.owner.number
        slips = ("id_15_digits",) if h.owner.former_number else ()
        cells: Cells = {
            "unit_no": h.unit, "certificate_no": h.certificate, "owner": h.owner.name, "owner_id": number,
            "address": h.door.text(h.door_registered), "area": str(h.area), "share": "共同共有" if h.shared else "单独所有",
            "registered_on": str(h.on), "usage": "住宅", "state": "现势", "price": str(h.area * self._rng.randint(90, 260) * 100),
            "mortgage": "有抵押" if self._rng.random() < 0.3 else "无抵押", "updated_at": f"{h.on}{_CITY_TIME}",
        }  # fmt: skip
        return Line("real_estate", h.certificate, cells, {"owner": self._who(h.owner, *slips)})

    def _enterprise(self, e: Enterprise) -> Iterator[Line]:
        legal, code = e.legal, f"E{self._base:010d}"
        cells: Cells = {
            "uscc": e.code, "name": e.name, "kind": "有限责任公司", "legal_representative": legal.name,
            "legal_representative_id": legal.number, "capital": str(e.capital), "founded_on": str(e.founded), "address": e.address,
            "scope": e.scope, "industry": e.industry, "state": "存续", "phone": legal.phone, "term_to": "长期",
            "authority": e.authority, "staff": str(e.staff), "updated_at": f"{e.founded}{_CITY_TIME}",
        }  # fmt: skip
        yield Line("enterprises", e.code, cells, {"self": Spoken(code), "legal": self._who(legal)})
        yield self._licence(
            "营业执照", e.name, e.code, e.authority, e.founded, e.code[2:8], {"holding_unit": Spoken(code)}
        )
        plate = f"苏B{'DM'}{legal.index:03d}"
        address = legal.household.door.text() if legal.household else None
        car: Cells = {
            "plate": plate, "plate_kind": "小型汽车", "owner": legal.name, "owner_id": transposed(legal.number), "address": address,
            "phone": legal.phone, "brand": "演示牌DM7180轿车", "registered_on": f"{datetime(self._today.year - 4, 5, 6):%Y/%m/%d}",
            "state": "正常", "updated_at": self._lately(30),
        }  # fmt: skip
        yield Line("vehicles", plate, car, {"owner": self._who(legal, "id_transposed")})
