"""Invented mentions of invented people with the truth beside them (演示数据): to try linking without any delivery.

A small city of its own, apart from the simulator: families behind one door with one telephone, twins, namesakes; each
person is mentioned by some departments, with the errors that departments make. Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from pypinyin.pinyin_dict import pinyin_dict

from dizuo.engines.lake.identity.sounds import outline, reading
from dizuo.engines.lake.simulation.cast.naming import Namer
from dizuo.engines.lake.simulation.cast.numbering import unified_code
from dizuo.foundation.kernel.identity import citizen_check_digit

SOURCES: Final = (
    # source, how often a person is in it, has number, has sex and birth, has phone, has address
    ("hukou", 0.8, True, True, False, True),
    ("residence_permits", 0.25, True, True, True, True),
    ("social_insurance", 0.5, True, True, True, False),
    ("medical_insurance", 0.6, True, False, True, True),
    ("school_enrolment", 0.2, True, True, True, True),
    ("vehicles", 0.15, True, False, True, True),
    ("real_estate", 0.2, True, False, False, True),
)
ERRORS: Final = (
    "homophone", "similar_shape", "former_name", "number_swapped", "number_digit", "number_missing", "birth_swapped",
    "birth_part", "moved", "phone_changed", "name_cut",
)  # fmt: skip


@dataclass(frozen=True)
class Mention:
    """A row of the contract's mentions file, with who it truly is and what was done to it."""

    record_id: str
    source: str
    entity: str
    name: str | None
    former_name: str | None
    sex: str | None
    birth_date: date | None
    citizen_id: str | None
    id_other: str | None
    uscc: str | None
    phone: str | None
    division: str | None
    address_rest: str | None
    as_of: date
    entity_id: str
    errors: tuple[str, ...] = ()

    def row(self) -> dict[str, Any]:
        """The mention without the truth."""
        mention = self.record_id.rpartition(":")[2]
        return {
            "record_id": self.record_id, "source": self.source, "mention": mention, "entity": self.entity, "name": self.name,
            "name_raw": self.name, "former_name": self.former_name, "sex": self.sex, "birth_date": self.birth_date,
            "citizen_id": self.citizen_id, "id_other": self.id_other, "uscc": self.uscc, "phone": self.phone,
            "division": self.division, "address_rest": self.address_rest, "as_of": self.as_of,
        }  # fmt: skip


@dataclass(frozen=True)
class Person:
    """What is true of an invented person."""

    key: str
    name: str
    former: str | None
    sex: str
    birth: date
    number: str
    phone: str
    division: str
    rest: str


_DOTTED: Final = (
    "古丽娜尔",
    "阿依古丽",
    "热依汗",
    "萨仁",
    "艾力",
    "买买提",
    "吐尔逊",
    "哈那提",
    "库尔班",
    "巴特尔",
)


class _Numbers:
    """Citizen numbers in sequence for each region, day and sex."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, date, str], int] = {}

    def citizen(self, region: str, birth: date, sex: str) -> str:
        step = self._next[region, birth, sex] = self._next.get((region, birth, sex), -1) + 1
        sequence = (step * 137 + 61 + birth.day * 7) % 499 * 2 + (1 if sex == "1" else 2)
        body = f"{region}{birth:%Y%m%d}{sequence:03d}"
        return body + citizen_check_digit(body)


class Rehearsal:
    """The invented city; ``people`` is about how many, ``error_rate`` how many mentions carry an error."""

    def __init__(self, people: int, seed: int = 7, error_rate: float = 0.12) -> None:
        self._rng = Random(seed)  # noqa: S311 — invented data must be the same again
        self._rate = error_rate
        self._namer = Namer()
        self._alike = _alike()
        self.people = tuple(self._families(people))

    def mentions(self) -> Iterator[Mention]:
        """Every mention by every department."""
        for person in self.people:
            for source, share, numbered, dated, phoned, placed in SOURCES:
                if self._rng.random() >= share:
                    continue
                mention = Mention(
                    f"{source}:{person.key}:self", source, "person", person.name, person.former if source == "hukou" else None,
                    person.sex if dated else None, person.birth if dated else None, person.number if numbered else None, None, None,
                    person.phone if phoned else None, person.division if placed else None, person.rest if placed else None,
                    date(2026, 11, 1), person.key,
                )  # fmt: skip
                yield self._spoilt(mention) if self._rng.random() < self._rate else mention

    def enterprises(self, count: int) -> Iterator[Mention]:
        """Mentions of invented enterprises by three departments."""
        words = (
            "梁味坊",
            "锦绣",
            "鼎盛",
            "鸿运",
            "金陵",
            "太湖明珠",
            "蠡园",
            "新城",
            "百和",
            "万家福",
            "惠泉",
            "云林",
            "澄江",
            "荆溪",
        )
        kinds = ("餐饮", "贸易", "科技", "物流", "建材", "服饰", "电子", "精密机械", "环保", "文化传媒")
        for number in range(count):
            word = self._rng.choice(words) + self._rng.choice(("", "源", "达", "兴", "宏"))
            name = f"无锡市{word}{self._rng.choice(kinds)}有限公司"
            code = unified_code(91, "320213", 31 * 31 + number)
            division, rest = self._door()
            phone = f"0510{self._rng.randrange(80_000_000, 88_999_999)}"
            for source in ("enterprises", "licences", "credit"):
                if self._rng.random() > (1.0 if source == "enterprises" else 0.5):
                    continue
                said, given = name, code
                errors: tuple[str, ...] = ()
                if self._rng.random() < 0.15:
                    said, errors = (
                        name.replace("无锡市", "").replace("有限公司", "有限责任公司"),
                        ("name_form",),
                    )
                if self._rng.random() < 0.1:
                    given, errors = "", (*errors, "number_missing")
                full = source == "enterprises"
                yield Mention(
                    f"{source}:{number}:self", source, "enterprise", said, None, None, None, None, None, given or None,
                    phone if full else None, division if full or not given else None, rest if full or not given else None,
                    date(2026, 11, 1), f"e{number}", errors,
                )  # fmt: skip

    def _door(self) -> tuple[str, str]:
        rng = self._rng
        division = f"3202{rng.choice(('05', '06', '11', '13', '14'))}{rng.randrange(1, 13):03d}{rng.randrange(1, 15):03d}"
        road = rng.choice(
            ("人民中路", "学前街", "五爱路", "梁清路", "太湖大道", "锡沪路", "运河东路", "清扬路")
        )
        return (
            division,
            f"{road}{rng.randrange(1, 400)}号{rng.randrange(1, 40)}幢{rng.randrange(1, 19)}0{rng.randrange(1, 5)}室",
        )

    def _families(self, people: int) -> Iterator[Person]:
        rng, numbers = self._rng, _Numbers()
        made = 0
        while made < people:
            division, rest = self._door()
            phone = self._phone()
            surname = self._namer.surname(rng)
            year = rng.randrange(1945, 1996)
            family = [("1", year, surname), ("2", year + rng.randrange(-4, 5), None)]
            family += [
                (rng.choice("12"), year + rng.randrange(23, 33), surname)
                for _ in range(rng.choice((0, 1, 1, 2)))
            ]
            twins = len(family) == 4 and rng.random() < 0.08
            birth = date(2000, 1, 1)
            for place, (sex, born, name) in enumerate(family):
                if not (twins and place == 3):
                    birth = date(min(born, 2024), 1, 1) + timedelta(days=rng.randrange(365))
                number = numbers.citizen(rng.choice((division[:6], "320219", "340123", "411425")), birth, sex)
                full = self._namer.name(rng, sex, name).full
                if name is None and rng.random() < 0.01:
                    full = f"{rng.choice(_DOTTED)}·{rng.choice(_DOTTED)}"
                former = full[0] + rng.choice("华明芳英") + full[2:] if rng.random() < 0.02 else None
                own = self._phone() if birth.year < 2012 and rng.random() < 0.8 else phone
                yield Person(f"p{made}", full, former, sex, birth, number, own, division, rest)
                made += 1

    def _phone(self) -> str:
        return f"1990{self._rng.randrange(10_000_000):07d}"

    def _spoilt(self, mention: Mention) -> Mention:
        kind = self._rng.choice(ERRORS)
        changed = getattr(self, f"_{kind}")(mention)
        return mention if changed is None or changed == mention else replace(changed, errors=(kind,))

    def _homophone(self, m: Mention) -> Mention | None:
        return self._replaced(
            m, {c: [o for o in self._alike.get(reading(c), ()) if o != c] for c in (m.name or "")[1:]}
        )

    def _similar_shape(self, m: Mention) -> Mention | None:
        pairs = "伟纬晓哓婷停洁结清请洋详芳方慧惠杉彬晨辰梅海欣歆珊姗"
        return self._replaced(
            m, {a: [b] for a, b in zip(pairs[::2], pairs[1::2], strict=True) if outline(a) == outline(b)}
        )

    def _replaced(self, m: Mention, options: dict[str, list[str]]) -> Mention | None:
        name = m.name or ""
        places = [i for i, c in enumerate(name) if i and options.get(c)]
        if not places:
            return None
        i = self._rng.choice(places)
        return replace(m, name=name[:i] + self._rng.choice(options[name[i]]) + name[i + 1 :])

    def _former_name(self, m: Mention) -> Mention | None:
        person = self.people[int(m.entity_id[1:])]
        return replace(m, name=person.former, former_name=None) if person.former else None

    def _number_swapped(self, m: Mention) -> Mention | None:
        if m.citizen_id is None:
            return None
        i = self._rng.randrange(6, 16)
        swapped = m.citizen_id[:i] + m.citizen_id[i + 1] + m.citizen_id[i] + m.citizen_id[i + 2 :]
        return replace(m, citizen_id=None, id_other=swapped) if swapped != m.citizen_id else None

    def _number_digit(self, m: Mention) -> Mention | None:
        if m.citizen_id is None:
            return None
        i = self._rng.randrange(17)
        wrong = str((int(m.citizen_id[i]) + self._rng.randrange(1, 10)) % 10)
        return replace(m, citizen_id=None, id_other=m.citizen_id[:i] + wrong + m.citizen_id[i + 1 :])

    def _number_missing(self, m: Mention) -> Mention:
        return replace(m, citizen_id=None)

    def _birth_swapped(self, m: Mention) -> Mention | None:
        if m.birth_date is None or m.birth_date.day > 12:
            return None
        return replace(
            m,
            birth_date=m.birth_date.replace(month=m.birth_date.day, day=m.birth_date.month),
            citizen_id=None,
        )

    def _birth_part(self, m: Mention) -> Mention | None:
        return (
            replace(m, birth_date=m.birth_date + timedelta(days=self._rng.choice((-2, -1, 1, 2))))
            if m.birth_date
            else None
        )

    def _moved(self, m: Mention) -> Mention | None:
        if m.address_rest is None:
            return None
        division, rest = self._door()
        return replace(m, division=division, address_rest=rest)

    def _phone_changed(self, m: Mention) -> Mention | None:
        return replace(m, phone=self._phone()) if m.phone else None

    def _name_cut(self, m: Mention) -> Mention | None:
        return replace(m, name=m.name.partition("·")[0]) if m.name and "·" in m.name else None


def _alike() -> dict[str, list[str]]:
    """Common characters by reading."""
    found: dict[str, list[str]] = {}
    for code in range(0x4E00, 0x9FA5):
        character = chr(code)
        try:
            character.encode("gb2312")
        except UnicodeEncodeError:
            continue
        if code in pinyin_dict:
            found.setdefault(reading(character), []).append(character)
    return found
