"""Who is insured: pensions with their employers, and medical insurance."""

from __future__ import annotations

import numpy as np

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.dice import Ints, scattered
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
_BANKS = ("江苏银行", "无锡农村商业银行", "工商银行", "建设银行", "农业银行", "中国银行")


def _employer(quarter: Quarter, who: Ints) -> Ints:
    """Where persons work, the same for pensions and health; -1 for the self-employed."""
    firm = employers(quarter.dice, quarter.firms, quarter.people.number[who])
    return np.where(quarter.dice.chance("employed", who, 0.93), firm, -1)


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
    firm = np.where(scheme == 0, _employer(quarter, who), -1)
    state = np.where(ages >= 60, 2, quarter.dice.chance("suspended", who, 0.06).astype(np.int64))
    key = text.padded(scattered(subjects.row, 10, 18), 10)
    at, late = updated(quarter, "social_insurance", subjects, moment, 200)
    unemployed, dice = firm < 0, quarter.dice
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
        "card_no": text.join("A", text.padded(scattered(subjects.row, 10, 30), 10)),
        "card_state": text.choose(("正常", "挂失"), dice.chance("card-lost", who, 0.01).astype(np.int64)),
        "bank_state": text.choose(("已激活", "未激活"), dice.chance("no-bank", who, 0.15).astype(np.int64)),
        "bank": text.choose(_BANKS, dice.below("bank", who, len(_BANKS))),
        "base": text.blank(text.plain(4_800 + 100 * dice.below("base", who, 180)), unemployed | (state == 2)),
        "months": text.plain(np.maximum(1, (np.minimum(ages, 60) - 21) * 11)),
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
    dice = quarter.dice
    resident = (ages < 18) | dice.chance("resident-scheme", who, 0.3)
    work_pen = pen(quarter, "medical_insurance", "employer", subjects, moment)
    firm = np.where(resident | (ages >= 60), -1, _employer(quarter, who))
    works, unemployed = np.maximum(firm, 0), firm < 0
    district = quarter.places.district_of[people.addresses.community[people.address[who]]]
    since = np.maximum(
        people.birth[who], text.shifted(people.today, -(30 + dice.below("enrolled", who, 6_000)))
    )
    lately = (people.today - people.birth).astype(np.int64) < 60
    gave_birth = np.isin(who, people.mother[lately & (people.born_day == 0) & (people.mother >= 0)])
    open_cost = gave_birth & dice.chance("cost-open", who, 0.6)
    guardian = np.where(ages < 18, people.mother[who], -1)
    columns = {
        "account_no": key,
        "name": used.name(people, who),
        "id_number": used.citizen(people, who, people.born_day[who] >= np.maximum(moment.day, 1)),
        "kind": text.choose(("职工基本医疗保险", "城乡居民基本医疗保险"), resident.astype(np.int64)),
        "state": text.choose(("正常参保", "终止参保"), dead.astype(np.int64)),
        "phone": used.phone(people, who),
        "address": used.address(people, who, quarter.places, (0.05, 0.25, 0.3, 0.3, 0.1)),
        "insured_at": text.padded(quarter.places.district_regions[district], 6),
        "enrolled_on": text.iso(since),
        "employer": text.blank(work_pen.firm(quarter.firms, works), unemployed),
        "employer_uscc": text.blank(work_pen.uscc(quarter.firms, works), unemployed),
        "maternity_state": text.choose(("未参保", "正常参保"), (~unemployed).astype(np.int64)),
        "delivery_settled": text.choose(
            ("没有分娩记录", "出院时已直接结算", "待报销"), gave_birth.astype(np.int64) + open_cost
        ),
        "delivery_cost": text.blank(text.plain(1_800 + 10 * dice.below("cost", who, 300)), ~open_cost),
        "guardian_id": text.blank(text.ascii_rows(people.citizen[np.maximum(guardian, 0)]), guardian < 0),
        "balance": text.blank(
            text.join(
                text.plain(dice.below("balance", who, 9_000)),
                ".",
                text.padded(dice.below("cents", who, 100), 2),
            ),
            resident,
        ),
        "updated_at": at,
    }
    used.note("late", late)
    return Rows("medical_insurance", columns, key, (person_said("self", quarter, who, used),))
