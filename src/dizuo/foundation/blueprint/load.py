"""Reads a whole city folder: three passes (shape, references, behaviour), every finding at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from dizuo.foundation.blueprint import checks, tables
from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.findings import BlueprintError, Log, Report, TooMany, nearest
from dizuo.foundation.blueprint.folder import Folder, read_folder, text_of
from dizuo.foundation.blueprint.kinds import KINDS, LOCATIONS
from dizuo.foundation.blueprint.kinds_city import CalendarYear, CityHead, DivisionFiles, PlaceFile, hours_of
from dizuo.foundation.blueprint.kinds_example import Example
from dizuo.foundation.blueprint.kinds_matter import MatterHead
from dizuo.foundation.blueprint.model import (
    City,
    Division,
    Geography,
    Law,
    Matter,
    Organisation,
    Place,
    Register,
    Words,
)
from dizuo.foundation.blueprint.model_dataset import Dataset
from dizuo.foundation.blueprint.model_source import Source
from dizuo.foundation.blueprint.nodes import Map, Scalar, read_yaml


def load_city(folder: str | Path) -> City:
    """The checked city of a folder. Errors: BlueprintError with every finding, in order of file and line."""
    report = check_city(folder)
    if report.city is None:
        raise BlueprintError(report.findings)
    return report.city


def check_city(folder: str | Path) -> Report:
    """Check a folder without raising: all findings, the city when none of them is an error, and counts by kind."""
    log = Log()
    draft = Draft(Folder({}, ""), log)
    try:
        draft.folder = read_folder(Path(folder), log)
        if draft.folder.files:
            _read_declarations(draft)
            checks.run(draft)
    except TooMany:
        log.close()
    city = None if log.failed else _city(draft)
    return Report(log.sorted(), city, dict(draft.counts))


def load_examples(folder: str | Path, matter: str | None = None) -> tuple[Example, ...]:
    """The Given/When/Then of a city's matters (tests.yaml), of one matter when named. Errors: BlueprintError when
    an examples file cannot be read."""
    log = Log()
    draft = Draft(Folder({}, ""), log)
    try:
        draft.folder = read_folder(Path(folder), log)
        for file in draft.folder.under("matters/", "/tests.yaml"):
            if matter is None or file.split("/")[1] == matter:
                _read_declaration(draft, file)
    except TooMany:
        log.close()
    if log.failed:
        raise BlueprintError(log.sorted())
    return tuple(draft.examples)


def _read_declarations(draft: Draft) -> None:
    if "city.yaml" not in draft.folder.files:
        draft.log.add(
            "no-city", Place("city.yaml", 1, 1), "没有 city.yaml。", fix="新城市可从 cities/template 复制。"
        )
    files = draft.folder.under("", ".yaml")
    # A matter's words are joined to it, so they are read first.
    for file in sorted(files, key=lambda name: name.endswith("/matter.yaml")):
        _read_declaration(draft, file)


def _read_declaration(draft: Draft, file: str) -> None:
    log = draft.log
    expected = _expected(file, log)
    if expected is None:
        return
    kind, found = expected
    text = text_of(file, draft.folder.files[file], log)
    tree = read_yaml(file, text, log) if text is not None else None
    name = found.groupdict().get("id") or ""
    if tree is None or not _kind_agrees(tree, kind, file, log):
        short = kind.partition("/")[0]
        # A file of many declarations (clocks, purposes) hides all of them.
        draft.unread.add(
            (short, name) if name else (short.removesuffix("s") if short != "places" else short, "")
        )
        return
    draft.trees[file] = tree
    record = KINDS[kind]
    given: dict[str, object] = {"id": name} if "id" in record.keys and kind != "city/1" else {}
    value = record.read_as(tree, log, **given)
    short = kind.partition("/")[0]
    draft.counts[short] = draft.counts.get(short, 0) + 1
    _STORE[kind](draft, file, name, value)


def _expected(file: str, log: Log) -> tuple[str, re.Match[str]] | None:
    for pattern, kind in LOCATIONS:
        found = re.fullmatch(pattern, file)
        if found is not None:
            return kind, found
    guess = nearest(
        file,
        ["city.yaml", "clocks.yaml", "purposes.yaml", "seal_grounds.yaml", "divisions.yaml", "places.yaml"],
    )
    log.add(
        "unexpected-file",
        Place(file, 1, 1),
        "不知道这个文件声明什么。",
        suggest=guess,
        fix="按 docs/know/declarations.md 的位置和名称存放（小写字母、数字、下划线）。",
    )
    return None


def _kind_agrees(tree: object, kind: str, file: str, log: Log) -> bool:
    top = Place(file, 1, 1)
    if not isinstance(tree, Map):
        log.add("wrong-shape", top, "文件应当是一组键值。", fix=f"第一行写 `kind: {kind}`。")
        return False
    first = tree.entries[0] if tree.entries else None
    said = tree.get("kind")
    if said is None or not isinstance(said, Scalar):
        log.add("missing-kind", top, "没有写这是哪一种声明（kind）。", fix=f"第一行写 `kind: {kind}`。")
        return False
    if said.text != kind:
        known = nearest(said.text, KINDS)
        message = f"这里应当是 `kind: {kind}`，写的是 `{said.text[:40]}`。"
        log.add(
            "wrong-kind",
            said.span,
            message,
            suggest=known if known == kind else None,
            fix=f"改为 `kind: {kind}`，或移到对应的位置。",
        )
        return False
    if first is not None and first[0].text != "kind":
        log.add("missing-kind", first[0].span, "kind 要写在第一行。", fix=f"把 `kind: {kind}` 移到第一行。")
    return True


# --- where each kind goes ---------------------------------------------------------------------------------


def _store_city(draft: Draft, file: str, name: str, value: object) -> None:
    draft.head = cast(CityHead, value)


def _store_calendar(draft: Draft, file: str, name: str, value: object) -> None:
    year = cast(CalendarYear, value)
    if year.year != int(name):
        message = f"文件名是 {name}.yaml，写的却是 {year.year} 年。"
        draft.log.add("wrong-form", draft.at(file, "year"), message, fix=f"改为 {name}，或改文件名。")
    draft.calendars[int(name)] = year._replace(year=int(name))


def _store_law(draft: Draft, file: str, name: str, value: object) -> None:
    draft.laws[name] = cast(Law, value)


def _store_organisation(draft: Draft, file: str, name: str, value: object) -> None:
    draft.organisations[name] = cast(Organisation, value)


def _store_register(draft: Draft, file: str, name: str, value: object) -> None:
    draft.registers[name] = cast(Register, value)


def _store_source(draft: Draft, file: str, name: str, value: object) -> None:
    draft.sources[name] = cast(Source, value)


def _store_dataset(draft: Draft, file: str, name: str, value: object) -> None:
    draft.datasets[name] = cast(Dataset, value)


def _by_id(draft: Draft, file: str, group: str, values: object) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for index, value in enumerate(cast("tuple[Any, ...]", values)):
        if value.id in made:
            at = draft.at(file, group, index, "id")
            draft.log.add(
                "duplicate-id", at, f"`{value.id}` 声明了两次。", fix="改成另一个名称，或删掉一个。"
            )
        elif value.id:
            made[value.id] = value
    return made


def _store_clocks(draft: Draft, file: str, name: str, value: object) -> None:
    draft.clocks = _by_id(draft, file, "clocks", value)
    draft.counts["clock"] = len(draft.clocks)


def _store_purposes(draft: Draft, file: str, name: str, value: object) -> None:
    draft.purposes = _by_id(draft, file, "purposes", value)
    draft.counts["purpose"] = len(draft.purposes)


def _store_seal_grounds(draft: Draft, file: str, name: str, value: object) -> None:
    draft.seal_grounds = _by_id(draft, file, "grounds", value)
    draft.counts["seal_ground"] = len(draft.seal_grounds)


def _store_divisions(draft: Draft, file: str, name: str, value: object) -> None:
    files = cast(DivisionFiles, value)
    folder, log = draft.folder, draft.log
    history = tables.read_history(folder, draft.at(file, "history"), files.history, log)
    # Only what is in force today is part of the tree; the rest of the history serves old citizen numbers.
    current = [d for d in history if d.valid_to is None]
    towns = tables.read_towns(folder, draft.at(file, "towns"), files.towns, log)
    villages = tables.read_villages(folder, draft.at(file, "villages"), files.villages, log)
    tables.check_shapes(folder, draft.at(file, "shapes"), files.shapes, log)
    for source, group in ((files.history, current), (files.towns, towns), (files.villages, villages)):
        _add_divisions(draft, source or "", group)
    crosswalk: dict[str, str] = {}
    for division in towns + villages:
        for code in (division.nbs_code, division.mca_code):
            if code and code not in draft.divisions:
                crosswalk.setdefault(code, division.code)
    draft.geography = Geography(files.source, files.licence, files.shapes or "", tuple(history), crosswalk)
    draft.counts["division"] = len(draft.divisions)


def _add_divisions(draft: Draft, file: str, group: list[Division]) -> None:
    for division in group:
        if not division.code:
            continue
        if division.code in draft.divisions:
            message = (
                f"代码 {division.code} 出现了两次：{draft.divisions[division.code].name}、{division.name}。"
            )
            draft.log.add("duplicate-id", Place(file, 1, 1), message, fix="删掉其中一行。")
        draft.divisions[division.code] = division


def _store_places(draft: Draft, file: str, name: str, value: object) -> None:
    for index, one in enumerate(cast("tuple[PlaceFile, ...]", value)):
        if one.id in draft.places:
            at = draft.at(file, "lists", index, "id")
            draft.log.add("duplicate-id", at, f"`{one.id}` 声明了两次。", fix="改成另一个名称，或删掉一个。")
        rows = tables.read_places(
            draft.folder, draft.at(file, "lists", index, "file"), one.id, one.file, draft.log
        )
        draft.place_rows[one.id] = [row for row, _ in rows]
        draft.places[one.id] = tuple(place for _, place in rows)
        draft.place_sources[one.id] = one.source


def _store_words(draft: Draft, file: str, name: str, value: object) -> None:
    language = file.rsplit(".", 2)[1]
    draft.words.setdefault(name, {})[language] = cast("dict[str, str]", value)


def _store_examples(draft: Draft, file: str, name: str, value: object) -> None:
    examples = [example._replace(matter=name) for example in cast("tuple[Example, ...]", value)]
    draft.examples += examples
    draft.counts["example"] = draft.counts.get("example", 0) + len(examples)


def _store_matter(draft: Draft, file: str, name: str, value: object) -> None:
    head = cast(MatterHead, value)
    spoken = draft.words.get(name, {})
    zh, en = spoken.get("zh", {}), spoken.get("en", {})
    words = {key: Words(zh.get(key, ""), en.get(key, "")) for key in [*zh, *(k for k in en if k not in zh)]}
    # The matter's version changes exactly when something that a case of it depends on changes.
    own = [f for f in draft.folder.under(f"matters/{name}/", ".yaml") if not f.endswith("/tests.yaml")]
    total = hashlib.sha256()
    for path in own:
        total.update(f"{path}:{len(draft.folder.files[path])}:".encode() + draft.folder.files[path])
    draft.matters[name] = Matter(id=name, words=words, version=total.hexdigest(), **head.values)


_STORE: dict[str, Callable[[Draft, str, str, object], None]] = {
    "city/1": _store_city,
    "calendar/1": _store_calendar,
    "law/1": _store_law,
    "clocks/1": _store_clocks,
    "purposes/1": _store_purposes,
    "seal_grounds/1": _store_seal_grounds,
    "divisions/1": _store_divisions,
    "places/1": _store_places,
    "organisation/1": _store_organisation,
    "register/1": _store_register,
    "source/1": _store_source,
    "dataset/1": _store_dataset,
    "matter/1": _store_matter,
    "words/1": _store_words,
    "examples/1": _store_examples,
}


def _city(draft: Draft) -> City | None:
    head = draft.head
    if head is None:
        return None
    order = [*head.organisations, *(name for name in draft.organisations if name not in head.organisations)]
    return City(
        id=head.id,
        name=head.name,
        code=head.code,
        timezone=head.timezone,
        working_hours=hours_of(head),
        after_hours=cast(Any, head.after_hours),
        hotline=head.hotline,
        languages=head.languages,
        demonstration=head.demonstration,
        number_prefix=head.number_prefix,
        calendar_overrides={year: (c.holidays, c.workdays) for year, c in sorted(draft.calendars.items())},
        laws=draft.laws,
        clocks=draft.clocks,
        purposes=draft.purposes,
        divisions=draft.divisions,
        organisations={name: draft.organisations[name] for name in order},
        registers=draft.registers,
        places=draft.places,
        matters=draft.matters,
        version=draft.folder.version,
        geography=draft.geography,
        place_sources=draft.place_sources,
        sources=draft.sources,
        datasets=draft.datasets,
        seal_grounds=draft.seal_grounds,
        bad_rating=head.bad_rating,
    )
