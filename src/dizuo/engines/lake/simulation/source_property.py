"""What people and enterprises own: homes and vehicles."""

from __future__ import annotations

import numpy as np

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.dice import Flags, Ints, scattered
from dizuo.engines.lake.simulation.pen import Pen
from dizuo.engines.lake.simulation.rows import (
    Moment,
    Quarter,
    Rows,
    Said,
    Subjects,
    awaited,
    firms,
    pen,
    persons,
    updated,
)
from dizuo.engines.lake.simulation.text import Column

_PLATE = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", np.uint8)
_BRANDS = (
    "演示牌DM7180轿车",
    "演示牌DM6470客车",
    "演示牌DM1040货车",
    "演示牌DM7000纯电动轿车",
    "演示牌DM125摩托车",
)
_KINDS = ("小型汽车", "大型汽车", "小型新能源汽车", "普通摩托车")


def owned(
    quarter: Quarter, source: str, mention: str, subjects: Subjects, moment: Moment
) -> tuple[Pen, Column, Column, Flags]:
    """The pen of an owner who is a person or an enterprise; the owner's name and number; who is an enterprise."""
    used = pen(quarter, source, mention, subjects, moment)
    unit = subjects.firm >= 0
    person, firm = np.maximum(subjects.person, 0), np.maximum(subjects.firm, 0)
    # Both are written for all rows, so what goes wrong with the one that is not shown must not count.
    errors = used.errors.copy()
    name, number = used.name(quarter.people, person), used.citizen(quarter.people, person)
    of_person, traits = used.errors.copy(), used.traits.copy()
    used.errors[:] = errors
    firm_name, code = used.firm(quarter.firms, firm), used.uscc(quarter.firms, firm)
    used.errors[~unit] = of_person[~unit]
    used.traits[:] = np.where(unit, np.uint64(0), traits)
    return used, text.where(unit, firm_name, name), text.where(unit, code, number), unit


def either(
    mentions: tuple[str, str], quarter: Quarter, subjects: Subjects, used: Pen, code: Column
) -> tuple[Said, Said]:
    """Truth of a column that holds a person or an enterprise. Without its code an enterprise passes for a person."""
    unit = subjects.firm >= 0
    entity = text.where(unit, firms(quarter, subjects.firm), persons(quarter, subjects.person))
    known = unit & ~text.isnull(code)
    errors, traits = used.errors.view(np.int64), used.traits.view(np.int64)
    return (
        Said(mentions[0], entity, errors, traits, ~known),
        Said(mentions[1], entity, errors, traits, known),
    )


def estate_subjects(quarter: Quarter) -> Subjects:
    """Homes of registered households: one certificate for each owner, spouses mostly together."""
    people = quarter.people
    ages = people.ages()
    head = np.flatnonzero(people.alive() & (people.role == 0) & (ages >= 25))
    head = head[quarter.dice.unit("owns", head) < np.where(people.kind[head] == 0, 0.265, 0.105)]
    second = head[quarter.dice.chance("second-home", head, 0.12)]
    head = np.concatenate([head, second])
    which = np.repeat([0, 1], [len(head) - len(second), len(second)])
    partner = people.spouse[head]
    joint = (partner >= 0) & quarter.dice.chance("joint", head * 2 + which, 0.7)
    joint &= people.alive()[np.maximum(partner, 0)]
    firm = np.flatnonzero(quarter.firms.company & (quarter.firms.born_day == 0))
    firm = firm[quarter.dice.chance("firm-estate", firm, 0.05)]
    person = np.concatenate([head, partner[joint], np.full(len(firm), -1)])
    unit = np.concatenate([people.number[head] * 4 + which, (people.number[head] * 4 + which)[joint],
                           quarter.firms.number[firm] * 4 + 2])  # fmt: skip
    row = np.concatenate([people.number[head] * 8 + which, (people.number[head] * 8 + which)[joint] + 2,
                          quarter.firms.number[firm] * 8 + 4])  # fmt: skip
    owner_of = np.concatenate([head, head[joint], np.full(len(firm), -1)])
    units = np.concatenate([np.full(len(head) + int(joint.sum()), -1), firm])
    shared = np.concatenate([joint, np.ones(int(joint.sum()), np.bool_), np.zeros(len(firm), np.bool_)])
    day = awaited(quarter, "estate", unit)
    second_home = np.concatenate([which, which[joint], np.zeros(len(firm), np.int64)])
    return Subjects(row, person, units, day, {
        "unit": unit, "home": owner_of, "shared": shared.astype(np.int64), "second": second_home,
    })  # fmt: skip


def estate(quarter: Quarter, subjects: Subjects, moment: Moment) -> Rows:
    """不动产登记."""
    people = quarter.people
    used, owner, number, unit = owned(quarter, "real_estate", "owner", subjects, moment)
    home = np.maximum(subjects.more["home"], 0)
    at_home = np.where(subjects.more["second"] == 1, people.old_address[home], people.address[home])
    dice = quarter.dice
    style = dice.pick("estate-style", subjects.more["unit"], np.cumsum((0.25, 0.3, 0.25, 0.1, 0.1)))
    written = quarter.places.written(people.addresses, at_home, style)
    shop = quarter.places.written(
        quarter.firms.addresses, quarter.firms.address[np.maximum(subjects.firm, 0)], np.minimum(style, 1)
    )
    community = np.where(
        unit,
        quarter.firms.addresses.community[quarter.firms.address[np.maximum(subjects.firm, 0)]],
        people.addresses.community[at_home],
    )
    region = quarter.places.district_regions[quarter.places.district_of[community]]
    parcel = scattered(subjects.more["unit"], 10, 21)
    unit_no = text.join(
        text.padded(region, 6), text.padded(parcel // 10**7, 3), text.padded(parcel // 10**4 % 1000, 3), "GB",
        text.padded(parcel % 10**5, 5), "F", text.padded(parcel % 10**8, 8),
    )  # fmt: skip
    missing = used.hit("address_missing")
    used.note("address_missing", missing)
    ago = 1 + (dice.unit("registered", subjects.more["unit"]) * 7_000).astype(np.int64)
    ago = np.where(subjects.day > 0, -subjects.day, ago)
    registered = text.shifted(people.today, -ago)
    key = text.join("苏", text.padded(scattered(subjects.row, 10, 22), 10))
    shops = dice.chance("shop", subjects.more["unit"], 0.03).astype(np.int64)
    usage = np.where(unit, 1 + dice.below("firm-usage", subjects.more["unit"], 3), shops)
    at, late = updated(quarter, "real_estate", subjects, moment, 2, registered, within=True)
    columns = {
        "unit_no": unit_no,
        "certificate_no": key,
        "owner": owner,
        "owner_id": number,
        "address": text.blank(text.where(unit, shop, written), missing),
        "area": text.join(text.plain(45 + dice.below("area", subjects.more["unit"], 120)), ".",
                          text.padded(dice.below("area-part", subjects.more["unit"], 100), 2)),
        "share": text.choose(("单独所有", "共同共有"), subjects.more["shared"]),
        "registered_on": text.iso(registered),
        "usage": text.choose(("住宅", "商业", "工业", "办公"), usage),
        "state": text.choose(("现势", "历史"), dice.chance("historical", subjects.more["unit"], 0.03).astype(np.int64)),
        "price": text.plain(1_000 * (300 + dice.below("price", subjects.more["unit"], 3_000))),
        "mortgage": text.choose(("无抵押", "有抵押"), dice.chance("mortgage", subjects.more["unit"], 0.3).astype(np.int64)),
        "updated_at": at,
    }  # fmt: skip
    used.note("late", late)
    return Rows(
        "real_estate", columns, key, either(("owner", "owning_unit"), quarter, subjects, used, number)
    )


def vehicle_subjects(quarter: Quarter) -> Subjects:
    """Cars of a tenth of the grown-up, some with two, and of companies."""
    people = quarter.people
    ages = people.ages()
    adult = np.flatnonzero(people.alive() & (ages >= 20) & (ages < 76))
    first = adult[quarter.dice.chance("car", adult, 0.1)]
    second = first[quarter.dice.chance("second-car", first, 0.08)]
    firm = np.flatnonzero(quarter.firms.company & (quarter.firms.born_day == 0))
    firm = firm[quarter.dice.chance("firm-car", firm, 0.08)]
    person = np.concatenate([first, second, np.full(len(firm), -1)])
    count = len(person)
    serial = np.arange(count, dtype=np.int64) * quarter.plan.blocks + quarter.block
    units = np.concatenate([np.full(len(first) + len(second), -1), firm])
    return Subjects(serial, person, units, np.zeros(count, np.int64))


def _plates(serial: Ints, kind: Ints) -> Column:
    """苏B and five characters, six for new energy. Shapes: `serial` below ten million, no two alike."""
    out = np.empty((len(serial), 5), np.uint8)
    rest = scattered(serial % 10**7, 7, 24)
    for place in range(4, -1, -1):
        rest, digit = np.divmod(rest, len(_PLATE))
        out[:, place] = _PLATE[digit]
    return text.join("苏B", text.where(kind == 2, "D", ""), text.ascii_rows(out))


def vehicles(quarter: Quarter, subjects: Subjects, moment: Moment) -> Rows:
    """机动车登记."""
    people, dice = quarter.people, quarter.dice
    used, owner, number, unit = owned(quarter, "vehicles", "owner", subjects, moment)
    kind = np.searchsorted([0.72, 0.76, 0.95], dice.unit("plate-kind", subjects.row)).astype(np.int64)
    key = _plates(subjects.row, kind)
    person, firm = np.maximum(subjects.person, 0), np.maximum(subjects.firm, 0)
    before = used.errors.copy()
    address = used.address(people, person, quarter.places, (0.15, 0.3, 0.25, 0.15, 0.15))
    phone = used.phone(people, person)
    used.errors[unit] = before[unit]
    firm_address = quarter.places.written(
        quarter.firms.addresses, quarter.firms.address[firm], np.ones(len(firm), np.int64)
    )
    ago = 31 + (dice.unit("first", subjects.row) * 5_000).astype(np.int64)
    at, late = updated(quarter, "vehicles", subjects, moment, 30)
    columns = {
        "plate": key,
        "plate_kind": text.choose(_KINDS, kind),
        "owner": owner,
        "owner_id": number,
        "address": text.where(unit, firm_address, address),
        "phone": text.where(unit, text.padded(quarter.firms.phone[firm], 11), phone),
        "brand": text.choose(_BRANDS, np.select([kind == 1, kind == 2, kind == 3], [2, 3, 4], dice.below("brand", subjects.row, 2))),
        "registered_on": text.slashed(text.shifted(people.today, -ago)),
        "state": text.choose(("正常", "逾期未检验", "注销"), np.searchsorted([0.94, 0.98], dice.unit("state", subjects.row)).astype(np.int64)),
        "updated_at": at,
    }  # fmt: skip
    used.note("late", late)
    return Rows("vehicles", columns, key, either(("owner", "owning_unit"), quarter, subjects, used, number))
