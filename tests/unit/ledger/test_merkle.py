"""The Merkle tree against its definition and against published vectors."""

from __future__ import annotations

import base64
import io
import json
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dizuo.foundation.ledger.merkle import (
    EMPTY_ROOT,
    Edge,
    consistency_ranges,
    full_subtrees,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    range_head,
    verify_consistency,
    verify_inclusion,
)

VECTORS = Path(
    os.environ.get("DIZUO_SHARED_DATA", Path(__file__).resolve().parents[4] / "shared" / "data")
) / ("vectors/merkle_rfc9162_testdata.tar.gz")

LEAVES = [leaf_hash(bytes([n % 256, n // 256])) for n in range(300)]


def defined_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(defined_root(leaves[:split]), defined_root(leaves[split:]))


def head_of(span: tuple[int, int]) -> bytes:
    level, position = span
    return defined_root(LEAVES[position << level : (position + 1) << level])


@given(st.integers(0, 300))
def test_edge_has_the_defined_root(size: int) -> None:
    edge = Edge()
    for leaf in LEAVES[:size]:
        edge.append(leaf)
    assert edge.size == size
    assert edge.root() == defined_root(LEAVES[:size])


@given(st.integers(0, 300), st.integers(0, 300))
def test_edge_continues_from_what_was_stored(first: int, more: int) -> None:
    size = min(first, more)
    edge = Edge(size, [head_of(span) for span in full_subtrees(0, size)])
    nodes = list(edge.grow(LEAVES[size : max(first, more)], 4))
    assert edge.root() == defined_root(LEAVES[: max(first, more)])
    for level, position, value in nodes:
        assert level % 4 == 0
        assert value == head_of((level, position))


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))))
def test_inclusion_proofs_hold_and_only_for_their_leaf(case: tuple[int, int]) -> None:
    size, index = case
    path = [range_head(start, end, head_of) for start, end in inclusion_ranges(index, size)]
    root = defined_root(LEAVES[:size])
    assert verify_inclusion(index, size, LEAVES[index], path, root)
    assert not verify_inclusion(index, size, leaf_hash(b"another"), path, root)
    if size > 1:
        assert not verify_inclusion((index + 1) % size, size, LEAVES[index], path, root)
        assert not verify_inclusion(index, size, LEAVES[index], path[:-1], root)


@given(st.integers(1, 300), st.integers(1, 300))
def test_consistency_proofs_hold_and_only_for_their_trees(one: int, other: int) -> None:
    old, new = min(one, other), max(one, other)
    path = [range_head(start, end, head_of) for start, end in consistency_ranges(old, new)]
    roots = defined_root(LEAVES[:old]), defined_root(LEAVES[:new])
    assert verify_consistency(old, new, *roots, path)
    if old != new:
        forged = defined_root([*LEAVES[: old - 1], leaf_hash(b"another")])
        assert not verify_consistency(old, new, forged, roots[1], path)
        assert not verify_consistency(old, new, roots[0], forged, path)


@pytest.mark.skipif(not VECTORS.exists(), reason=f"published RFC 9162 vectors are not at {VECTORS}")
@pytest.mark.parametrize(("kind", "count"), [("inclusion", 98), ("consistency", 98)])
def test_published_vectors(kind: str, count: int) -> None:
    seen = 0
    with tarfile.open(VECTORS) as archive:
        for member in archive:
            if not (member.name.startswith(f"testdata/{kind}/") and member.name.endswith(".json")):
                continue
            file = archive.extractfile(member)
            assert isinstance(file, io.BufferedIOBase)
            case = json.load(file)
            path = [base64.b64decode(value) for value in case["proof"] or []]
            if kind == "inclusion":
                leaf, root = (base64.b64decode(case[key] or "") for key in ("leafHash", "root"))
                holds = verify_inclusion(case["leafIdx"], case["treeSize"], leaf, path, root)
            else:
                roots = [base64.b64decode(case[key] or "") for key in ("root1", "root2")]
                holds = verify_consistency(case["size1"], case["size2"], roots[0], roots[1], path)
            assert holds is not case["wantErr"], f"{member.name}: {case['desc']}"
            seen += 1
    assert seen == count
