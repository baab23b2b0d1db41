"""Quality rules and the conditions of mentions and feeds: they parse, their types fit, and every name is in the standard row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from dizuo.foundation import rules
from dizuo.foundation.blueprint.checks.codelists import list_of
from dizuo.foundation.blueprint.checks.constants import compared
from dizuo.foundation.blueprint.checks.expressions import inside
from dizuo.foundation.blueprint.draft import Draft, Path
from dizuo.foundation.blueprint.findings import Span
from dizuo.foundation.blueprint.lineage import names_of
from dizuo.foundation.blueprint.model_source import Source
from dizuo.foundation.rules import RuleErrors, Type
from dizuo.foundation.rules.tree import Name, walk

_TYPES: Mapping[str, Type] = {
    "date": rules.DATE,
    "datetime": rules.DATETIME,
    "integer": rules.NUMBER,
    "decimal": rules.NUMBER,
    "boolean": rules.BOOLEAN,
}
_ANY_DAY = dt.date(2026, 1, 1)  # only to see that a rule with today() can be written as SQL


def types_of(source: Source) -> Mapping[str, Type]:
    """The names that a source's rules may use, with their types in the rule language."""
    return {name: _TYPES.get(standard, rules.TEXT) for name, standard in names_of(source).items()}


def check(draft: Draft, source: Source, file: str) -> set[str]:
    """Every rule of a source; the names of the standard row that they read."""
    read: set[str] = set()
    for index, mention in enumerate(source.mentions):
        if mention.when is not None:
            read |= _truth(draft, source, file, ("mentions", index, "when"), mention.when.text)
    for index, feed in enumerate(source.feeds):
        if feed.when is not None:
            read |= _truth(draft, source, file, ("feeds", index, "when"), feed.when.text)
    seen: set[str] = set()
    for index, rule in enumerate(source.quality):
        if rule.id and rule.id in seen:
            at = draft.at(file, "quality", index, "id")
            message = f"`{rule.id}` 声明了两次。"
            draft.log.add("duplicate-id", at, message, fix="改成另一个名称，或删掉一个。")
        seen.add(rule.id)
        read |= _truth(draft, source, file, ("quality", index, "rule"), rule.rule.text)
    return read


def _truth(draft: Draft, source: Source, file: str, path: Path, text: str) -> set[str]:
    if not text:
        return set()
    types = types_of(source)

    def at(start: int, end: int) -> Span:
        return inside(draft.at(file, *path), draft.node(file, *path), text, start, end)

    def faults(code: str, errors: RuleErrors) -> set[str]:
        for error in errors.errors:
            draft.log.add(code, at(error.start, error.end), error.message, fix=error.fix)
        return set(types)  # whatever a faulty rule wanted to read is not unused

    try:
        tree = rules.parse(text)
    except RuleErrors as errors:
        return faults("expression-syntax", errors)
    named = {path.partition(".")[0] for path in rules.paths(tree)}
    if not named <= set(types):
        for node, _ in walk(tree.root):
            if isinstance(node, Name) and node.name in named:
                draft.refer("column", "列", node.name, types, at(node.span.start, node.span.end), _FIX)
        return set(types)
    if not named:
        message = "这个判断没有看任何一列，对每一行都一样。"
        draft.log.add("expression-type", draft.at(file, *path), message, fix="用列的代号写一个判断。")
    for name, literal in compared(tree):
        column = source.columns.get(name)
        codes = list_of(draft, column) if column is not None and column.as_ == "code" else None
        if codes:
            where = at(literal.span.start, literal.span.end)
            fix = f"可用的代码：{'、'.join(list(codes)[:12])}。"
            draft.refer("code", "代码", str(literal.value), codes, where, fix)
    try:
        kind = rules.check(tree, types)
        columns = {name: rules.SqlColumn(name, kind) for name, kind in types.items()}
        rules.compile_sql(tree, columns, today=_ANY_DAY)
    except RuleErrors as errors:
        return faults("expression-type", errors)
    if kind not in (rules.BOOLEAN, rules.NULL):
        draft.log.add(
            "expression-type",
            draft.at(file, *path),
            f"这里要一个判断（是或否），表达式给的是{kind}。",
            fix="写成一个判断，例如 `name != null` 或 `valid_to >= issued_on`。",
        )
    return named


_FIX = "用列的代号，或标准化得到的名称，例如 citizen_id_state、address_division。"
