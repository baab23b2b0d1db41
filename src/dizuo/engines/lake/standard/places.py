"""The names under which the city's divisions are written in addresses, as small reference tables.

A row says: in this scope (a division's code, `*` for the whole city) this text at the start of what is left of an
address means that division. A text that could mean two divisions of one scope is left out: it is not resolved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from dizuo.engines.lake.standard.characters import simplified
from dizuo.engines.lake.standard.provinces import PROVINCE_NAMES
from dizuo.engines.lake.standard.terms import Rows, ibis
from dizuo.foundation.blueprint.model import City, Division

ANYWHERE = "*"
_TOWN_KINDS = ("街道", "镇", "乡")
_COUNCILS = re.compile(
    r"(社区居民委员会|社区居委会|村村民委员会|村民委员会|村村委会|村委会|居民委员会|居委会|居民社区委员会|社区委员会)$"
)


@dataclass(frozen=True, slots=True)
class PlaceName:
    """One writing of one division. ``canonical`` is the way it is written out in `a_norm`."""

    scope: str
    written: str
    code: str
    former: bool = False


class Places:
    """The city's divisions as addresses write them; made once for a city and shared."""

    def __init__(self, city: City) -> None:
        self.city = city
        # From an abolished district to the code that its larger part went to.
        self.successors = successors_of(city)
        self.own = city.divisions[city.code]
        self.province = PROVINCE_NAMES.get(city.code[:2], "")
        self.districts = self._at("district")
        self.towns = self._at("town")
        self.villages = self._at("village")

    def _at(self, level: str) -> tuple[Division, ...]:
        return tuple(d for _, d in sorted(self.city.divisions.items()) if d.level == level)

    # --- names ----------------------------------------------------------------------------------------------

    @cached_property
    def district_names(self) -> tuple[PlaceName, ...]:
        """Present districts by their names and former ones by theirs; a former one leads to where most of it went."""
        names: dict[str, PlaceName] = {}
        for row in self.city.geography.history:
            code = self._today(row)
            if row.level == "district" and row.name and code:
                names.setdefault(row.name, PlaceName(ANYWHERE, row.name, code, former=True))
        for district in self.districts:
            names[district.name] = PlaceName(ANYWHERE, district.name, district.code)
        return tuple(names.values())

    @cached_property
    def short_districts(self) -> tuple[PlaceName, ...]:
        """锡山 for 锡山区: believed only after the city's own name."""
        return tuple(
            PlaceName(ANYWHERE, short, district.code)
            for district in self.districts
            if len(short := district.name.rstrip("区市县")) >= 2
        )

    def _today(self, row: Division) -> str:
        """The present district that a former one went into; empty when that is not declared or not one."""
        # A code may have been given again (320205 was 马山区 and is 锡山区), so the first step asks for code and name.
        code, seen = self.successors.get(f"{row.code} {row.name}", row.code), set[str]()
        while code not in self.city.divisions and code not in seen:
            seen.add(code)
            code = self.successors.get(code, "")
        return code if code in self.city.divisions else self.own.code

    @cached_property
    def town_names(self) -> tuple[PlaceName, ...]:
        """Towns by their names with any of their endings, within their district and, where nobody else bears the
        name, within the city; there also behind the short name of the district."""
        return _unique(self._town_names())

    def _town_names(self) -> Iterator[PlaceName]:
        for town in self.towns:
            district = self.city.divisions[town.parent]
            for written in town_writings(town.name):
                yield PlaceName(district.code, written, town.code)
                yield PlaceName(ANYWHERE, written, town.code)
                yield PlaceName(ANYWHERE, district.name.rstrip("区市县") + written, town.code)

    @cached_property
    def village_names(self) -> tuple[PlaceName, ...]:
        """Villages and communities within their town, their district and the city; there also behind the bare name of
        their town. A statistical unit's villages are also known within the district's towns, where they really lie."""
        return _unique(self._village_names())

    def _village_names(self) -> Iterator[PlaceName]:
        units = {t.code for t in self.towns if not t.name.endswith(_TOWN_KINDS)}
        for village in self.villages:
            town = self.city.divisions[village.parent]
            bare = town.name if town.code in units else town.name.removesuffix("街道").rstrip("镇乡")
            for written in village_writings(village.name):
                yield PlaceName(town.code, written, village.code)
                yield PlaceName(town.parent, written, village.code)
                yield PlaceName(ANYWHERE, written, village.code)
                yield PlaceName(town.parent, bare + written, village.code)
        own = {(village.parent, w) for village in self.villages for w in village_writings(village.name)}
        for village in self.villages:
            if village.parent in units:
                for town in self.towns:
                    if town.parent == self.city.divisions[village.parent].parent and town.code not in units:
                        for written in village_writings(village.name):
                            if (
                                town.code,
                                written,
                            ) not in own:  # the town's own village of that name comes first
                                yield PlaceName(town.code, written, village.code)

    # --- tables ---------------------------------------------------------------------------------------------

    @cached_property
    def tables(self) -> PlaceTables:
        """The names as Ibis tables that any engine takes along."""
        return PlaceTables(
            _table(self.district_names), _table(self.short_districts), _table(self.town_names),
            _table(self.village_names), self._canonical(), self._codes(),
        )  # fmt: skip

    def _canonical(self) -> Rows:
        """Every division's code with its full name from the province inwards and its town's civil-affairs code."""
        rows = [
            (d.code, d.name, self.province + self._full(d), self._town_mca(d))
            for d in self.city.divisions.values()
        ]
        return _memory(("place", "name", "full", "mca"), ("string",) * 4, rows)

    def _codes(self) -> Rows:
        """Every text that names a division in a column of its own: codes of either system, full and unique names."""
        known: dict[str, set[str]] = {}
        for division in self.city.divisions.values():
            full = self._full(division)
            for text in (division.code, division.name, full, self.province + full):
                known.setdefault(text, set()).add(division.code)
        for foreign, code in self.city.geography.crosswalk.items():
            known.setdefault(foreign, set()).add(code)
        pairs = [(text, min(codes)) for text, codes in sorted(known.items()) if len(codes) == 1]
        return _memory(("written", "place"), ("string", "string"), pairs)

    def _full(self, division: Division) -> str:
        parent = self.city.divisions.get(division.parent)
        return (self._full(parent) if parent is not None else "") + division.name

    def _town_mca(self, division: Division) -> str | None:
        if division.level == "village":
            division = self.city.divisions[division.parent]
        return (division.mca_code or None) if division.level == "town" else None


@dataclass(frozen=True, slots=True)
class PlaceTables:
    """Reference tables: key (scope and writing) → place; place → full name and civil-affairs code; text → place."""

    districts: Rows
    short_districts: Rows
    towns: Rows
    villages: Rows
    canonical: Rows
    codes: Rows


def successors_of(city: City) -> dict[str, str]:
    """ "code name" and code of former districts → successor's code, from the city's declared history."""
    rows = [row for row in city.geography.history if row.successor]
    by_code = {row.code: row.successor for row in rows if row.successor != row.code}
    return by_code | {f"{row.code} {row.name}": row.successor for row in rows}


def town_writings(name: str) -> list[str]:
    """东亭街道, 东亭镇 (before it became a street), 东亭街道办事处 …; a statistical unit only by its own name."""
    bare = name.removesuffix("街道") if name.endswith("街道") else name.rstrip("镇乡")
    if bare == name or len(bare) < 2:
        return [name]
    endings = ("街道", "镇", "乡", "街道办事处", "街道办", "街办", "镇人民政府")
    return [bare + ending for ending in endings]


def village_writings(name: str) -> list[str]:
    """连元街社区居委会 is also 连元街社区 and 连元街居委会; 山河村委会 is also 山河村 and 山河村村民委员会."""
    council = _COUNCILS.search(name)
    if council is None:
        return [name]
    bare = name[: council.start()]
    if council.group().startswith(("村", "村村")):
        village = bare if bare.endswith("村") else bare + "村"
        return [name, village, *(village + ending for ending in ("委会", "村委会", "民委员会", "村民委员会"))]
    community = bare if bare.endswith("社区") else bare + "社区"
    endings = ("居委会", "居民委员会", "委员会")
    return [name, community, *(community + e for e in endings), *(bare + e for e in ("居委会", "居民委员会"))]


def _unique(names: Iterable[PlaceName]) -> tuple[PlaceName, ...]:
    meant: dict[tuple[str, str], set[str]] = {}
    for name in names:
        meant.setdefault((name.scope, name.written), set()).add(name.code)
    return tuple(
        PlaceName(scope, written, next(iter(codes)))
        for (scope, written), codes in sorted(meant.items())
        if len(codes) == 1
    )


def _table(names: Iterable[PlaceName]) -> Rows:
    # Addresses are looked up in simplified characters; a name may hold one that OpenCC changes (蠡漍).
    plain = str.maketrans(simplified().source, simplified().target)
    rows = [(f"{n.scope}|{n.written.translate(plain)}", n.code, len(n.written), n.former) for n in names]
    return _memory(("key", "place", "size", "former"), ("string", "string", "int64", "boolean"), rows)


def _memory(names: Sequence[str], kinds: Sequence[str], rows: Sequence[Sequence[object]]) -> Rows:
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    return ibis.memtable(columns, schema=dict(zip(names, kinds, strict=True)))
