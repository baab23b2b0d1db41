"""Registers: one source per datum (一数一源), levels, subjects and code lists."""

from __future__ import annotations

from dizuo.foundation.blueprint.checks import catalogue
from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.model import Field, Register


def check(draft: Draft) -> None:
    sources: dict[str, tuple[str, Field]] = {}
    for register in draft.registers.values():
        _register(draft, register)
        file = f"registers/{register.id}.yaml"
        personal = [field.name.zh for field in register.fields.values() if field.personal]
        catalogue.check(draft, register.catalogue, file, personal)
        for field in register.fields.values():
            index = index_of(draft, file, field.id)
            _field(draft, register, field, file, index)
            first = sources.setdefault(field.datum, (register.id, field))
            if first[1] is not field and field.source and first[1].source and field.source != first[1].source:
                draft.log.add(
                    "two-sources",
                    draft.at(file, "fields", index, "source"),
                    f"数据项 {field.datum} 有两个来源：{first[0]}.{first[1].id} 来自 {first[1].source}，"
                    f"{register.id}.{field.id} 来自 {field.source}（一数一源）。",
                    fix="只留一个来源；如果不是同一件事，给它另一个 datum。",
                )


def index_of(draft: Draft, file: str, field_id: str) -> int:
    """Where in the list the field stands."""
    index = 0
    while draft.has(file, "fields", index):
        node = draft.node(file, "fields", index, "id")
        if node is not None and getattr(node, "text", None) == field_id:
            return index
        index += 1
    return 0


def _register(draft: Draft, register: Register) -> None:
    file = f"registers/{register.id}.yaml"
    draft.refer("organisation", "部门", register.owner, draft.organisations, draft.at(file, "owner"))
    draft.refer("clock", "时限", register.correction_clock, draft.clocks, draft.at(file, "correction_clock"))
    draft.refer("field", "字段", register.key, register.fields, draft.at(file, "key"))
    for index, name in enumerate(register.subjects):
        at = draft.at(file, "subjects", index)
        if draft.refer("field", "字段", name, register.fields, at):
            kind = register.fields[name].type
            if kind not in ("citizen_id", "uscc"):
                draft.log.add(
                    "subject-not-a-number",
                    at,
                    f"`{name}` 的类型是 {kind}，不能说明记录与谁有关。",
                    fix="换成类型是 citizen_id 或 uscc 的字段。",
                )
    if register.entity and register.subjects and register.key not in register.subjects:
        draft.log.add(
            "entity-key",
            draft.at(file, "key"),
            "每个主体一条记录的登记簿，主键应当就是主体的号码。",
            fix=f"把 key 改为 `{register.subjects[0]}`，或改为 `entity: false`。",
        )
    if any(field.personal for field in register.fields.values()) and not register.subjects:
        draft.log.add(
            "personal-without-subject",
            draft.at(file, "subjects"),
            "登记簿里有个人信息，却没有写记录与谁有关：本人将看不到谁调取过。",
            fix="在 subjects 中写上身份号码字段。",
        )
    seen: set[str] = set()
    index = 0
    while (node := draft.node(file, "fields", index)) is not None:
        name = getattr(draft.node(file, "fields", index, "id"), "text", "")
        if name and name in seen:
            at = draft.at(file, "fields", index, "id")
            draft.log.add("duplicate-id", at, f"`{name}` 声明了两次。", fix="改成另一个名称，或删掉一个。")
        seen.add(name)
        index += 1
        del node


def _field(draft: Draft, register: Register, field: Field, file: str, index: int) -> None:
    path = ("fields", index)
    draft.refer("organisation", "部门", field.source, draft.organisations, draft.at(file, *path, "source"))
    if field.personal and field.level == "L1":
        draft.log.add(
            "personal-too-low",
            draft.at(file, *path, "level"),
            f"“{field.name.zh}”是个人信息，级别不能是 L1（公开）。",
            fix="改为 L2 或更高。",
        )
    if field.codes and field.type != "code":
        draft.log.add(
            "codes-unexpected",
            draft.key(file, *path, "codes"),
            f"写了代码表，类型却是 {field.type}。",
            fix="改为 `type: code`，或删掉 codes。",
        )
    if field.codes and not draft.has(file, *path, "verified"):
        draft.log.add(
            "verification-unmarked",
            draft.key(file, *path, "codes"),
            "没有标明代码表是否对照过标准原文（verified）。",
            fix="补上 `verified: true` 或 `verified: false`。",
        )
    if field.codes and not field.code_system:
        draft.log.add(
            "unsourced",
            draft.key(file, *path, "codes"),
            "代码表没有写出自哪个标准（code_system）。",
            fix="补上 `code_system: …`；自编的写 `code_system: 自编`。",
        )
