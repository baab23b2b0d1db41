"""Questions and materials: a city may not ask for what it already holds or issued itself (一数一源, 免提交)."""

from __future__ import annotations

import re

from dizuo.foundation.blueprint.checks.parties import register_of
from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.model import Field, Material, Matter, Question

_PREFIX = re.compile(r"^(请问|请填写|请输入|请选择|请您填写|填写|输入)?(您的|您|本人的|申请人的|申请人)?")
_SUFFIX = re.compile(r"(是什么|是多少|是哪天|叫什么|为)?[？?：:。\s]*$")


def check(draft: Draft, matter: Matter, file: str) -> None:
    _twice(draft, matter, file)
    for question in matter.questions:
        _known(draft, matter, question, file)
        _silence(draft, matter, question, file)
        _options(draft, question, file)
    for item in matter.items:
        for index, material in enumerate(item.materials):
            _own_paper(draft, material, (file, "items", item.id, "materials", index))


def _twice(draft: Draft, matter: Matter, file: str) -> None:
    """One datum is asked once; questions for silent registers differ by the fact that is silent."""
    asked: dict[str, str] = {}
    for question in matter.questions:
        if question.if_silent is not None or not question.datum:
            continue
        if question.datum in asked:
            draft.log.add(
                "asks-twice",
                draft.at(file, "questions", question.id, "datum"),
                f"数据项 {question.datum} 已经由问题 `{asked[question.datum]}` 问过。",
                fix="删掉一个问题；不是同一件事时，换一个 datum。",
            )
        asked.setdefault(question.datum, question.id)


def _known(draft: Draft, matter: Matter, question: Question, file: str) -> None:
    if question.if_silent is not None:
        return
    for party in matter.parties:
        register = draft.registers.get(party.register)
        if register is None:
            continue
        for field in register.fields.values():
            if question.datum and field.datum == question.datum:
                at, why = (
                    draft.at(file, "questions", question.id, "datum"),
                    f"问的是数据项 {question.datum}，",
                )
            elif _same_words(question.asks.zh, party.name.zh, field):
                at, why = draft.at(file, "questions", question.id, "asks"), f"问的就是“{field.name.zh}”，"
            else:
                continue
            draft.log.add(
                "asks-what-is-known",
                at,
                f"{why}“{register.name.zh}”登记簿里已经有（{party.id}.{field.id}，来自 {field.source}）。",
                suggest=f"{party.id}.{field.id}",
                fix=f"删掉这个问题，在 needs 里写 `{party.id}.{field.id}`；登记簿可能缺这个值时，写 `if_silent: {party.id}.{field.id}`。",
            )
            return
    _could_be_read(draft, question, file)


def _could_be_read(draft: Draft, question: Question, file: str) -> None:
    """A register holds it, but no party of the matter leads there: perhaps nobody looked."""
    for register in draft.registers.values():
        for field in register.fields.values():
            if question.datum and field.datum == question.datum:
                draft.log.add(
                    "asks-what-could-be-read",
                    draft.at(file, "questions", question.id, "datum"),
                    f"问的是数据项 {question.datum}，“{register.name.zh}”登记簿里有它，但没有参与方通到那里。",
                    fix=f"加一个 `register: {register.id}` 的参与方；确实查不到是谁的，换一个 datum。",
                    severity="warning",
                )
                return


def _same_words(asks: str, party: str, field: Field) -> bool:
    bare = _SUFFIX.sub("", _PREFIX.sub("", asks.strip(), count=1))
    return bare in (field.name.zh, party + field.name.zh, f"{party}的{field.name.zh}")


def _silence(draft: Draft, matter: Matter, question: Question, file: str) -> None:
    if not question.if_silent:
        return
    path = (file, "questions", question.id)
    at = draft.at(*path, "if_silent")
    name, _, field_id = question.if_silent.partition(".")
    if not draft.refer("party", "参与方", name, [p.id for p in matter.parties], at):
        return
    register = register_of(draft, matter, name)
    if register is None or not draft.refer("field", f" {register.id} 的字段", field_id, register.fields, at):
        return
    field = register.fields[field_id]
    if question.datum and question.datum != field.datum:
        draft.log.add(
            "silent-other-datum",
            draft.at(*path, "datum"),
            f"登记簿没有 {question.if_silent} 时才问，但问的是另一个数据项：{question.datum}。",
            suggest=field.datum,
            fix=f"写成 `datum: {field.datum}`。",
        )
    if not question.reason.zh:
        draft.log.add(
            "silent-without-reason",
            draft.key(*path, "if_silent"),
            "登记簿里没有才问，就要告诉申请人为什么没有（reason）。",
            fix="补上 `reason: …`。",
        )


def _options(draft: Draft, question: Question, file: str) -> None:
    path = (file, "questions", question.id)
    choice = question.type == "choice"
    offered = bool(question.options) + (question.options_from is not None)
    if choice and offered != 1:
        said = "既写了 options 又写了 options_from" if offered else "没有选项"
        fix = "只写其中一个。" if offered else "补上 options 或 options_from。"
        draft.log.add("choice-without-options", draft.key(*path), f"选择题 `{question.id}` {said}。", fix=fix)
    if not choice and offered:
        at = draft.at(*path, "type")
        draft.log.add(
            "choice-without-options", at, f"写了选项，类型却是 {question.type}。", fix="改为 `type: choice`。"
        )
    if question.options_from is not None:
        at = draft.at(*path, "options_from", "places")
        draft.refer("places", "网点清单", question.options_from.places, draft.places, at)
    seen: set[str] = set()
    for index, option in enumerate(question.options):
        if option.value and option.value in seen:
            at = draft.at(*path, "options", index, "value")
            draft.log.add("duplicate-id", at, f"选项 `{option.value}` 写了两次。", fix="删掉一个。")
        seen.add(option.value)
        if (option.label is None) == (option.label_from is None):
            at = draft.at(*path, "options", index, "value")
            draft.log.add(
                "option-without-label",
                at,
                f"选项 `{option.value}` 的文字要么写 label，要么写 label_from。",
                fix="只写其中一个。",
            )


def _own_paper(draft: Draft, material: Material, path: tuple[str | int, ...]) -> None:
    held = _issued_here(draft, material)
    if held is None:
        return
    file = str(path[0])
    key = "licence" if material.licence else "issuer" if material.issuer in draft.organisations else "name"
    draft.log.add(
        "asks-for-own-paper",
        draft.at(file, *path[1:], key),
        f"“{material.name.zh}”{held}，不能再让申请人交（国令第 716 号《国务院关于在线政务服务的若干规定》）。",
        fix="删掉这份材料，在 needs 里写要用的字段。",
    )


def _issued_here(draft: Draft, material: Material) -> str | None:
    if material.issuer and material.issuer in draft.organisations:
        return f"由{draft.organisations[material.issuer].short.zh}自己发出"
    names = {organisation.name.zh: organisation for organisation in draft.organisations.values()}
    if material.issuer and material.issuer in names:
        return f"由{names[material.issuer].short.zh}自己发出"
    for matter in draft.matters.values():
        for document in matter.documents:
            if material.licence == document.licence_type or material.name.zh == document.name.zh:
                return f"由本市“{matter.name.zh}”办好后发出"
    for register in draft.registers.values():
        if register.base != "licence":
            continue
        for field in register.fields.values():
            for code, words in field.codes.items():
                if material.licence == code or (words.zh and material.name.zh == words.zh):
                    return f"在“{register.name.zh}”登记簿里已经有电子证照"
    return None
