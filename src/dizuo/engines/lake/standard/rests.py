"""What is left of an address behind its division, in one form: 中山路128号3幢2单元201室."""

from __future__ import annotations

from dizuo.engines.lake.standard.cells import emptied
from dizuo.engines.lake.standard.terms import Text, Value

# The same thing in several words, replaced wherever they stand behind a number or a letter.
_DASHED = "^(.*[^0-9A-Za-z-])([0-9]{1,4}[A-Za-z]?)-(?:([0-9]{1,3})-)?([0-9]{1,5}[A-Za-z]?)(?:室|号|房)?\\z"


def plain_rest(rest: Text) -> Value:
    """The rest in one form; null when there is none."""
    one = rest.replace("号楼", "幢").re_replace("[#﹟]", "号")
    return emptied(one)
