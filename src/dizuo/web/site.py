"""What every page says about the city and this installation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Site:
    """What every page says about the city and this installation."""

    name: str
    name_en: str
    hotline: str
    demonstration: bool
    secure: bool = False
    version: str = ""
