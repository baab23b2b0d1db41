"""The city's schematic map as SVG paths, drawn on the server from the shapes that the city brings.

Plate carrée with the longitude shortened by the latitude's cosine: right enough for a picture, not for a boundary.
"""

from __future__ import annotations

import json
from functools import lru_cache
from math import cos, radians
from pathlib import Path
from typing import Any

import msgspec

WIDTH, HEIGHT, EDGE = 810.0, 640.0, 20.0
Ring = list[tuple[float, float]]


class District(msgspec.Struct, frozen=True):
    """One district: its code, its outline, and where its label stands."""

    code: str
    name: str
    path: str
    x: float
    y: float


@lru_cache(maxsize=4)
def districts(file: Path) -> tuple[District, ...]:
    """The districts of a GeoJSON file (CGCS2000 degrees), fitted into WIDTH × HEIGHT; () when there is none."""
    if not file.is_file():
        return ()
    features: list[Any] = json.loads(file.read_text(encoding="utf-8"))["features"]
    shapes = [(f["properties"]["code"], f["properties"]["name"], _rings(f["geometry"])) for f in features]
    points = [point for _, _, rings in shapes for ring in rings for point in ring]
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    shrink = cos(radians((south + north) / 2))
    scale = min((WIDTH - 2 * EDGE) / ((east - west) * shrink), (HEIGHT - 2 * EDGE) / (north - south))
    left = (WIDTH - (east - west) * shrink * scale) / 2
    top = (HEIGHT - (north - south) * scale) / 2

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return left + (point[0] - west) * shrink * scale, top + (north - point[1]) * scale

    return tuple(
        _district(code, name, [[place(p) for p in ring] for ring in rings]) for code, name, rings in shapes
    )


def _rings(geometry: Any) -> list[Ring]:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return [[(float(x), float(y)) for x, y, *_ in ring] for polygon in polygons for ring in polygon]


def _district(code: str, name: str, rings: list[Ring]) -> District:
    path = "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring) + "Z" for ring in rings)
    x, y = _centre(max(rings, key=lambda ring: abs(_area(ring))))
    return District(code, name, path, round(x, 1), round(y, 1))


def _area(ring: Ring) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True)) / 2


def _centre(ring: Ring) -> tuple[float, float]:
    """The centroid of a ring; its mean point when it has no area."""
    area = _area(ring)
    if area == 0:
        return sum(x for x, _ in ring) / len(ring), sum(y for _, y in ring) / len(ring)
    x = y = 0.0
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        part = a[0] * b[1] - b[0] * a[1]
        x += (a[0] + b[0]) * part
        y += (a[1] + b[1]) * part
    return x / (6 * area), y / (6 * area)
