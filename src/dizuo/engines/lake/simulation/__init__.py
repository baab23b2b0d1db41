"""Departments' deliveries of an invented city, with the truth about every person and enterprise they speak of.

1. ``simulate_sources``  writes all declared sources as files of their formats, streaming block by block.
2. ``fill_table``        fills a table in a PostgreSQL as the department of a table source would.
3. ``read_sources``      the manifest of such a folder.
4. ``RATES``, ``KINDS``  the error model: how often each department slips, and in which ways.
"""

from dizuo.engines.lake.simulation.manifest import DeliveredFile, SourcesManifest, TruthFile
from dizuo.engines.lake.simulation.manifest import read as read_sources
from dizuo.engines.lake.simulation.rates import KINDS, RATES, TRAITS, Rates
from dizuo.engines.lake.simulation.run import simulate_sources
from dizuo.engines.lake.simulation.table import fill_table

__all__ = [
    "KINDS",
    "RATES",
    "TRAITS",
    "DeliveredFile",
    "Rates",
    "SourcesManifest",
    "TruthFile",
    "fill_table",
    "read_sources",
    "simulate_sources",
]
