"""Cells of tables that people open in a spreadsheet."""

from __future__ import annotations

from typing import Final

_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe before what would begin one (OWASP, CSV injection).

    Full-width signs count, because some spreadsheets read them as the others do.
    """
    return f"'{text}" if text.startswith(_BEGINS) else text
