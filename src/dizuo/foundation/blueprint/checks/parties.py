"""Parties: whom a matter reads about, and how each is found from an earlier one."""

from __future__ import annotations

from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.icons import ICONS
from dizuo.foundation.blueprint.model import Matter, Party, Register


def check(draft: Draft, matter: Matter, file: str) -> None:
    draft.refer("organisation", "部门", matter.lead, draft.organisations, draft.at(file, "lead"))
    draft.refer("purpose", "处理目的", matter.purpose, draft.purposes, draft.at(file, "purpose"))
    draft.refer(
        "icon",
        "图标",
        matter.icon,
        ICONS,
        draft.at(file, "icon"),
        f"可用的图标：{'、'.join(sorted(ICONS))}。",
    )
    earlier: list[str] = []
    for party in matter.parties:
        _party(draft, party, earlier, [p.id for p in matter.parties], file, matter)
        earlier.append(party.id)
    _audience(draft, matter, file)


def register_of(draft: Draft, matter: Matter, party_id: str) -> Register | None:
    """The register of a party of the matter, when both are declared."""
    party = next((p for p in matter.parties if p.id == party_id), None)
    return draft.registers.get(party.register) if party is not None else None


def _party(
    draft: Draft, party: Party, earlier: list[str], every: list[str], file: str, matter: Matter
) -> None:
    path = ("parties", party.id)
    draft.refer("register", "登记簿", party.register, draft.registers, draft.at(file, *path, "register"))
    register = draft.registers.get(party.register)
    _one_way(draft, party, file)
    if register is None:
        return
    fields = register.fields
    for own, other in party.match:
        key = "|".join(own)
        at = draft.key(file, *path, "match", key)
        for name in own:
            if (
                draft.refer("field", f" {party.register} 的字段", name, fields, at)
                and not fields[name].lookup
            ):
                draft.log.add(
                    "match-without-lookup",
                    at,
                    f"要按 {party.register}.{name} 查找，但它没有声明为可查找。",
                    fix=f"在 registers/{party.register}.yaml 的这个字段上写 `lookup: true`。",
                )
        _other(draft, matter, other, earlier, every, (file, *path, "match", key))
    for name in party.where:
        at = draft.key(file, *path, "where", name)
        if draft.refer("field", f" {party.register} 的字段", name, fields, at):
            codes = fields[name].codes
            value = party.where[name]
            if codes and value:
                at = draft.at(file, *path, "where", name)
                # Codes are what is stored; their names are accepted by no register.
                by_name = next((code for code, words in codes.items() if words.zh == value), None)
                fix = f"写代码 {by_name}。" if by_name else f"可用的代码：{'、'.join(codes)}。"
                draft.refer("code", "代码", value, codes, at, fix)
    for index, name in enumerate(party.label):
        draft.refer("field", f" {party.register} 的字段", name, fields, draft.at(file, *path, "label", index))
    draft.refer(
        "field", f" {party.register} 的字段", party.order_by, fields, draft.at(file, *path, "order_by")
    )


def _one_way(draft: Draft, party: Party, file: str) -> None:
    path = ("parties", party.id)
    if party.given == bool(party.match):
        both = "既是登录的人（given），又要查找（match）" if party.given else "没有写怎样找到"
        draft.log.add(
            "party-not-found",
            draft.key(file, *path),
            f"参与方 `{party.id}` {both}。",
            fix="写 `given: true`，或写 `match: {字段: 前面的参与方.字段}`，只写一个。",
        )
    if party.pick == "latest" and not party.order_by:
        at = draft.at(file, *path, "pick")
        draft.log.add(
            "missing-key", at, "取最新一条，却没有写按哪个字段算最新。", fix="补上 `order_by: 字段`。"
        )
    if party.pick == "choose" and not party.label:
        at = draft.at(file, *path, "pick")
        draft.log.add(
            "missing-key", at, "由申请人选，却没有写显示哪些字段。", fix="补上 `label: [字段, …]`。"
        )


def _other(
    draft: Draft, matter: Matter, fact: str, earlier: list[str], every: list[str], path: tuple[str, ...]
) -> None:
    if not fact:
        return
    at = draft.at(path[0], *path[1:])
    name, _, field = fact.partition(".")
    if name in every and name not in earlier:
        draft.log.add(
            "party-order",
            at,
            f"`{name}` 写在后面（或就是自己），还没有找到，不能用来查找。",
            fix=f"把 `{name}` 移到前面，或换一个前面的参与方。",
        )
        return
    if draft.refer("party", "参与方", name, every, at):
        register = register_of(draft, matter, name)
        if register is not None:
            draft.refer("field", f" {register.id} 的字段", field, register.fields, at)


def _audience(draft: Draft, matter: Matter, file: str) -> None:
    given = [party for party in matter.parties if party.given]
    wanted = "enterprise" if matter.audience == "enterprise" else "person"
    said = "企业" if wanted == "enterprise" else "个人"
    if not given:
        draft.log.add(
            "party-not-found",
            draft.key(file, "parties"),
            "没有一个参与方是登录的人或他代表的企业（given）。",
            fix="给申请人写 `given: true`。",
        )
        return
    for party in given[1:]:
        at = draft.at(file, "parties", party.id, "given")
        draft.log.add(
            "party-not-found", at, "只能有一个参与方是申请人（given）。", fix="其他参与方用 match 查找。"
        )
    register = draft.registers.get(given[0].register)
    if register is not None and (register.base != wanted or not register.entity):
        draft.log.add(
            "wrong-audience",
            draft.at(file, "parties", given[0].id, "register"),
            f"这件事给{said}办，申请人却是“{register.name.zh}”登记簿里的。",
            fix=f"换成{said}的登记簿（entity: true），或改 audience。",
        )
