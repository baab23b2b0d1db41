"""Keys, signed notes and checkpoints (C2SP signed-note, tlog-checkpoint)."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from dizuo.foundation.ledger import Checkpoint, PublicKey, SigningKey
from dizuo.foundation.ledger.errors import CheckpointInvalid, KeyInvalid
from dizuo.foundation.store.errors import DataFolderUnusable


def test_a_key_survives_its_text() -> None:
    key = SigningKey.generate("wuxi.dizuo/ledger").public
    assert PublicKey.parse(str(key)) == key


@pytest.mark.parametrize(
    "wrong",
    ["", "name", "name+00000000+AAAA", "na me+00000000+" + base64.b64encode(b"\x01" + bytes(32)).decode()],
)
def test_a_broken_key_is_told(wrong: str) -> None:
    with pytest.raises(KeyInvalid):
        PublicKey.parse(wrong)


def test_one_wrong_letter_in_a_key_is_noticed() -> None:
    text = str(SigningKey.generate("wuxi").public)
    broken = text[:-3] + ("A" if text[-3] != "A" else "B") + text[-2:]
    with pytest.raises(KeyInvalid, match=r"编号|base64"):
        PublicKey.parse(broken)


def test_the_key_file_is_made_once_and_private(tmp_path: Path) -> None:
    first, second = (SigningKey.load(tmp_path, "wuxi") for _ in range(2))
    assert first.public == second.public
    file = tmp_path / "secrets" / "ledger-key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().strip() not in repr(first)
    file.chmod(0o644)
    with pytest.raises(DataFolderUnusable, match="0644"):
        SigningKey.load(tmp_path, "wuxi")


def test_a_checkpoint_is_readable_and_bound_to_its_signature() -> None:
    key = SigningKey.generate("wuxi")
    checkpoint = Checkpoint("wuxi", 42, bytes(range(32)))
    note = checkpoint.signed(key)
    assert note.startswith("wuxi\n42\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n— wuxi ")
    assert Checkpoint.open(note, key.public) == checkpoint
    for forged in (
        note.replace("\n42\n", "\n43\n"),
        note.replace("wuxi\n42", "suzhou\n42"),
        note.replace("AAEC", "AAED"),
        note.replace("— wuxi ", "— suzhou "),
        note.partition("\n\n")[0] + "\n",
        note.rstrip("\n"),
        "",
    ):
        with pytest.raises(CheckpointInvalid):
            Checkpoint.open(forged, key.public)
    with pytest.raises(CheckpointInvalid, match="没有 wuxi 的签名"):
        Checkpoint.open(note, SigningKey.generate("wuxi").public)


def test_a_witness_may_sign_below() -> None:
    key = SigningKey.generate("wuxi")
    note = Checkpoint("wuxi", 1, bytes(32)).signed(key)
    witnessed = note + "— auditor.example " + base64.b64encode(b"1234" + bytes(64)).decode() + "\n"
    assert Checkpoint.open(witnessed, key.public).size == 1


@pytest.mark.parametrize("size", ["007", "-1", "四", "1e3", "9" * 5000])
def test_a_size_is_a_plain_number(size: str) -> None:
    key = SigningKey.generate("wuxi")
    text = f"wuxi\n{size}\n{base64.b64encode(bytes(32)).decode()}\n"
    signature = base64.b64encode(key.public.id + key.sign(text.encode())).decode()
    with pytest.raises(CheckpointInvalid, match="数字"):
        Checkpoint.open(f"{text}\n— wuxi {signature}\n", key.public)
