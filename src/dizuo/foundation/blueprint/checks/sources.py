"""Sources: who delivers on which basis, columns, and whom rows speak of; every column has a use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dizuo.foundation.blueprint.checks import catalogue, codelists, deliveries, feeds, quality
from dizuo.foundation.blueprint.draft import Draft, Path
from dizuo.foundation.blueprint.findings import Span, nearest
from dizuo.foundation.blueprint.lineage import column_of, names_of
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.blueprint.model_source import PARTS, Mention, Source, SourceColumn
from dizuo.foundation.blueprint.nodes import Scalar

# Which standardisers give what a mention wants to know. A text column may hold either kind of number (主体代码).
_ROLES: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "text"),
    "former_name": ("name", "text"),
    "citizen_id": ("citizen_id", "text"),
    "uscc": ("uscc", "text"),
    "sex": ("code",),
    "birth_date": ("date", "datetime"),
    "phone": ("phone",),
    "address": ("address",),
}
_ROLE_NAMES = {
    "name": "姓名",
    "former_name": "曾用名",
    "citizen_id": "公民身份号码",
    "uscc": "统一社会信用代码",
    "sex": "性别",
    "birth_date": "出生日期",
    "phone": "电话",
    "address": "地址",
}
_NOT_FOR = {"person": ("uscc",), "enterprise": ("citizen_id", "sex", "birth_date")}
_ENTITIES = {"person": "人", "enterprise": "单位"}


def check(draft: Draft) -> None:
    for source in draft.sources.values():
        file = f"sources/{source.id}.yaml"
        _head(draft, source, file)
        deliveries.check(draft, source, file)
        _columns(draft, source, file)
        _mentions(draft, source, file)
        feeds.check(draft, source, file)
        read = quality.check(draft, source, file)
        _unused(draft, source, file, read)
        personal = [column.column for column in source.columns.values() if column.personal]
        catalogue.check(draft, source.catalogue, file, personal)
        if "en" in draft.languages:
            _untranslated(draft, source, file)
    feeds.check_orders(draft)


def _head(draft: Draft, source: Source, file: str) -> None:
    known = draft.refer(
        "organisation", "部门", source.department, draft.organisations, draft.at(file, "department")
    )
    if known:
        department = draft.organisations[source.department]
        posts = [post.id for post in department.posts]
        fix = f"写{department.short.zh}的岗位：{'、'.join(posts)}。" if posts else "先在部门文件里声明岗位。"
        draft.refer(
            "post", f"{department.short.zh}的岗位", source.steward, posts, draft.at(file, "steward"), fix
        )
    if source.id in draft.organisations:
        draft.log.add(
            "name-collides",
            Span(source.place),
            f"`{source.id}` 已经是部门的代号，候补顺序（fallback）分不清说的是哪一个。",
            fix="给文件换一个名称。",
        )
    for name, key in ((source.row_key, "row_key"), (source.as_of, "as_of")):
        if draft.refer("column", "列", name, source.columns, draft.at(file, key)):
            column = source.columns[name]
            if key == "row_key" and not column.required:
                draft.log.add(
                    "row-key-optional",
                    draft.at(file, key),
                    f"“{column.column}”用来认出一行，却可以空着。",
                    fix=f"给列 `{name}` 写上 `required: true`。",
                )
            if key == "as_of" and column.as_ not in ("datetime", "date"):
                deliveries.unfit(draft, draft.at(file, key), column, "更新时间", ("datetime", "date"))


def _columns(draft: Draft, source: Source, file: str) -> None:
    ids: dict[str, int] = {}
    headers: dict[str, str] = {}
    parts = {f"{c.id}_{part}": c for c in source.columns.values() for part in PARTS.get(c.as_, ())}
    for index, name, header in _written(draft, file):
        at = draft.at(file, "columns", index, "id")
        if name in ids:
            draft.log.add("duplicate-id", at, f"`{name}` 声明了两次。", fix="改成另一个名称，或删掉一个。")
            continue
        ids[name] = index
        if name in parts:
            draft.log.add(
                "name-collides",
                at,
                f"`{name}` 是标准化“{parts[name].column}”时得到的一列的名称。",
                fix="改成另一个名称。",
            )
        if header in headers:
            draft.log.add(
                "duplicate-header",
                draft.at(file, "columns", index, "column"),
                f"表头“{header}”已经是列 `{headers[header]}`，分不清是哪一列。",
                fix="一个表头只声明一次；要用两次，就在 mentions 和 feeds 里用两次。",
            )
        elif header:
            headers[header] = name
    for name, index in ids.items():
        if name in source.columns:
            _column(draft, source, source.columns[name], file, index)


def _written(draft: Draft, file: str) -> Iterable[tuple[int, str, str]]:
    """Where each column stands, with its id and header as written; the structure no longer has what came twice."""
    index = 0
    while draft.has(file, "columns", index):
        texts = [draft.node(file, "columns", index, key) for key in ("id", "column")]
        name, header = (node.text if isinstance(node, Scalar) else "" for node in texts)
        if name:
            yield index, name, header
        index += 1


def _column(draft: Draft, source: Source, column: SourceColumn, file: str, index: int) -> None:
    path = ("columns", index)
    if column.personal and column.basis is None and source.basis is None:
        draft.log.add(
            "personal-without-basis",
            draft.key(file, *path, "personal"),
            f"“{column.column}”是个人信息，没有写依据什么收集（个人信息保护法第三十四条）。",
            fix="给数据源或这一列写上 `basis: 法律:条`。",
        )
    for key in ("register", "codes", "synonyms"):
        if column.as_ != "code" and draft.has(file, *path, key):
            at = draft.key(file, *path, key)
            message = f"写了代码表，却不按代码标准化（as: {column.as_}）。"
            draft.log.add("codes-unexpected", at, message, fix=f"改为 `as: code`，或删掉 {key}。")
    if column.times != 1 and column.as_ not in ("integer", "decimal"):
        at = draft.at(file, *path, "times")
        deliveries.unfit(draft, at, column, "要乘的数", ("integer", "decimal"))
    if column.as_ == "code":
        codelists.check(draft, column, file, path)


def _mentions(draft: Draft, source: Source, file: str) -> None:
    seen: set[str] = set()
    for index, mention in enumerate(source.mentions):
        if mention.id and mention.id in seen:
            at = draft.at(file, "mentions", index, "id")
            message = f"`{mention.id}` 声明了两次。"
            draft.log.add("duplicate-id", at, message, fix="改成另一个名称，或删掉一个。")
        seen.add(mention.id)
        for role, name in mention.columns.items():
            _role(draft, source, file, index, mention, role, name)


def _role(
    draft: Draft, source: Source, file: str, index: int, mention: Mention, role: str, name: str
) -> None:
    at = draft.at(file, "mentions", index, role)
    if role in _NOT_FOR[mention.entity]:
        draft.log.add(
            "mention-role",
            draft.key(file, "mentions", index, role),
            f"主体 `{mention.id}` 是{_ENTITIES[mention.entity]}，没有{_ROLE_NAMES[role]}（{role}）。",
            fix="删掉它，或改 entity。",
        )
        return
    if not draft.refer("column", "列", name, source.columns, at):
        return
    column = source.columns[name]
    if column.as_ not in _ROLES[role]:
        deliveries.unfit(draft, at, column, _ROLE_NAMES[role], _ROLES[role])
    if mention.entity == "person" and not column.personal:
        draft.log.add(
            "personal-unmarked",
            at,
            f"“{column.column}”说的是一个人，列里却没有写是个人信息。",
            fix=f"给列 `{column.id}` 写上 `personal: true`。",
        )


def _unused(draft: Draft, source: Source, file: str, read: set[str]) -> None:
    """A column that nothing uses should not be collected at all."""
    if source.delivery.format == "table" and source.delivery.table is None:
        return  # its watermark is not known
    named = read | {source.row_key, source.as_of}
    if source.delivery.table is not None:
        named.add(source.delivery.table.watermark)
    named |= {name for mention in source.mentions for name in mention.columns.values()}
    named |= {name for feed in source.feeds for name in feed.fields.values()}
    used: set[str] = set()
    for name in named:
        # A misspelt name is one mistake, not two: the column that was meant is used.
        found = column_of(source, name) or column_of(source, nearest(name, names_of(source)) or "")
        if found is not None:
            used.add(found[0].id)
    for index, name, header in _written(draft, file):
        if name in source.columns and name not in used:
            draft.log.add(
                "column-unused",
                draft.at(file, "columns", index, "id"),
                f"“{header}”收来没有用处：不供给字段，不说明主体，也没有规则用它（个人信息保护法第六条，最小范围）。",
                fix="在 feeds、mentions 或 quality 里用它；用不着，就请部门不要送，并删掉这一列。",
            )


def _untranslated(draft: Draft, source: Source, file: str) -> None:
    said: list[tuple[Path, Words]] = [(("name",), source.name), (("system",), source.system)]
    said += [(("quality", index, "says"), rule.says) for index, rule in enumerate(source.quality)]
    missing = [(path, words) for path, words in said if words.zh and not words.en]
    if missing:
        path, words = missing[0]
        draft.log.add(
            "language-missing",
            draft.at(file, *path),
            f"这个数据源有 {len(missing)} 处没有英文，这是第一处：“{words.zh[:40]}”。",
            fix="写成 {zh: …, en: …}。",
            severity="warning",
        )
