"""A city small enough to see whole: three departments, four registers, one matter with three items; people invented."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from dizuo.foundation.blueprint.model import (
    Baseline,
    City,
    Expression,
    Field,
    Item,
    LawRef,
    Length,
    Matter,
    Need,
    Organisation,
    Party,
    Place,
    Post,
    Register,
    Step,
    Words,
    Write,
)

AT = Place("small.yaml", 1, 1)
MOTHER, FATHER, STRANGER = "320213199403151026", "320211199201011015", "320213198801010020"
DELIVERED = dt.date(2026, 11, 20)


def law(key: str) -> LawRef:
    name, _, article = key.partition(":")
    return LawRef(name, article, AT)


def expression(text: str) -> Expression:
    return Expression(text, AT)


def field(id_: str, source: str, type_: str = "text", *, lookup: bool = False) -> Field:
    return Field(
        id_,
        Words(id_),
        type_,
        f"x.{id_}",
        source,
        law("hukou:4"),
        "L3",
        True,
        lookup,
        False,
        {},
        True,
        AT,  # type: ignore[arg-type]
    )


def register(id_: str, owner: str, key: str, subjects: tuple[str, ...], fields: list[Field]) -> Register:
    return Register(
        id_, Words(id_), "person", owner, False, key, subjects, {f.id: f for f in fields}, "correct", AT
    )


def party(
    id_: str,
    register_: str,
    match: tuple[tuple[tuple[str, ...], str], ...] = (),
    *,
    where: Mapping[str, str] | None = None,
    pick: str = "one",
    order_by: str | None = None,
    label: tuple[str, ...] = (),
) -> Party:
    return Party(
        id_,
        Words(id_),
        register_,
        not match,
        match,
        where or {},
        pick,
        order_by,
        label,
        False,
        AT,  # type: ignore[arg-type]
    )


def need(purpose: str, basis: str, *facts: str) -> Need:
    return Need(facts, purpose, law(basis), None, AT)


def item(
    id_: str, department: str, power: str, needs: tuple[Need, ...], writes: tuple[Write, ...] = ()
) -> Item:
    step = Step("review", Words("审查"), "judge", power, (), (), None, AT)
    return Item(
        id=id_, code="", name=Words(id_), department=department, task_type="", project_type="promised",
        basis=(law("hukou:7"),), applies=None, not_applicable=Words(""), needs=needs, answers=(), materials=(),
        after=(), clock="c", promise=Length(3, "workday"), place_of=None, steps=(step,), document=None,
        granted=Words(""), refused=Words(""), done_already=None, visits=0, place=AT, writes=writes,
    )  # fmt: skip


def organisation(id_: str, *posts: tuple[str, tuple[str, ...]]) -> Organisation:
    return Organisation(
        id_, Words(f"{id_}局"), Words(id_), "city", None, "", "town", Words("{division}"), (),
        tuple(Post(name, Words(name), powers, AT) for name, powers in posts), "", Words(""), Words(""), AT,
    )  # fmt: skip


def small_city(version: str = "v1", *, demonstration: bool = True) -> City:
    person = register(
        "person", "psb", "citizen_id", ("citizen_id",),
        [field("citizen_id", "psb", "citizen_id", lookup=True), field("name", "psb"), field("sex", "psb", "code"),
         field("birth_date", "psb", "date"), field("division", "psb", "division"),
         field("household_no", "psb", lookup=True), field("phone", "data"), field("illness", "health")],
    )  # fmt: skip
    certificate = register(
        "certificate", "health", "number", ("mother_id", "father_id"),
        [field("number", "health"), field("mother_id", "health", "citizen_id", lookup=True),
         field("father_id", "health", "citizen_id", lookup=True), field("child_sex", "health", "code"),
         field("born_on", "health", "date"), field("weight", "health", "number"), field("state", "health", "code"),
         field("twin", "health", "boolean")],
    )  # fmt: skip
    marriage = register(
        "marriage", "civil", "number", ("husband_id", "wife_id"),
        [field("number", "civil"), field("husband_id", "civil", "citizen_id"), field("wife_id", "civil", "citizen_id"),
         field("state", "civil", "code"), field("registered_on", "civil", "date")],
    )  # fmt: skip
    household = register(
        "household", "psb", "household_no", (), [field("household_no", "psb"), field("address", "psb")]
    )
    parties = (
        party("applicant", "person"),
        party("certificate", "certificate", ((("mother_id", "father_id"), "applicant.citizen_id"),),
              where={"state": "0"}, pick="choose", label=("child_sex", "born_on")),
        party("mother", "person", ((("citizen_id",), "certificate.mother_id"),)),
        party("father", "person", ((("citizen_id",), "certificate.father_id"),)),
        party("marriage", "marriage",
              ((("husband_id",), "certificate.father_id"), (("wife_id",), "certificate.mother_id")),
              where={"state": "1"}, pick="latest", order_by="registered_on"),
        party("home", "household", ((("household_no",), "mother.household_no"),)),
    )  # fmt: skip
    items = (
        item("household", "psb", "psb.household.decide",
             (need("birth.household", "hukou:7", "certificate.child_sex", "certificate.born_on", "mother.name",
                   "mother.citizen_id", "father.name", "home.address"),
              need("birth.household", "civil:1049", "marriage.state")),
             (Write("person", None, tuple((f, expression("null")) for f in ("name", "sex", "birth_date", "division")),
                    None, AT),)),
        item("card", "hrss", "hrss.card.decide", (need("birth.card", "social:58", "mother.phone", "mother.name"),)),
        item("cost", "medical", "medical.decide",
             (need("birth.cost", "social:55", "certificate.weight", "mother.phone"),)),
    )  # fmt: skip
    matter = Matter(
        id="newborn", name=Words("新生儿"), summary=Words(""), audience="person", theme="", icon="", lead="health",
        purpose="birth", basis=(law("one-thing:1"),), search=(), parties=parties, names=(), eligible=(),
        questions=(), items=items, documents=(), shows=(), consents=(), title_of=expression('"x"'),
        place_of=expression("null"), baseline=Baseline(0, 0, 0, 0, 0, Words(""), False, AT), words={}, version=version,
        place=AT,
    )  # fmt: skip
    organisations = [
        organisation("psb", ("household_officer", ("psb.household.decide", "psb.correct")),
                     ("station_head", ("psb.approve",))),
        organisation("hrss", ("card_officer", ("hrss.card.decide",))),
        organisation("medical", ("insurance_officer", ("medical.decide",))),
        organisation("service", ("clerk", ("window.serve",))),
        organisation("health", ("health_officer", ("health.correct",))),
    ]  # fmt: skip
    return City(
        id="small", name=Words("小城"), code="320200", timezone="Asia/Shanghai", working_hours=(),
        after_hours="next_workday", hotline="12345", languages=("zh",), demonstration=demonstration,
        number_prefix="X", calendar_overrides={}, laws={}, clocks={}, purposes={}, divisions={},
        organisations={o.id: o for o in organisations},
        registers={r.id: r for r in (person, certificate, marriage, household)}, places={},
        matters={"newborn": matter}, version=version,
    )  # fmt: skip


PEOPLE: list[tuple[str, str, str, dict[str, Any]]] = [
    ("person", MOTHER, "psb", {"citizen_id": MOTHER, "name": "林晓晴", "sex": "2", "household_no": "H1"}),
    ("person", MOTHER, "data", {"phone": "13800000001"}),
    ("person", MOTHER, "health", {"illness": "secret"}),
    ("person", FATHER, "psb", {"citizen_id": FATHER, "name": "王启明", "sex": "1"}),
    ("person", STRANGER, "psb", {"citizen_id": STRANGER, "name": "周晓", "sex": "2"}),
    ("household", "H1", "psb", {"household_no": "H1", "address": "崇安寺街道 1 号"}),
    ("certificate", "C1", "health",
     {"number": "C1", "mother_id": MOTHER, "father_id": FATHER, "child_sex": "2", "born_on": "2026-11-16",
      "weight": 3200, "state": "0", "twin": False}),
    ("marriage", "M1", "civil",
     {"number": "M1", "husband_id": FATHER, "wife_id": MOTHER, "state": "1", "registered_on": "2019-05-20"}),
    ("marriage", "M0", "civil",
     {"number": "M0", "husband_id": FATHER, "wife_id": MOTHER, "state": "1", "registered_on": "2015-05-20"}),
]  # fmt: skip
