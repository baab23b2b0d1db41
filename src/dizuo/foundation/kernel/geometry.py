"""Distance on the earth's surface, for "which window is nearest" and for merging events that lie close."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_M = 6_371_008.8  # mean radius of the ellipsoid, IUGG


def haversine_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Great-circle distance between two points.

    Shapes: longitude and latitude in degrees, CGCS2000 (or WGS 84: they differ by centimetres). Unit: metres;
    the sphere is off the ellipsoid by at most 0.6 %. Errors: ValueError for coordinates off the globe.
    """
    for lon, lat in ((lon1, lat1), (lon2, lat2)):
        if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
            raise ValueError(f"not a point on the earth: lon={lon}, lat={lat} (longitude comes first)")
    phi1, phi2 = radians(lat1), radians(lat2)
    half_chord = sin((phi2 - phi1) / 2) ** 2 + cos(phi1) * cos(phi2) * sin(radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(half_chord)))
