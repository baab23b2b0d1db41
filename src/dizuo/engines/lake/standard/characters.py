"""Which character is written for which: tables made at run time from Unicode and from OpenCC, for `translate` in SQL.

DuckDB and Spark have no NFKC, so the compatibility forms of single characters (full-width letters, radicals, circled
numbers, compatibility ideographs) are a table here; sequences that compose are not touched. Building a table of
thousands of characters for every row is dear in DuckDB, therefore each table comes with a pattern that tells whether
a cell needs it at all; most do not.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import opencc

INTERPUNCT = "\u00b7"
# The dot of minority and foreign names, as keyboards and old systems write it (GB 18030 text uses U+00B7).
DOTS = "•・‧･∙⋅●▪◦⸱"
SPACES = " \t\r\n\u000b\u000c\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# Written by no keyboard on purpose: controls, zero-width and bidirectional marks, byte order marks, shape selectors.
UNSEEN = "\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff"
PRIVATE_USE = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
BROKEN = "\ufffd"
HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\ufa0e-\ufa29\U00020000-\U0003347f"

_COMPATIBLE = (
    (0x2460, 0x249B),
    (0x2E80, 0x2FDF),
    (0x3220, 0x33FF),
    (0xF900, 0xFAFF),
    (0xFF01, 0xFFEE),
    (0x2F800, 0x2FA1F),
)
_IDEOGRAPHS = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x323AF))
# Characters that look traditional and are standard characters of names (通用规范汉字表, 2013).
_STANDARD_IN_NAMES = "昇陞脩"
_LOWER = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Table:
    """Single characters and what is written for them; ``needed`` is a pattern that finds any of them."""

    source: str
    target: str
    needed: str


def _classes(characters: Iterable[str]) -> str:
    # Java keeps the parts of one class as a chain as deep as the class is long, so a long one is cut in pieces.
    ordered = sorted(set(characters))
    pieces = [ordered[start : start + 300] for start in range(0, len(ordered), 300)]
    return "|".join(f"[{''.join(_escaped(c) for c in piece)}]" for piece in pieces)


def _escaped(character: str) -> str:
    return f"\\{character}" if character in "\\]^-[&" else character


def _table(pairs: dict[str, str]) -> Table:
    return Table("".join(pairs), "".join(pairs.values()), _classes(pairs))


@cache
def half_width() -> Table:
    """Full-width letters, digits and signs to plain ones: what a Chinese input method writes."""
    return _table({chr(0xFF01 + n): chr(0x21 + n) for n in range(94)} | {"\u3000": " "})


@cache
def compatible() -> Table:
    """The other compatibility forms to plain ones (NFKC, Unicode Standard Annex 15), where one stands for one."""
    pairs: dict[str, str] = {}
    for low, high in _COMPATIBLE:
        for code in range(low, high + 1):
            plain = unicodedata.normalize("NFKC", chr(code))
            if len(plain) == 1 and plain != chr(code) and chr(code) not in half_width().source:
                pairs[chr(code)] = plain
    return _table(pairs)


@cache
def simplified() -> Table:
    """Traditional characters to simplified ones, except those that are standard characters themselves."""
    converter = cast("Any", opencc).OpenCC("t2s")
    pairs: dict[str, str] = {}
    for low, high in _IDEOGRAPHS:
        for code in range(low, high + 1):
            character = chr(code)
            plain = str(converter.convert(character))
            if len(plain) == 1 and plain != character and not _standard(character):
                pairs[character] = plain
    return _table(pairs)


def _standard(character: str) -> bool:
    """GB 2312 holds simplified text only: what it holds (乾, 於, 夥 …) is no traditional spelling."""
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return character in _STANDARD_IN_NAMES
    return True


@cache
def upper() -> Table:
    """Latin letters of ASCII in upper case, the same in every engine and locale."""
    return Table(_LOWER, _LOWER.upper(), "[a-z]")


@cache
def plain_digits() -> Table:
    """What is typed for digits, letters and signs in numbers and dates, in a Chinese input method."""
    pairs = {chr(0xFF01 + n): chr(0x21 + n) for n in range(94)}
    pairs |= dict.fromkeys("‐‑‒–—―−－ー", "-") | {"。": ".", "、": ",", "：": ":", "〇": "0", "Ｏ": "O"}
    return _table(pairs)
