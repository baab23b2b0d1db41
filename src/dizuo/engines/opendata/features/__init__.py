"""Spatial sets as features (OGC API – Features Part 1, GeoJSON): what is asked for, and the rows that match.

Coordinates are kept as departments deliver them, in CGCS2000 (EPSG:4490), and given as CRS84 unchanged: the two frames
differ by centimetres to decimetres, less than these data are accurate to, and that is said in the interface.
"""

from .asking import CRS84, LIMIT, MOST, ItemsQuery, read_query
from .errors import CollectionUnknown, FeatureQueryInvalid, FeatureUnknown
from .reading import Items, extent, item, items, time_column

__all__ = [
    "CRS84",
    "LIMIT",
    "MOST",
    "CollectionUnknown",
    "FeatureQueryInvalid",
    "FeatureUnknown",
    "Items",
    "ItemsQuery",
    "extent",
    "item",
    "items",
    "read_query",
    "time_column",
]
