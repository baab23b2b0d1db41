"""The places of service nearest to a division, for example vaccination clinics (预防接种单位)."""

from __future__ import annotations

from itertools import groupby

from dizuo.foundation.blueprint import divisions
from dizuo.foundation.blueprint.model import City, Division, ServicePlace
from dizuo.foundation.kernel.geometry import haversine_m

Near = tuple[ServicePlace, float | None]

_CACHE: dict[tuple[str, str, str, int], tuple[Near, ...]] = {}
_KEPT = 10_000


def nearest_places(city: City, list_id: str, division: str | None, take: int) -> tuple[Near, ...]:
    """Up to ``take`` places of a declared list: those of the same town first, then by distance.

    Shapes: ``division`` is a code of either system (民政部 or 国家统计局) at any level; (place, distance in metres
    or None when the division's centre is not known). Of a district without a centre its own come first. Where
    the division is not the city's, nothing is near: one place of each district in turn. The answer is the same for everybody in a division, so it is kept.
    """
    key = (city.version, list_id, division or "", take)
    found = _CACHE.get(key)
    if found is None:
        if len(_CACHE) >= _KEPT:
            _CACHE.clear()
        found = _CACHE[key] = _sort(city, list_id, division, take)
    return found


def _sort(city: City, list_id: str, division: str | None, take: int) -> tuple[Near, ...]:
    places = city.places.get(list_id, ())
    around = _around(city, division)
    centre = next((one.centre for one in around if one.centre is not None), None)
    if centre is None:
        district = next((one.code for one in around if one.level == "district"), "-")
        ordered = sorted(_in_turn(places), key=lambda place: not place.division.startswith(district))
        return tuple((place, None) for place in ordered[:take])
    town = next((one.code for one in around if one.level == "town"), None)
    ranked = [
        (_town_of(city, place) != town, haversine_m(*centre, place.lon, place.lat), place) for place in places
    ]
    ranked.sort(key=lambda row: (row[0], row[1], row[2].id))
    return tuple((place, distance) for _, distance, place in ranked[:take])


def _around(city: City, code: str | None) -> tuple[Division, ...]:
    """The division and its parents up to the district. A village that is not declared is known by its town."""
    for length in (12, 9, 6):
        if code is not None and len(code) >= length and (found := divisions.chain(city, code[:length])):
            return tuple(one for one in found if one.level != "city")
    return ()


def _town_of(city: City, place: ServicePlace) -> str | None:
    return next((one.code for one in _around(city, place.division) if one.level == "town"), None)


def _in_turn(places: tuple[ServicePlace, ...]) -> list[ServicePlace]:
    """The first place of each district, then the second, and so on."""
    ordered = sorted(places, key=lambda place: (place.division[:6], place.id))
    ranked = [
        (number, place)
        for _, members in groupby(ordered, key=lambda place: place.division[:6])
        for number, place in enumerate(members)
    ]
    return [place for _, place in sorted(ranked, key=lambda row: (row[0], row[1].division[:6]))]
