"""tools/verify_ledger.py: finds what `dizuo verify` finds, without dizuo, and passes the published vectors."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from offline import TOOL, VECTORS, load_tool, vectors

from dizuo.foundation.ledger import (
    ENTRIES,
    Checkpoint,
    Entry,
    Sealer,
    SigningKey,
    Tile,
    consistency,
    cosign,
    proof,
    served_checkpoint,
    tile_bytes,
    verify,
    witness_key,
)
from dizuo.foundation.store import Connection, Pool

tool = load_tool()
AUDIT = SigningKey.generate("audit.example/w1")
MERKLE, ED25519 = "merkle_rfc9162_testdata.tar.gz", "c2sp_cctv_ed25519.tar.gz"
published = pytest.mark.skipif(
    not (VECTORS / MERKLE).exists(), reason=f"published vectors are not in {VECTORS}"
)


async def mirror(connection: Connection, folder: Path, size: int) -> None:
    """The public log as a folder."""
    tiles = [Tile(ENTRIES if name == "entries" else int(name), n, w) for name, count in
             (("entries", size), ("0", size), ("1", size >> 8)) for n, w in tool.widths(count)]  # fmt: skip
    for tile in tiles:
        path = folder / "tile" / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(await tile_bytes(connection, tile))
    (folder / "checkpoint").write_text(await served_checkpoint(connection))


@pytest.fixture(scope="module")
async def copied(
    tmp_path_factory: pytest.TempPathFactory, app_pool: Pool, owner_pool: Pool, sealer_pool: Pool
) -> tuple[Path, SigningKey]:
    """A ledger of 600 entries, its copy, an older checkpoint, a proof; found whole by ``dizuo verify``."""
    folder = tmp_path_factory.mktemp("log")
    key = SigningKey.generate("city.example/ledger")
    sealer = Sealer(sealer_pool, key, key.name)
    for start, end in ((0, 300), (300, 600)):
        rows = [
            Entry("read", {"n": n, "依据": "§7"}, n % 5 + 1, {"case": f"WX{n}"}) for n in range(start, end)
        ]
        ids: list[int] = await app_pool.fetchval("SELECT ledger.append_batch($1)", rows)
        await sealer.seal_once()
        async with app_pool.acquire() as connection:
            (folder / f"kept-{end}").write_text(await served_checkpoint(connection))
    text = (folder / "kept-600").read_text()
    line = cosign(text.partition("\n\n")[0] + "\n", AUDIT, 1_795_000_000)
    async with owner_pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO ledger.cosignature VALUES (600, $1, $2, to_timestamp(1795000000))", AUDIT.name, line
        )
        assert (await verify(connection, key.public)).ok
    async with app_pool.acquire() as connection:
        (folder / "one.tlog-proof").write_bytes(await proof(connection, ids[7]))
        path = await consistency(connection, 300, 600)
        (folder / "grown").write_text("\n".join(base64.b64encode(one).decode() for one in path) + "\n")
        await mirror(connection, folder / "log", 600)
    (folder / "key").write_text(f"{key.public}\n")
    (folder / "witness").write_text(f"{witness_key(AUDIT)}\n")
    return folder, key


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = tool.main([str(one) for one in arguments])
    out = capsys.readouterr()
    return code, out.out + out.err


def test_what_is_whole_is_found_whole(
    copied: tuple[Path, SigningKey], capsys: pytest.CaptureFixture[str]
) -> None:
    f, _ = copied
    key = ("--key", f / "key", "--witness", f / "witness")
    assert told(capsys, "checkpoint", f / "log/checkpoint", *key) == (
        0, f"city.example/ledger: 600 entries, root {tool.Head((f / 'log/checkpoint').read_text(), tool.Key.given(str(f / 'key'), 1)).root.hex()},"
           f" cosigned by {AUDIT.name}\nOK\n")  # fmt: skip
    code, text = told(capsys, "proof", f / "one.tlog-proof", *key)
    assert code == 0
    assert "entry 307 of" in text
    assert 'body {"n": 307' in text
    assert "WX307" not in text
    assert (
        told(capsys, "consistency", f / "kept-300", f / "log/checkpoint", "--proof", f / "grown", *key)[0]
        == 0
    )
    assert told(capsys, "tiles", f / "log", "--kept", f / "kept-300", "--kept", f / "kept-600", *key)[0] == 0


def test_a_log_whose_entries_are_closed_is_verified_by_its_hashes(
    copied: tuple[Path, SigningKey], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    f, _ = copied
    shutil.copytree(f / "log", tmp_path / "log")
    shutil.rmtree(tmp_path / "log/tile/entries")
    arguments = ("tiles", tmp_path / "log", "--key", f / "key", "--kept", f / "kept-300")
    assert "missing" in told(capsys, *arguments)[1]
    assert told(capsys, *arguments, "--hashes")[0] == 0
    swap(tmp_path / "log/tile/0/000")
    code, text = told(capsys, *arguments, "--hashes")
    assert (code, "do not lead to a root" in text) == (1, True)


def test_it_runs_alone_and_slowly_without_the_library(copied: tuple[Path, SigningKey]) -> None:
    """Python alone, isolated, so that neither dizuo nor cryptography can be imported."""
    f, _ = copied
    command = [
        sys.executable,
        "-I",
        "-S",
        str(TOOL),
        "tiles",
        str(f / "log"),
        "--key",
        str(f / "key"),
        "--witness",
        str(f / "witness"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("OK\n")
    (f / "other").write_text(str(SigningKey.generate("city.example/ledger").public))
    command[-3] = str(f / "other")
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def swap(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[32:64] + data[:32] + data[64:])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-32])


def swap_entries(log: Path) -> None:
    """Two entries change places together with their leaves: only the root tells."""
    path = log / "tile/entries/000"
    found = tool.entries(path.read_bytes())
    found[0], found[1] = found[1], found[0]
    path.write_bytes(b"".join(len(one).to_bytes(2, "big") + one for one in found))
    swap(log / "tile/0/000")


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (lambda log: flip(log / "tile/entries/001", 300), "entry 258|entry 257|cut off|does not hold"),
        (lambda log: flip(log / "tile/0/001", 40), "is not what its leaf says"),
        (lambda log: flip(log / "tile/1/000.p/2", 40), "level 1"),
        (lambda log: swap(log / "tile/0/000"), "is not what its leaf says"),
        (swap_entries, "do not lead to a root"),
        (lambda log: cut(log / "tile/0/000"), "bytes, not"),
        (lambda log: cut(log / "tile/entries/002.p/88"), "cut off"),
        (lambda log: cut(log / "tile/1/000.p/2"), "bytes"),
        (lambda log: (log / "tile/0/002.p/88").unlink(), "missing"),
        (lambda log: (log / "checkpoint").write_text((log.parent / "kept-300").read_text()), "cut short"),
        (lambda log: flip(log / "checkpoint", 22), "does not fit"),
    ],
    ids=["altered entry", "altered leaf", "altered node", "reordered leaves", "reordered entries", "truncated tile",
         "truncated bundle", "truncated upper tile", "missing tile", "rewound log", "altered checkpoint"],
)  # fmt: skip
def test_tampering_is_found(
    copied: tuple[Path, SigningKey], tmp_path: Path, capsys: pytest.CaptureFixture[str], tamper: Callable[[Path], object], says: str
) -> None:  # fmt: skip
    f, _ = copied
    shutil.copytree(f, tmp_path / "f")
    tamper(tmp_path / "f" / "log")
    code, text = told(capsys, "tiles", tmp_path / "f" / "log", "--kept", f / "kept-600", "--key", f / "key")
    assert code == 1, text
    assert any(word in text for word in says.split("|")), text


def test_a_fork_and_a_missing_witness_are_found(
    copied: tuple[Path, SigningKey], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two checkpoints of one size, both signed by the log's own key."""
    f, key = copied
    forked = tmp_path / "forked"
    forked.write_text(Checkpoint(key.name, 600, bytes(32)).signed(key))
    assert "do not lead" in told(capsys, "tiles", f / "log", "--kept", forked, "--key", f / "key")[1]
    assert told(capsys, "checkpoint", forked, "--key", f / "key")[0] == 0, "alone it cannot be told"
    witnessed = told(capsys, "checkpoint", forked, "--key", f / "key", "--witness", f / "witness")
    assert witnessed[0] == 1
    assert "are needed" in witnessed[1]
    code, text = told(
        capsys, "consistency", f / "kept-300", forked, "--proof", f / "grown", "--key", f / "key"
    )
    assert (code, "rewound or forked" in text) == (1, True)
    assert (
        told(
            capsys, "consistency", f / "kept-600", f / "kept-300", "--proof", f / "grown", "--key", f / "key"
        )[0]
        == 1
    )
    flip_at = tmp_path / "proof"
    text = (f / "one.tlog-proof").read_text()
    for old, new in (
        ("index 307", "index 308"),
        ("index 307", "index 0307"),
        ("extra ", "extra A"),
        (first_hash(text), "A" * 43 + "="),
    ):
        flip_at.write_text(text.replace(old, new, 1))
        assert told(capsys, "proof", flip_at, "--key", f / "key")[0] == 1, old
    assert told(capsys, "proof", tmp_path / "nowhere", "--key", f / "key")[0] == 2


def first_hash(text: str) -> str:
    return text.split("\n")[3]


@published
@pytest.mark.parametrize(("kind", "count"), [("inclusion", 98), ("consistency", 98), ("subtreeinclusion", 0)])
def test_published_tree_vectors(kind: str, count: int) -> None:
    seen = 0
    for name, case in vectors(MERKLE, f"testdata/{kind}/"):
        path = [base64.b64decode(one) for one in case["proof"] or []]
        roots = [
            base64.b64decode(case[one] or "") for one in ("leafHash", "root", "root1", "root2") if one in case
        ]
        if kind == "inclusion":
            holds = tool.includes(case["leafIdx"], case["treeSize"], roots[0], path, roots[1])
        elif kind == "consistency":
            holds = tool.extends(case["size1"], case["size2"], *roots, path)
        else:  # a full subtree is a tree of its own
            start, end = case["start"], case["end"]
            if not 0 <= start < end or start & ((1 << (end - start - 1).bit_length()) - 1):
                holds = False
            else:
                holds = tool.includes(case["leafIdx"] - start, end - start, roots[0], path, roots[1])
        assert holds is not case["wantErr"], f"{name}: {case['desc']}"
        seen += 1
    assert seen >= max(count, 98)


@published
def test_the_verdict_on_each_ed25519_edge_case() -> None:
    """Cofactorless, R as bytes, S below the order, keys of small order or another encoding taken: as OpenSSL decides.

    Both ways of checking give one verdict on each of the 914, and it is this one.
    """
    verdicts: Counter[tuple[str, bool]] = Counter()
    for _, cases in vectors(ED25519, "ed25519"):
        for case in cases:
            key, signature = bytes.fromhex(case["key"]), bytes.fromhex(case["sig"])
            verdict = tool.verify_pure(key, signature, case["msg"].encode())
            assert verdict == tool.verify_ed25519(key, signature, case["msg"].encode()), case
            flags = set(case["flags"] or ())
            assert not (verdict and flags & {"low_order_residue", "non_canonical_R"}), case
            verdicts["all", verdict] += 1
            verdicts["non_canonical_A", verdict] += "non_canonical_A" in flags
            verdicts["low_order_A", verdict] += "low_order_A" in flags
    assert verdicts == {
        ("all", True): 208, ("all", False): 706, ("non_canonical_A", True): 36, ("non_canonical_A", False): 190,
        ("low_order_A", True): 122, ("low_order_A", False): 404,
    }  # fmt: skip
