"""Open datasets: who provides them, from what they are made, and that nothing about a person can slip out by declaration."""

from __future__ import annotations

from dizuo.foundation.blueprint.draft import Draft, Path
from dizuo.foundation.blueprint.findings import Span, nearest
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.blueprint.model_dataset import Count, Dataset


def check(draft: Draft) -> None:
    for dataset in draft.datasets.values():
        file = f"datasets/{dataset.id}.yaml"
        draft.refer("organisation", "部门", dataset.provider, draft.organisations, draft.at(file, "provider"))
        _condition(draft, dataset, file)
        _fields(draft, dataset, file)
        _made(draft, dataset, file)
        if "en" in draft.languages:
            _untranslated(draft, dataset, file)


def _condition(draft: Draft, dataset: Dataset, file: str) -> None:
    if dataset.open_type == "conditional" and not dataset.condition.zh:
        draft.log.add(
            "dataset-condition",
            draft.at(file, "open_type"),
            "有条件开放，却没有写条件：申请的人不知道要满足什么。",
            fix="补上 `condition: {zh: …, en: …}`，或改为 `open_type: unconditional`。",
        )


def _fields(draft: Draft, dataset: Dataset, file: str) -> None:
    seen: set[str] = set()
    index = 0
    while draft.has(file, "fields", index):
        at = draft.at(file, "fields", index, "id")
        node = draft.node(file, "fields", index, "id")
        name = getattr(node, "text", "")
        if name in seen:
            draft.log.add("duplicate-id", at, f"`{name}` 声明了两次。", fix="改成另一个名称，或删掉一个。")
        seen.add(name)
        field = dataset.fields.get(name)
        if field is not None and field.identifier != "none" and dataset.open_type == "unconditional":
            draft.log.add(
                "dataset-identifies",
                draft.at(file, "fields", index, "identifier"),
                f"“{field.name.zh}”是个人的直接标识，不能无条件开放（个人信息保护法第二十五条）。",
                fix="删掉这一列，或换成不能认出个人的列（区县、年龄段、计数）。",
            )
        index += 1
    for index, name in enumerate(dataset.gate.totals):
        draft.refer("column", "列", name, dataset.fields, draft.at(file, "gate", "totals", index))


def _made(draft: Draft, dataset: Dataset, file: str) -> None:
    made = dataset.made
    ways = [key for key in ("declared", "file", "statistic", "count") if getattr(made, key)]
    if len(ways) != 1:
        told = "没有写从什么做成" if not ways else f"写了 {len(ways)} 种：{'、'.join(ways)}"
        draft.log.add(
            "dataset-made-of",
            draft.key(file, "made"),
            f"一个数据集只从一处做成，这里{told}。",
            fix="declared、file、statistic、count 里只写一个。",
        )
    if made.file and made.file not in draft.folder.files:
        draft.log.add(
            "missing-file",
            draft.at(file, "made", "file"),
            f"没有文件 {made.file}。",
            suggest=nearest(made.file, draft.folder.files),
            fix="检查路径（从城市文件夹算起）。",
        )
    if made.declared == "places":
        draft.refer("places", "网点清单", made.list, draft.places, draft.at(file, "made", "list"))
    if made.count is not None:
        _count(draft, dataset, made.count, file)


def _count(draft: Draft, dataset: Dataset, count: Count, file: str) -> None:
    path: Path = ("made", "count")
    if not draft.refer(
        "register", "登记簿", count.register, draft.registers, draft.at(file, *path, "register")
    ):
        return
    register = draft.registers[count.register]
    for name in count.where:
        draft.refer("field", "字段", name, register.fields, draft.key(file, *path, "where", name))
    draft.refer("column", "列", count.into, dataset.fields, draft.at(file, *path, "into"))
    for index, by in enumerate(count.by):
        draft.refer("field", "字段", by.of, register.fields, draft.at(file, *path, "by", index, "of"))
        draft.refer("column", "列", by.column, dataset.fields, draft.at(file, *path, "by", index, "column"))
        field = register.fields.get(by.of)
        if field is not None and field.type in ("citizen_id", "uscc"):
            draft.log.add(
                "dataset-identifies",
                draft.at(file, *path, "by", index, "of"),
                f"按“{field.name.zh}”数，每个人各成一格，等于公开名单。",
                fix="换成区县、年份、年龄段这样的列。",
            )
    personal = any(field.personal for field in register.fields.values())
    gate = dataset.gate
    if personal and (gate.least < 3 if gate.guard != "noise" else not 0 < gate.epsilon <= gate.budget):
        draft.log.add(
            "dataset-ungated",
            draft.at(file, *path, "register"),
            f"登记簿“{register.name.zh}”有个人信息，数出来的小数目没有人把关。",
            fix="写 `gate: {least: 5, guard: suppress}`，或 `guard: noise` 并写 epsilon 和不小于它的 budget。",
        )


def _untranslated(draft: Draft, dataset: Dataset, file: str) -> None:
    said: list[tuple[Path, Words]] = [(("title",), dataset.title), (("abstract",), dataset.abstract)]
    said += [(("fields", i, "name"), field.name) for i, field in enumerate(dataset.fields.values())]
    missing = [(path, words) for path, words in said if words.zh and not words.en]
    if missing:
        path, words = missing[0]
        at: Span = draft.at(file, *path)
        draft.log.add(
            "language-missing",
            at,
            f"这个数据集有 {len(missing)} 处没有英文，这是第一处：“{words.zh[:40]}”。",
            fix="写成 {zh: …, en: …}。",
            severity="warning",
        )
