"""From the words at the start of an address to the deepest division that they name.

It works on the distinct beginnings of addresses (what stands before the first digit), which are few beside the
addresses, and reads them level by level: province and city, district, town, village. At each level the longest known
writing wins that belongs under what was found before; what is ambiguous stays unresolved. An address of another city
gets no division.
"""

from __future__ import annotations

from dizuo.engines.lake.standard.cells import either, emptied, joined, nothing, text
from dizuo.engines.lake.standard.places import ANYWHERE, Places
from dizuo.engines.lake.standard.provinces import MUNICIPALITIES, PROVINCE_NAMES, SHORT_NAMES, shortened
from dizuo.engines.lake.standard.terms import Rows, Text, Value, ibis, some

MAX_HEAD = 40
_LONGEST = 18
_SIGHT = range(2, _LONGEST + 1)
# 无锡路, 江阴大桥, 惠山新村: the name of a place in the name of a road or an estate says nothing about where it is.
_NAMED_AFTER = "^(([东南西北中]|[一二三四五六七八九十])?(路|街|巷|大道|大街|大桥|桥|弄)|街道|镇|乡|村|新村|花园|苑|广场|湾|古镇|饭店|大厦|大酒店)"
_ELSEWHERE = (
    "^[\u4e00-\u9fa5]{2,7}?(市|地区|自治州|自治县|盟|县)|^[\u4e00-\u9fa5]{1,4}?[^社小新园地库校矿街]区"
)


def located(heads: Rows, places: Places) -> Rows:
    """The divisions of distinct texts.

    Shapes: ``heads`` has one text column ``head``; the answer has ``head``, ``place`` (deepest code, or null), ``mca``
    (the town's civil-affairs code, or null), ``full`` (the division written out from the province inwards, or null)
    and ``used`` (how many characters of the head say so).
    """
    tables = places.tables
    begun = _beginning(heads, places)
    found = _attach(begun, "district", _longest(begun, tables.districts, _pieces(begun, ANYWHERE)))
    short = _longest(begun, tables.short_districts, _pieces(begun, ANYWHERE))
    found = _shortly(_attach(found, "short", short))
    found = _after(found, "district")
    found = found.mutate(foreign=_foreign(found))
    towns = _pieces(found, text(found, "district")) + _pieces(found, _anywhere(found))
    found = _after(_attach(found, "town", _longest(found, tables.towns, towns)), "town")
    scope = text(found, "town").coalesce(text(found, "district"))
    villages = _pieces(found, scope) + _pieces(found, _anywhere(found))
    found = _after(_attach(found, "village", _longest(found, tables.villages, villages)), "village")
    return _written_out(found, places)


def _beginning(heads: Rows, places: Places) -> Rows:
    """Country, province and city taken away: ``rest``, ``used``, ``here`` (the city was named), ``inside`` (or the
    province)."""
    province, city = places.province, places.own.name
    short_province, short_city = shortened(province), city.rstrip("市")
    again = f"(?:{province})?(?:{city}|{short_city})"
    country = f"^(?:中国|中华人民共和国)?(?:{province}|{short_province})?"
    t = heads.mutate(
        whole=text(heads, "head").re_extract(f"{country}(?:{again})*(?:市辖区)?", 0),
        outer=text(heads, "head").re_extract(country, 0),
    )
    head, whole, outer = text(t, "head"), text(t, "whole"), text(t, "outer")
    taken = either(
        (~head.substr(whole.length()).re_search(f"{_NAMED_AFTER}|^县"), whole),
        (~head.substr(outer.length()).re_search(_NAMED_AFTER), outer),
        other="",
    )
    t = t.mutate(taken=taken)
    taken = text(t, "taken")
    return t.select(
        "head",
        used=taken.length().cast("int64"),
        rest=text(t, "head").substr(taken.length()),
        here=taken.contains(short_city),
        inside=taken != "",
    )


def _pieces(t: Rows, scope: Text | str) -> list[Value]:
    rest = text(t, "rest")
    start = ibis.literal(f"{scope}|") if isinstance(scope, str) else joined(scope, "|")
    return [joined(start, rest.left(size)) for size in _SIGHT]


def _longest(t: Rows, names: Rows, keys: list[Value]) -> Rows:
    """head → ``place``, ``size``, ``former`` of the longest writing found; of two as long, the one under the nearer
    scope."""
    pieces = t.select("head", key=ibis.array(keys).unnest())
    hits = pieces.join(names, pieces["key"] == names["key"]).select(
        "head", "place", "size", "former",
        rank=names["size"] * 2 + either((text(pieces, "key").startswith(f"{ANYWHERE}|"), 0), other=1),
    )  # fmt: skip
    return hits.group_by("head").aggregate(
        place=hits["place"].argmax(hits["rank"]),
        size=hits["size"].max(),
        former=hits["former"].argmax(hits["rank"]),
    )


def _attach(t: Rows, level: str, hits: Rows) -> Rows:
    named = hits.select(
        found_head=hits["head"],
        **{level: hits["place"], f"{level}_size": hits["size"], f"{level}_former": hits["former"]},
    )
    return t.left_join(named, t["head"] == named["found_head"]).drop("found_head")


def _shortly(t: Rows) -> Rows:
    """A district's short name counts after the city's or the province's own, and not within a road's name."""
    size = t["short_size"]
    follows = text(t, "rest").substr(size.fill_null(0))
    believed = t["district"].isnull() & t["short"].notnull() & t["inside"] & ~follows.re_search(_NAMED_AFTER)
    return t.mutate(
        district=either((believed, t["short"]), other=t["district"]),
        district_size=either((believed, t["short_size"]), other=t["district_size"]),
        district_former=either((believed, False), other=t["district_former"]),
    )


def _after(t: Rows, level: str) -> Rows:
    size = t[f"{level}_size"]
    once = size.fill_null(0)
    rest, used = text(t, "rest"), t["used"]
    # Some systems write a level twice: 滨湖区滨湖区马山街道.
    twice = (once > 0) & (rest.left(once) == rest.substr(once, once))
    taken = either((twice, once * 2), other=once)
    return t.mutate(rest=rest.substr(taken), used=used + taken)


def _foreign(t: Rows) -> Value:
    others = [name for name in SHORT_NAMES if name not in MUNICIPALITIES]
    rest = text(t, "rest")
    written = [*PROVINCE_NAMES.values(), *others]
    province = some([rest.re_search(f"^({'|'.join(written)})"), rest.re_search(_ELSEWHERE)])
    here = t["here"]
    return t["district"].isnull() & ~here & province


def _anywhere(t: Rows) -> Text:
    """The scope of the whole city, where no present district narrows it and no other city is named."""
    former, foreign = t["district_former"], t["foreign"]
    return either(((t["district"].isnull() | former) & ~foreign, ANYWHERE), other=nothing())


def _written_out(t: Rows, places: Places) -> Rows:
    own = either((t["here"], places.own.code), other=nothing())
    place = text(t, "village").coalesce(text(t, "town"), text(t, "district"), own)
    base = text(t, "town").coalesce(text(t, "village"), text(t, "district"), own)
    t = t.mutate(place=place, base=base)
    names = places.tables.canonical
    at_base = names.select(base_place=names["place"], base_full=names["full"], base_mca=names["mca"])
    t = t.left_join(at_base, t["base"] == at_base["base_place"])
    at_village = names.select(village_place=names["place"], village_name=names["name"])
    t = t.left_join(at_village, t["village"] == at_village["village_place"])
    under_town = t["village"].notnull() & t["town"].notnull()
    full = either(
        (under_town, joined(text(t, "base_full"), text(t, "village_name"))), other=text(t, "base_full")
    )
    return t.select("head", "place", mca=emptied(text(t, "base_mca")), full=full, used=t["used"])
