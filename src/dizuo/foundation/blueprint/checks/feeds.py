"""Feeds: only a field's own source or its declared fallback supplies it (一数一源), in an order that is written down."""

from __future__ import annotations

from collections.abc import Mapping

from dizuo.foundation.blueprint.checks.codelists import list_of
from dizuo.foundation.blueprint.checks.registers import index_of
from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.findings import nearest
from dizuo.foundation.blueprint.lineage import column_of, feed_order, names_of
from dizuo.foundation.blueprint.model import Field, Register
from dizuo.foundation.blueprint.model_source import Feed, Mention, Source, SourceColumn

# Which standardisers give a value of a register field's type.
_FITS: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "name", "phone", "address", "citizen_id", "uscc", "code", "division"),
    "number": ("integer", "decimal"),
    "money": ("decimal", "integer"),
    "boolean": ("boolean",),
    "date": ("date", "datetime"),
    "datetime": ("datetime", "date"),
    "code": ("code",),
    "division": ("division",),
    "citizen_id": ("citizen_id",),
    "uscc": ("uscc",),
}
_SAID = {"person": "人", "enterprise": "单位"}


def check(draft: Draft, source: Source, file: str) -> None:
    for index, feed in enumerate(source.feeds):
        of = _mention(draft, source, file, index, feed)
        at = draft.at(file, "feeds", index, "register")
        if not draft.refer("register", "登记簿", feed.register, draft.registers, at):
            continue
        register = draft.registers[feed.register]
        _subject(draft, register, of, file, index, feed)
        for field_id, name in feed.fields.items():
            key = draft.key(file, "feeds", index, "fields", field_id)
            if draft.refer("field", f" {register.id} 的字段", field_id, register.fields, key):
                _field(draft, source, register, register.fields[field_id], name, of, file, index)
            else:
                _column(draft, source, name, file, index, field_id)


def _mention(draft: Draft, source: Source, file: str, index: int, feed: Feed) -> Mention | None:
    mentions = {mention.id: mention for mention in source.mentions}
    at = draft.at(file, "feeds", index, "of")
    draft.refer("mention", "主体", feed.of, mentions, at, "先在 mentions 里声明它。")
    return mentions.get(feed.of)


def _subject(draft: Draft, register: Register, of: Mention | None, file: str, index: int, feed: Feed) -> None:
    """Whose record is fed: the mention's in a register of subjects, the one with the fed key in any other."""
    at = draft.at(file, "feeds", index, "register")
    if not register.entity:
        if register.key not in feed.fields:
            draft.log.add(
                "feed-without-key",
                at,
                f"没有供给 {register.id} 的主键 {register.key}，不知道是哪一条记录。",
                fix=f"在 fields 里写上 `{register.key}: …`。",
            )
        if register.subjects and not set(register.subjects) & set(feed.fields):
            draft.log.add(
                "feed-without-subject",
                at,
                f"没有供给 {register.id} 中说明记录与谁有关的字段（{'、'.join(register.subjects)}）：本人将看不到谁调取过。",
                fix=f"在 fields 里写上 `{register.subjects[0]}: …`。",
            )
    elif not feed.of:
        draft.log.add(
            "feed-without-key",
            at,
            f"{register.id} 每个主体一条记录，没有写是哪个主体（of）。",
            fix="补上 `of: …`（mentions 的代号）。",
        )
    elif of is not None:
        wanted = "enterprise" if _keyed_by_uscc(register) else "person"
        if of.entity != wanted:
            draft.log.add(
                "feed-type",
                draft.at(file, "feeds", index, "of"),
                f"{register.id} 记的是{_SAID[wanted]}，主体 `{of.id}` 是{_SAID[of.entity]}。",
                fix="换一个主体，或换一个登记簿。",
            )


def _keyed_by_uscc(register: Register) -> bool:
    key = register.fields.get(register.key)
    return key is not None and key.type == "uscc"


def _column(draft: Draft, source: Source, name: str, file: str, index: int, field_id: str) -> bool:
    at = draft.at(file, "feeds", index, "fields", field_id)
    return draft.refer("column", "列", name, names_of(source), at)


def _field(
    draft: Draft,
    source: Source,
    register: Register,
    field: Field,
    name: str,
    of: Mention | None,
    file: str,
    index: int,
) -> None:
    key = draft.key(file, "feeds", index, "fields", field.id)
    declared = {field.source, source.department} <= set(draft.organisations)
    if (
        declared
        and source.department not in (field.source, *field.fallback)
        and source.id not in field.fallback
    ):
        others = f"，候补是 {'、'.join(field.fallback)}" if field.fallback else "，没有候补"
        draft.log.add(
            "feed-not-source",
            key,
            f"{register.id}.{field.id} 的来源是 {field.source}{others}；{source.department} 不能供给它（一数一源）。",
            fix=f"不供给它；或在 registers/{register.id}.yaml 的这个字段写 `fallback: [{source.department}]`。",
        )
    found = column_of(source, name)
    if not _column(draft, source, name, file, index, field.id) or found is None:
        return
    column, part = found
    if not _fits(draft, register, field, column, part, of):
        said = f"字段 {register.id}.{field.id} 的类型是 {field.type}，{_given(column, part)}给不出。"
        if field.type == "code" and column.as_ == "code":
            said = f"列 `{column.id}` 的代码不都在字段 {register.id}.{field.id} 的代码表里。"
        draft.log.add(
            "feed-type",
            draft.at(file, "feeds", index, "fields", field.id),
            said,
            fix=_way_out(register, field, column),
        )


def _given(column: SourceColumn, part: str) -> str:
    return f"`{column.id}_{part}`" if part else f"`{column.id}`（as: {column.as_}）"


def _fits(
    draft: Draft, register: Register, field: Field, column: SourceColumn, part: str, of: Mention | None
) -> bool:
    if part:
        return field.type == "text" or (field.type == "division" and part == "division")
    if column.as_ not in _FITS[field.type]:
        # A text column that may hold either kind of number is the mentioned one's number (主体代码).
        role = {"citizen_id": of.citizen_id, "uscc": of.uscc}.get(field.type, "") if of is not None else ""
        return role == column.id
    if field.type == "code" and column.register != f"{register.id}.{field.id}":
        return bool(field.codes) and set(list_of(draft, column)) <= set(field.codes)
    return True


def _way_out(register: Register, field: Field, column: SourceColumn) -> str:
    if field.type == "code" and column.as_ == "code":
        return f"给列 `{column.id}` 写 `register: {register.id}.{field.id}`，用同一张代码表。"
    if field.type == "division" and column.as_ == "address":
        return f"写 `{column.id}_division`，用地址里认出的区划。"
    return f"换一列，或把列改为 `as: {_FITS[field.type][0]}`。"


def check_orders(draft: Draft) -> None:
    """Every fallback names someone who feeds the field, and no turn is shared by two sources."""
    fed: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for source in draft.sources.values():
        for index, feed in enumerate(source.feeds):
            for field_id in feed.fields:
                fed.setdefault((feed.register, field_id), []).append((source.id, index))
    for register in draft.registers.values():
        for field in register.fields.values():
            feeders = fed.get((register.id, field.id), [])
            meant = _fallback(draft, register, field, tuple(dict.fromkeys(name for name, _ in feeders)))
            _turns(draft, register, field, feeders, meant)


def _fallback(draft: Draft, register: Register, field: Field, feeders: tuple[str, ...]) -> tuple[str, ...]:
    """Check a field's fallback order; the order that was probably meant, misspellings mended."""
    meant = list(field.fallback)
    file = f"registers/{register.id}.yaml"
    row = index_of(draft, file, field.id)
    for index, name in enumerate(field.fallback):
        at = draft.at(file, "fields", row, "fallback", index)
        known = {*draft.organisations, *draft.sources}
        if any(kind in ("source", "organisation") for kind, _ in draft.unread):
            continue  # who feeds what is not known
        if not draft.refer("source", "部门或数据源", name, known, at):
            meant[index] = nearest(name, known) or name
            continue
        if name in field.fallback[:index]:
            draft.log.add("duplicate-id", at, f"`{name}` 写了两次。", fix="删掉一个。")
        elif name == field.source:
            message = f"{name} 已经是 {register.id}.{field.id} 的来源，不用再写候补。"
            draft.log.add("fallback-feeds-nothing", at, message, fix="删掉它，或写它的另一个数据源。")
        elif not _feeds(draft, name, feeders):
            draft.log.add(
                "fallback-feeds-nothing",
                at,
                f"{name} 是 {register.id}.{field.id} 的候补，却没有数据源供给这个字段。",
                fix=f"在它的数据源里供给 {register.id}.{field.id}，或删掉这个候补。",
            )
    return tuple(meant)


def _feeds(draft: Draft, name: str, feeders: tuple[str, ...]) -> bool:
    return name in feeders or any(draft.sources[one].department == name for one in feeders)


def _turns(
    draft: Draft,
    register: Register,
    field: Field,
    feeders: list[tuple[str, int]],
    fallback: tuple[str, ...],
) -> None:
    names = tuple(dict.fromkeys(name for name, _ in feeders))
    first: dict[str, str] = {}
    for name in feed_order(draft.sources, field.source, fallback, names):
        if name in fallback:
            continue
        other = first.setdefault(draft.sources[name].department, name)
        if other != name:
            index = next(index for one, index in feeders if one == name)
            draft.log.add(
                "feed-without-order",
                draft.key(f"sources/{name}.yaml", "feeds", index, "fields", field.id),
                f"同一部门的 {other} 和 {name} 都供给 {register.id}.{field.id}，没有说先用哪一个。",
                fix=f"在 registers/{register.id}.yaml 的这个字段写 `fallback: [{name}]`，让它排在 {other} 后面。",
            )
