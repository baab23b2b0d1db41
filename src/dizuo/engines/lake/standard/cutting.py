"""Any Chinese address taken apart, from province to room, by its own words: endings, numbers, order.

No table of towns or roads is asked, so an address of any city is cut; what is written without its ending (下沙 for
下沙街道) is not recognised. From the left: province, city, district, town, community, zone, road and number; from what
is left: building, unit, floor and room, and the name of the place between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import resources

from dizuo.engines.lake.standard.cells import (
    Recipe,
    Stage,
    Term,
    either,
    emptied,
    joined,
    nothing,
    staged,
    text,
)
from dizuo.engines.lake.standard.prefectures import CITIES, LEAGUES
from dizuo.engines.lake.standard.provinces import MUNICIPALITIES, PROVINCE_NAMES, SHORT_NAMES
from dizuo.engines.lake.standard.terms import Rows, Text, Value

LEVELS = (
    "province", "city", "district", "town", "community", "zone", "road", "number", "place", "building", "unit",
    "floor", "room",
)  # fmt: skip

Finder = Callable[[Text, Rows], Value]
"""From what is left of an address, and the row, to the part that it starts with, or null."""

_HAN = "\u4e00-\u9fa5"
_MANY = "一二三四五六七八九十百零〇"
_COUNT = f"(?:[0-9]{{1,5}}|[{_MANY}]{{1,5}})"
_SEPARATORS = "(?:[-_ ,，、.。·/]|null|NULL)*"
_OTHER_PROVINCES = "|".join(
    sorted(
        {n for n in PROVINCE_NAMES.values() if not n.endswith("市")}
        | {f"{n}(?:省)?" for n in SHORT_NAMES if n not in MUNICIPALITIES}
        | {"广西省", "新疆省", "宁夏省", "西藏省", "内蒙古省"},
        key=len,
        reverse=True,
    )
)
_PROVINCE = f"^(?:中国)?{_SEPARATORS}({_OTHER_PROVINCES})"
_CITY_AGAIN = f"^(?:{'|'.join(CITIES)})市?{_SEPARATORS}"
_CITY = f"^((?:{'|'.join(CITIES)})市?|{'|'.join(LEAGUES)}|[{_HAN}]{{2,9}}自治州)"
# 吉林省吉林市, but 吉林路, 江苏大厦: a name of a province or a city that names a road or a house says no place.
_NAMES_A_ROAD = (
    "^(?:[东南西北中]{0,2}(?:路(?:[^桥]|\\z)|街|巷|大道|弄)|大厦|大学|饭店|花园|学院|银行|商城|医院)"
)
_DISTRICT = f"^([{_HAN}]{{1,6}}?自治[县旗]|[{_HAN}]{{1,3}}[^{_MANY}路街社小新园发业高校景库厂山地]区|[{_HAN}]{{0,2}}(?:新|山|地)区|[{_HAN}]{{1,4}}?[县旗]|[{_HAN}]{{2,4}}?市)"


def _counties() -> tuple[str, str, str]:
    """Patterns for the names of counties and districts: whole, short (义乌 for 义乌市), short of districts."""
    file = resources.files("dizuo.engines.lake.standard") / "data" / "counties.txt"
    names = file.read_text(encoding="utf-8").split()

    def pattern(some: Iterable[str]) -> str:
        return f"^({'|'.join(sorted(some, key=lambda name: (-len(name), name)))})"

    bare = {name: name[:-1] for name in names if len(name) > 2}
    short = {b for name, b in bare.items() if name[-1] != "区" and not b.endswith("自治")}
    return pattern(names), pattern(short), pattern({b for name, b in bare.items() if name[-1] == "区"})


_LISTED, _SHORT, _SHORT_DISTRICT = _counties()
_NO_DISTRICT = f"(?:开发|工业|高新|园|景|小|社|校|库区|超市|菜市|门市|城市|夜市|门面|^[东西南北]|[{_MANY}a-zA-Z])区?市?\\z|区.*区\\z"
_LOWER_DOWN = "^(?:[县市区镇乡村]|街道|新村|桥|工业)"
_AFTER_MARKET = "^(?:场|政府|民|委|公安|中心)"
_TOWN = f"^([{_HAN}]{{1,5}}?(?:街道办事处|街道|乡镇|镇|乡)|[{_HAN}]{{2,4}}?苏木)"
_NO_TOWN = "^(?:城镇|乡镇|村镇)|[号区]|[村路].{2,}[镇乡道]"
_COMMUNITY = f"^([{_HAN}]{{1,8}}?(?:社区居委会|社区居民委员会|居民委员会|村民委员会|村委会|居委会|社区|村)(?:委会|民委员会)?)"
_NO_COMMUNITY = f"(?:度假村|花园村|小区村|^[{_MANY}]村|^新村)\\z|[路街号]|大道"
_ZONE = f"^([{_HAN}]{{0,7}}?(?:经济技术开发区|经济开发区|高新技术产业开发区|技术开发区|高新技术开发区|开发区|高新区|工业园区|工业区|工业园|保税区|新区))"
_ROAD_END = "大道|大街|公路|国道|省道|县道|胡同|支路|环路|路|街|巷|弄"
_LATER = f"(?:[东南西北中]段|[{_MANY}]{{1,3}}巷)?"
_NO_ROAD = f"^(?:一条街|商业街|步行街|美食街|[{_MANY}0-9]街)\\z|^[与和]|新村|小区"
_BRANCH = "[^区村园镇乡县厦苑院楼幢栋号室店司厂场-]"
# At the start of what is left, then behind the name of a place, then the kinds that only a number makes a road.
_ROADS = (
    f"^([{_HAN}A-Za-z0-9]{{1,5}}?(?:{_ROAD_END}){_LATER}|[0-9]{{1,2}}号(?:大街|路|街))",
    f"^(?:.*?(?:[区村厦]|对面|旁边|隔壁|附近))([^区村楼幢栋号室店司厂场-]{{1,5}}?(?:{_ROAD_END}){_LATER})",
    f"^(?:.*?[园镇乡县苑院])({_BRANCH}{{1,5}}?(?:{_ROAD_END}){_LATER})",
    f"^.{{0,3}}?({_BRANCH}{{2,5}}?(?:{_ROAD_END}){_LATER})",
    f"^([{_HAN}]{{1,4}}(?:道|线|桥|堤|埭|里|浜|埂|塘))[0-9]{{1,5}}号",
    f"^[{_HAN}]{{0,4}}?((?:[0-9]{{1,2}}|[{_MANY}]{{1,3}})组)(?:[^团部]|\\z)",
    f"^([{_HAN}]{{1,3}}(?:组|队))(?:[0-9]|\\z)",
)
# An estate's or a market's number is a building or a shop, not a number of a road.
_NUMBERED_INSIDE = "(?:小区|苑|园|区|市场|城|公寓|新村|期|楼|座|幢|栋|中心|大厦|广场|院|排|层)\\z"
_NO_NUMBER = "^(?:幢|栋|楼|座|室|单元|层|期|组|队|区|米|巷|街|路|号楼|公里|站|月|年)"
_NUMBER = f"(?:[0-9]{{1,5}}(?:[A-Za-z]|之[0-9一二三四五六]{{1,2}})?|[{_MANY}]{{1,5}})"


def cut(table: Rows, column: str) -> Rows:
    """The table with `<column>_<level>` for each of ``LEVELS``: the part of the address as it is written, or null."""
    return staged(table, [cutter(column, lambda t: text(t, column))])


def cutter(column: str, given: Term) -> Recipe:
    """The stages of `cut`, for a text that is computed."""
    stages: list[Stage] = [{f"{column}__r0": lambda t: given(t)}]
    for place, (level, find) in enumerate(_FROM_LEFT):
        stages += _taken(column, level, f"{column}__r{place}", f"{column}__r{place + 1}", find)
    stages += _road(column, f"{column}__r{len(_FROM_LEFT)}")
    stages += _tail(column)
    return Recipe(tuple(stages), tuple(f"{column}_{level}" for level in LEVELS))


def house_stages(column: str, before: str) -> list[Stage]:
    """The stages from road to room alone, for a text that holds nothing above the road."""
    return [*_road(column, before), *_tail(column)]


def _found(pattern: str, never: str = "", after: str = "") -> Finder:
    """What a pattern finds at the start of a text; null where the find itself or what follows it speaks against it."""

    def find(rest: Text, t: Rows) -> Value:
        hit = rest.re_extract(pattern, 1)
        bad = hit == ""
        if never:
            bad = bad | hit.re_search(never)
        if after:
            bad = bad | rest.substr(hit.length()).re_search(after)
        return either((bad, nothing()), other=hit)

    return find


def _district(rest: Text, t: Rows) -> Value:
    """A listed county or district by its whole name, then one by its ending, then a listed one by its short name."""
    listed, ending = (
        _found(_LISTED, after=_AFTER_MARKET),
        _found(_DISTRICT, never=_NO_DISTRICT, after=_AFTER_MARKET),
    )
    short = _found(_SHORT, after=f"{_NAMES_A_ROAD}|{_LOWER_DOWN}")
    inner = _found(_SHORT_DISTRICT, after=f"{_NAMES_A_ROAD}|{_LOWER_DOWN}")
    named = t[next(name for name in t.columns if name.endswith("_city"))].notnull()
    return listed(rest, t).coalesce(
        ending(rest, t), short(rest, t), either((named, inner(rest, t)), other=nothing())
    )


_FROM_LEFT: tuple[tuple[str, Finder], ...] = (
    ("province", _found(_PROVINCE, after=_NAMES_A_ROAD)),
    ("city", _found(_CITY, after=_NAMES_A_ROAD)),
    ("district", _district),
    ("zone", _found(_ZONE, never="[镇乡道村]")),
    ("town", _found(_TOWN, never=_NO_TOWN)),
    ("community", _found(_COMMUNITY, never=_NO_COMMUNITY)),
)
_TWICE = {"province", "city", "district"}


def _taken(column: str, level: str, before: str, after: str, find: Finder) -> list[Stage]:
    """Two stages: a part found, and what follows it without separators and repetitions."""
    name = f"{column}_{level}"

    def rest(t: Rows) -> Value:
        part, whole = text(t, name), text(t, before)
        left = whole.re_replace("^(?:中国)?" + _SEPARATORS, "") if level == "province" else whole
        size = part.length()
        behind = left.substr(size).re_replace(f"^{_SEPARATORS}", "")
        if level in _TWICE:
            again = behind.left(size) == part
            behind = either((again, behind.substr(size).re_replace(f"^{_SEPARATORS}", "")), other=behind)
        if level == "district":
            once_more = behind.re_replace(f"^(?:{_OTHER_PROVINCES}){_SEPARATORS}", "").re_replace(
                _CITY_AGAIN, ""
            )
            again = once_more.left(size) == part
            behind = either((again, once_more.substr(size).re_replace(f"^{_SEPARATORS}", "")), other=behind)
        if level == "city":
            behind = behind.re_replace(
                f"^(?:{_OTHER_PROVINCES}){_SEPARATORS}(?:{'|'.join(CITIES)})市?{_SEPARATORS}", ""
            )
            behind = behind.re_replace("^(?:市辖区|县)[-_ ]*", "")
        return either((part.isnull(), left), other=behind)

    return [{name: lambda t: find(text(t, before), t)}, {after: rest}]


def _road(column: str, before: str) -> list[Stage]:
    """Road and number, which may stand behind the name of a place; what stands before and behind them."""
    rest = f"{column}__r"

    def road(t: Rows) -> Value:
        whole = text(t, before)
        hits = [_found(pattern, never=_NO_ROAD)(whole, t) for pattern in _ROADS]
        return hits[0].coalesce(*hits[1:])

    def front(t: Rows) -> Value:
        """What stands before the road; where there is none, the name of the place that the number belongs to."""
        found, whole = text(t, f"{column}_road"), text(t, before)
        named = _found(f"^([{_HAN}]{{1,24}}?){_NUMBER}号", never=_NUMBERED_INSIDE)(whole, t)
        return either((found.isnull(), named.fill_null("")), other=whole.left(whole.find(found)))

    def behind(t: Rows) -> Value:
        start = text(t, f"{rest}_front").length() + text(t, f"{column}_road").fill_null("").length()
        return text(t, before).substr(start)

    def number(t: Rows) -> Value:
        after = text(t, f"{rest}_behind")
        several = after.re_extract(f"^({_NUMBER}(?:[-、~至]{_NUMBER})+号)", 1)
        one = after.re_extract(f"^({_NUMBER}(?:号|弄|#)?)", 1)
        hit = either((several != "", several), other=one)
        follows = after.substr(hit.length())
        other = follows.re_search(_NO_NUMBER) | (~hit.re_search("[号弄#]\\z") & follows.re_search("^[0-9]"))
        lonely = text(t, f"{column}_road").isnull() & ~hit.re_search("[号弄]\\z")
        han = hit.re_search(f"^[{_MANY}]+\\z")
        return either(((hit == "") | other | lonely | han, nothing()), other=hit)

    def left(t: Rows) -> Value:
        taken = text(t, f"{column}_number").fill_null("")
        return text(t, f"{rest}_behind").substr(taken.length())

    return [
        {f"{column}_road": road},
        {f"{rest}_front": front},
        {f"{rest}_behind": behind},
        {f"{column}_number": number},
        {f"{rest}_tail": left},
    ]


_BUILDING = (
    f"(?:[A-Za-z]?[0-9]{{1,4}}[A-Za-z]?|[{_MANY}]{{1,3}}|[A-Za-z]|[甲乙丙丁东南西北])(?:号楼|幢|栋|座|#楼)"
)
_UNIT = f"(?:[0-9]{{1,3}}|[{_MANY}]{{1,3}}|[A-Za-z甲乙丙丁])(?:单元|号门|门)"
_FLOOR = f"(?:[0-9]{{1,2}}|[{_MANY}]{{1,3}}|负[一二三0-9])(?:楼|层|[Ff])"
_ROOM = "(?:[A-Za-z]{0,2}-?[0-9]{1,5}[A-Za-z]?)(?:室|房间|房|号房|号)?"
_MARKED = f"^(.*?)({_BUILDING})"


_THREE = (
    "^(.*?)([A-Za-z]?[0-9]{1,4}[A-Za-z]?(?:号|幢|栋)?)-([0-9]{1,3}(?:单元)?)-([0-9]{2,5}[A-Za-z]?(?:室|号)?)"
)
_TWO = "^(.*?)([A-Za-z]?[0-9]{1,4}[A-Za-z]?(?:号|幢|栋)?)-([0-9]{1,5}[A-Za-z]?(?:室|号)?)"
_NUMBERED = "^(.*?[^0-9]|)([0-9]{1,3}号)"
_WITHIN = f"^({_UNIT}|[0-9]{{1,3}}号)?[-_ ]*({_FLOOR})?[-_ ]*({_ROOM})?"
_PLAIN = (
    f"^(.*?)((?:{_UNIT}[-_ ]*)(?:{_FLOOR}[-_ ]*)?(?:{_ROOM})?|(?:{_FLOOR}[-_ ]*)(?:{_ROOM})?"
    "|[A-Za-z]{0,2}[0-9]{2,5}[A-Za-z]?(?:室|房间|房|号)?)?\\z"
)
_A_FLOOR = f"(?:^|[^0-9{_MANY}])({_FLOOR})"


def _tail(column: str) -> list[Stage]:
    """Building, unit, floor and room behind road and number; the place before them, and what follows them."""

    def part(name: str) -> Term:
        return lambda t: text(t, f"{column}__{name}")

    tail, way, inside = part("t"), part("way"), part("in")

    def shape(t: Rows) -> Value:
        """Which of the usual writings it is: 3幢…, 3-2-201, 3-201, 3号…, or nothing of the kind."""
        one = tail(t)
        return either(
            (one.re_search(_BUILDING), "marked"),
            (one.re_search(_THREE), "three"),
            (one.re_search(_TWO), "two"),
            (one.re_search(_NUMBERED), "numbered"),
            other="plain",
        )

    def by_way(t: Rows, group: int, other: Value | str) -> Value:
        one, kind = tail(t), way(t)
        return either(
            (kind == "marked", one.re_extract(_MARKED, group)),
            (kind == "three", one.re_extract(_THREE, group)),
            (kind == "two", one.re_extract(_TWO, group)),
            (kind == "numbered", one.re_extract(_NUMBERED, group)),
            other=other,
        )

    def place(t: Rows) -> Value:
        before = by_way(t, 1, tail(t).re_extract(_PLAIN, 1)).re_replace("[-_ ,，]+\\z", "")
        return emptied(joined(part("r_front")(t).re_replace("^[-_ ]+", ""), before))

    def within(t: Rows) -> Value:
        """What stands behind the building; of the writings with dashes what stands behind them."""
        one, kind = tail(t), way(t)
        lead = either(
            (kind == "marked", one.re_extract(f"^(.*?{_BUILDING})", 1)),
            (kind == "numbered", one.re_extract(_NUMBERED, 0)),
            (kind == "three", one.re_extract(_THREE, 0)),
            (kind == "two", one.re_extract(_TWO, 0)),
            other=one.re_extract(_PLAIN, 1),
        )
        return one.substr(lead.length()).re_replace("^[-_ ]+", "")

    def unit(t: Rows) -> Value:
        one, kind = tail(t), way(t)
        found = inside(t).re_extract(_WITHIN, 1)
        return emptied(either((kind == "three", one.re_extract(_THREE, 3)), (kind == "two", ""), other=found))

    def floor(t: Rows) -> Value:
        return emptied(either((way(t).isin(("two", "three")), ""), other=inside(t).re_extract(_A_FLOOR, 1)))

    def floor_here(t: Rows) -> Value:
        return either((way(t).isin(("two", "three")), ""), other=inside(t).re_extract(_WITHIN, 2))

    def later_floor(t: Rows) -> Value:
        """金茂广场10楼驿淘: a floor with words behind it, where nothing else was found."""
        plain = (way(t) == "plain") & part("first_floor")(t).isnull()
        return either((plain, emptied(tail(t).re_extract(_A_FLOOR, 1))), other=part("first_floor")(t))

    def room(t: Rows) -> Value:
        one, kind = tail(t), way(t)
        return emptied(
            either(
                (kind == "three", one.re_extract(_THREE, 4)),
                (kind == "two", one.re_extract(_TWO, 3)),
                other=inside(t).re_extract(_WITHIN, 3),
            )
        )

    def behind(t: Rows) -> Value:
        kind = way(t)
        read = either((kind.isin(("two", "three")), ""), other=inside(t).re_extract(_WITHIN, 0))
        return inside(t).substr(read.length())

    return [
        {f"{column}__t": lambda t: part("r_tail")(t).re_replace("^[-_ ]+", "")},
        {f"{column}__way": shape},
        {
            f"{column}_building": lambda t: emptied(by_way(t, 2, "")),
            f"{column}__in": within,
            f"{column}_place": place,
        },
        {
            f"{column}_unit": unit,
            f"{column}__first_floor": floor,
            f"{column}_room": room,
            f"{column}__behind": behind,
            f"{column}__floor_here": floor_here,
        },
        {f"{column}_floor": later_floor},
    ]
