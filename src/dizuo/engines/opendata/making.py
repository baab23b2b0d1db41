"""Rows of the datasets that are made from what the city declares, or from a file of its folder; pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, cast

from dizuo.engines.opendata.errors import MakeFailed
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.blueprint.model_dataset import Dataset

Shape = Mapping[str, Any]
MadeRow = tuple[Mapping[str, object], Shape | None]
_LEVELS: Final = {"city": "市", "district": "区县", "town": "街道、镇", "village": "社区、村"}
_UNITS: Final = {
    "workday": "工作日", "calendar_day": "自然日", "work_hour": "工作小时", "hour": "小时", "month": "月", "year": "年",
}  # fmt: skip
_CASTS: Final[Mapping[str, Callable[[str], object]]] = {
    "integer": int, "decimal": float, "boolean": lambda text: text.lower() in ("true", "1", "是", "yes"),
}  # fmt: skip


def declared_rows(city: City, dataset: Dataset) -> list[MadeRow]:
    """The rows that the declarations give, in the declared columns. Errors: MakeFailed for a column that they do not have."""
    maker = _MAKERS[str(dataset.made.declared)]
    return [(in_columns(dataset, row), None) for row in maker(city, dataset)]


def in_columns(dataset: Dataset, row: Mapping[str, object]) -> dict[str, object]:
    """The row in the dataset's columns, in their order. Errors: MakeFailed."""
    lacking = [name for name in dataset.fields if name not in row]
    if lacking:
        raise MakeFailed(dataset=dataset.id, why=f"没有列 {'、'.join(lacking)}，有的是 {'、'.join(row)}")
    return {name: row[name] for name in dataset.fields}


def file_rows(dataset: Dataset, content: bytes) -> list[MadeRow]:
    """The rows of a CSV file with header or of a GeoJSON FeatureCollection. Errors: MakeFailed."""
    if dataset.made.file.endswith(".geojson"):
        return _features(dataset, content)
    rows: list[MadeRow] = []
    for line, row in enumerate(csv.DictReader(io.StringIO(content.decode("utf-8"))), 2):
        made: dict[str, object] = {}
        for name, text in in_columns(dataset, row).items():
            try:
                made[name] = _cast(dataset.fields[name].type, cast("str | None", text))
            except ValueError:
                raise MakeFailed(
                    dataset=dataset.id, why=f"第 {line} 行的 {name} 是“{text}”，类型不对"
                ) from None
        rows.append((made, None))
    return rows


def _cast(kind: str, text: str | None) -> object:
    if text is None or text == "":
        return None
    return _CASTS[kind](text) if kind in _CASTS else text


def _features(dataset: Dataset, content: bytes) -> list[MadeRow]:
    rows: list[MadeRow] = []
    for feature in cast("list[dict[str, Any]]", json.loads(content)["features"]):
        about: dict[str, object] = dict(feature.get("properties") or {})
        if "area_km2" in dataset.fields and "area_km2" not in about:
            about["area_km2"] = None
        rows.append((in_columns(dataset, about), feature.get("geometry")))
    return rows


def _divisions(city: City, dataset: Dataset) -> Iterable[Mapping[str, object]]:
    kinds = ("city", "district", "town") if dataset.made.declared == "divisions" else ("village",)
    for division in sorted(city.divisions.values(), key=lambda one: one.code):
        if division.level in kinds:
            parent = city.divisions.get(division.parent)
            district = city.divisions.get(division.code[:6])
            yield {
                "code": division.code,
                "name": division.name,
                "name_en": division.en or None,
                "level": _LEVELS[division.level],
                "parent_code": division.parent or None,
                "parent": parent.name if parent else None,
                "district": district.name if district else None,
                "mca_code": division.mca_code or None,
                "nbs_code": division.nbs_code or None,
                "same_code": division.mca_code == division.nbs_code,
                "lon": division.centre[0] if division.centre else None,
                "lat": division.centre[1] if division.centre else None,
            }


def _items(city: City, _: Dataset) -> Iterable[Mapping[str, object]]:
    for matter in city.matters.values():
        for item in matter.items:
            clock = city.clocks.get(item.clock)
            yield {
                "matter": matter.name.zh,
                "item": item.name.zh,
                "item_en": item.name.en or None,
                "code": item.code,
                "code_verified": item.code_verified,
                "department": city.organisations[item.department].name.zh,
                "kind": "即办件" if item.project_type == "instant" else "承诺件",
                "law": "、".join(_law(city, ref.law, ref.article) for ref in item.basis),
                "limit": None if clock is None else clock.length.n,
                "limit_unit": None if clock is None else _UNITS[clock.length.unit],
                "promise": item.promise.n,
                "promise_unit": _UNITS[item.promise.unit],
                "visits": item.visits,
                "materials": len(item.materials),
                "reads": sum(len(need.facts) for need in item.needs),
            }


def _clocks(city: City, _: Dataset) -> Iterable[Mapping[str, object]]:
    for clock in city.clocks.values():
        yield {
            "id": clock.id,
            "name": clock.name.zh,
            "name_en": clock.name.en or None,
            "limit": clock.length.n,
            "unit": _UNITS[clock.length.unit],
            "extension": None if clock.extension is None else clock.extension.n,
            "law": _law(city, clock.law.law, clock.law.article),
            "verified": clock.verified,
        }


def _organisations(city: City, _: Dataset) -> Iterable[Mapping[str, object]]:
    for one in city.organisations.values():
        yield {
            "id": one.id,
            "name": one.name.zh,
            "name_en": one.name.en or None,
            "short": one.short.zh,
            "level": _LEVELS[one.level],
            "units_at": _LEVELS[one.units_at],
            "former": "、".join(f"{was.name}（至 {was.to}）" for was in one.former) or None,
            "posts": len(one.posts),
            "contact": one.contact,
        }


def _places(city: City, dataset: Dataset) -> Iterable[Mapping[str, object]]:
    for place in city.places[dataset.made.list]:
        town = city.divisions.get(place.division[:9])
        district = city.divisions.get(place.division[:6])
        yield {
            "id": place.id,
            "name": place.name,
            "district": district.name if district else None,
            "town": town.name if town else None,
            "division": place.division,
            "address": place.address,
            "hours": place.hours,
            "phone": place.phone,
            "lon": place.lon,
            "lat": place.lat,
        }


def _laws(city: City, _: Dataset) -> Iterable[Mapping[str, object]]:
    for law in city.laws.values():
        for article in law.articles.values():
            yield {
                "law": law.title.zh,
                "law_en": law.title.en or None,
                "number": law.number,
                "issuer": law.issuer,
                "effective_from": law.effective_from.isoformat(),
                "article": article.number,
                "gist": article.gist,
                "verified": article.verified,
            }


def _registers(city: City, _: Dataset) -> Iterable[Mapping[str, object]]:
    for register in city.registers.values():
        for field in register.fields.values():
            source = city.organisations.get(field.source)
            yield {
                "register": register.name.zh,
                "register_en": register.name.en or None,
                "field": field.id,
                "name": field.name.zh,
                "name_en": field.name.en or None,
                "type": field.type,
                "source": source.name.zh if source else field.source,
                "law": _law(city, field.basis.law, field.basis.article),
                "level": field.level,
                "personal": field.personal,
            }


def _datasets(city: City, _: Dataset) -> Iterable[Mapping[str, object]]:
    for one in city.datasets.values():
        yield {
            "id": one.id,
            "title": one.title.zh,
            "title_en": one.title.en or None,
            "abstract": one.abstract.zh,
            "provider": city.organisations[one.provider].name.zh,
            "theme": one.theme,
            "open_type": one.open_type,
            "cycle": one.cycle,
            "licence": one.licence,
            "columns": len(one.fields),
        }


def _law(city: City, law: str, article: str) -> str:
    known = city.laws.get(law)
    return f"《{known.title.zh if known else law}》第 {article} 条"


_MAKERS: Final[Mapping[str, Callable[[City, Dataset], Iterable[Mapping[str, object]]]]] = {
    "divisions": _divisions,
    "villages": _divisions,
    "items": _items,
    "clocks": _clocks,
    "organisations": _organisations,
    "places": _places,
    "laws": _laws,
    "registers": _registers,
    "datasets": _datasets,
}


def points(dataset: Dataset, rows: Sequence[MadeRow]) -> list[MadeRow]:
    """The rows with a point from their ``lon`` and ``lat``, when the dataset has shapes and the rows none."""
    if not dataset.shapes:
        return list(rows)
    return [
        (row, shape or _point(row.get("lon"), row.get("lat")))
        for row, shape in rows
    ]  # fmt: skip


def _point(lon: object, lat: object) -> Shape | None:
    if not isinstance(lon, int | float) or not isinstance(lat, int | float):
        return None
    return {"type": "Point", "coordinates": [lon, lat]}
