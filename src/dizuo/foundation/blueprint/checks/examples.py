"""Given/When/Then: an example names only what its matter declares. Whether it holds is the planner's to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from dizuo.foundation.blueprint.checks.parties import register_of
from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.kinds_example import Example
from dizuo.foundation.blueprint.model import Matter

_ITEMS = ("applies", "not_applies", "done_already")
_QUESTIONS = ("asked", "not_asked", "silent", "errors")
_FACTS = ("reads", "not_read_includes")
_OPPOSITES = (
    ("applies", "not_applies"),
    ("applies", "done_already"),
    ("not_applies", "done_already"),
    ("asked", "not_asked"),
    ("reads", "not_read_includes"),
)


def check(draft: Draft) -> None:
    count: dict[str, int] = {}
    for example in draft.examples:
        index = count.get(example.matter, 0)
        count[example.matter] = index + 1
        matter = draft.matters.get(example.matter)
        if matter is not None:
            _example(draft, matter, example, (f"matters/{matter.id}/tests.yaml", "examples", index))


def _example(draft: Draft, matter: Matter, example: Example, where: tuple[str | int, ...]) -> None:
    file, path = str(where[0]), where[1:]
    parties = [party.id for party in matter.parties]
    items = [item.id for item in matter.items]
    questions = {question.id: question for question in matter.questions}
    applicant = cast("str | None", example.given.get("applicant"))
    draft.refer("party", "参与方", applicant, parties, draft.at(file, *path, "given", "applicant"))
    _facts(draft, matter, example.given.get("facts"), (*where, "given", "facts"))
    for name, answer in example.answers.items():
        if not draft.refer("question", "问题", name, questions, draft.key(file, *path, "answers", name)):
            continue
        options = [option.value for option in questions[name].options]
        if options and isinstance(answer, str):
            at = draft.at(file, *path, "answers", name)
            draft.refer("option", "选项", answer, options, at, f"可选：{'、'.join(options)}。")
    then = example.then
    for key in _ITEMS:
        _names(draft, "item", "事项", then.get(key), items, (*where, "then", key))
    for key in _QUESTIONS:
        _names(draft, "question", "问题", then.get(key), questions, (*where, "then", key))
    others: tuple[tuple[str, str, str, Iterable[str]], ...] = (
        ("consents", "consent", "同意", [consent.id for consent in matter.consents]),
        ("documents", "document", "证照", [document.id for document in matter.documents]),
        ("materials", "material", "材料", [m.id for item in matter.items for m in item.materials]),
        ("choose", "party", "参与方", parties),
    )
    for key, kind, what, known in others:
        _names(draft, kind, what, then.get(key), known, (*where, "then", key))
    _exceptions(draft, matter, then.get("exceptions"), (*where, "then", "exceptions"))
    for key in _FACTS:
        _read(draft, matter, then.get(key), (*where, "then", key))
    for name in cast("Mapping[str, Any]", then.get("values") or {}):
        draft.refer(
            "name",
            "表达式",
            name,
            [n for n, _ in matter.names],
            draft.key(file, *path, "then", "values", name),
        )
    for name, waits in cast("Mapping[str, tuple[str, ...]]", then.get("waits") or {}).items():
        draft.refer("item", "事项", name, items, draft.key(file, *path, "then", "waits", name))
        _names(draft, "item", "事项", waits, items, (*where, "then", "waits", name))
    for one, other in _OPPOSITES:
        for name in sorted(set(then.get(one) or ()) & set(then.get(other) or ())):
            draft.log.add(
                "example-contradicts",
                draft.key(file, *path, "then", other),
                f"`{name}` 既写在 {one} 又写在 {other}。",
                fix="只留一处。",
            )


def _exceptions(draft: Draft, matter: Matter, names: Any, where: tuple[str | int, ...]) -> None:
    """``item.check``; an item that is not run cannot have one."""
    file, path = str(where[0]), where[1:]
    checks = {item.id: [check.id for step in item.steps for check in step.checks] for item in matter.items}
    every = [f"{item}.{check}" for item, ids in checks.items() for check in ids]
    for index, name in enumerate(cast("tuple[str, ...]", names or ())):
        own = checks.get(name.partition(".")[0])
        fix = "写成 `事项.核对`。" if own is None else f"这个事项的核对：{'、'.join(own) or '没有'}。"
        draft.refer("check", "核对", name, every, draft.at(file, *path, index), fix)


def _read(draft: Draft, matter: Matter, facts: Any, where: tuple[str | int, ...]) -> None:
    file, path = str(where[0]), where[1:]
    for index, fact in enumerate(cast("tuple[str, ...]", facts or ())):
        party, _, field = fact.partition(".")
        at = draft.at(file, *path, index)
        if draft.refer("party", "参与方", party, [party.id for party in matter.parties], at):
            register = register_of(draft, matter, party)
            if register is not None and field != "*":
                draft.refer("field", f" {register.id} 的字段", field, register.fields, at)


def _names(
    draft: Draft, kind: str, what: str, names: Any, known: Iterable[str], where: tuple[str | int, ...]
) -> None:
    file, path = str(where[0]), where[1:]
    for index, name in enumerate(cast("tuple[str, ...]", names or ())):
        draft.refer(kind, what, name, known, draft.at(file, *path, index))


def _facts(draft: Draft, matter: Matter, facts: Any, where: tuple[str | int, ...]) -> None:
    file, path = str(where[0]), where[1:]
    parties = [party.id for party in matter.parties]
    for party, records in cast("Mapping[str, Any]", facts or {}).items():
        if not draft.refer("party", "参与方", party, parties, draft.key(file, *path, party)):
            continue
        register = register_of(draft, matter, party)
        if register is None:
            continue
        several = isinstance(records, list)
        for index, record in enumerate(cast("list[Any]", records) if several else [records]):
            here: tuple[str | int, ...] = (*path, party, index) if several else (*path, party)
            for field in cast("Mapping[str, Any]", record) if isinstance(record, dict) else ():
                at = draft.key(file, *here, field)
                draft.refer("field", f" {register.id} 的字段", field, register.fields, at)
