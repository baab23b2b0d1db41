"""Grounds to seal (封存依据): on which law a read may stay untold to the person concerned, by whom, for how long."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dizuo.foundation.blueprint.atoms import LawRef, Place, Words


class SealGround(msgspec.Struct, frozen=True):
    """One ground (个人信息保护法 18、35 条: 依法应当保密或告知将妨碍履职的，可以不告知). File: seal_grounds.yaml, `kind: seal_grounds/1`.

    ``basis`` keeps it untold, ``term_basis`` says for how long: ``longest`` calendar days, each time. Posts of ``organisation`` in
    ``orders`` give the order (文号), others in ``approves`` approve it, extend and lift. ``reads``: register → the fields that may be
    read so, and no others. ``tells``: the person may know meanwhile that something is there. ``overseer``: the organisation that
    sees every seal without the person.
    """

    id: str
    name: Words
    basis: LawRef
    term_basis: LawRef
    longest: int
    organisation: str
    orders: tuple[str, ...]
    approves: tuple[str, ...]
    overseer: str
    tells: bool
    reads: Mapping[str, tuple[str, ...]]
    verified: bool
    place: Place
