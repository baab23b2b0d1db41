"""Rows of the open door for machines: CKAN's Action API, DCAT-AP, OGC API – Features, and where we harvest from."""

from __future__ import annotations

from typing import Final

from . import ckan, dcat, features, harvest_rows

ROUTES: Final = (*ckan.ROUTES, *dcat.ROUTES, *features.ROUTES, *harvest_rows.ROUTES)
admit_key: Final = ckan.admit_key
