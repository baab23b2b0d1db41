"""Which rows of a chunk hold a gram, packed: two bytes a place while they are few, one bit a place when they are many."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final

CHUNK: Final = 20_480
"""Rows in a chunk at most: all that are found of a dataset, and three postings of bits fill a page of the database."""
SPAN: Final = 10**12
"""Each kind of entry has so many ranks of its own; rows are the third."""
_ROWS: Final = 2 * SPAN
_SPACE: Final = 1 << 15
_WORD: Final = struct.Struct("<Q")


def first_rank(chunk: int) -> int:
    """The rank of the row in a chunk's first place; the others follow."""
    return _ROWS + _SPACE * chunk


def chunk_of(rank: int) -> int:
    """The chunk in which the row of a rank lies."""
    return (rank - _ROWS) // _SPACE


def pack(places: Sequence[int], size: int) -> bytes:
    """Places in ascending order, of a chunk with ``size`` rows. Not empty."""
    if 2 * len(places) <= _width(size):
        return struct.pack(f"<{len(places)}H", *places)
    bits = bytearray(_width(size))
    for place in places:
        bits[place >> 3] |= 1 << (place & 7)
    return bytes(bits)


def meet(postings: Sequence[tuple[int, bytes]]) -> Iterator[int]:
    """The places that all of these have, in ascending order; each is how many it has, and ``pack`` of them in one chunk."""
    few = sorted((held for many, held in postings if len(held) == 2 * many), key=len)
    bits = [held for many, held in postings if len(held) != 2 * many]
    if not few:
        return _bits_of(bits)
    places = _listed(few[0])
    if len(few) > 1:
        places = sorted(frozenset(places).intersection(*map(_listed, few[1:])))
    return (place for place in places if all(held[place >> 3] >> (place & 7) & 1 for held in bits))


def _bits_of(bits: Sequence[bytes]) -> Iterator[int]:
    together = int.from_bytes(bits[0], "little")
    for held in bits[1:]:
        together &= int.from_bytes(held, "little")
    words = -(-len(bits[0]) // _WORD.size)
    for at, (word,) in enumerate(_WORD.iter_unpack(together.to_bytes(words * _WORD.size, "little"))):
        left = word
        while left:
            yield 64 * at + (left & -left).bit_length() - 1
            left &= left - 1


def _listed(held: bytes) -> Sequence[int]:
    return struct.unpack(f"<{len(held) // 2}H", held)


def _width(size: int) -> int:
    return -(-size // 8)
