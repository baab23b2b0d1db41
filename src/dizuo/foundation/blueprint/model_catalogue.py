"""What a register or a source declares for the catalogue of data resources (资源目录): who may have it, on what terms.

Shares are the three types of 政务数据共享条例 and 政务信息资源目录编制指南, openings those of the rules on open public data.
Whatever is not declared is derived by the catalogue and marked so.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from dizuo.foundation.blueprint.atoms import LawRef, Place, Words

CatalogueCycle = Literal[
    "", "realtime", "daily", "weekly", "monthly", "quarterly", "half_yearly", "yearly", "irregular", "never"
]
ShareMethod = Literal["query", "batch", "subscribe", "bulk"]


class Sharing(msgspec.Struct, frozen=True):
    """共享属性: without condition, on a stated condition, or not at all on a stated legal basis. No ``methods``: the usual ones."""

    type: Literal["unconditional", "conditional", "none"]
    condition: Words
    basis: LawRef | None
    methods: tuple[ShareMethod, ...]
    place: Place


class Opening(msgspec.Struct, frozen=True):
    """开放属性: to everybody, on a stated condition, or not."""

    type: Literal["unconditional", "conditional", "none"]
    condition: Words
    place: Place


class CatalogueTerms(msgspec.Struct, frozen=True):
    """The block ``catalogue`` of a register or a source."""

    abstract: Words
    share: Sharing | None
    open: Opening | None
    cycle: CatalogueCycle
    place: Place
