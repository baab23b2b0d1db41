"""The Merkle tree of RFC 9162 §2.1 over SHA-256 or SM3: hashes, the growing edge, proofs and their checks. Pure.

Sizes and positions count leaves from 0. A subtree hash is told by (level, position): it covers the leaves
``position * 2**level`` up to ``(position + 1) * 2**level``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

Digest = Callable[[bytes], bytes]
"""A hash function of 32 bytes."""


def sha256(data: bytes) -> bytes:
    """SHA-256 (FIPS 180-4)."""
    return hashlib.sha256(data).digest()


EMPTY_ROOT: Final = sha256(b"")
HASH_SIZE: Final = 32

Span = tuple[int, int]
"""A full subtree: (level, position)."""


def leaf_hash(data: bytes, digest: Digest = sha256) -> bytes:
    """RFC 9162 §2.1.1: the hash of one leaf's bytes."""
    return digest(b"\x00" + data)


def node_hash(left: bytes, right: bytes, digest: Digest = sha256) -> bytes:
    """RFC 9162 §2.1.1: the hash of two subtrees."""
    return digest(b"\x01" + left + right)


class Edge:
    """The right edge of a growing tree: the full subtrees that its size is made of, largest first.

    Holds one hash per 1-bit of the size, so appending costs one hash on average and the root at most 64.
    """

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = (), digest: Digest = sha256) -> None:
        self.size = size
        self._digest = digest
        self._stack = list(hashes)
        if len(self._stack) != size.bit_count():
            raise ValueError(
                f"a tree of {size} leaves has {size.bit_count()} full subtrees, not {len(self._stack)}"
            )

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        for _ in self.grow((leaf,), 64):
            pass

    def grow(self, leaves: Iterable[bytes], step: int) -> Iterator[tuple[int, int, bytes]]:
        """Add leaf hashes; yields (level, position, hash) of each subtree completed at a multiple of ``step``."""
        stack, size, digest = self._stack, self.size, self._digest
        for value in leaves:
            rest, level = size, 0
            while rest & 1:
                value = digest(b"\x01" + stack.pop() + value)
                rest >>= 1
                level += 1
                if level % step == 0:
                    yield level, rest, value
            stack.append(value)
            size += 1
            self.size = size

    def root(self) -> bytes:
        """The tree's head at its present size."""
        if not self._stack:
            return self._digest(b"")
        value = self._stack[-1]
        for left in reversed(self._stack[:-1]):
            value = node_hash(left, value, self._digest)
        return value


def full_subtrees(start: int, end: int) -> list[Span]:
    """The fewest full subtrees that cover the leaves from start to end, left to right.

    ``start`` must be aligned to the largest one that a tree over the range begins with, as every range of a proof is.
    """
    spans: list[Span] = []
    while start < end:
        level = (end - start).bit_length() - 1
        spans.append((level, start >> level))
        start += 1 << level
    return spans


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The leaf ranges whose heads prove leaf ``index`` in a tree of ``size``, nearest the leaf first (§2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        split = start + (1 << ((end - start - 1).bit_length() - 1))
        if index < split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """The leaf ranges whose heads prove that the tree of ``new`` extends the one of ``old`` (§2.1.4.1)."""
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof from {old} to {new} leaves")
    ranges: list[tuple[int, int]] = []
    start, end, whole = 0, new, True
    while old != end:
        split = start + (1 << ((end - start - 1).bit_length() - 1))
        if old <= split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start, whole = split, False
    if not whole:
        ranges.append((start, end))
    return ranges[::-1]


def range_head(start: int, end: int, head_of: Callable[[Span], bytes], digest: Digest = sha256) -> bytes:
    """The head of a range of leaves, from the hashes of its full subtrees."""
    spans = full_subtrees(start, end)
    value = head_of(spans[-1])
    for span in reversed(spans[:-1]):
        value = node_hash(head_of(span), value, digest)
    return value


def root_from_inclusion(
    index: int, size: int, leaf: bytes, path: Sequence[bytes], digest: Digest = sha256
) -> bytes | None:
    """The root that the path leads to (§2.1.3.2), or None when the path cannot belong to such a leaf."""
    if not 0 <= index < size:
        return None
    position, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0 or len(sibling) != HASH_SIZE:
            return None
        if position & 1 or position == last:
            value = node_hash(sibling, value, digest)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            value = node_hash(value, sibling, digest)
        position >>= 1
        last >>= 1
    return value if last == 0 else None


def verify_inclusion(
    index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes, digest: Digest = sha256
) -> bool:
    """Whether the path proves the leaf hash at ``index`` under ``root``."""
    return len(leaf) == HASH_SIZE and root_from_inclusion(index, size, leaf, path, digest) == root


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes], digest: Digest = sha256
) -> bool:
    """Whether the path proves that the tree (new, new_root) only added leaves to (old, old_root) (§2.1.4.2)."""
    if not 0 < old <= new:  # from nothing, anything follows: there is nothing to prove
        return False
    if old == new:
        return not path and old_root == new_root
    if not path or any(len(value) != HASH_SIZE for value in path):
        return False
    proof = list(path)
    if old & (old - 1) == 0:  # the old tree is itself a full subtree of the new one
        proof.insert(0, old_root)
    position, last = old - 1, new - 1
    while position & 1:
        position >>= 1
        last >>= 1
    first = second = proof[0]
    for value in proof[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            first, second = node_hash(value, first, digest), node_hash(value, second, digest)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            second = node_hash(second, value, digest)
        position >>= 1
        last >>= 1
    return last == 0 and first == old_root and second == new_root
