"""Who is insured: pensions with their employers, and medical insurance."""

from __future__ import annotations

import numpy as np

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.dice import scattered
from dizuo.engines.lake.simulation.firms import employers
from dizuo.engines.lake.simulation.households import FOREIGN, HUKOU
from dizuo.engines.lake.simulation.rows import (
    Moment,
    Quarter,
    Rows,
    Subjects,
    firm_said,
    pen,
    person_said,
    plain_subjects,
    updated,
)

_SCHEMES = ("企业职工基本养老保险", "机关事业单位养老保险", "城乡居民基本养老保险")
_STATES = ("正常参保", "暂停", "领取待遇")


def social_subjects(quarter: Quarter) -> Subjects:
    """Working people and some of the retired; a few kept an old account beside the new one."""
    people = quarter.people
    ages = people.ages()
    who = np.flatnonzero(people.alive() & (ages >= 18) & (ages < 88))
    rate = np.where(ages[who] < 60, 0.565, 0.215)
    first = who[quarter.dice.unit("insured", who) < rate]
    again = first[quarter.dice.chance("second-account", first, 0.01)]
    person = np.concatenate([first, again])
    row = people.number[person] * 2 + np.repeat([0, 1], [len(first), len(again)])
    return plain_subjects(person, row, np.zeros(len(row), np.int64))


def social(quarter: Quarter, subjects: Subjects, moment: Moment) -> Rows:
    """养老保险参保人员, with employers by name and code."""
    people, who = quarter.people, subjects.person
    used = pen(quarter, "social_insurance", "self", subjects, moment)
    work_pen = pen(quarter, "social_insurance", "employer", subjects, moment)
    ages = people.ages()[who]
    scheme = np.where(ages >= 60, 2, np.searchsorted([0.86, 0.92], quarter.dice.unit("scheme", who)))
    firm = employers(quarter.dice, quarter.firms, people.number[who])
    firm = np.where((scheme == 0) & quarter.dice.chance("employed", who, 0.93), firm, -1)
    state = np.where(ages >= 60, 2, quarter.dice.chance("suspended", who, 0.06).astype(np.int64))
    key = text.padded(scattered(subjects.row, 10, 18), 10)
    at, late = updated(quarter, "social_insurance", subjects, moment, 200)
    unemployed = firm < 0
    columns = {
        "account_no": key,
        "name": used.name(people, who),
        "citizen_id": used.citizen(people, who),
        "sex": used.sex(people, who, ("1", "2")),
        "birth_date": text.iso(used.birth(people, who)),
        "employer": text.blank(work_pen.firm(quarter.firms, np.maximum(firm, 0)), unemployed),
        "employer_uscc": text.blank(work_pen.uscc(quarter.firms, np.maximum(firm, 0)), unemployed),
        "kind": text.choose(_SCHEMES, scheme),
        "state": text.choose(_STATES, state),
        "phone": used.phone(people, who),
        "updated_at": at,
    }
    used.note("late", late)
    return Rows(
        "social_insurance", columns, key,
        (person_said("self", quarter, who, used), firm_said("employer", quarter, firm, work_pen)),
    )  # fmt: skip


def medical_subjects(quarter: Quarter) -> Subjects:
    """Half of the residents; newborns join on the days after their birth."""
    people = quarter.people
    who = np.arange(len(people), dtype=np.int64)
    recent = people.dead(0) & (people.died > people.today - np.timedelta64(300, "D"))
    here = people.alive() | (recent & (people.born_day == 0))
    rate = np.where(people.kind == HUKOU, 0.54, 0.36)
    joined = (quarter.dice.unit("medical", who) < rate) & here & (people.kind != FOREIGN)
    fresh = (people.born_day > 0) & (people.born_day < quarter.plan.days)
    person = np.flatnonzero(joined | fresh)
    day = np.where(people.born_day[person] > 0, people.born_day[person] + 1, 0)
    return plain_subjects(person, people.number[person], day)


def medical(quarter: Quarter, subjects: Subjects, moment: Moment) -> Rows:
    """基本医疗保险参保人员."""
    people, who = quarter.people, subjects.person
    used = pen(quarter, "medical_insurance", "self", subjects, moment)
    ages = people.ages()[who]
    key = text.join("Y", text.padded(scattered(subjects.row, 10, 20), 10))
    at, late = updated(quarter, "medical_insurance", subjects, moment, 330)
    dead = people.dead(moment.day)[who]
    resident = (ages < 18) | quarter.dice.chance("resident-scheme", who, 0.3)
    columns = {
        "account_no": key,
        "name": used.name(people, who),
        "id_number": used.citizen(people, who, people.born_day[who] >= np.maximum(moment.day, 1)),
        "kind": text.choose(("职工基本医疗保险", "城乡居民基本医疗保险"), resident.astype(np.int64)),
        "state": text.choose(("正常参保", "终止参保"), dead.astype(np.int64)),
        "phone": used.phone(people, who),
        "address": used.address(people, who, quarter.places, (0.05, 0.25, 0.3, 0.3, 0.1)),
        "updated_at": at,
    }
    used.note("late", late)
    return Rows("medical_insurance", columns, key, (person_said("self", quarter, who, used),))
