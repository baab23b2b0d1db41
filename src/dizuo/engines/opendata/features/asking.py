"""What a reader of features asks for: a box, a time, properties, a page; read strictly, as OGC API – Features (17-069r4) says."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from dizuo.engines.opendata.model import Column, DatasetSeen

from .errors import FeatureQueryInvalid

LIMIT: Final = 100
MOST: Final = 10_000
CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CRS84H: Final = "http://www.opengis.net/def/crs/OGC/0/CRS84h"
_OURS: Final = frozenset({"bbox", "bbox-crs", "datetime", "limit", "offset", "f"})
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")

Box = tuple[float, float, float, float]
Span = tuple[dt.datetime | None, dt.datetime | None]


class ItemsQuery(msgspec.Struct, frozen=True):
    """What items are wanted. ``boxes``: one, or two where the asked one crosses the antimeridian; ``equals`` property → value."""

    limit: int = LIMIT
    offset: int = 0
    boxes: tuple[Box, ...] = ()
    span: Span | None = None
    equals: tuple[tuple[str, str], ...] = ()


def read_query(seen: DatasetSeen, told: Sequence[tuple[str, str]]) -> ItemsQuery:
    """The query of an items address. Errors: FeatureQueryInvalid (400) for unknown names and values that cannot be read."""
    once: dict[str, str] = {}
    for name, value in told:
        if name in once:
            raise FeatureQueryInvalid(why=f"{name[:40]} 写了两次")
        once[name] = value
    columns = {one.id: one for one in seen.columns}
    unknown = [name for name in once if name not in _OURS and name not in columns]
    if unknown:
        raise FeatureQueryInvalid(why=f"不认识的参数 {unknown[0][:40]}")
    if once.get("bbox-crs", CRS84) not in (CRS84, CRS84H):
        raise FeatureQueryInvalid(why=f"bbox-crs 只能是 {CRS84}")
    return ItemsQuery(
        limit=min(_whole(once, "limit", LIMIT, 1), MOST),
        offset=_whole(once, "offset", 0, 0),
        boxes=read_box(once["bbox"]) if "bbox" in once else (),
        span=read_span(once["datetime"]) if "datetime" in once else None,
        equals=tuple(
            (name, _value(columns[name], once[name]))
            for name in once
            if name in columns and name not in _OURS
        ),
    )


def _value(column: Column, text: str) -> str:
    if "\x00" in text or len(text) > 1_000:
        raise FeatureQueryInvalid(why=f"{column.id} 的值不能用")
    return text


def _whole(told: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = told.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= least):
        raise FeatureQueryInvalid(why=f"{name} 应为 {least} 以上的整数")
    return int(text)


def read_box(text: str) -> tuple[Box, ...]:
    """west,south,east,north, or with heights between (which are left aside). Errors: FeatureQueryInvalid."""
    pieces = text.split(",")
    if len(pieces) not in (4, 6) or not all(_NUMBER.fullmatch(one.strip()) for one in pieces):
        raise FeatureQueryInvalid(why="bbox 写成 西,南,东,北（经纬度）")
    numbers = [float(one) for one in pieces]
    if not all(map(math.isfinite, numbers)):
        raise FeatureQueryInvalid(why="bbox 的数太大")
    west, south, east, north = numbers if len(numbers) == 4 else (*numbers[:2], *numbers[3:5])
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise FeatureQueryInvalid(why="bbox 超出经纬度的范围，或南比北大")
    if west <= east:
        return ((west, south, east, north),)
    return ((west, south, 180.0, north), (-180.0, south, east, north))


def read_span(text: str) -> Span:
    """An instant or an interval after RFC 3339; ``..`` or nothing is open. Errors: FeatureQueryInvalid."""
    first, slash, last = text.partition("/")
    if not slash:
        if first in ("", ".."):
            raise FeatureQueryInvalid(why="datetime 写成一个时刻，或 甲/乙")
        return _instant(first, end=False), _instant(first, end=True)
    low = None if first in ("", "..") else _instant(first, end=False)
    high = None if last in ("", "..") else _instant(last, end=True)
    if (low is None and high is None) or (low and high and low > high):
        raise FeatureQueryInvalid(why="datetime 的区间两头都空，或先后反了")
    return low, high


def _instant(text: str, *, end: bool) -> dt.datetime:
    if not re.fullmatch(
        r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2}))?", text
    ):
        raise FeatureQueryInvalid(why="时间写成 2026-01-01 或 2026-01-01T00:00:00Z")
    try:
        found = dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.upper()))
        if found.tzinfo is None:
            found = found.replace(tzinfo=_SHANGHAI)
            return found + dt.timedelta(days=1, microseconds=-1) if end else found
        return found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise FeatureQueryInvalid(why="没有这个时间") from None


_SHANGHAI: Final = dt.timezone(dt.timedelta(hours=8))
