"""The audit's rules A1–A11 (目录核查): directory against resource against what is really there. Pure: facts in, findings out.

The names come from our own list (目录核查规则自设); severities are the bureau's. A rule says what it is about, who has to mend it,
and with which words and figures; never a value of a record.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final, Literal

import msgspec

from dizuo.engines.exchange.catalogue.available import LEAST
from dizuo.engines.exchange.catalogue.binding import Standing
from dizuo.engines.exchange.catalogue.coding import parts_of
from dizuo.engines.exchange.catalogue.deriving import drafts
from dizuo.engines.exchange.catalogue.model import CYCLES, ITEM_TYPES, Resource, ResourceField
from dizuo.engines.registers import FormatsFound
from dizuo.foundation.blueprint.model import City, Organisation
from dizuo.foundation.blueprint.model import Words as W

Severity = Literal["high", "mid", "low"]


class Found(msgspec.Struct, frozen=True):
    """One finding: of which rule, about what, whose to mend, and the figures that its sentence needs."""

    rule: str
    about: str
    organisation: str
    post: str
    severity: Severity
    params: Mapping[str, Any]
    resource: str | None = None


class Seen(msgspec.Struct, frozen=True):
    """Everything that the rules look at. ``standing`` by code; ``delivered``: sources that ever delivered; ``formats`` by register,
    ``contents`` by source; ``calls``: for every code with an open right older than a week, the calls of this week"""

    city: City
    today: date
    resources: tuple[Resource, ...]
    standing: Mapping[str, Standing]
    records: Mapping[str, int]
    delivered: frozenset[str]
    formats: Mapping[str, tuple[FormatsFound, ...]]
    calls: Mapping[str, int]
    contents: Mapping[str, tuple[FormatsFound, ...]] = {}

    @property
    def live(self) -> tuple[Resource, ...]:
        return tuple(one for one in self.resources if one.state != "offline")


class Rule(msgspec.Struct, frozen=True):
    """One rule: name, severity, what it says of a finding and the way out; ``{…}`` are filled from the finding's params."""

    id: str
    name: W
    severity: Severity
    says: W
    fix: W


_CONTENT: Final = {"citizen_ids": ("公民身份号码", "citizen ID numbers", "L3"), "phones": ("手机号码", "mobile numbers", "L3"), "pictures": ("图像（可能是人脸、指纹）", "pictures (perhaps faces or fingerprints)", "L4")}  # fmt: skip
_ENOUGH: Final = 20
"""So many records are looked at before a field that never says anything counts as missing."""
_DAYS: Final = {
    "realtime": 1,
    "daily": 1,
    "weekly": 7,
    "monthly": 31,
    "quarterly": 92,
    "half_yearly": 184,
    "yearly": 366,
}
_SLACK: Final = 1.5
_ALIKE: Final = {
    "C": "C",
    "M": "C",
    "G": "C",
    "N": "N",
    "I": "N",
    "F": "N",
    "B": "N",
    "Y": "N",
    "D": "D",
    "T": "D",
    "L": "L",
}


def audit(seen: Seen) -> Iterator[Found]:
    """Every finding of every rule."""
    for rule in _CHECKS.values():
        yield from rule(seen)


def _found(seen: Seen, rule: str, one: Resource, about: str = "", **params: Any) -> Found:
    """A finding about a resource, which its provider has to mend."""
    whose = one.provider if one.provider in seen.city.organisations else _authority(seen.city)
    said = {"title": one.title, "code": one.code, **params}
    return Found(
        rule, about or one.code, whose, post_of(seen.city, whose, one), RULES[rule].severity, said, one.code
    )


def post_of(city: City, organisation: str, resource: Resource | None = None) -> str:
    """The post that answers for data: the source's steward, any steward of the department's, or who corrects its records."""
    source = city.sources.get(resource.source or "") if resource is not None else None
    if source is not None and source.department == organisation:
        return source.steward
    for one in city.sources.values():
        if one.department == organisation:
            return one.steward
    known: Organisation | None = city.organisations.get(organisation)
    posts = known.posts if known is not None else ()
    return next(
        (post.id for post in posts if any(power.endswith((".correct", ".steward")) for power in post.powers)),
        "",
    )


def _authority(city: City) -> str:
    """The department that looks after the catalogue (政务数据共享主管部门)."""
    for one in city.organisations.values():
        if any("data.steward" in post.powers for post in one.posts):
            return one.id
    return next(iter(city.organisations))


def _duty_without_resource(seen: Seen) -> Iterator[Found]:
    has = {one.provider for one in seen.live}
    duties: dict[str, list[str]] = {}
    for matter in seen.city.matters.values():
        for item in matter.items:
            duties.setdefault(item.department, []).append(item.name.zh)
    for register in seen.city.registers.values():
        for field in register.fields.values():
            duties.setdefault(field.source, []).append(f"{register.name.zh}·{field.name.zh}")
    for name, of in duties.items():
        if name not in has and name in seen.city.organisations:
            said = {"department": seen.city.organisations[name].short.zh, "duty": "、".join(dict.fromkeys(of[:3])), "n": len(set(of))}  # fmt: skip
            yield Found("A1", name, name, post_of(seen.city, name), RULES["A1"].severity, said)


def _nothing_behind(seen: Seen) -> Iterator[Found]:
    for one in seen.live:
        standing = seen.standing.get(one.code)
        if standing is not None and standing.node:
            continue  # it stays at its department and is asked for there; whether that answers is A11's
        if one.kind == "register" and not seen.records.get(one.register or "", 0):
            yield _found(seen, "A2", one, why="库里一条记录也没有", why_en="no record")
        elif one.kind != "register" and one.source is None:
            yield _found(seen, "A2", one, why="没有挂接数据源、库表或接口", why_en="no source is bound")
        elif one.kind != "register" and one.source not in seen.delivered:
            yield _found(seen, "A2", one, why="数据源从来没有送过数", why_en="its source never delivered")


def _dark(seen: Seen) -> Iterator[Found]:
    listed = {one.register for one in seen.live} | {one.source for one in seen.live}
    authority = _authority(seen.city)
    for name, records in seen.records.items():
        if records and name not in listed:
            owner = next((one.provider for one in seen.resources if one.register == name), authority)
            yield Found("A3", f"register:{name}", owner, post_of(seen.city, owner), RULES["A3"].severity, {"what": name, "n": records})  # fmt: skip
    for name in sorted(seen.delivered - {source for source in listed if source}):
        owner = next((one.provider for one in seen.resources if one.source == name), authority)
        yield Found("A3", f"source:{name}", owner, post_of(seen.city, owner), RULES["A3"].severity, {"what": name, "n": "—"})  # fmt: skip


def _other_fields(seen: Seen) -> Iterator[Found]:
    declared = {one.resource.source: one.resource for one in drafts(seen.city) if one.resource.source}
    for one in seen.live:
        if one.kind == "imported" and one.source in declared:
            said = _differences(one.fields, declared[one.source].fields)
            if said:
                yield _found(seen, "A4", one, differs="；".join(said[:5]), n=len(said))
        elif one.register is not None and one.register in seen.formats:
            said = _unlike(one, seen.formats[one.register])
            if said:
                yield _found(seen, "A4", one, differs="；".join(said[:5]), n=len(said))


def _differences(listed: tuple[ResourceField, ...], there: tuple[ResourceField, ...]) -> list[str]:
    """What an imported resource lists against what its source really has, by name and type."""
    has = {_plain(field.zh): field for field in there}
    mine = {_plain(field.zh): field for field in listed}
    said = [f"目录有“{field.zh}”，数据源没有" for name, field in mine.items() if name not in has]
    said += [f"数据源有“{field.zh}”，目录没有" for name, field in has.items() if name not in mine]
    for name, field in mine.items():
        other = has.get(name)
        if other is not None and _ALIKE.get(field.type) != _ALIKE.get(other.type):
            said.append(
                f"“{field.zh}”目录写{ITEM_TYPES.get(field.type, field.type)}，数据源是{ITEM_TYPES[other.type]}"
            )
    return said


def _unlike(one: Resource, formats: tuple[FormatsFound, ...]) -> list[str]:
    """What a register's records hold against what the catalogue lists."""
    there = {found.field: found for found in formats}
    listed = {field.id for field in one.fields}
    said = [f"库里有“{name}”，目录没有" for name in sorted(set(there) - listed)]
    seen = max((found.seen for found in formats), default=0)
    if seen >= _ENOUGH:
        never = [field.zh for field in one.fields if field.id not in there or not there[field.id].filled]
        said += [f"目录有“{name}”，抽查的 {seen} 条里都没有" for name in never]
    return said


def _overdue(seen: Seen) -> Iterator[Found]:
    for one in seen.live:
        standing = seen.standing.get(one.code)
        if standing is None:
            continue
        late = standing.late
        days = _DAYS.get(one.update_cycle)
        if one.kind == "register" and days and standing.last_at and standing.records:
            late = max(0, (seen.today - standing.last_at.date()).days - int(days * _SLACK) - 1)
        if late > 0:
            last = standing.last_at.date().isoformat() if standing.last_at else (standing.period.isoformat() if standing.period else "")  # fmt: skip
            yield _found(
                seen, "A5", one, cycle=CYCLES.get(one.update_cycle, one.update_cycle), last=last, late=late
            )


def _refusal_without_law(seen: Seen) -> Iterator[Found]:
    for one in seen.live:
        law, _, article = one.share_basis.partition(":")
        known = law in seen.city.laws and article in seen.city.laws[law].articles
        # An imported basis is text; one of ours that leads nowhere is none.
        if one.share_type == 3 and not (one.share_basis.strip() and (known or one.kind == "imported")):
            yield _found(seen, "A6", one)


def _condition_unsaid(seen: Seen) -> Iterator[Found]:
    for one in seen.live:
        if one.share_type == 2 and not one.share_condition.strip():
            yield _found(seen, "A7", one)


def _incomplete(seen: Seen) -> Iterator[Found]:
    names = {"abstract": "摘要", "provider_code": "提供方代码", "category": "分类", "format": "格式", "update_cycle": "更新周期", "fields": "信息项"}  # fmt: skip
    twice = Counter((one.provider, _plain(one.title), one.kind) for one in seen.live)
    for one in seen.live:
        said = [f"没有{zh}" for name, zh in names.items() if not getattr(one, name)]
        if parts_of(one.code) is None:
            said.append("代码不合编制规则")
        if one.provider not in seen.city.organisations:
            said.append("提供方不在机构名录里")
        if one.state == "published" and one.published_on is None:
            said.append("没有发布日期")
        if twice[one.provider, _plain(one.title), one.kind] > 1:
            said.append("同一提供方有同名资源")
        if said:
            yield _found(seen, "A8", one, missing="、".join(said))


def _too_low(seen: Seen) -> Iterator[Found]:
    for one in seen.live:
        looked = (*seen.formats.get(one.register or "", ()), *seen.contents.get(one.source or "", ()))
        for found in looked:
            field = one.field(found.field)
            for kind, (what, english, least) in _CONTENT.items():
                hits = getattr(found, kind)
                # A few in a thousand may be somebody's slip of the pen; a field of such values is not.
                if field is None or not found.filled or hits / found.filled < 0.005:
                    continue
                if field.level < least or not field.personal:
                    yield _found(
                        seen, "A9", one, f"{one.code}#{field.id}", field=field.zh, what=what, what_en=english, level=field.level,
                        least=least, share=f"{hits / found.filled:.1%}", looked=found.filled,
                    )  # fmt: skip


def _two_sources(seen: Seen) -> Iterator[Found]:
    """A datum of a register that a department lists as its own, though another is its one source (一数一源)."""
    ours: dict[str, tuple[str, str, Resource]] = {}
    for one in seen.live:
        register = seen.city.registers.get(one.register or "")
        for field in register.fields.values() if register is not None else ():
            if (
                not field.lookup
                and field.type not in ("citizen_id", "uscc")
                and field.id not in ("name", "state")
            ):
                ours.setdefault(_plain(field.name.zh), (field.source, field.datum, one))
    for one in seen.live:
        if one.kind != "imported":
            continue
        for field in one.fields:
            known = ours.get(_plain(field.zh))
            if known is None or known[0] == one.provider or known[2].code in one.related:
                continue
            first = seen.city.organisations[known[0]].short.zh
            yield _found(seen, "A10", one, f"{one.code}#{field.id}", field=field.zh, first=first, of=known[2].title, other=known[2].code)  # fmt: skip


def _idle(seen: Seen) -> Iterator[Found]:
    for one in seen.live:
        if seen.calls.get(one.code, -1) == 0:
            why_en = "has rights in force and no call for seven days"
            yield _found(seen, "A11", one, why="有授权在用，7 日内没有一次调用", why_en=why_en)
        standing = seen.standing.get(one.code)
        found = standing.available if standing is not None else None
        if found is not None and found.short:
            share = f"{(found.share or 0) * 100:.1f}%"
            calls = found.answered + found.failed
            why = f"的接口 7 日可用率 {share}，低于 {LEAST:.0%}：调用 {calls} 次、{found.failed} 次没有答复，探测 {found.probes} 次、{found.probes_failed} 次没有答复"
            why_en = (
                f"answered {share} in seven days, below {LEAST:.0%}: {found.failed} of {calls} calls and "
                f"{found.probes_failed} of {found.probes} probes got no answer"
            )
            yield _found(seen, "A11", one, f"{one.code}#available", why=why, why_en=why_en)


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).lower()


RULES: Final[Mapping[str, Rule]] = {
    rule.id: rule
    for rule in (
        Rule("A1", W("有职责无目录", "A duty without a resource"), "high",
             W("{department}有职责（{duty}等 {n} 项），目录里没有它的资源。", "{department} has duties ({n}, such as {duty}) but no resource in the catalogue."),
             W("由部门编目：声明数据源，或导入部门目录。", "The department lists its resources: declare a source or import its catalogue.")),
        Rule("A2", W("有目录无资源（空目录）", "A resource with nothing behind it"), "high",
             W("“{title}”{why}。", "Nothing is behind “{title}”: {why_en}."),
             W("挂接真实的数据源，或让资源下线并写明原因。", "Bind a real source, or take the resource offline with a reason.")),
        Rule("A3", W("有资源无目录（暗数据）", "Data that no resource names"), "high",
             W("“{what}”有数据（{n}），目录里没有。", "“{what}” holds data ({n}) that the catalogue does not name."),
             W("补编目录；不再需要的数据按规定销毁。", "List it; destroy what is no longer needed as the rules say.")),
        Rule("A4", W("信息项与实际不一致", "Items differ from what is there"), "mid",
             W("“{title}”有 {n} 处不一致：{differs}。", "“{title}” differs in {n} places: {differs}."),
             W("改目录，或请数源部门补数。", "Correct the catalogue, or have the source deliver it.")),
        Rule("A5", W("更新超期", "Overdue"), "mid",
             W("“{title}”{cycle}更新，最近到 {last}，已超期 {late} 天。", "“{title}” is to be updated {cycle}; the last was {last}, {late} days overdue."),
             W("请数源部门送数；周期不对就改周期。", "Have it delivered; if the cycle is wrong, correct the cycle.")),
        Rule("A6", W("不予共享无法律依据", "Not shared without a law"), "high",
             W("“{title}”不予共享，没有写法律依据。", "“{title}” is not shared and no law is cited."),
             W("补上法律、行政法规或国务院决定的条款，或改共享类型。", "Cite the article, or change the share type.")),
        Rule("A7", W("有条件共享未写条件", "A condition that is not said"), "mid",
             W("“{title}”有条件共享，没有写条件。", "“{title}” is shared on condition and says none."),
             W("写明条件，或改为无条件共享。", "Say the condition, or share without one.")),
        Rule("A8", W("元数据缺失或重复", "Core metadata missing or double"), "mid",
             W("“{title}”：{missing}。", "“{title}”: {missing}."),
             W("补齐核心元数据。", "Complete the core metadata.")),
        Rule("A9", W("敏感级别低于内容", "Level below the content"), "high",
             W("“{title}”的“{field}”定为 {level}，抽查 {looked} 个值，{share} 含有{what}，至少应为 {least} 并标为个人信息。",
               "“{field}” of “{title}” is {level}; {share} of {looked} values hold {what_en}: at least {least}, and personal."),
             W("调高级别并标为个人信息；不该有的内容请数源部门清理。", "Raise the level and mark it personal; have the source remove what does not belong there.")),
        Rule("A10", W("多部门同一数据项（违反一数一源）", "One datum of two departments"), "mid",
             W("“{title}”的“{field}”，{first}已经是来源（“{of}”）。", "“{field}” of “{title}” has a source already: {first} (“{of}”)."),
             W("改为共享使用，并把对方资源写进关联资源代码；确属不同数据就改名。", "Use the other's by sharing and name it as related; if it is something else, rename it.")),
        Rule("A11", W("接口 7 日无调用或可用率不足", "No call for seven days, or too often no answer"), "low",
             W("“{title}”{why}。", "“{title}” {why_en}."),
             W("没有调用的，问用数部门是否还需要，不需要就终止授权；答不上来的，请提供部门修好接口或节点。",
               "Without calls, ask whether the right is still needed; without answers, the provider mends its interface or node.")),
    )
}  # fmt: skip
_CHECKS: Final[Mapping[str, Callable[[Seen], Iterator[Found]]]] = {
    "A1": _duty_without_resource, "A2": _nothing_behind, "A3": _dark, "A4": _other_fields, "A5": _overdue,
    "A6": _refusal_without_law, "A7": _condition_unsaid, "A8": _incomplete, "A9": _too_low, "A10": _two_sources, "A11": _idle,
}  # fmt: skip
