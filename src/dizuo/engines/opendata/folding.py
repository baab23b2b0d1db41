"""One form of a text for finding: width, case and traditional spellings of marks away; its n-grams as small numbers."""

from __future__ import annotations

import re
import unicodedata
import zlib
from functools import lru_cache
from typing import Final

LONGEST: Final = 60
_GRAM: Final = 3
_HAN = re.compile(r"[㐀-鿿豈-﫿𠀀-𯿿]+")


def fold(text: str) -> str:
    """NFKC, lower case, white space as one space; no line feeds."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@lru_cache(maxsize=1 << 14)
def fold_sign(sign: str) -> str:
    """One sign folded; as it is where that gives none or several, so that the places of a text stay."""
    one = fold(sign)
    return one if len(one) == 1 else sign


def grams(folded: str) -> list[int]:
    """Every substring of one to three characters within one line, as numbers, each once."""
    found: set[int] = set()
    for line in folded.split("\n"):
        for size in range(1, _GRAM + 1):
            found.update(gram(line[at : at + size]) for at in range(len(line) - size + 1))
    return sorted(found)


def needed(folded: str) -> list[int]:
    """The grams that a text must have to hold this one: the longest there are, each once. Empty for an empty text."""
    size = min(_GRAM, len(folded))
    if not size:
        return []
    return sorted({gram(folded[at : at + size]) for at in range(len(folded) - size + 1)})


def gram(text: str) -> int:
    """A number for a gram; two grams may share one, which costs a look at the text and never a hit."""
    return zlib.crc32(text.encode("utf-8")) - (1 << 31)


def sounds(text: str) -> tuple[str, str]:
    """The pinyin of the Chinese in a text, in full and by initials, one line per run of Chinese: ``renkou``, ``rk``."""
    # A package of 5 MB that only publishing and a query without hits need.
    from pypinyin import lazy_pinyin

    full: list[str] = []
    initials: list[str] = []
    for run in _HAN.findall(text):
        parts = [part for part in lazy_pinyin(run) if part]
        full.append("".join(parts))
        initials.append("".join(part[0] for part in parts))
    return "\n".join(full), "\n".join(initials)


def entry_text(*parts: str, sounding: str = "") -> str:
    """The folded text of an entry: its parts, and the sounds of ``sounding``, each on lines of their own."""
    lines = [fold(part) for part in parts]
    if sounding:
        lines += sounds(sounding)
    return "\n".join(line for line in lines if line)
