"""Code lists of sources: every code column has one, and foreign spellings lead to codes that it has."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.findings import Span
from dizuo.foundation.blueprint.model import Field, Words
from dizuo.foundation.blueprint.model_source import SourceColumn


def check(draft: Draft, column: SourceColumn, file: str, path: tuple[str, int]) -> None:
    log = draft.log
    if column.codes and column.register:
        at = draft.key(file, *path, "codes")
        log.add("codes-unexpected", at, "代码表写了两处：register 和 codes。", fix="只留一处。")
    if not column.codes and not column.register:
        log.add(
            "code-without-list",
            draft.at(file, *path, "as"),
            f"“{column.column}”按代码标准化，却没有代码表。",
            fix="写 `register: 登记簿.字段`，或写自己的 codes。",
        )
        return
    if column.codes and not column.code_system:
        at = draft.key(file, *path, "codes")
        fix = "补上 `code_system: …`；自编的写 `code_system: 自编`。"
        log.add("unsourced", at, "代码表没有写出自哪个标准（code_system）。", fix=fix)
    if column.codes and not draft.has(file, *path, "verified"):
        log.add(
            "verification-unmarked",
            draft.key(file, *path, "codes"),
            "没有标明代码表是否对照过标准原文（verified）。",
            fix="补上 `verified: true` 或 `verified: false`。",
        )
    codes = list_of(draft, column)
    if column.register and not column.codes:
        field = _field(draft, column.register, draft.at(file, *path, "register"))
        if field is not None and not field.codes:
            log.add(
                "code-without-list",
                draft.at(file, *path, "register"),
                f"字段 {column.register} 没有代码表（类型是 {field.type}）。",
                fix="换成有代码表的字段，或在这一列写自己的 codes。",
            )
    if codes:
        _synonyms(draft, column, codes, file, path)


def _synonyms(
    draft: Draft, column: SourceColumn, codes: Mapping[str, Words], file: str, path: tuple[str, int]
) -> None:
    known = "、".join(list(codes)[:12])
    means = {words.zh: code for code, words in codes.items()} | {code: code for code in codes}
    for written, code in column.synonyms.items():
        at = draft.at(file, *path, "synonyms", written)
        resolves = draft.refer("code", "代码", code, codes, at, f"可用的代码：{known}。")
        if resolves and means.get(written, code) != code:
            draft.log.add(
                "synonym-contradicts",
                draft.key(file, *path, "synonyms", written),
                f"代码表里“{written}”是 {means[written]}，这里却写成 {code}。",
                fix="删掉这个写法；代码和代码的中文名不用写。",
            )
        plain = _plain(written)
        if plain != written:
            draft.log.add(
                "wrong-form",
                draft.key(file, *path, "synonyms", written),
                f"“{written}”里有全角字符；比对之前都会换成半角，这个写法永远对不上。",
                suggest=plain,
                fix="用半角写。",
            )


def _plain(written: str) -> str:
    """As standardising leaves a cell before it looks for a code: full-width and half-width forms plain (NFKC)."""
    return "".join(unicodedata.normalize("NFKC", c) if "！" <= c <= "￮" else c for c in written)


def list_of(draft: Draft, column: SourceColumn) -> Mapping[str, Words]:
    """The codes that a column may have; empty when they are not known."""
    if column.codes or not column.register:
        return column.codes
    name, _, field = column.register.partition(".")
    register = draft.registers.get(name)
    found = register.fields.get(field) if register is not None else None
    return found.codes if found is not None else {}


def _field(draft: Draft, name: str, at: Span) -> Field | None:
    register_id, _, field_id = name.partition(".")
    if not draft.refer("register", "登记簿", register_id, draft.registers, at):
        return None
    fields = draft.registers[register_id].fields
    return fields[field_id] if draft.refer("field", f" {register_id} 的字段", field_id, fields, at) else None
