"""How much of anything a delivery may bring before it is refused; the defaults are far above a city's honest files."""

from __future__ import annotations

from dataclasses import dataclass

MAX_CELL = 32_767
"""Characters in one cell: what a spreadsheet can hold."""
RAW = 4_000
"""Characters of a rejected row that are kept beside its reason."""
BLOCK = 8 << 20
"""Bytes read at a time; also the longest line that is looked at."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one delivery, in bytes unless said otherwise.

    ``landed``: as delivered. ``unpacked``: after decompression; ``ratio``: unpacked ÷ packed, asked once more than
    ``ratio_from`` was unpacked. ``sheet``: the XML of one workbook, which is held in memory; ``cells``: cells that one of its
    sheets spans, full or empty. ``rows``: rows that a Parquet file claims. ``members``: files in an archive.
    """

    landed: int = 32 << 30
    unpacked: int = 64 << 30
    ratio: int = 200
    ratio_from: int = 32 << 20
    sheet: int = 1 << 30
    cells: int = 60_000_000
    rows: int = 200_000_000
    members: int = 1_000
