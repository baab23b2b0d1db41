"""A department's sheet: what is right is taken, what is wrong is refused row by row with a way out, and nothing is half-written."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import openpyxl
import pytest

from dizuo.engines.exchange import catalogue
from dizuo.foundation.blueprint import City
from dizuo.foundation.store import Pool

HEAD = ("信息资源分类", "信息资源名称", "信息资源代码", "信息资源提供方", "信息资源提供方代码", "信息资源摘要", "信息资源格式", "信息项名称", "数据类型",
        "共享类型", "共享条件", "共享方式", "是否向社会开放", "开放条件", "更新周期", "发布日期", "关联资源代码")  # fmt: skip
LAMPS = ("部门信息资源", "路灯台账", "", "市城管局", "", "全市路灯的位置和状态", "库表", "编号；位置；状态", "C；C；C", "无条件共享", "", "接口", "是", "",
         "每月", "2026-03-01", "")  # fmt: skip


def row(**said: str) -> tuple[str, ...]:
    """The lamps with some cells changed, by header."""
    cells = dict(zip(HEAD, LAMPS, strict=True)) | said
    return tuple(cells[name] for name in HEAD)


def text(rows: Sequence[Sequence[str]], encoding: str = "utf-8", head: Sequence[str] = HEAD) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([head, *rows])
    return out.getvalue().encode(encoding)


def book(rows: Sequence[Sequence[Any]], head: Sequence[str] = HEAD, before: int = 0) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    for _ in range(before):
        sheet.append(["市城市管理局政务信息资源目录"])
    for one in (head, *rows):
        sheet.append(list(one))
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


async def take(pool: Pool, city: City, content: bytes, now: datetime, **more: Any) -> catalogue.ImportReport:
    return await catalogue.import_catalogue(pool, city, content, "目录.csv", "7", now, **more)


async def refused(pool: Pool, city: City, content: bytes, now: datetime, **more: Any) -> catalogue.ImportRow:
    report = await take(pool, city, content, now, **more)
    assert [one.verdict for one in report.rows] == ["rejected"]
    assert all(fault.why and fault.fix for fault in report.rows[0].faults)
    return report.rows[0]


@pytest.mark.parametrize("made", ["utf-8", "utf-8-sig", "gbk", "xlsx", "turned", "titled"])
async def test_a_right_row_is_taken_whatever_the_file(
    app_pool: Pool, city: City, now: datetime, made: str
) -> None:
    line = row(信息资源名称=f"路灯台账{made}")
    content = {
        "xlsx": lambda: book([line]),
        "turned": lambda: text([line[::-1]], head=HEAD[::-1]),
        "titled": lambda: book([line], before=3),
    }.get(made, lambda: text([line], made))()
    report = await take(app_pool, city, content, now)
    assert [one.verdict for one in report.rows] == ["new"]
    one = await catalogue.resource(app_pool, report.rows[0].code)
    assert one is not None
    assert (one.provider, one.kind, one.state) == ("urban", "imported", "published")
    assert one.provider_code == city.organisations["urban"].uscc
    assert [(field.zh, field.type) for field in one.fields] == [("编号", "C"), ("位置", "C"), ("状态", "C")]
    assert (one.share_type, one.open_type, one.update_cycle, one.share_methods) == (
        1,
        1,
        "monthly",
        ("query",),
    )
    assert str(one.published_on) == "2026-03-01"
    assert one.code.startswith("301")
    parts = catalogue.parts_of(one.code)
    assert parts is not None
    assert parts.detail == city.code


async def test_the_same_sheet_twice_changes_nothing_and_a_changed_row_is_updated(
    app_pool: Pool, owner_pool: Pool, city: City, now: datetime
) -> None:
    first = await take(app_pool, city, text([row(信息资源名称="井盖")]), now)
    entries = await owner_pool.fetchval("SELECT count(*) FROM ledger.entry")
    again = await take(app_pool, city, text([row(信息资源名称="井盖")]), now)
    assert [(one.verdict, one.code) for one in again.rows] == [("unchanged", first.rows[0].code)]
    assert await owner_pool.fetchval("SELECT count(*) FROM ledger.entry") == entries
    third = await take(app_pool, city, text([row(信息资源名称="井盖", 更新周期="每周")]), now)
    assert [(one.verdict, one.code) for one in third.rows] == [("changed", first.rows[0].code)]
    assert (await catalogue.history(app_pool, first.rows[0].code))[0].after == {"update_cycle": "weekly"}


async def test_publishing_keeps_what_was_imported(app_pool: Pool, city: City, now: datetime) -> None:
    done = await take(app_pool, city, text([row(信息资源名称="护栏")]), now)
    before = await catalogue.resource(app_pool, done.rows[0].code)
    await catalogue.publish_catalogue(app_pool, city, now)
    assert await catalogue.resource(app_pool, done.rows[0].code) == before


async def test_items_may_stand_one_a_line_with_letters_or_names(
    app_pool: Pool, city: City, now: datetime
) -> None:
    empty = dict.fromkeys(HEAD, "")
    more = tuple((empty | {"信息项名称": "面积", "数据类型": "数值型"})[name] for name in HEAD)
    last = tuple((empty | {"信息项名称": "建成日期（D）"})[name] for name in HEAD)
    lines = [row(信息资源名称="公园", 信息项名称="名称", 数据类型="C"), more, last]
    report = await take(app_pool, city, book(lines), now)
    one = await catalogue.resource(app_pool, report.rows[0].code)
    assert one is not None
    assert [(field.zh, field.type) for field in one.fields] == [
        ("名称", "C"),
        ("面积", "N"),
        ("建成日期", "D"),
    ]


@pytest.mark.parametrize(
    ("said", "why", "fix"),
    [
        ({"信息资源名称": ""}, "没有资源名称", "填写"),
        ({"信息资源名称": "长" * 201}, "201 个字", "200"),
        ({"信息资源提供方": ""}, "没有提供方", "填写"),
        ({"信息资源提供方": "市城馆局"}, "没有“市城馆局”", "您是不是要写：无锡市城市管理局"),
        ({"信息资源提供方": "火星事务局"}, "没有“火星事务局”", ""),
        ({"信息资源提供方代码": "91320200MA1X000000"}, "不是同一家", "代码是"),
        ({"共享类型": "随便"}, "不认识“随便”", "无条件共享、有条件共享、不予共享"),
        ({"共享类型": ""}, "没有填", "无条件共享"),
        ({"更新周期": "想起来就更"}, "不认识", "每月"),
        ({"是否向社会开放": "也许"}, "不认识", "是、否"),
        ({"发布日期": "去年"}, "不是日期", "2026-01-31"),
        ({"发布日期": "2026-02-30"}, "不是日期", "2026-01-31"),
        ({"发布日期": "2099-01-01"}, "还没有到", "年份"),
        ({"信息资源代码": "ABC"}, "不合编制规则", "留空"),
        ({"信息项名称": "编号；编号", "数据类型": "C"}, "写了两次", "删掉"),
        ({"数据类型": "C；C"}, "对不上", "逐个"),
        ({"数据类型": "奇怪型"}, "不认识“奇怪型”", "字符型"),
        ({"信息资源摘要": "=HYPERLINK(1)"}, "公式", "数值"),
        ({"信息资源摘要": "@SUM(1)"}, "公式", "数值"),
        ({"信息资源摘要": "响铃\a"}, "控制字符", "删掉"),
        ({"信息资源摘要": "长" * 1_000_000}, "1,000,000 个字", "4,000"),
    ],
)
async def test_a_wrong_row_says_why_and_the_way_out(
    app_pool: Pool, city: City, now: datetime, said: dict[str, str], why: str, fix: str
) -> None:
    before = await catalogue.resources(app_pool)
    one = await refused(app_pool, city, text([row(**said)]), now)
    assert any(why in fault.why and fix in fault.fix for fault in one.faults), one.faults
    assert one.line == 2
    assert await catalogue.resources(app_pool) == before


async def test_what_is_unfinished_is_taken_for_review_and_not_published(
    app_pool: Pool, city: City, now: datetime
) -> None:
    lines = [
        row(信息资源名称="养护合同", 共享类型="有条件共享"),
        row(信息资源名称="执法台账", 共享类型="不予共享", 信息资源摘要=""),
    ]
    report = await take(app_pool, city, text(lines), now)
    for said, one in zip(("共享条件", "法律依据"), report.rows, strict=True):
        held = await catalogue.resource(app_pool, one.code)
        assert held is not None
        assert (held.state, held.published_on is None) == ("department_review", False)
        assert said in held.state_why
        assert said in "".join(one.notes)


async def test_right_and_wrong_rows_side_by_side(app_pool: Pool, city: City, now: datetime) -> None:
    lines = [
        row(信息资源名称="树木"),
        row(信息资源名称="坏的", 更新周期="?"),
        row(信息资源名称="树木"),
        row(信息资源名称="雕塑", 信息资源提供方代码=""),
    ]
    report = await take(app_pool, city, text(lines), now)
    assert [(one.line, one.verdict) for one in report.rows] == [
        (2, "new"),
        (3, "rejected"),
        (4, "rejected"),
        (5, "new"),
    ]
    assert "第 2 行重复" in report.rows[2].faults[0].why
    assert report.taken == 2
    assert await catalogue.import_report(app_pool, report.id) is not None


async def test_a_code_belongs_to_one(app_pool: Pool, city: City, now: datetime) -> None:
    await catalogue.publish_catalogue(app_pool, city, now)
    person = (await catalogue.resources(app_pool, register="person"))[0]
    one = await refused(app_pool, city, text([row(信息资源代码=person.code)]), now)
    assert "声明生成" in one.faults[0].why
    own = "301777320200/000001"
    assert (await take(app_pool, city, text([row(信息资源名称="公厕", 信息资源代码=own)]), now)).rows[
        0
    ].code == own
    other = await refused(
        app_pool, city, text([row(信息资源名称="公厕", 信息资源代码=own, 信息资源提供方="市税务局")]), now
    )
    assert "已由" in other.faults[0].why
    twice = await take(
        app_pool,
        city,
        text([row(信息资源名称="甲", 信息资源代码=own), row(信息资源名称="乙", 信息资源代码=own)]),
        now,
    )
    assert [one.verdict for one in twice.rows] == ["changed", "rejected"]


async def test_names_of_the_past_find_who_answers_today(app_pool: Pool, city: City, now: datetime) -> None:
    lines = [
        row(信息资源名称="特种设备", 信息资源提供方="无锡市质量技术监督局"),
        row(信息资源名称="数据目录", 信息资源提供方="无锡市大数据管理局"),
    ]
    report = await take(app_pool, city, text(lines), now)
    held = [await catalogue.resource(app_pool, one.code) for one in report.rows]
    assert [one.provider for one in held if one] == ["market", "data"]
    assert "并入" in report.rows[0].notes[0]
    assert "改名" in report.rows[1].notes[0]


async def test_a_department_lists_only_its_own(app_pool: Pool, city: City, now: datetime) -> None:
    one = await refused(app_pool, city, text([row()]), now, within={"psb"})
    assert "不能替" in one.faults[0].why
    report = await take(
        app_pool,
        city,
        text([row(信息资源名称="栏杆", 信息资源提供方="")]),
        now,
        within={"urban"},
        default="urban",
    )
    assert report.taken == 1


async def test_a_row_named_like_a_source_is_bound_to_it_and_audited(
    app_pool: Pool, declared: City, now: datetime
) -> None:
    source = declared.sources["hukou"]
    report = await take(
        app_pool, declared, text([row(信息资源名称=source.name.zh, 信息资源提供方="市公安局")]), now
    )
    one = await catalogue.resource(app_pool, report.rows[0].code)
    assert one is not None
    assert one.source == "hukou"
    await catalogue.audit_catalogue(app_pool, declared, now)
    found = {found.rule for found in await catalogue.findings(app_pool, resource=one.code)}
    assert "A4" in found


async def test_a_computed_cell_of_a_workbook_is_refused(app_pool: Pool, city: City, now: datetime) -> None:
    one = await refused(app_pool, city, book([row(信息资源摘要="=1+1")]), now)
    assert "公式" in one.faults[0].why


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "空的"),
        (b"%PDF-1.7 not a sheet", "不是表格"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "不是表格"),
        (b"\xd0\xcf\x11\xe0old", "XLSX"),
        (b"PK\x03\x04broken", "不是完整的 XLSX"),
        ("名称,地址\n甲,乙\n".encode(), "表头里没有"),
        (b"\xff\xfe\xfa\xfb,\xff", "文字编码"),
        (b"a,b\n" * 6_000, "5000 行"),
        (b"," * 300, "200 列"),
    ],
)
async def test_what_is_no_sheet_is_refused_whole(
    app_pool: Pool, owner_pool: Pool, city: City, now: datetime, content: bytes, why: str
) -> None:
    kept = await owner_pool.fetchval("SELECT count(*) FROM exchange.catalogue_import")
    with pytest.raises(catalogue.SheetUnreadable) as caught:
        await take(app_pool, city, content, now)
    assert why in str(caught.value)
    assert await owner_pool.fetchval("SELECT count(*) FROM exchange.catalogue_import") == kept


async def test_a_workbook_that_unpacks_without_end_is_refused(
    app_pool: Pool, city: City, now: datetime
) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b" " * 90_000_000)
    with pytest.raises(catalogue.SheetUnreadable, match="展开后太大"):
        await take(app_pool, city, out.getvalue(), now)


async def test_the_report_runs_nothing_in_a_spreadsheet(app_pool: Pool, city: City, now: datetime) -> None:
    lines = [row(信息资源名称="=cmd|' /C calc'!A0"), row(信息资源名称="-2+3"), row(信息资源提供方="+局")]
    report = await take(app_pool, city, text(lines), now)
    told = catalogue.report_csv(report)
    assert told.startswith(b"\xef\xbb\xbf")
    cells = [cell for line in csv.reader(io.StringIO(told.decode("utf-8-sig"))) for cell in line]
    assert not [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell]
    assert "'=cmd|' /C calc'!A0" in cells


@pytest.mark.parametrize(
    "other", [{"信息资源提供方": "市公安局"}, {"共享类型": "不予共享"}, {"信息资源摘要": "另一项资源"}]
)
async def test_a_line_that_says_something_else_is_no_line_of_items(
    app_pool: Pool, city: City, now: datetime, other: dict[str, str]
) -> None:
    """A forgotten title is told; the line is not taken for items of the resource above it."""
    report = await take(app_pool, city, text([LAMPS, row(**({"信息资源名称": ""} | other))]), now)
    assert [one.verdict == "rejected" for one in report.rows] == [False, True]
    assert report.rows[1].faults[0].why == "没有资源名称"
    again = await take(
        app_pool, city, text([LAMPS, row(信息资源名称="", 信息项名称="高度", 数据类型="N")]), now
    )
    assert [one.faults for one in again.rows] == [()], "what stands above it again adds items"
