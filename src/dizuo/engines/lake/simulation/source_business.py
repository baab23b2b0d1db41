"""Enterprises, and what is issued to or said about enterprises and persons: licences and credit records."""

from __future__ import annotations

import numpy as np

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.dice import Ints, scattered
from dizuo.engines.lake.simulation.firms import INDUSTRY, SCOPE
from dizuo.engines.lake.simulation.rows import (
    Moment,
    Quarter,
    Rows,
    Subjects,
    firm_said,
    pen,
    person_said,
    updated,
)
from dizuo.engines.lake.simulation.source_property import either, owned

_OF_FIRMS = ("营业执照", "食品经营许可证", "烟草专卖零售许可证", "公众聚集场所消防安全检查合格证")
_OF_PERSONS = ("社会保障卡", "老年人优待证", "居民身份证", "从业人员健康证明")
_ISSUERS = (
    "市场监督管理局",
    "市场监督管理局",
    "烟草专卖局",
    "消防救援机构",
    "人力资源和社会保障局",
    "民政局",
    "公安局",
    "卫生健康委员会",
)
_CREDIT = ("行政许可", "行政处罚", "严重失信主体名单", "经营异常名录", "信用承诺及履行", "守信激励")
_CREDIT_TEXTS = (
    "准予许可（演示）",
    "罚款（演示）",
    "列入名单（演示）",
    "未按期公示年度报告（演示）",
    "已履行承诺（演示）",
    "通报表扬（演示）",
)
_LICENCES_A_DAY = 110 / 1_000_000
_CREDITS_A_DAY = 60 / 1_000_000


def firm_subjects(quarter: Quarter) -> Subjects:
    """All enterprises."""
    firms = quarter.firms
    return Subjects(firms.number, firms.representative, np.arange(len(firms), dtype=np.int64), firms.born_day)


def enterprises(quarter: Quarter, subjects: Subjects, moment: Moment) -> Rows:
    """经营主体登记 with legal representatives."""
    people, firms, which = quarter.people, quarter.firms, subjects.firm
    used = pen(quarter, "enterprises", "self", subjects, moment)
    legal_pen = pen(quarter, "enterprises", "legal", subjects, moment)
    company = firms.company[which]
    key = text.ascii_rows(firms.code[which])
    founded = firms.founded[which]
    at, late = updated(quarter, "enterprises", subjects, moment, 2, founded, within=True)
    style = quarter.dice.pick("firm-style", subjects.row, np.cumsum((0.3, 0.5, 0.1, 0.0, 0.1)))
    columns = {
        "uscc": key,
        "name": used.firm(firms, which),
        "kind": text.choose(("个体工商户", "有限责任公司"), company.astype(np.int64)),
        "legal_representative": legal_pen.name(people, subjects.person),
        "legal_representative_id": legal_pen.citizen(people, subjects.person),
        "capital": text.plain(firms.capital[which]),
        "founded_on": text.iso(founded),
        "address": quarter.places.written(firms.addresses, firms.address[which], style),
        "scope": text.join(
            text.take(SCOPE, firms.trade[which]), "（依法须经批准的项目,经相关部门批准后方可开展经营活动）"
        ),
        "industry": text.take(INDUSTRY, firms.trade[which]),
        "state": text.choose(("存续", "吊销", "注销"), firms.state[which]),
        "phone": text.padded(firms.phone[which], 11),
        "term_to": text.where(
            quarter.dice.chance("no-term", subjects.row, 0.7),
            "长期",
            text.iso(text.later(founded, np.full(len(which), 10_957))),
        ),
        "authority": text.join(
            text.take(quarter.places.district_names, firms.district[which]), "市场监督管理局（演示）"
        ),
        "staff": text.plain(1 + quarter.dice.below("staff", subjects.row, np.where(company, 60, 6))),
        "updated_at": at,
    }
    used.note("late", late)
    legal_pen.note("late", late)
    return Rows(
        "enterprises", columns, key,
        (firm_said("self", quarter, which, used), person_said("legal", quarter, subjects.person, legal_pen)),
    )  # fmt: skip


def _mixed(quarter: Quarter, salt: str, firm_rate: float, person_rate: float, a_day: float) -> Subjects:
    """Records about some enterprises and some grown-up persons; new ones on the days to come."""
    people, firms, dice = quarter.people, quarter.firms, quarter.dice.within(salt)
    places = np.flatnonzero((firms.born_day == 0) & (firms.state == 0))
    firm = places[dice.chance("firm", places, firm_rate)]
    again = firm[dice.chance("firm-again", firm, 0.25)]
    adult = np.flatnonzero(people.alive() & (people.ages() >= 18))
    person = adult[dice.chance("person", adult, person_rate)]
    later = int(a_day * quarter.plan.size(quarter.block) + 0.999)
    fresh = np.arange(later * quarter.plan.days, dtype=np.int64)
    day = np.concatenate(
        [np.zeros(len(firm) + len(again) + len(person), np.int64), fresh // max(later, 1) + 1]
    )
    of_firm = places[dice.below("fresh-firm", fresh, len(places))] if len(fresh) else fresh
    of_person = adult[dice.below("fresh-person", fresh, len(adult))] if len(fresh) else fresh
    new_firm = dice.chance("fresh-kind", fresh, 0.7)
    none = np.full
    firm_at = np.concatenate([firm, again, none(len(person), -1), np.where(new_firm, of_firm, -1)])
    person_at = np.concatenate([none(len(firm) + len(again), -1), person, np.where(new_firm, -1, of_person)])
    return Subjects(_serials(quarter, len(day)), person_at, firm_at, day)


def _serials(quarter: Quarter, count: int) -> Ints:
    return np.arange(count, dtype=np.int64) + quarter.block * 100_000


def licence_subjects(quarter: Quarter) -> Subjects:
    """Licences of enterprises and persons."""
    return _mixed(quarter, "licences", 0.165, 0.027, _LICENCES_A_DAY)


def licences(quarter: Quarter, subjects: Subjects, moment: Moment) -> Rows:
    """电子证照."""
    used, holder, code, unit = owned(quarter, "licences", "holder", subjects, moment)
    dice = quarter.dice.within("licences")
    kind = np.where(unit, dice.below("kind", subjects.row, 4), 4 + dice.below("kind", subjects.row, 4))
    ago = np.where(subjects.day > 0, -subjects.day, 1 + dice.below("ago", subjects.row, 2_500))
    issued = text.shifted(quarter.people.today, -ago)
    until = text.later(issued, dice.below("years", subjects.row, 2) * 1_826 + 1_826)
    over = until < quarter.people.today
    key = text.join("ZZ3202", text.padded(scattered(subjects.row, 10, 26), 10))
    people, firms = quarter.people, quarter.firms
    community = people.addresses.community[people.address[np.maximum(subjects.person, 0)]]
    district = np.where(
        unit, firms.district[np.maximum(subjects.firm, 0)], quarter.places.district_of[community]
    )
    at, late = updated(quarter, "licences", subjects, moment, 3, issued, within=True)
    columns = {
        "number": key,
        "kind": text.choose((*_OF_FIRMS, *_OF_PERSONS), kind),
        "holder": holder,
        "holder_code": code,
        "issuer": text.join(quarter.places.city, text.choose(_ISSUERS, kind), "（演示）"),
        "issued_on": text.iso(issued),
        "valid_to": text.iso(until),
        "state": text.choose(("正常", "过期"), over.astype(np.int64)),
        "title": text.choose((*_OF_FIRMS, *_OF_PERSONS), kind),
        "valid_from": text.iso(issued),
        "trust_level": text.constant("A", len(subjects)),
        "area": text.padded(quarter.places.district_regions[district], 6),
        "updated_at": at,
    }
    used.note("late", late)
    return Rows("licences", columns, key, either(("holder", "holding_unit"), quarter, subjects, used, code))


def credit_subjects(quarter: Quarter) -> Subjects:
    """Credit records, most of them about enterprises."""
    return _mixed(quarter, "credit", 0.105, 0.0036, _CREDITS_A_DAY)


def credit(quarter: Quarter, subjects: Subjects, moment: Moment) -> Rows:
    """公共信用信息."""
    used, subject, code, _ = owned(quarter, "credit", "subject", subjects, moment)
    dice = quarter.dice.within("credit")
    kind = dice.pick("kind", subjects.row, np.cumsum((0.35, 0.3, 0.04, 0.15, 0.1, 0.06)))
    ago = np.where(subjects.day > 0, -subjects.day, 10 + dice.below("ago", subjects.row, 900))
    decided = text.shifted(quarter.people.today, -ago)
    key = text.join("XY", text.padded(scattered(subjects.row, 10, 28), 10))
    at, late = updated(quarter, "credit", subjects, moment, 7, decided, within=True)
    columns = {
        "record_no": key,
        "subject": subject,
        "subject_code": code,
        "kind": text.choose(_CREDIT, kind),
        "document_no": text.join(
            "锡演字〔",
            text.clipped(text.iso(decided), 4),
            "〕",
            text.plain(1 + dice.below("no", subjects.row, 90_000)),
            "号",
        ),
        "decided_on": text.iso(decided),
        "issuer": text.join(
            quarter.places.city, text.choose(_ISSUERS, dice.below("issuer", subjects.row, 8)), "（演示）"
        ),
        "content": text.choose(_CREDIT_TEXTS, kind),
        "valid_to": text.iso(text.later(decided, np.full(len(decided), 1_000))),
        "updated_at": at,
    }
    used.note("late", late)
    return Rows("credit", columns, key, either(("subject", "unit"), quarter, subjects, used, code))
