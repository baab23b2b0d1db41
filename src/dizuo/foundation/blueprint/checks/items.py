"""Items, steps, needs, documents and consents: who does what, in which order, on which clock, for which purpose."""

from __future__ import annotations

from dizuo.foundation.blueprint.checks.organisations import cycles
from dizuo.foundation.blueprint.checks.parties import register_of
from dizuo.foundation.blueprint.checks.terms import longer_than
from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.findings import Span, nearest
from dizuo.foundation.blueprint.model import Item, Matter, Need, Step

Where = tuple[str | int, ...]


def check(draft: Draft, matter: Matter, file: str) -> None:
    ids = [item.id for item in matter.items]
    for item in matter.items:
        _item(draft, matter, item, ids, (file, "items", item.id))
    for loop in cycles({item.id: item.after for item in matter.items}):
        at = draft.at(file, "items", loop[0], "after")
        draft.log.add("cycle", at, f"事项互相等待：{' → '.join(loop)}。", fix="删掉其中一个 after。")
    if not matter.items and draft.has(file, "items"):
        draft.log.add("wrong-shape", draft.key(file, "items"), "没有一个事项。", fix="至少写一个事项。")
    _documents(draft, matter, file)
    _consents(draft, matter, ids, file)


def _item(draft: Draft, matter: Matter, item: Item, ids: list[str], where: Where) -> None:
    file, path = str(where[0]), where[1:]

    def at(*more: str | int) -> Span:
        return draft.at(file, *path, *more)

    draft.refer("organisation", "部门", item.department, draft.organisations, at("department"))
    draft.refer("clock", "时限", item.clock, draft.clocks, at("clock"), "在 clocks.yaml 中声明它。")
    for index, name in enumerate(item.after):
        draft.refer("item", "事项", name, ids, at("after", index))
    for index, name in enumerate(item.answers):
        draft.refer("question", "问题", name, [q.id for q in matter.questions], at("answers", index))
    draft.refer("document", "证照", item.document, [d.id for d in matter.documents], at("document"))
    for index, need in enumerate(item.needs):
        _need(draft, matter, need, (*where, "needs", index))
    _promise(draft, item, where)
    _steps(draft, item, where)
    _writes(draft, matter, item, where)


def _need(draft: Draft, matter: Matter, need: Need, where: Where) -> None:
    file, path = str(where[0]), where[1:]
    at = draft.at(file, *path, "purpose")
    if draft.refer("purpose", "处理目的", need.purpose, draft.purposes, at) and matter.purpose:
        if matter.purpose.startswith(need.purpose + "."):
            draft.log.add(
                "purpose-wider",
                at,
                f"处理目的 `{need.purpose}` 比这件事的目的 `{matter.purpose}` 更宽。",
                suggest=matter.purpose,
                fix=f"写 `{matter.purpose}`，或它之内更窄的目的。",
            )
        elif need.purpose != matter.purpose and not need.purpose.startswith(matter.purpose + "."):
            draft.log.add(
                "purpose-outside",
                at,
                f"处理目的 `{need.purpose}` 不在这件事的目的 `{matter.purpose}` 之内。",
                fix=f"写 `{matter.purpose}`，或在 purposes.yaml 声明 `{matter.purpose}.…`。",
            )
    for index, fact in enumerate(need.facts):
        _fact(draft, matter, need, fact, (*where, "facts", index))


def _fact(draft: Draft, matter: Matter, need: Need, fact: str, where: Where) -> None:
    if not fact:
        return
    file, path = str(where[0]), where[1:]
    at = draft.at(file, *path)
    name, _, field = fact.partition(".")
    if not draft.refer("party", "参与方", name, [p.id for p in matter.parties], at):
        return
    if field == "*":
        draft.log.add(
            "grant-too-wide",
            at,
            f"`{fact}` 会调取这个登记簿的所有字段，超出目的 `{need.purpose}`。",
            fix="逐个写出要用的字段。",
        )
        return
    register = register_of(draft, matter, name)
    if register is not None:
        draft.refer("field", f" {register.id} 的字段", field, register.fields, at)
    if path[-1] != need.facts.index(fact):
        draft.log.add("duplicate-id", at, f"`{fact}` 写了两次。", fix="删掉一个。")


def _promise(draft: Draft, item: Item, where: Where) -> None:
    file, path = str(where[0]), where[1:]
    clock = draft.clocks.get(item.clock)
    if clock is not None and clock.length.n and item.promise.n:
        case = longer_than(item.promise, clock.length)
        if case is not None:
            draft.log.add(
                "promise-too-long",
                draft.at(file, *path, "promise"),
                f"承诺 {said(item.promise)}，比法定的 {said(clock.length)}（{clock.law.key}）长{case}。",
                fix=f"改为不超过 {said(clock.length)}。",
            )
    for step in item.steps:
        if step.promise is not None and step.promise.n and item.promise.n:
            case = longer_than(step.promise, item.promise)
            if case is not None:
                draft.log.add(
                    "promise-too-long",
                    draft.at(file, *path, "steps", step.id, "promise"),
                    f"步骤承诺 {said(step.promise)}，比事项承诺的 {said(item.promise)} 长{case}。",
                    fix=f"改为不超过 {said(item.promise)}。",
                )


def said(length: object) -> str:
    """A length as it is written."""
    return f"{getattr(length, 'n', 0)} {getattr(length, 'unit', '')}"


def _steps(draft: Draft, item: Item, where: Where) -> None:
    file, path = str(where[0]), where[1:]
    ids = [step.id for step in item.steps]
    if not item.steps and draft.has(file, *path, "steps"):
        at = draft.key(file, *path, "steps")
        draft.log.add("wrong-shape", at, "事项没有步骤。", fix="至少写一个步骤。")
    for step in item.steps:
        for index, name in enumerate(step.after):
            draft.refer("step", "步骤", name, ids, draft.at(file, *path, "steps", step.id, "after", index))
        _power(draft, item, step, (*where, "steps", step.id))
        seen: set[str] = set()
        for index, one in enumerate(step.checks):
            here = (*path, "steps", step.id, "checks", index)
            if one.id and one.id in seen:
                at = draft.at(file, *here, "id")
                draft.log.add("duplicate-id", at, f"`{one.id}` 声明了两次。", fix="改成另一个名称。")
            seen.add(one.id)
            if one.choices and not one.exception.zh:
                at = draft.key(file, *here, "choices")
                draft.log.add(
                    "missing-key",
                    at,
                    "写了怎么处理，没有写要判断什么（exception）。",
                    fix="补上 `exception: …`。",
                )
    for loop in cycles({step.id: step.after for step in item.steps}):
        at = draft.at(file, *path, "steps", loop[0], "after")
        draft.log.add("cycle", at, f"步骤互相等待：{' → '.join(loop)}。", fix="删掉其中一个 after。")
    issues = any(step.kind == "issue" for step in item.steps)
    if issues and not item.document and draft.has(file, *path, "steps"):
        step = next(step for step in item.steps if step.kind == "issue")
        at = draft.at(file, *path, "steps", step.id, "kind")
        draft.log.add(
            "issue-without-document",
            at,
            "这一步制作证照，事项却没有写发什么证照。",
            fix="补上 `document: …`。",
        )
    if item.document and item.steps and not issues:
        at = draft.at(file, *path, "document")
        draft.log.add(
            "issue-without-document",
            at,
            "事项要发证照，却没有一步制作它。",
            fix="加一个 `kind: issue` 的步骤。",
        )


def _power(draft: Draft, item: Item, step: Step, where: Where) -> None:
    file, path = str(where[0]), where[1:]
    if step.kind == "judge" and not step.power and not draft.has(file, *path, "power"):
        draft.log.add(
            "judge-without-power",
            draft.key(file, *path),
            f"步骤 `{step.id}` 要人判断，没有写需要什么权限（power）。",
            fix="补上 `power: …`。",
        )
    department = draft.organisations.get(item.department)
    if not step.power or department is None:
        return
    if any(step.power in post.powers for post in department.posts):
        return
    holders = sorted(
        o.id for o in draft.organisations.values() if any(step.power in p.powers for p in o.posts)
    )
    elsewhere = f"只有 {'、'.join(holders)} 有" if holders else "别的部门也没有"
    powers = [power for post in department.posts for power in post.powers]
    draft.log.add(
        "step-nobody-can-do",
        draft.at(file, *path, "power"),
        f"{department.short.zh}没有一个岗位有权限 `{step.power}`，{elsewhere}。",
        suggest=nearest(step.power, powers),
        fix=f"把它加到 organisations/{department.id}.yaml 某个岗位的 powers。",
    )


def _writes(draft: Draft, matter: Matter, item: Item, where: Where) -> None:
    file, path = str(where[0]), where[1:]
    for index, write in enumerate(item.writes):
        here = (*path, "writes", index)
        at = draft.at(file, *here, "register")
        known = draft.refer("register", "登记簿", write.register, draft.registers, at)
        party_at = draft.at(file, *here, "party")
        if draft.refer("party", "参与方", write.party, [p.id for p in matter.parties], party_at):
            register = register_of(draft, matter, write.party or "")
            if register is not None and known and register.id != write.register:
                draft.log.add(
                    "write-elsewhere",
                    party_at,
                    f"`{write.party}` 在“{register.name.zh}”登记簿，写的却是 {write.register}。",
                    suggest=register.id,
                    fix=f"改为 `register: {register.id}`。",
                )
        if not known:
            continue
        register = draft.registers[write.register]
        for name, _ in write.fields:
            at = draft.key(file, *here, "fields", name)
            if not draft.refer("field", f" {write.register} 的字段", name, register.fields, at):
                continue
            source = register.fields[name].source
            if source and item.department and source != item.department:
                draft.log.add(
                    "write-not-source",
                    at,
                    f"{write.register}.{name} 的来源是 {source}，{item.department} 不能写它（一数一源）。",
                    fix="只写本部门是来源的字段。",
                )


def _documents(draft: Draft, matter: Matter, file: str) -> None:
    issued = {item.document for item in matter.items}
    for document in matter.documents:
        at = draft.at(file, "documents", document.id, "issuer")
        draft.refer("organisation", "部门", document.issuer, draft.organisations, at)
        if document.id not in issued:
            at = draft.key(file, "documents", document.id)
            draft.log.add(
                "document-unused",
                at,
                f"没有一个事项发 `{document.id}`。",
                fix="在事项里写 `document: …`，或删掉它。",
            )


def _consents(draft: Draft, matter: Matter, ids: list[str], file: str) -> None:
    given = {party.id for party in matter.parties if party.given}
    for consent in matter.consents:
        path = ("consents", consent.id)
        for index, name in enumerate(consent.items):
            draft.refer("item", "事项", name, ids, draft.at(file, *path, "items", index))
        for index, name in enumerate(consent.parties):
            at = draft.at(file, *path, "parties", index)
            if not draft.refer("party", "参与方", name, [p.id for p in matter.parties], at):
                continue
            register = register_of(draft, matter, name)
            if register is not None and not register.entity:
                draft.log.add(
                    "consent-of-nobody",
                    at,
                    f"`{name}` 是“{register.name.zh}”里的一条记录，不是能同意的人。",
                    fix="写人或企业。",
                )
            elif name in given:
                draft.log.add(
                    "consent-of-nobody",
                    at,
                    f"`{name}` 就是申请人，提交就是同意，不用再问。",
                    fix="只写其他人。",
                )
