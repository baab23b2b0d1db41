"""Registers of persons kept by the police, the schools and the federation of the disabled."""

from __future__ import annotations

import numpy as np

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.dice import Flags, Ints, scattered
from dizuo.engines.lake.simulation.elsewhere import elsewhere
from dizuo.engines.lake.simulation.households import (
    CHILD,
    FATHER,
    FOREIGN,
    HEAD,
    HUKOU,
    LATE,
    MIGRANT,
    SPOUSE,
)
from dizuo.engines.lake.simulation.numbers import fifteen
from dizuo.engines.lake.simulation.rows import (
    Moment,
    Quarter,
    Rows,
    Subjects,
    awaited,
    pen,
    person_said,
    plain_subjects,
    updated,
)
from dizuo.engines.lake.simulation.text import Column

ETHNIC = [
    "汉",
    "蒙古",
    "回",
    "藏",
    "维吾尔",
    "苗",
    "彝",
    "壮",
    "布依",
    "朝鲜",
    "满",
    "侗",
    "瑶",
    "白",
    "土家",
    "哈尼",
    "哈萨克",
    "傣",
    "黎",
    "傈僳",
    "佤",
    "畲",
    "高山",
    "拉祜",
    "水",
    "东乡",
    "纳西",
    "景颇",
    "柯尔克孜",
    "土",
    "达斡尔",
    "仫佬",
    "羌",
    "布朗",
    "撒拉",
    "毛南",
    "仡佬",
    "锡伯",
    "阿昌",
    "普米",
    "塔吉克",
    "怒",
    "乌孜别克",
    "俄罗斯",
    "鄂温克",
    "德昂",
    "保安",
    "裕固",
    "京",
    "塔塔尔",
    "独龙",
    "鄂伦春",
    "赫哲",
    "门巴",
    "珞巴",
    "基诺",
]
_RELATIONS = ("户主", "配偶", "子", "女", "父亲", "母亲", "其他亲属")
_GRADES = [
    "一年级",
    "二年级",
    "三年级",
    "四年级",
    "五年级",
    "六年级",
    "初一",
    "初二",
    "初三",
    "高一",
    "高二",
    "高三",
    "高三",
    "大一",
    "大二",
    "大三",
]
_KINDS = ("视力残疾", "听力残疾", "言语残疾", "肢体残疾", "智力残疾", "精神残疾", "多重残疾")
_LEVELS = ("一级", "二级", "三级", "四级")


def certificate(quarter: Quarter, who: Ints) -> Column:
    """出生医学证明编号: a letter and nine digits, the same in every register."""
    number = scattered(quarter.people.number[np.maximum(who, 0)], 9, 4)
    return text.join("U", text.padded(number, 9))


def unregistered(quarter: Quarter, who: Ints) -> Flags:
    """Children of the last weeks who are on no household register yet: four in ten."""
    people = quarter.people
    age = (people.today - people.birth[who]).astype(np.int64)
    young = (age < 45) & (people.born_day[who] == 0) & (people.kind[who] != MIGRANT)
    return young & quarter.dice.chance("unregistered", who, 0.4)


def hukou_subjects(quarter: Quarter) -> Subjects:
    """Registered persons; the dead of five years stay, cancelled; four in ten newborns are not yet registered."""
    people = quarter.people
    ago = (people.today - people.died).astype(np.int64)
    dead = people.died <= people.today
    who = np.arange(len(people), dtype=np.int64)
    waiting = unregistered(quarter, who)
    keep = (people.kind == HUKOU) & (~dead | (ago < 1_830)) & ~waiting
    day = np.where(people.born_day > 0, people.born_day + 1, 0)
    chosen = np.flatnonzero(keep)
    return plain_subjects(chosen, people.number[chosen], day[chosen])


def hukou(quarter: Quarter, subjects: Subjects, moment: Moment) -> Rows:
    """常住户口登记, with the citizen numbers of parents."""
    people, who = quarter.people, subjects.person
    self_pen = pen(quarter, "hukou", "self", subjects, moment)
    mother_pen = pen(quarter, "hukou", "mother", subjects, moment)
    father_pen = pen(quarter, "hukou", "father", subjects, moment)
    mother, father = people.mother[who], people.father[who]
    # Parents are on file for those registered since computers came, some of the older ones too.
    years = people.birth[who].astype("datetime64[Y]").astype(np.int64) + 1970
    known = (years >= 1996) | quarter.dice.chance("parents-known", who, 0.35)
    mother, father = np.where(known, mother, -1), np.where(known, father, -1)
    native = text.where(
        people.county[who] >= 0,
        text.take(elsewhere().names, people.county[who]),
        "江苏省" + quarter.places.city,
    )
    role = people.role[who]
    relation = np.select(
        [role == HEAD, role == SPOUSE, role == CHILD, role == FATHER, (role == LATE)],
        [0, 1, 1 + people.sex[who], 4, np.where(people.sex[who] == 1, 4, 5)],
        5,
    )
    house = scattered(people.household[who] + quarter.block * 100_000, 9, 1)
    ages = people.ages()[who]
    until = text.later(
        people.birth[who], (np.where(ages < 26, ages + 10, ages + 20) * 365.2425).astype(np.int64)
    )
    until = np.where(ages >= 46, np.datetime64("9999-12-31", "D"), until)
    at, late = updated(quarter, "hukou", subjects, moment, 3_000, people.birth[who])
    key = text.join("32", text.padded(scattered(people.number[who], 10, 6), 10))
    dead = people.dead(moment.day)[who]
    slow = dead & quarter.dice.chance("not-cancelled", who, 0.02)
    born_here = (years >= 2014) & (people.county[who] < 0)
    living = (people.kind == HUKOU) & ~people.dead(moment.day)
    members = np.bincount(people.household[living], minlength=people.households)[people.household[who]]
    since = text.shifted(
        people.today, -(200 + quarter.dice.below("household-since", people.household[who], 9_000))
    )
    mother_id = mother_pen.citizen(people, np.maximum(mother, 0))
    father_id = father_pen.citizen(people, np.maximum(father, 0))
    columns = {
        "person_no": key,
        "household_no": text.padded(house, 9),
        "citizen_id": self_pen.citizen(people, who),
        "name": self_pen.name(people, who),
        "former_name": text.blank(people.former.at(who).written(), ~people.has_former[who]),
        "sex": self_pen.sex(people, who, ("男", "女")),
        "birth_date": text.dashless(self_pen.birth(people, who)),
        "ethnicity": text.choose([f"{word}族" for word in ETHNIC], people.ethnic[who] - 1),
        "native_place": native,
        "birth_place": native,
        "relation_to_head": text.choose(_RELATIONS, relation),
        "hukou_kind": text.choose(
            ("家庭户", "集体户"),
            quarter.dice.chance("collective", people.household[who], 0.03).astype(np.int64),
        ),
        "address": self_pen.address(people, who, quarter.places, (0.8, 0.2, 0, 0, 0), hukou=True),
        "mother_citizen_id": text.blank(mother_id, mother < 0),
        "father_citizen_id": text.blank(father_id, father < 0),
        "birth_certificate_no": text.blank(certificate(quarter, who), ~born_here),
        "id_valid_to": text.dashless(np.where(ages < 1, np.datetime64("NaT", "D"), until)),
        "state": text.choose(("正常", "死亡注销"), (dead & ~slow).astype(np.int64)),
        "former_citizen_id": text.blank(text.ascii_rows(fifteen(people.citizen[who])), ~people.fifteen[who]),
        "household_since": text.dashless(since),
        "household_members": text.plain(members),
        "household_state": text.choose(("正常", "注销"), (members == 0).astype(np.int64)),
        "updated_at": at,
    }
    self_pen.note("late", late)
    return Rows("hukou", columns, key, (person_said("self", quarter, who, self_pen),))


def permit_subjects(quarter: Quarter) -> Subjects:
    """Migrants over sixteen and most foreigners; some applied twice, a few with a household register in the city."""
    people = quarter.people
    who = np.arange(len(people), dtype=np.int64)
    ages = people.ages()
    migrants = (
        (people.kind == MIGRANT) & people.alive() & (ages >= 1) & quarter.dice.chance("permit", who, 0.985)
    )
    moved = (
        (people.kind == HUKOU) & people.alive() & (ages >= 18) & quarter.dice.chance("was-permit", who, 0.005)
    )
    first = np.flatnonzero(
        migrants | moved | ((people.kind == FOREIGN) & quarter.dice.chance("permit", who, 0.5))
    )
    again = first[quarter.dice.chance("permit-again", first, 0.025)]
    person = np.concatenate([first, again])
    row = people.number[person] * 2 + np.repeat([0, 1], [len(first), len(again)])
    return plain_subjects(person, row, awaited(quarter, "permits", row))


def permits(quarter: Quarter, subjects: Subjects, moment: Moment) -> Rows:
    """居住证."""
    people, who = quarter.people, subjects.person
    used = pen(quarter, "residence_permits", "self", subjects, moment)
    key = text.join("JZ", text.padded(scattered(subjects.row, 10, 8), 10))
    issued = text.shifted(people.today, -(1 + quarter.dice.below("issued", subjects.row, 2_000)))
    issued = np.where(subjects.day > 0, text.shifted(people.today, subjects.day), issued)
    at, late = updated(quarter, "residence_permits", subjects, moment, 365, issued)
    foreign = people.kind[who] == FOREIGN
    columns = {
        "permit_no": key,
        "name": used.name(people, who),
        "id_kind": text.choose(("居民身份证", "护照"), foreign.astype(np.int64)),
        "id_number": used.citizen(people, who),
        "sex": used.sex(people, who, ("男", "女")),
        "birth_date": text.iso(used.birth(people, who)),
        "hukou_place": text.blank(text.take(elsewhere().names, people.county[who]), foreign),
        "address": used.address(people, who, quarter.places, (0.05, 0.3, 0.3, 0.2, 0.15)),
        "phone": used.phone(people, who),
        "issued_on": text.iso(issued),
        "valid_to": text.iso(text.later(issued, np.full(len(who), 365))),
        "updated_at": at,
    }
    used.note("late", late)
    return Rows("residence_permits", columns, key, (person_said("self", quarter, who, used),))


def school_subjects(quarter: Quarter) -> Subjects:
    """Children of six to eighteen, half of the next three years; some enrolled twice after changing school."""
    people = quarter.people
    ages = people.ages()
    first = np.flatnonzero(people.alive() & (people.kind != FOREIGN) & (ages >= 6) & (ages < 22))
    first = first[quarter.dice.unit("school", first) < np.where(ages[first] < 19, 0.975, 0.55)]
    again = first[quarter.dice.chance("school-again", first, 0.004)]
    person = np.concatenate([first, again])
    row = people.number[person] * 2 + np.repeat([0, 1], [len(first), len(again)])
    return plain_subjects(person, row, np.zeros(len(row), np.int64))


def school(quarter: Quarter, subjects: Subjects, moment: Moment) -> Rows:
    """学籍."""
    people, who = quarter.people, subjects.person
    used = pen(quarter, "school_enrolment", "self", subjects, moment)
    guard_pen = pen(quarter, "school_enrolment", "guardian", subjects, moment)
    guardian = np.where(
        quarter.dice.chance("guardian-father", who, 0.4), people.father[who], people.mother[who]
    )
    guardian = np.where(guardian < 0, np.maximum(people.mother[who], people.father[who]), guardian)
    ages = people.ages()[who]
    district = quarter.places.district_of[people.addresses.community[people.address[who]]]
    level = np.select([ages < 12, ages < 15, ages < 19], [0, 1, 2], 3)
    name = text.join(
        text.take(quarter.places.district_names, district), "第",
        text.plain(1 + quarter.dice.below("school-no", who, 60)),
        text.choose(("实验小学", "中学", "高级中学", "职业技术学院"), level), "（演示）",
    )  # fmt: skip
    key = text.join("G", text.padded(scattered(subjects.row, 10, 9), 10))
    at, late = updated(quarter, "school_enrolment", subjects, moment, 300)
    there = guardian >= 0
    columns = {
        "student_no": key,
        "name": used.name(people, who),
        "citizen_id": used.citizen(people, who),
        "sex": used.sex(people, who, ("男", "女")),
        "birth_date": text.iso(used.birth(people, who)),
        "school": name,
        "grade": text.choose(_GRADES, np.minimum(ages - 6, 15)),
        "guardian_name": text.blank(guard_pen.name(people, np.maximum(guardian, 0)), ~there),
        "guardian_phone": text.blank(guard_pen.phone(people, np.maximum(guardian, 0)), ~there),
        "address": used.address(people, who, quarter.places, (0.1, 0.25, 0.3, 0.25, 0.1)),
        "education": text.choose(("小学", "初中", "高中", "大学专科"), level),
        "updated_at": at,
    }
    used.note("late", late)
    return Rows(
        "school_enrolment", columns, key,
        (
            person_said("self", quarter, who, used),
            person_said("guardian", quarter, guardian, guard_pen, ~text.isnull(columns["guardian_name"])),
        ),
    )  # fmt: skip


def disabled_subjects(quarter: Quarter) -> Subjects:
    """About sixteen in a thousand, the old more often."""
    people = quarter.people
    who = np.flatnonzero(people.alive() & (people.kind != FOREIGN))
    rate = np.where(people.ages()[who] > 60, 0.042, 0.0098)
    who = who[quarter.dice.unit("disabled", who) < rate]
    return plain_subjects(who, people.number[who], np.zeros(len(who), np.int64))


def disabled(quarter: Quarter, subjects: Subjects, moment: Moment) -> Rows:
    """残疾人证."""
    people, who = quarter.people, subjects.person
    used = pen(quarter, "disabled", "self", subjects, moment)
    guard_pen = pen(quarter, "disabled", "guardian", subjects, moment)
    guardian = np.where(people.mother[who] >= 0, people.mother[who], people.spouse[who])
    guardian = np.where(quarter.dice.chance("has-guardian", who, 0.4), guardian, -1)
    kind, level = quarter.dice.below("kind", who, 7), quarter.dice.below("level", who, 4)
    # The certificate's number is the citizen number with kind and level behind it.
    key = text.join(text.ascii_rows(people.citizen[who]), text.plain(kind + 1), text.plain(level + 1))
    issued = text.shifted(people.today, -(30 + quarter.dice.below("issued", who, 3_000)))
    at, late = updated(quarter, "disabled", subjects, moment, 900, issued)
    columns = {
        "certificate_no": key,
        "name": used.name(people, who),
        "citizen_id": used.citizen(people, who),
        "sex": used.sex(people, who, ("男性", "女性")),
        "kind": text.choose(_KINDS, kind),
        "level": text.choose(_LEVELS, level),
        "address": used.address(people, who, quarter.places, (0.2, 0.2, 0.3, 0.2, 0.1)),
        "phone": used.phone(people, who),
        "guardian_name": text.blank(guard_pen.name(people, np.maximum(guardian, 0)), guardian < 0),
        "issued_on": text.iso(issued),
        "updated_at": at,
    }
    used.note("late", late)
    return Rows(
        "disabled", columns, key,
        (
            person_said("self", quarter, who, used),
            person_said("guardian", quarter, guardian, guard_pen, ~text.isnull(columns["guardian_name"])),
        ),
    )  # fmt: skip
