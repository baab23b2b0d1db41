"""Where the cast lives: towns by name or by chance, invented doors in them."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from random import Random

from dizuo.engines.lake.errors import NoTowns
from dizuo.engines.lake.simulation.cast.model import Door
from dizuo.engines.lake.simulation.places import ROADS, province
from dizuo.engines.lake.simulation.text import listed
from dizuo.foundation.blueprint.divisions import validity
from dizuo.foundation.blueprint.model import City, Division

# Places outside the city whose 6-digit code is unchanged since citizen numbers began.
ELSEWHERE: tuple[tuple[str, str], ...] = (
    ("340802", "安徽省安庆市迎江区"), ("340202", "安徽省芜湖市镜湖区"), ("310101", "上海市黄浦区"), ("410102", "河南省郑州市中原区"),
    ("420102", "湖北省武汉市江岸区"), ("360102", "江西省南昌市东湖区"), ("370102", "山东省济南市历下区"), ("610102", "陕西省西安市新城区"),
)  # fmt: skip


class Ground:
    """Draws dwellings. Errors: NoTowns when the city declares no town."""

    def __init__(self, city: City) -> None:
        self.city = city.name.zh
        self.province = province(city)
        self._towns: dict[str, list[Division]] = defaultdict(list)
        current = [d for d in city.divisions.values() if d.valid_to is None]
        for division in current:
            if division.level == "town":
                self._towns[division.parent].append(division)
        self.districts = [d for d in current if d.level == "district" and self._towns[d.code]]
        if not self.districts:
            raise NoTowns(city=self.city)
        self.names = {d.code: d.name for d in self.districts}
        self._was_valid = validity(city)
        self._ever = sorted(
            {d.code for d in city.geography.history if d.level == "district"} | set(self.names)
        )
        self._roads = [str(road) for road in listed(ROADS)]

    def region(self, rng: Random, district: str, birth: date) -> str:
        """The six digits a number begins with: the district's when it was there at birth, else one that was."""
        # A number that is taken moves the birth a few days back.
        days = (birth, birth - timedelta(days=90))
        if all(self._was_valid(district, day) for day in days):
            return district
        known = [code for code in self._ever if all(self._was_valid(code, day) for day in days)]
        return rng.choice(known or [district])

    def town(self, rng: Random) -> Division:
        return rng.choice(self._towns[rng.choice(self.districts).code])

    def town_named(self, name: str) -> Division:
        """The town of that name, else the first one: characters must exist in any city."""
        for towns in self._towns.values():
            for town in towns:
                if town.name == name:
                    return town
        return self._towns[self.districts[0].code][0]

    def other_town(self, rng: Random, than: Division, same_district: bool) -> Division:
        """Another town, in the same district or in another one; the same town when there is no other."""
        if same_district:
            rest = [t for t in self._towns[than.parent] if t.code != than.code]
        else:
            rest = [t for d in self.districts if d.code != than.parent for t in self._towns[d.code]]
        return rng.choice(rest) if rest else than

    def at(self, town: Division, street: str, door: str) -> Door:
        """A door in a town."""
        return Door(town, self.above(town.parent), street, door)

    def above(self, district: str) -> str:
        """Province, city and district; a county-level city (县级市) is not written under the city above it."""
        name = self.names[district]
        return f"{self.province}{'' if name.endswith('市') else self.city}{name}"

    def door(self, rng: Random, town: Division) -> Door:
        """A flat in a town."""
        street = f"{rng.choice(self._roads)}{rng.randint(1, 488)}号{rng.randint(1, 40)}幢"
        return self.at(town, street, f"{rng.randint(1, 18)}{rng.randint(1, 4):02d}")
