"""Import of a department's catalogue sheet: every row is taken whole or refused with the reason and the way out; all or none is written."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Literal, TypeVar

import msgspec

from dizuo.engines.exchange.catalogue.coding import THEMES, department_category, parts_of, theme_category
from dizuo.engines.exchange.catalogue.deriving import Draft
from dizuo.engines.exchange.catalogue.headers import (
    HEADERS,
    cycle_of,
    find_headers,
    item_type_of,
    methods_of,
    open_of,
    share_of,
)
from dizuo.engines.exchange.catalogue.model import CYCLES, ITEM_TYPES, Resource, ResourceField, resource_of
from dizuo.engines.exchange.catalogue.naming import near_organisations, organisation_named
from dizuo.engines.exchange.catalogue.publishing import (
    QUERIES,
    Change,
    created,
    difference,
    numbered,
    write,
)
from dizuo.engines.exchange.catalogue.sheets import Cell, Sheet, read_sheet
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.store import Pool

_T = TypeVar("_T")
Verdict = Literal["new", "changed", "unchanged", "rejected"]
MAX_CELL: Final = 4_000
_MAX_TITLE: Final = 200
_NOTHING: Final = {"", "-", "—", "/", "无", "暂无", "none", "null"}
_ITEMS: Final = re.compile(r"[;；、,，\n\r]+")
_TYPED: Final = re.compile(r"(.+?)\s*[（(\[]\s*([^（()）\[\]]{1,8})\s*[)）\]]\s*$")
_EXCEL: Final = date(1899, 12, 30)


class Fault(msgspec.Struct, frozen=True):
    """Why a row was not taken, and the way out."""

    why: str
    fix: str


class ImportRow(msgspec.Struct, frozen=True):
    """What became of one row: its line in the file, its code when it was taken, what a reader should know besides."""

    line: int
    title: str
    verdict: Verdict
    code: str = ""
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()


class ImportReport(msgspec.Struct, frozen=True):
    """What became of a sheet, row by row."""

    id: int
    at: datetime
    by: str
    filename: str
    encoding: str
    rows: tuple[ImportRow, ...]

    def count(self, verdict: Verdict) -> int:
        return sum(row.verdict == verdict for row in self.rows)

    @property
    def taken(self) -> int:
        """Rows that are in the catalogue now as the sheet says."""
        return len(self.rows) - self.count("rejected")


class _Read(msgspec.Struct, frozen=True):
    """A row that is right by itself: what it says, its own code if it has one, and what is to be told."""

    line: int
    group: str
    resource: Resource
    code: str
    notes: tuple[str, ...]


class _Row:
    """The cells of one resource by what they are, with the lines of items that follow it; faults gather here."""

    def __init__(self, line: int, cells: Mapping[str, Cell]) -> None:
        self.line = line
        self.cells = cells
        self.items: list[tuple[str, str]] = [(self.text("items"), self.text("item_types"))]
        self.faults: list[Fault] = []
        self.notes: list[str] = []

    def text(self, key: str) -> str:
        cell = self.cells.get(key)
        said = "" if cell is None else unicodedata.normalize("NFC", cell.text)
        return "" if said.lower() in _NOTHING else said

    def fault(self, why: str, fix: str) -> None:
        self.faults.append(Fault(why, fix))


async def import_catalogue(
    pool: Pool, city: City, content: bytes, filename: str, by: str, now: datetime,
    *, within: Collection[str] | None = None, default: str | None = None,
) -> ImportReport:  # fmt: skip
    """Take a sheet into the catalogue; the whole report is kept with it in one transaction.

    ``within``: the organisations that may be listed by whoever imports, None for all; ``default``: whose the rows without a
    provider are. The same sheet twice changes nothing. Errors: SheetUnreadable (nothing is written).
    """
    sheet = read_sheet(content)
    rows = rows_of(sheet)
    read, report = _judged(city, rows, within, default, now.date())
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute(QUERIES["one_publisher"])
        known = {one.code: one for one in map(resource_of, await conn.fetch(QUERIES["everything"]))}
        mine = {(one.provider, _same(one.title)): one for one in known.values() if one.kind == "imported"}
        changes: list[Change] = []
        fresh: list[tuple[_Read, Draft]] = []
        codes: set[str] = set()
        for one in read:
            old = (
                known.get(one.code)
                if one.code
                else mine.get((one.resource.provider, _same(one.resource.title)))
            )
            wrong = _taken_by_another(city, one, old, codes)
            if wrong is not None:
                report.append(ImportRow(one.line, one.resource.title, "rejected", one.code, (wrong,)))
                continue
            code = old.code if old is not None else one.code
            if code:
                codes.add(code)
            if old is None and not code:
                fresh.append((one, Draft(one.group, one.resource)))
                continue
            change = _change(old, one, code, now)
            report.append(ImportRow(one.line, one.resource.title, "unchanged" if change is None else "new" if old is None else "changed", code, (), one.notes))  # fmt: skip
            changes += [] if change is None else [change]
        for (one, _), made in zip(
            fresh, await numbered(conn, city, [draft for _, draft in fresh]), strict=True
        ):
            changes.append(created(made, made.code, now))
            report.append(ImportRow(one.line, made.title, "new", made.code, (), one.notes))
        report.sort(key=lambda row: row.line)
        digest = hashlib.sha256(content).hexdigest()
        await write(
            conn, changes, now, by=by, what="catalogue.import", about={"sha256": digest, "rows": len(report)}
        )
        id = await conn.fetchval(
            QUERIES["imported"], now, by, filename[:200], digest, sheet.encoding, len(report),
            sum(row.verdict != "rejected" for row in report), [msgspec.to_builtins(row) for row in report],
        )  # fmt: skip
    return ImportReport(int(id), now, by, filename, sheet.encoding, tuple(report))


async def import_report(pool: Pool, id: int) -> ImportReport | None:
    """A report that was kept, or None. Errors: the pool's."""
    row = await pool.fetchrow(QUERIES["import_report"], id)
    return None if row is None else msgspec.convert(dict(row), ImportReport)


def rows_of(sheet: Sheet) -> list[_Row]:
    """The rows under the headers; a line that only names an item belongs to the resource above it. Errors: SheetUnreadable.

    A line that says something else of a resource than the one above does is a row of its own, with a title or without.
    """
    place, columns = find_headers([[cell.text for cell in row] for row in sheet.rows])
    rows: list[_Row] = []
    for line, cells in enumerate(sheet.rows[place + 1 :], place + 2):
        if not any(cell.text for cell in cells):
            continue
        named = {key: cells[column] for key, column in columns.items() if column < len(cells)}
        one = _Row(line, named)
        if rows and one.text("items") and _goes_on(rows[-1], one):
            rows[-1].items.append((one.text("items"), one.text("item_types")))
            _cells(rows[-1], named)
        else:
            _cells(one, named)
            rows.append(one)
    return rows


def _goes_on(above: _Row, row: _Row) -> bool:
    """Whether a line only adds items: nothing else in it, or what stands above it again."""
    return not row.text("title") and all(
        row.text(key) in ("", above.text(key)) for key in HEADERS if key not in ("items", "item_types")
    )


def _cells(row: _Row, cells: Mapping[str, Cell]) -> None:
    """What no cell may be, whatever stands in it."""
    for key, cell in cells.items():
        if cell.formula:
            row.fault(f"“{_header(key)}”是公式或会被当成公式", "改成文字：复制后选择性粘贴为数值。")
        if len(cell.text) > MAX_CELL:
            row.fault(f"“{_header(key)}”有 {len(cell.text):,} 个字", f"缩到 {MAX_CELL:,} 个字以内。")
        elif any(unicodedata.category(letter) == "Cc" and letter not in "\n\r\t" for letter in cell.text):
            row.fault(f"“{_header(key)}”有不可见的控制字符", "删掉后重新填写。")


def _header(key: str) -> str:
    return HEADERS[key][0]


def _judged(
    city: City, rows: Sequence[_Row], within: Collection[str] | None, default: str | None, today: date
) -> tuple[list[_Read], list[ImportRow]]:
    """What each row says by itself and beside the others of the file."""
    read: list[_Read] = []
    report: list[ImportRow] = []
    lines: dict[tuple[str, str], int] = {}
    for row in rows:
        one = None if row.faults else _read(city, row, within, default, today)
        if one is not None:
            for key, what in (
                (("code", one.code), "代码"),
                ((one.resource.provider, _same(one.resource.title)), "名称"),
            ):
                if key[1] and key in lines and not row.faults:
                    row.fault(f"{what}和第 {lines[key]} 行重复", "删掉一行，或改成不同的代码、名称。")
                lines.setdefault(key, row.line)
        if one is None or row.faults:
            report.append(
                ImportRow(row.line, row.text("title")[:_MAX_TITLE], "rejected", "", tuple(row.faults))
            )
        else:
            read.append(one)
    return read, report


def _read(
    city: City, row: _Row, within: Collection[str] | None, default: str | None, today: date
) -> _Read | None:
    title = " ".join(row.text("title").split())
    if not title:
        row.fault("没有资源名称", "填写“信息资源名称”。")
    elif len(title) > _MAX_TITLE:
        row.fault(f"资源名称有 {len(title)} 个字", f"缩到 {_MAX_TITLE} 个字以内。")
    provider = _provider(city, row, within, default)
    share = _one_of(row, "share_type", share_of(row.text("share_type")), "无条件共享、有条件共享、不予共享")
    cycle = _one_of(row, "update_cycle", cycle_of(row.text("update_cycle")), "、".join(CYCLES.values()))
    opening = 3
    if row.text("open_type"):
        opening = (
            _one_of(
                row, "open_type", open_of(row.text("open_type")), "是、否，或无条件开放、有条件开放、不予开放"
            )
            or 3
        )
    published = _day(row, today)
    fields = _fields(row)
    code = row.text("code").upper()
    if code and parts_of(code) is None:
        row.fault(f"代码 {code[:60]} 不合编制规则", "按“类1位+项2位+目3位+细目/顺序码”写，或留空由系统赋码。")
    if row.faults or provider is None:
        return None
    organisation = city.organisations[provider]
    group, category = _category(row, organisation.level, organisation.short.zh)
    source = _source(city, row, provider, title)
    stated = Resource(
        code="", title=title, provider=provider, provider_code=organisation.uscc, kind="imported", source=source,
        abstract=row.text("abstract"), format=row.text("format"), fields=fields, category=category,
        share_type=int(share or 0), share_condition=row.text("share_condition"), share_basis=row.text("share_basis"),
        share_methods=methods_of(row.text("share_method")), open_type=int(opening), open_condition=row.text("open_condition"),
        update_cycle=str(cycle), related=tuple(dict.fromkeys(_ITEMS.split(row.text("related")))) if row.text("related") else (),
        published_on=published, derived=() if row.text("open_type") else ("open_type",),
    )  # fmt: skip
    lacks = _lacks(stated)
    if lacks:
        row.notes.append(f"已收下，待部门补：{'、'.join(lacks)}")
        stated = msgspec.structs.replace(
            stated, state="department_review", state_why=f"待补：{'、'.join(lacks)}"
        )
    if source is not None:
        row.notes.append(f"已挂接数据源“{city.sources[source].name.zh}”")
    return _Read(row.line, group, stated, code, tuple(row.notes))


def _one_of(row: _Row, key: str, value: _T | None, choices: str) -> _T | None:
    if value is None:
        said = row.text(key)
        row.fault(
            f"“{_header(key)}”{f'不认识“{said[:40]}”' if said else '没有填'}", f"写成其中一个：{choices}。"
        )
    return value


def _provider(city: City, row: _Row, within: Collection[str] | None, default: str | None) -> str | None:
    said = row.text("provider") or row.text("provider_code") or default or ""
    if not said:
        row.fault("没有提供方", "填写“信息资源提供方”。")
        return None
    named = organisation_named(city, said)
    if named is None:
        near = near_organisations(city, said)
        meant = (
            f"您是不是要写：{'、'.join(near)}？" if near else "请写机构名录里的全称、简称或统一社会信用代码。"
        )
        row.fault(f"机构名录里没有“{said[:40]}”", meant)
        return None
    today = city.organisations[named.organisation]
    if named.former is not None:
        how = "改名为" if named.how == "renamed" else "并入"
        row.notes.append(f"“{named.former.name}”已{how}{today.name.zh}")
    code = row.text("provider_code")
    if row.text("provider") and code:
        other = organisation_named(city, code)
        if other is None or other.organisation != named.organisation:
            row.fault("提供方和提供方代码不是同一家", f"{today.name.zh}的代码是 {today.uscc}。")
    if within is not None and named.organisation not in within:
        row.fault(f"您不能替{today.short.zh}编目", "只填本部门的资源，其他部门的请他们自己导入。")
    return named.organisation


def _category(row: _Row, level: str, short: str) -> tuple[str, str]:
    """主题 where a theme is named, else the department's own class."""
    said = row.text("category")
    theme = next((theme for theme in THEMES if theme in said), None)
    return theme_category(theme) if theme is not None else department_category(level, short)


def _source(city: City, row: _Row, provider: str, title: str) -> str | None:
    """The declared source that a row means: the one that it names, or the provider's of the same name."""
    said = row.text("source")
    for one in city.sources.values():
        if one.department == provider and (
            said in (one.id, one.name.zh) if said else _same(one.name.zh) == _same(title)
        ):
            return one.id
    if said:
        row.notes.append(f"没有声明过数据源“{said[:40]}”，先不挂接")
    return None


def _day(row: _Row, today: date) -> date | None:
    said = row.text("published_on").split(" ")[0]
    if not said:
        return None
    bare = re.sub(r"[年月./]", "-", said).rstrip("日-")
    found: date | None = None
    try:
        if re.fullmatch(r"[0-9]{5}", bare):
            found = _EXCEL + timedelta(days=int(bare))
        elif re.fullmatch(r"[0-9]{8}", bare):
            found = date(int(bare[:4]), int(bare[4:6]), int(bare[6:]))
        else:
            year, month, day = (int(part) for part in bare.split("-"))
            found = date(year, month, day)
    except ValueError:
        row.fault(f"发布日期“{said[:20]}”不是日期", "写成 2026-01-31。")
    if found is not None and found > today:
        row.fault(f"发布日期 {found} 还没有到", "检查年份。")
    return found


def _fields(row: _Row) -> tuple[ResourceField, ...]:
    found: dict[str, ResourceField] = {}
    for names, types in row.items:
        said = [name.strip() for name in _ITEMS.split(names) if name.strip()]
        kinds = [kind.strip() for kind in _ITEMS.split(types) if kind.strip()]
        if kinds and len(kinds) not in (1, len(said)):
            row.fault(
                f"信息项有 {len(said)} 个，数据类型有 {len(kinds)} 个，对不上",
                "逐个对应写，或每行写一个信息项。",
            )
            continue
        for place, name in enumerate(said):
            typed = _TYPED.match(name)
            kind = typed[2] if typed else kinds[place % len(kinds)] if kinds else "C"
            letter = item_type_of(kind)
            bare = typed[1].strip() if typed and letter else name
            if letter is None and not typed:
                row.fault(
                    f"数据类型不认识“{kind[:20]}”",
                    f"写字母或名称：{'、'.join(f'{k} {v}' for k, v in ITEM_TYPES.items())}。",
                )
                continue
            if len(bare) > _MAX_TITLE:
                row.fault(f"信息项“{bare[:20]}…”有 {len(bare)} 个字", "每个信息项之间用分号隔开。")
            elif bare in found:
                row.fault(f"信息项“{bare}”写了两次", "删掉一个。")
            else:
                found[bare] = ResourceField(bare, bare, "", letter or "C", "L1", personal=False)
    return tuple(found.values())


def _lacks(one: Resource) -> list[str]:
    """What 编制指南 and 条例 want besides, without which a row is taken but not published."""
    lacks = [
        name
        for name, there in (("摘要", one.abstract), ("信息资源格式", one.format), ("信息项", one.fields))
        if not there
    ]
    if one.share_type == 2 and not one.share_condition:
        lacks.append("共享条件")
    if one.share_type == 3 and not one.share_basis:
        lacks.append("不予共享的法律依据")
    if one.open_type == 2 and not one.open_condition:
        lacks.append("开放条件")
    return lacks


def _taken_by_another(city: City, one: _Read, old: Resource | None, codes: Collection[str]) -> Fault | None:
    if old is None:
        return None
    if old.kind != "imported":
        return Fault(f"代码 {old.code} 是由声明生成的“{old.title}”", "不用再导入；内容不对请改声明。")
    if old.provider != one.resource.provider:
        whose = city.organisations.get(old.provider)
        return Fault(
            f"代码 {old.code} 已由{whose.short.zh if whose else old.provider}使用",
            "留空由系统赋码，或先办理资源移交。",
        )
    if old.code in codes:
        return Fault(f"和本文件的另一行是同一个资源（{old.code}）", "只留一行。")
    return None


def _change(old: Resource | None, one: _Read, code: str, now: datetime) -> Change | None:
    if old is None:
        return created(msgspec.structs.replace(one.resource, code=code), code, now)
    new = msgspec.structs.replace(
        one.resource, code=code, published_on=one.resource.published_on or old.published_on
    )
    before, after = difference(old, new)
    for name in ("state", "state_why"):
        if getattr(old, name) != getattr(new, name):
            before[name], after[name] = getattr(old, name), getattr(new, name)
    return Change("changed", new, before, after) if after else None


def _same(title: str) -> str:
    return "".join(unicodedata.normalize("NFKC", title).split()).lower()
