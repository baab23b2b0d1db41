"""Catalogues of others, taken into ours: CKAN, DCAT and CSV; every record has a fate with a reason.

1. ``add_source``, ``stop_source``, ``sources``, ``due``, ``fates``  from where, how often, what became of it.
2. ``run_source``, ``run_sources``  page after page, isolated from each other, resumed after a stop.
3. ``Fetcher``  fetches addresses that others wrote without being turned against our own network.
4. ``index_foreign``  lets the search find what came.
"""

from .errors import (
    AddressRefused,
    CatalogueUnreadable,
    FetchFailed,
    HarvestBusy,
    HarvestSourceUnknown,
    SourceInvalid,
    TooMuch,
)
from .fetching import Fetched, Fetcher, Resolver
from .indexed import index_foreign
from .running import Report, run_source, run_sources
from .sources import KINDS, Fate, Source, SourceSeen, add_source, due, fates, source, sources, stop_source

__all__ = [
    "KINDS",
    "AddressRefused",
    "CatalogueUnreadable",
    "Fate",
    "FetchFailed",
    "Fetched",
    "Fetcher",
    "HarvestBusy",
    "HarvestSourceUnknown",
    "Report",
    "Resolver",
    "Source",
    "SourceInvalid",
    "SourceSeen",
    "TooMuch",
    "add_source",
    "due",
    "fates",
    "index_foreign",
    "run_source",
    "run_sources",
    "source",
    "sources",
    "stop_source",
]
