"""The small values of which every declaration is made: places, words, expressions, citations, lengths of time."""

from __future__ import annotations

from typing import Literal

import msgspec


class Place(msgspec.Struct, frozen=True, order=True):
    """Where something was declared: file relative to the city folder, line and column counted from 1."""

    file: str
    line: int
    col: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.col}"


class Words(msgspec.Struct, frozen=True):
    """A short text in the city's languages; `zh` is always there, `en` may be empty."""

    zh: str
    en: str = ""


class Expression(msgspec.Struct, frozen=True):
    """A FEEL expression as written, and where."""

    text: str
    place: Place


class LawRef(msgspec.Struct, frozen=True):
    """An article of a declared law (法律依据), written `law-id:article`."""

    law: str
    article: str
    place: Place

    @property
    def key(self) -> str:
        return f"{self.law}:{self.article}"


class Length(msgspec.Struct, frozen=True):
    """A length of time as law counts it: a number and one of six units."""

    n: int
    unit: Literal["workday", "calendar_day", "work_hour", "hour", "month", "year"]
