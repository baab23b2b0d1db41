"""Given/When/Then: an example names only what its matter declares. Whether it holds is the planner's to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from dizuo.foundation.blueprint.checks.parties import register_of
from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.kinds_example import Example
from dizuo.foundation.blueprint.model import Matter

_ITEMS = ("applies", "not_applies", "done_already")
_QUESTIONS = ("asked", "not_asked")


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
    _names(
        draft,
        "consent",
        "同意",
        then.get("consents"),
        [c.id for c in matter.consents],
        (*where, "then", "consents"),
    )
    documents = [document.id for document in matter.documents]
    _names(draft, "document", "证照", then.get("documents"), documents, (*where, "then", "documents"))
    for name, waits in cast("Mapping[str, tuple[str, ...]]", then.get("waits") or {}).items():
        draft.refer("item", "事项", name, items, draft.key(file, *path, "then", "waits", name))
        _names(draft, "item", "事项", waits, items, (*where, "then", "waits", name))
    both = set(then.get("applies") or ()) & set(then.get("not_applies") or ())
    for name in sorted(both):
        draft.log.add(
            "example-contradicts",
            draft.key(file, *path, "then", "not_applies"),
            f"`{name}` 既写在 applies 又写在 not_applies。",
            fix="只留一处。",
        )


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
