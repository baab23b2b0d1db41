"""SM3 and SM2 as a ledger's suite: keys, notes, proofs, a witness and the offline verifier; the standard's own examples."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from offline import ROOT, load_tool

from dizuo.foundation.ledger import (
    INTERNATIONAL,
    NATIONAL,
    Checkpoint,
    Entry,
    PublicKey,
    Sealer,
    SigningKey,
    consistency,
    proof,
    verify,
    verify_proof,
)
from dizuo.foundation.ledger.errors import CheckpointInvalid, KeyInvalid, LedgerBroken, ProofInvalid
from dizuo.foundation.ledger.merkle import Edge, consistency_ranges, leaf_hash, verify_consistency
from dizuo.foundation.ledger.suites import SM2, SUITE, sm3
from dizuo.foundation.ledger.witness import Witness
from dizuo.foundation.store import Pool

tool = load_tool()


def load_sm() -> Any:
    """tools/ledger_sm.py, imported from its file."""
    if "ledger_sm" not in sys.modules:
        spec = importlib.util.spec_from_file_location("ledger_sm", ROOT / "tools" / "ledger_sm.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["ledger_sm"] = module
        spec.loader.exec_module(module)
    return sys.modules["ledger_sm"]


sm = load_sm()
KEY = SigningKey.generate("city.example/sm", NATIONAL)


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
)
def test_sm3_gives_the_examples_of_gb_t_32905(data: bytes, digest: str) -> None:
    assert sm3(data).hex() == sm.sm3(data).hex() == digest


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000])
def test_both_sm3_agree(length: int) -> None:
    data = secrets.token_bytes(length)
    assert sm3(data) == sm.sm3(data)


def test_both_ways_of_checking_sm2_agree() -> None:
    text = b"city\n1\nroot\n"
    signature = KEY.sign(text)
    r, s = signature[:32], signature[32:]
    order = sm.N.to_bytes(32, "big")
    cases: Sequence[tuple[bytes, bytes, bytes, bool]] = [
        (KEY.public.raw, signature, text, True),
        (KEY.public.raw, signature, text + b" ", False),
        (KEY.public.raw, s + r, text, False),
        (KEY.public.raw, bytes(32) + s, text, False),
        (KEY.public.raw, r + bytes(32), text, False),
        (KEY.public.raw, r + order, text, False),
        (KEY.public.raw, order + s, text, False),
        (KEY.public.raw, signature[:-1], text, False),
        (SigningKey.generate("x", NATIONAL).public.raw, signature, text, False),
        (bytes(64), signature, text, False),
        (KEY.public.raw[:-1], signature, text, False),
    ]
    for public, given, message, right in cases:
        assert sm.verify_sm2(public, given, message) is right
        assert NATIONAL.verify(public, given, message) is right


def test_the_key_says_its_suite_and_its_file_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SUITE, "sm2")
    made = SigningKey.load(tmp_path, "city.example/sm")
    assert made.suite is NATIONAL
    assert (tmp_path / "secrets" / "ledger-key").read_text().startswith("sm2:")
    monkeypatch.setenv(SUITE, "ed25519")  # chosen once, when the key was made
    again = SigningKey.load(tmp_path, "city.example/sm")
    assert again.public == made.public == PublicKey.parse(str(made.public))
    assert base64.b64decode(str(made.public).split("+", 2)[2]).startswith(SM2)
    assert made.public.verifies(again.sign(b"x"), b"x")
    monkeypatch.setenv(SUITE, "rsa")
    with pytest.raises(KeyInvalid, match="sm2"):
        SigningKey.load(tmp_path, "city.example/sm")
    monkeypatch.delenv(SUITE)
    assert SigningKey.load(tmp_path / "other", "c").suite is INTERNATIONAL
    assert "sm2:" not in repr(made)


def test_a_key_of_one_suite_does_not_open_a_note_of_the_other() -> None:
    note = Checkpoint(KEY.name, 1, sm3(b"x")).signed(KEY)
    assert Checkpoint.open(note, KEY.public).size == 1
    for other in (SigningKey.generate(KEY.name), SigningKey.generate(KEY.name, NATIONAL)):
        with pytest.raises(CheckpointInvalid):
            Checkpoint.open(note, other.public)
    with pytest.raises(CheckpointInvalid):
        Checkpoint.open(note.replace("\n1\n", "\n2\n"), KEY.public)
    stranger = Checkpoint.open(note, KEY.public)
    assert stranger.origin == "city.example/sm"


def head(leaves: Sequence[bytes]) -> bytes:
    edge = Edge(digest=sm3)
    for leaf in leaves:
        edge.append(leaf_hash(leaf, sm3))
    return edge.root()


def test_a_witness_watches_such_a_log_too_and_refuses_a_fork(tmp_path: Path) -> None:
    leaves = [b"%d" % n for n in range(20)]
    forked = [*leaves[:3], b"!", *leaves[4:]]
    witness = Witness(
        tmp_path, SigningKey.generate("audit.example/w"), {KEY.name: KEY.public}, lambda: 1_795_000_000
    )

    def ask(old: int, some: Sequence[bytes]) -> int:
        ranges = consistency_ranges(old, len(some)) if 0 < old < len(some) else []
        path = [base64.b64encode(head(some[a:b])).decode() for a, b in ranges]
        note = Checkpoint(KEY.name, len(some), head(some)).signed(KEY)
        return witness.add_checkpoint(("\n".join([f"old {old}", *path]) + "\n\n" + note).encode()).status

    try:
        assert ask(0, leaves[:7]) == 200
        assert ask(7, leaves) == 200
        assert ask(20, forked) == 409
        assert ask(7, leaves[:9]) == 409  # rewound
    finally:
        witness.close()


@pytest.mark.usefixtures("empty_ledger")
async def test_a_ledger_has_one_suite_for_life(
    app_pool: Pool, owner_pool: Pool, sealer_pool: Pool, tmp_path: Path
) -> None:
    sealer = Sealer(sealer_pool, KEY, KEY.name, batch=16)
    entries = [Entry("read", {"n": n, "依据": "§7"}, n % 3, {"case": f"WX{n}"}) for n in range(50)]
    ids = await app_pool.fetchval("SELECT ledger.append_batch($1)", entries)
    assert await sealer.seal_once() == 50
    other = Sealer(sealer_pool, SigningKey.generate(KEY.name), KEY.name)
    with pytest.raises((LedgerBroken, CheckpointInvalid)):
        await other.seal_once()
    async with owner_pool.acquire() as connection:
        report = await verify(connection, KEY.public)
        assert (report.ok, report.sealed) == (True, 50), report.problems
    async with app_pool.acquire() as connection:
        text = await proof(connection, ids[7])
        assert verify_proof(text, KEY.public).body["n"] == 7
        heads = await connection.fetch("SELECT size, root FROM ledger.checkpoint ORDER BY size")
        path = await consistency(connection, heads[0]["size"], 50)
        roots = heads[0]["root"], heads[-1]["root"]
        assert verify_consistency(heads[0]["size"], 50, *roots, path, sm3)
        assert not verify_consistency(heads[0]["size"], 50, *roots, path)
    with pytest.raises(ProofInvalid):
        verify_proof(text.replace(b"index 7", b"index 8"), KEY.public)
    (tmp_path / "proof").write_bytes(text)
    (tmp_path / "key").write_text(f"{KEY.public}\n")
    assert tool.main(["proof", str(tmp_path / "proof"), "--key", str(tmp_path / "key")]) == 0
    (tmp_path / "proof").write_bytes(text.replace(b"\n50\n", b"\n51\n"))
    assert tool.main(["proof", str(tmp_path / "proof"), "--key", str(tmp_path / "key")]) == 1


def test_the_default_reads_as_before() -> None:
    """Ed25519 keys and their files have no new name: what was printed in the gazette stays right."""
    key = SigningKey.generate("wuxi.dizuo").public
    assert base64.b64decode(str(key).split("+", 2)[2]) == b"\x01" + key.raw
    assert key.digest(b"x") == hashlib.sha256(b"x").digest()
