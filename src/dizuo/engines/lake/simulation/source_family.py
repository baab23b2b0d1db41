"""What happens in families: marriages and divorces, births, deaths."""

from __future__ import annotations

import numpy as np

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.dice import scattered
from dizuo.engines.lake.simulation.households import FOREIGN
from dizuo.engines.lake.simulation.rows import (
    Moment,
    Quarter,
    Rows,
    Subjects,
    pen,
    person_said,
    plain_subjects,
    updated,
)
from dizuo.engines.lake.simulation.source_person import certificate, unregistered

_HOSPITALS = (
    "妇幼保健院（演示）",
    "人民医院（演示）",
    "第二人民医院（演示）",
    "中医医院（演示）",
    "第三人民医院（演示）",
)
_CAUSES = ("循环系统疾病（演示）", "肿瘤（演示）", "呼吸系统疾病（演示）", "其他（演示）")
_DIVORCED = 0.0105
_WEDDINGS_A_DAY = 20 / 1_000_000


def marriage_subjects(quarter: Quarter) -> Subjects:
    """Weddings since computers came, marriages that ended (two rows), weddings of the days to come."""
    people = quarter.people
    one = np.flatnonzero((people.sex == 1) & ~np.isnat(people.married) & (people.spouse >= 0))
    one = one[
        (people.married[one] > np.datetime64("1998-01-01", "D")) & quarter.dice.chance("wed-here", one, 0.55)
    ]
    ages, alone = people.ages(), people.alive() & (people.spouse < 0) & (people.kind != FOREIGN)
    men = np.flatnonzero(alone & (people.sex == 1) & (ages >= 24) & (ages < 60))
    women = np.flatnonzero(alone & (people.sex == 2) & (ages >= 24) & (ages < 60))
    men = men[np.argsort(quarter.dice.bits("ex", men), kind="stable")]
    women = women[np.argsort(quarter.dice.bits("ex", women), kind="stable")]
    ended = min(int(_DIVORCED * quarter.plan.size(quarter.block)), len(men), len(women))
    daily = int(_WEDDINGS_A_DAY * quarter.plan.size(quarter.block) + 0.999)
    fresh = min(daily * quarter.plan.days, len(men) - ended, len(women) - ended)
    to_come = np.arange(fresh) // daily + 1
    husband = np.concatenate([one, men[:ended], men[:ended], men[ended : ended + fresh]])
    wife = np.concatenate([people.spouse[one], women[:ended], women[:ended], women[ended : ended + fresh]])
    kind = np.repeat([0, 0, 1, 0], [len(one), ended, ended, fresh])
    day = np.concatenate([np.zeros(len(one) + 2 * ended, np.int64), to_come])
    row = people.number[husband] * 4 + np.repeat([0, 1, 2, 3], [len(one), ended, ended, fresh])
    registered = np.concatenate([people.married[one], *_ended(quarter, men[:ended], women[:ended]),
                                 text.shifted(people.today, to_come)])  # fmt: skip
    return plain_subjects(husband, row, day, wife=wife, kind=kind, registered=registered.astype(np.int64))


def _ended(quarter: Quarter, men: np.ndarray, women: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    people = quarter.people
    grown = np.maximum(people.birth[men], people.birth[women]).astype(np.int64) + 7_400
    today = people.today.astype(np.int64)
    wed = grown + ((today - grown - 60) * 0.5 * quarter.dice.unit("ex-wed", men)).astype(np.int64)
    parted = wed + 30 + ((today - wed - 60) * quarter.dice.unit("ex-parted", men)).astype(np.int64)
    return wed.astype("datetime64[D]"), np.minimum(parted, today - 1).astype("datetime64[D]")


def marriage(quarter: Quarter, subjects: Subjects, moment: Moment) -> Rows:
    """婚姻登记."""
    people, husband, wife = quarter.people, subjects.person, subjects.more["wife"]
    his, hers = (pen(quarter, "marriage", mention, subjects, moment) for mention in ("husband", "wife"))
    registered = subjects.more["registered"].astype("datetime64[D]")
    key = text.join("J320200", text.padded(scattered(subjects.row, 10, 14), 10))
    district = quarter.places.district_of[people.addresses.community[people.address[wife]]]
    ended = text.join("J320200", text.padded(scattered(people.number[husband] * 4 + 1, 10, 14), 10))
    again = quarter.dice.chance("married-again", subjects.row, 0.06).astype(np.int64)
    at, late = updated(quarter, "marriage", subjects, moment, 3, registered, within=True)
    columns = {
        "registration_no": key,
        "husband_name": his.name(people, husband),
        "husband_id": his.citizen(people, husband),
        "wife_name": hers.name(people, wife),
        "wife_id": hers.citizen(people, wife),
        "kind": text.choose(("结婚", "离婚"), subjects.more["kind"]),
        "registered_on": text.iso(registered),
        "office": text.join(text.take(quarter.places.district_names, district), "民政局婚姻登记处"),
        "ends": text.blank(ended, subjects.more["kind"] == 0),
        "earlier": text.choose(("初婚", "一方或双方再婚"), again),
        "updated_at": at,
    }
    his.note("late", late)
    hers.note("late", late)
    return Rows(
        "marriage", columns, key,
        (person_said("husband", quarter, husband, his), person_said("wife", quarter, wife, hers)),
    )  # fmt: skip


def birth_subjects(quarter: Quarter) -> Subjects:
    """Children born in the city's hospitals in the last seven years, and on the days to come."""
    people = quarter.people
    age = (people.today - people.birth).astype(np.int64)
    child = np.flatnonzero((age < 7 * 365) & (people.mother >= 0))
    here = (people.county[child] < 0) | quarter.dice.chance("born-here", child, 0.45)
    child = child[here | (people.born_day[child] > 0)]
    return plain_subjects(child, people.number[child], people.born_day[child])


def births(quarter: Quarter, subjects: Subjects, moment: Moment) -> Rows:
    """出生医学证明: the child often without a name, never with a citizen number."""
    people, child = quarter.people, subjects.person
    mother, father = people.mother[child], people.father[child]
    own, hers, his = (
        pen(quarter, "births", mention, subjects, moment) for mention in ("child", "mother", "father")
    )
    unnamed = quarter.dice.chance("unnamed", child, 0.15)
    own.trait("unnamed", unnamed)
    own.trait("newborn", (people.today - people.birth[child]).astype(np.int64) < 60)
    seconds = quarter.dice.below("born-at", child, 86_400)
    own.trait("twin", people.twin[child] >= 0)
    born = text.at_clock(people.birth[child], seconds)
    single = (father < 0) | quarter.dice.chance("no-father", child, 0.01)
    father = np.where(single, -1, father)
    district = quarter.places.district_of[people.addresses.community[people.address[mother]]]
    key = certificate(quarter, child)
    twin, dice = people.twin[child], quarter.dice
    weight = np.where(twin >= 0, 1_900, 2_500) + dice.below("weight", child, 1_500) // 10 * 10
    issued = text.later(people.birth[child], 1 + dice.below("issued", child, 3))
    waits = unregistered(quarter, child) | (people.born_day[child] > 0) | (people.kind[child] == FOREIGN)
    at, late = updated(quarter, "births", subjects, moment, 20, people.birth[child], within=True)
    columns = {
        "certificate_no": key,
        "name": text.blank(own.name(people, child), unnamed),
        "sex": own.sex(people, child, ("1", "2")),
        "born_at": text.moments(born),
        "mother_name": hers.name(people, mother),
        "mother_id": hers.citizen(people, mother),
        "father_name": text.blank(his.name(people, np.maximum(father, 0)), father < 0),
        "father_id": text.blank(his.citizen(people, np.maximum(father, 0)), father < 0),
        "hospital": text.join(
            text.take(quarter.places.district_names, district),
            text.choose(_HOSPITALS, quarter.dice.below("hospital", child, len(_HOSPITALS))),
        ),
        "address": hers.address(people, mother, quarter.places, (0.1, 0.3, 0.3, 0.2, 0.1)),
        "birth_place": text.join(
            "江苏省" + quarter.places.city, text.take(quarter.places.district_names, district)
        ),
        "issued_on": text.iso(np.minimum(issued, text.shifted(people.today, moment.when))),
        "plurality": text.choose(("1", "2"), (twin >= 0).astype(np.int64)),
        "birth_order": text.choose(("1", "2"), ((twin >= 0) & (twin < child)).astype(np.int64)),
        "weight": text.plain(weight),
        "length": text.plain(45 + weight // 600),
        "weeks": text.plain(np.where(twin >= 0, 36, 38) + dice.below("weeks", child, 4)),
        "delivery_mode": text.choose(
            ("顺产", "剖宫产", "阴道助产"), dice.pick("mode", child, np.cumsum((0.56, 0.4, 0.04)))
        ),
        "health": text.choose(("良好", "一般"), dice.chance("health", child, 0.04).astype(np.int64)),
        "household_state": text.choose(("已落户", "未落户"), waits.astype(np.int64)),
        "state": text.choose(("有效", "作废"), dice.chance("void", child, 0.001).astype(np.int64)),
        "updated_at": at,
    }
    for one in (own, hers, his):
        one.note("late", late)
    return Rows(
        "births", columns, key,
        (
            person_said("child", quarter, child, own),
            person_said("mother", quarter, mother, hers),
            person_said("father", quarter, father, his),
        ),
    )  # fmt: skip


def death_subjects(quarter: Quarter) -> Subjects:
    """The dead of the last five years, and of the days to come."""
    people = quarter.people
    dead = np.flatnonzero(people.dead(quarter.plan.days))
    ago = (people.today - people.died[dead]).astype(np.int64)
    keep = (ago < 5 * 365) & (quarter.dice.chance("death-known", dead, 0.985) | (ago < 0))
    dead, ago = dead[keep], ago[keep]
    return plain_subjects(dead, people.number[dead], np.maximum(-ago, 0))


def deaths(quarter: Quarter, subjects: Subjects, moment: Moment) -> Rows:
    """居民死亡医学证明."""
    people, who = quarter.people, subjects.person
    used = pen(quarter, "deaths", "self", subjects, moment)
    key = text.join("D", text.padded(scattered(subjects.row, 10, 16), 10))
    district = quarter.places.district_of[people.addresses.community[people.hukou_address[who]]]
    at, late = updated(quarter, "deaths", subjects, moment, 25, people.died[who], within=True)
    columns = {
        "certificate_no": key,
        "name": used.name(people, who),
        "citizen_id": used.citizen(people, who),
        "sex": used.sex(people, who, ("男", "女")),
        "birth_date": text.iso(used.birth(people, who)),
        "died_on": text.iso(people.died[who]),
        "address": used.address(people, who, quarter.places, (0.4, 0.3, 0.2, 0.0, 0.1), hukou=True),
        "issuer": text.join(
            text.take(quarter.places.district_names, district),
            text.choose(_HOSPITALS[1:], quarter.dice.below("issuer", who, 4)),
        ),
        "place": text.choose(("医院", "家中", "养老机构"), quarter.dice.below("place", who, 3)),
        "cause": text.choose(_CAUSES, quarter.dice.below("cause", who, len(_CAUSES))),
        "updated_at": at,
    }
    used.note("late", late)
    return Rows("deaths", columns, key, (person_said("self", quarter, who, used),))
