"""Two texts side by side with the difference marked, so that an official sees 402 and 420 at once."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

Marks = tuple[tuple[str, bool], ...]
"""Pieces of a text, each with whether it differs."""

_PIECE = re.compile(r"\d+|[A-Za-z]+|.", re.DOTALL)


def differences(left: str, right: str) -> tuple[Marks, Marks]:
    """Both texts in pieces, the differing ones marked; a number is one piece, so 402 against 420 differs whole."""
    a, b = _PIECE.findall(left), _PIECE.findall(right)
    mine: list[tuple[str, bool]] = []
    theirs: list[tuple[str, bool]] = []
    for tag, a0, a1, b0, b1 in SequenceMatcher(a=a, b=b, autojunk=False).get_opcodes():
        if a0 < a1:
            mine.append(("".join(a[a0:a1]), tag != "equal"))
        if b0 < b1:
            theirs.append(("".join(b[b0:b1]), tag != "equal"))
    return tuple(mine), tuple(theirs)
