"""A catalogue as a CSV: a dataset a line, columns by the names that cities use for them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from typing import Final

from .errors import CatalogueUnreadable
from .found import Found, Page

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "identifier": ("identifier", "id", "resource_code", "信息资源代码", "资源代码", "数据集编号", "编号", "uid", "four_by_four"),
    "title": ("title", "name", "dataset_name", "信息资源名称", "数据集名称", "目录名称", "资源名称", "名称", "标题"),
    "notes": ("description", "notes", "abstract", "信息资源摘要", "摘要", "数据集摘要", "简介", "描述"),
    "publisher": ("publisher", "provider", "organization", "organisation", "department", "group", "agency",
                  "信息资源提供方", "提供单位", "提供方", "来源部门", "发布单位"),
    "url": ("data_url", "download_url", "url", "access_url", "link", "下载地址", "数据地址", "链接", "接口地址"),
    "landing": ("landing_page", "homepage", "page", "meta_url", "数据集页面", "详情页"),
    "format": ("format", "file_format", "信息资源格式", "数据格式", "格式"),
    "licence": ("license", "licence", "license_id", "许可", "许可协议"),
    "tags": ("tags", "keywords", "关键字", "关键词", "标签"),
    "theme": ("theme", "category", "领域", "主题", "所属主题", "信息资源分类"),
    "cycle": ("update_cycle", "frequency", "更新周期", "更新频率"),
    "modified": ("modified", "updated", "last_updated", "updated_year", "更新日期", "更新时间", "最后更新"),
}  # fmt: skip
MOST: Final = 200_000
_LONGEST_CELL: Final = 1 << 20


def read_csv(body: bytes, url: str) -> Page:
    """The records of a CSV in UTF-8 or GB 18030. Errors: CatalogueUnreadable when no column is a title."""
    text = _decoded(body)
    csv.field_size_limit(_LONGEST_CELL)
    try:
        dialect = csv.Sniffer().sniff(text[:20_000], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    lines = csv.DictReader(io.StringIO(text, newline=""), dialect=dialect)
    try:
        heading = list(lines.fieldnames or ())
        columns = _columns(heading)
        if "title" not in columns:
            raise CatalogueUnreadable(why=f"没有哪一列是标题；有：{'、'.join(heading[:12])}")
        records: list[Found] = []
        for number, line in enumerate(lines, 2):
            if number > MOST:
                raise CatalogueUnreadable(why=f"超过 {MOST} 行")
            records.append(
                _record(
                    {key: (line.get(column) or "").strip() for key, column in columns.items()}, number, url
                )
            )
    except csv.Error as error:
        raise CatalogueUnreadable(why=f"不是 CSV（{error}）") from None
    return Page(tuple(_told_apart(records)))


def _decoded(body: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CatalogueUnreadable(why="不是 UTF-8，也不是 GB 18030")


def _columns(heading: list[str]) -> dict[str, str]:
    plain = {re.sub(r"[\s_-]+", "_", name.strip().lower()): name for name in reversed(heading) if name}
    found: dict[str, str] = {}
    for key, names in _NAMES.items():
        for name in names:
            if name in plain and plain[name] not in found.values():
                found[key] = plain[name]
                break
    return found


def _record(told: Mapping[str, str], number: int, url: str) -> Found:
    title, link = told.get("title", ""), told.get("url", "")
    # Without a number of its own a dataset is known by its address, which outlives a corrected title.
    identifier = told.get("identifier") or link or title
    if not title:
        return Found(identifier or f"line {number}", fault=f"第 {number} 行没有标题")
    kind = told.get("format", "") or _ending(link)
    resources = [{"id": "", "name": title, "url": link, "format": kind.upper()}] if link else []
    extras = [{"key": key, "value": told[key]} for key in ("theme", "modified") if told.get(key)]
    if told.get("cycle"):
        extras.append({"key": "update_cycle", "value": told["cycle"]})
    tags = [{"name": one} for one in re.split(r"[,，;；、|]", told.get("tags", "")) if one.strip()]
    package = {
        "title": title, "notes": told.get("notes", ""), "license_id": told.get("licence", ""), "tags": tags,
        "extras": extras, "resources": resources, "url": told.get("landing", ""),
    }  # fmt: skip
    return Found(identifier, title, told.get("publisher", ""), told.get("landing") or link or url, package)


def _ending(link: str) -> str:
    ending = link.partition("?")[0].rpartition("/")[2].rpartition(".")[2].lower()
    return (
        ending
        if ending in ("csv", "json", "geojson", "xlsx", "xls", "xml", "zip", "parquet", "kml", "pdf")
        else ""
    )


def _told_apart(records: list[Found]) -> list[Found]:
    """Two lines of one identifier: the first is taken, the other gets a fate that says so."""
    seen: set[str] = set()
    kept: list[Found] = []
    for place, one in enumerate(records, 2):
        if one.identifier in seen and not one.fault:
            again = f"{one.identifier} (line {place})"
            kept.append(Found(again, fault=f"第 {place} 行和前面一行的编号或地址相同"))
        else:
            kept.append(one)
        seen.add(one.identifier)
    return kept
