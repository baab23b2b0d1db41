"""The city itself, its organisations, posts, calendar and divisions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.findings import Span
from dizuo.foundation.blueprint.model import BadRating, Organisation, Place
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.kernel.identity import UnifiedCode

_SUPERVISE = "cases.supervise"
"""The power of the posts that see to late work and to bad ratings."""
_LEVELS = ("city", "district", "town", "village")


def check(draft: Draft) -> None:
    _head(draft)
    for organisation in draft.organisations.values():
        _organisation(draft, organisation)
    for loop in cycles({o.id: (o.parent,) if o.parent else () for o in draft.organisations.values()}):
        at = draft.at(f"organisations/{loop[0]}.yaml", "parent")
        draft.log.add("cycle", at, f"上级部门绕成了圈：{' → '.join(loop)}。", fix="改掉其中一个 parent。")
    _calendars(draft)
    _divisions(draft)
    _places(draft)


def cycles(after: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The cycles of a graph, each once, from its smallest name round to itself; every circle of names that wait for
    one another is in at least one of them."""
    found: list[list[str]] = []
    done: set[str] = set()
    for start in after:
        # Depth first without recursion: a chain may be longer than Python's stack.
        trail: dict[str, Iterator[str]] = {} if start in done else {start: iter(after[start])}
        while trail:
            name = next(reversed(trail))
            other = next(trail[name], None)
            if other is None:
                done.add(name)
                del trail[name]
            elif other in trail:
                names = list(trail)
                loop = _from_smallest(names[names.index(other) :])
                if loop not in found:
                    found.append(loop)
            elif other in after and other not in done:
                trail[other] = iter(after[other])
    return found


def _from_smallest(loop: list[str]) -> list[str]:
    turn = loop.index(min(loop))
    return [*loop[turn:], *loop[: turn + 1]]


def _head(draft: Draft) -> None:
    head = draft.head
    if head is None:
        return
    for index, name in enumerate(head.organisations):
        draft.refer(
            "organisation", "部门", name, draft.organisations, draft.at("city.yaml", "organisations", index)
        )
    if head.languages and "zh" not in head.languages:
        draft.log.add(
            "language-missing", draft.at("city.yaml", "languages"), "页面语言里没有中文。", fix="加上 zh。"
        )
    if head.bad_rating is not None:
        _bad_rating(draft, head.bad_rating)
    previous = ""
    for index, pair in enumerate(head.working_hours):
        if len(pair) != 2 or not all(pair):
            if len(pair) != 2:
                at = draft.at("city.yaml", "working_hours", index)
                draft.log.add(
                    "wrong-shape", at, "一段工作时间要有起止两个时刻。", fix='写成 ["08:30", "12:00"]。'
                )
            continue
        if pair[0] >= pair[1] or pair[0] < previous:
            at = draft.at("city.yaml", "working_hours", index)
            draft.log.add(
                "range-overlaps", at, f"工作时间 {pair[0]}–{pair[1]} 先后不对。", fix="按先后写，不要重叠。"
            )
        previous = pair[1]


def _bad_rating(draft: Draft, declared: BadRating) -> None:
    """差评: its clocks are declared, and somebody has the post to follow it up."""
    for key, clock in (("contact_clock", declared.contact_clock), ("mend_clock", declared.mend_clock)):
        draft.refer("clock", "时限", clock, draft.clocks, draft.at("city.yaml", "bad_rating", key))
    posts = [post for organisation in draft.organisations.values() for post in organisation.posts]
    unread = any(kind == "organisation" for kind, _ in draft.unread)
    if not unread and not any(_SUPERVISE in post.powers for post in posts):
        draft.log.add(
            "step-nobody-can-do",
            draft.key("city.yaml", "bad_rating"),
            f"差评没有人核实：没有一个岗位有权限 `{_SUPERVISE}`。",
            fix=f"把 `{_SUPERVISE}` 加到某个部门的督办岗，或删掉 bad_rating。",
        )


def _organisation(draft: Draft, organisation: Organisation) -> None:
    file = f"organisations/{organisation.id}.yaml"
    if organisation.parent:
        draft.refer(
            "organisation", "部门", organisation.parent, draft.organisations, draft.at(file, "parent")
        )
    if _LEVELS.index(organisation.units_at) < _LEVELS.index(organisation.level):
        draft.log.add(
            "units-above",
            draft.at(file, "units_at"),
            f"部门在 {organisation.level} 级，机构却设在更高的 {organisation.units_at} 级。",
            fix="把 units_at 改为同级或下级。",
        )
    if organisation.units_at != organisation.level and "{division}" not in organisation.unit_name.zh:
        draft.log.add(
            "unit-name",
            draft.at(file, "unit_name"),
            "每个区划都有一个机构，名称里却没有 {division}，分不清是哪一个。",
            fix="写成 `{division}派出所` 这样。",
        )
    if organisation.uscc:
        try:
            UnifiedCode.parse(organisation.uscc)
        except Invalid as error:
            draft.log.add(
                "wrong-form", draft.at(file, "uscc"), error.message, fix="检查号码和校验码；没有时写空文字。"
            )
    seen: set[str] = set()
    for index, post in enumerate(organisation.posts):
        if post.id and post.id in seen:
            at = draft.at(file, "posts", index, "id")
            draft.log.add("duplicate-id", at, f"`{post.id}` 声明了两次。", fix="改成另一个名称，或删掉一个。")
        seen.add(post.id)
    _former_names(draft, organisation, file)


def _former_names(draft: Draft, organisation: Organisation, file: str) -> None:
    periods: list[tuple[dt.date, dt.date, str, Span]] = []
    for index, former in enumerate(organisation.former):
        at = draft.at(file, "former", index, "to")
        start = former.from_ or dt.date.min
        if former.to < start:
            draft.log.add(
                "range-reversed", at, f"“{former.name}”的停用日期早于启用日期。", fix="检查两个日期。"
            )
            continue
        # Several bodies may have been merged into one at the same time; a department has one name of its own at a time.
        if former.how == "renamed":
            periods.append((start, former.to, former.name, at))
    for one, other in pairwise(sorted(periods)):
        if one[1] >= other[0]:
            draft.log.add(
                "range-overlaps",
                other[3],
                f"“{one[2]}”用到 {one[1]}，“{other[2]}”从 {other[0]} 就开始用，两段重叠。",
                fix="让前一个名称在后一个启用之前停用。",
            )


def _calendars(draft: Draft) -> None:
    for year in draft.calendars.values():
        file = f"calendar/{year.year}.yaml"
        for group in ("holidays", "workdays"):
            days: tuple[dt.date, ...] = getattr(year, group)
            for index, day in enumerate(days):
                at = draft.at(file, group, index)
                if day != dt.date.min and day.year != year.year:
                    draft.log.add("wrong-form", at, f"{day} 不在 {year.year} 年。", fix="移到那一年的文件。")
                if day in days[:index]:
                    draft.log.add("duplicate-id", at, f"{day} 写了两次。", fix="删掉一个。")
        for index, day in enumerate(year.workdays):
            if day != dt.date.min and day in year.holidays:
                at = draft.at(file, "workdays", index)
                draft.log.add("range-overlaps", at, f"{day} 既放假又上班。", fix="只留一处。")


def _divisions(draft: Draft) -> None:
    head = draft.head
    if head is None or not draft.divisions:
        return
    if head.code and head.code not in draft.divisions:
        at = draft.at("city.yaml", "code")
        draft.log.add("unknown-division", at, f"区划里没有 {head.code}。", fix="把城市本身写进区划历史表。")
    for division in draft.divisions.values():
        if division.level != "city" and division.parent not in draft.divisions:
            draft.log.add(
                "unknown-division",
                Place("divisions.yaml", 1, 1),
                f"{division.name}（{division.code}）的上级 {division.parent} 没有声明。",
                fix="检查 parent 列。",
            )
    unnamed = [d.name for d in draft.divisions.values() if d.level in ("city", "district") and not d.en]
    if "en" in draft.languages and unnamed:
        draft.log.add(
            "language-missing",
            draft.at("divisions.yaml", "history"),
            f"{len(unnamed)} 个市、区县没有英文名称：{'、'.join(unnamed[:5])}{' …' if len(unnamed) > 5 else ''}。",
            fix="在这张表里加上 name_en 列。",
            severity="warning",
        )


def _places(draft: Draft) -> None:
    for list_id, places in draft.places.items():
        for row, place in zip(draft.place_rows.get(list_id, []), places, strict=True):
            if (
                place.division
                and place.division not in draft.divisions
                and place.division not in draft.geography.crosswalk
            ):
                row.wrong(
                    "division",
                    f"没有声明过区划 {place.division}。",
                    "改成区划表里的代码。",
                    code="unknown-division",
                )
