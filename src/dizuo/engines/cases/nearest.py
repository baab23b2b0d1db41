"""The places of service nearest to a division, for example vaccination clinics (预防接种单位)."""

from __future__ import annotations

from dizuo.foundation.blueprint.model import City, Division, ServicePlace
from dizuo.foundation.kernel.geometry import haversine_m

Near = tuple[ServicePlace, float | None]

_CACHE: dict[tuple[str, str, str, int], tuple[Near, ...]] = {}
_KEPT = 10_000


def nearest_places(city: City, list_id: str, division: str | None, take: int) -> tuple[Near, ...]:
    """Up to ``take`` places of a declared list, those of the same division first, then by distance.

    Shapes: (place, distance in metres or None when the division's centre is not known). The answer is the same
    for everybody in a division, so it is kept.
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
    centre = _centre(city, division)
    ranked: list[tuple[int, float, str, ServicePlace, float | None]] = []
    for place in places:
        distance = None if centre is None else haversine_m(centre[0], centre[1], place.lon, place.lat)
        ranked.append((-_shared(place.division, division), distance or 0.0, place.id, place, distance))
    if centre is None:
        ranked.sort(key=lambda row: (row[0], row[2]))
    else:
        ranked.sort(key=lambda row: (row[0] > -9, row[1], row[2]))
    return tuple((place, distance) for _, _, _, place, distance in ranked[:take])


def _shared(code: str, division: str | None) -> int:
    """How far two division codes agree: 12 village, 9 town, 6 district, 4 city, 0 nothing."""
    if division is None:
        return 0
    for length in (12, 9, 6, 4):
        if len(code) >= length and len(division) >= length and code[:length] == division[:length]:
            return length
    return 0


def _centre(city: City, division: str | None) -> tuple[float, float] | None:
    found: Division | None = None
    for length in (12, 9, 6):
        if division is None or len(division) < length:
            continue
        found = city.divisions.get(division[:length])
        if found is not None and found.centre is not None:
            return found.centre
    return None
