"""Signed notes and checkpoints: one line of who, how many and which root, with an Ed25519 or SM2 signature.

Formats: C2SP signed-note and tlog-checkpoint, so that any transparency-log tool can read them.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from dizuo.foundation.ledger.errors import CheckpointInvalid, KeyInvalid
from dizuo.foundation.ledger.merkle import Digest
from dizuo.foundation.ledger.suites import COSIGNATURE, ED25519, INTERNATIONAL, SUITE, SUITES, Suite, suite_of
from dizuo.foundation.store.secrets import secret_text

DASH: Final = "— "
KEY_FILE: Final = "ledger-key"
MOST_SIGNATURES: Final = 100


def _key_id(name: str, kind: bytes, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:4]


def _check_name(name: str) -> None:
    if not name or any(mark.isspace() or mark == "+" for mark in name):
        raise KeyInvalid(f"名字 {name!r} 不能为空，也不能有空白或加号")


@dataclass(frozen=True)
class PublicKey:
    """Who signs the ledger; ``str()`` is the verifier key that ``dizuo doctor`` prints: name+id+base64.

    ``kind`` is the signature type of C2SP signed-note: ``ED25519`` or ``SM2`` for a log, ``COSIGNATURE`` for a witness.
    A log's key tells its tree's hash too: SM3 with SM2, SHA-256 otherwise.
    """

    name: str
    raw: bytes
    kind: bytes = ED25519

    @property
    def id(self) -> bytes:
        return _key_id(self.name, self.kind, self.raw)

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(self.kind + self.raw).decode()}"

    @property
    def suite(self) -> Suite:
        return suite_of(self.kind)

    @property
    def digest(self) -> Digest:
        """The hash of the tree that this key signs."""
        return self.suite.digest

    @classmethod
    def parse(cls, text: str, kind: bytes | None = None) -> PublicKey:
        """Read a verifier key of a log, or of this kind. Errors: KeyInvalid."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise KeyInvalid("公钥应有三段，用加号分开：名字+编号+密钥")
        name, key_id, encoded = parts
        _check_name(name)
        try:
            data = base64.b64decode(encoded, validate=True)
        except ValueError as error:  # also what is not ASCII
            raise KeyInvalid("公钥的第三段不是 base64") from error
        kinds = [suite.kind for suite in SUITES.values()] if kind is None else [kind]
        fits = [one for one in kinds if data.startswith(one) and len(data) == len(one) + suite_of(one).size]
        if not fits:
            raise KeyInvalid(
                f"公钥不是 Ed25519 或 SM2 的，或不是{'见证人' if kind == COSIGNATURE else '账本'}的"
            )
        found = cls(name, data[len(fits[0]) :], fits[0])
        if found.id.hex() != key_id.lower():
            raise KeyInvalid(f"公钥的编号应是 {found.id.hex()}，却写着 {key_id}；可能抄错了一个字")
        return found

    def verifies(self, signature: bytes, text: bytes) -> bool:
        return self.suite.verify(self.raw, signature, text)


class Signer(Protocol):
    """Something that signs for a public key: a key file, or a hardware module behind it."""

    @property
    def public(self) -> PublicKey: ...

    def sign(self, text: bytes) -> bytes: ...


@dataclass(frozen=True, repr=False)
class SigningKey:
    """The ledger's private key. Its text never appears in a repr or a log."""

    name: str
    _secret: bytes
    suite: Suite = INTERNATIONAL

    @classmethod
    def generate(cls, name: str, suite: Suite = INTERNATIONAL) -> SigningKey:
        _check_name(name)
        return cls(name, suite.make(), suite)

    @classmethod
    def load(cls, data: Path, name: str, file: str = KEY_FILE) -> SigningKey:
        """The key of the installation in ``data`` (``secrets/ledger-key``, 0600), made on first use. Errors: KeyInvalid.

        A ledger's key is made in the suite that DIZUO_LEDGER_SUITE names then; afterwards the file says which it is.
        """
        _check_name(name)
        wanted = os.environ.get(SUITE, INTERNATIONAL.name) if file == KEY_FILE else INTERNATIONAL.name
        if wanted not in SUITES:
            raise KeyInvalid(f"{SUITE} 应是 {' 或 '.join(SUITES)}，却是 {wanted!r}")
        text = secret_text(data, file, lambda: _secret_text(SUITES[wanted]))
        head, found, encoded = text.partition(":")
        suite = SUITES.get(head) if found else INTERNATIONAL
        if suite is None:
            raise KeyInvalid(f"{file} 用的算法 {head[:20]!r} 不认识")
        try:
            secret = base64.b64decode(encoded if found else text, validate=True)
        except ValueError as error:  # also what is not ASCII
            raise KeyInvalid(f"{file} 不是 base64") from error
        if len(secret) != suite.secret_size:
            raise KeyInvalid(f"{file} 应有 {suite.secret_size} 字节，却有 {len(secret)}")
        return cls(name, secret, suite)

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.name, self.suite.public_of(self._secret), self.suite.kind)

    def sign(self, text: bytes) -> bytes:
        return self.suite.sign(self._secret, text)

    def __repr__(self) -> str:
        return f"SigningKey({self.public})"


def _secret_text(suite: Suite) -> str:
    # Ed25519 keys have stood without a name since the first version.
    name = "" if suite is INTERNATIONAL else f"{suite.name}:"
    return name + base64.b64encode(suite.make()).decode()


@dataclass(frozen=True)
class Checkpoint:
    """What was signed: the log's name, how many entries, and the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, key: Signer) -> str:
        """The checkpoint as a signed note."""
        text = self.text()
        public = key.public
        signature = base64.b64encode(public.id + key.sign(text.encode())).decode()
        return f"{text}\n{DASH}{public.name} {signature}\n"

    @classmethod
    def open(cls, note: str, key: PublicKey) -> Checkpoint:
        """Read a signed note and check the key's signature; signatures of others (witnesses) are passed over.

        Errors: CheckpointInvalid, which says what is wrong.
        """
        text, signatures = split_note(note)
        _check_signatures(signatures, text.encode(), key)
        return cls.read(text)

    @classmethod
    def read(cls, text: str) -> Checkpoint:
        """What a checkpoint's text says, whoever signed it. Errors: CheckpointInvalid."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] != "" or not lines[0]:
            raise CheckpointInvalid("应有三行：名称、条数、根")
        if not (lines[1].isascii() and lines[1].isdigit() and len(lines[1]) < 19) or (
            lines[1] != "0" and lines[1].startswith("0")
        ):
            raise CheckpointInvalid(f"条数 {lines[1]!r} 不是数字")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except ValueError as error:  # also what is not ASCII
            raise CheckpointInvalid("根不是 base64") from error
        if len(root) != 32:
            raise CheckpointInvalid(f"根应有 32 字节，却有 {len(root)}")
        return cls(lines[0], int(lines[1]), root)


def split_note(note: str) -> tuple[str, str]:
    """A signed note's text and its signature lines (C2SP signed-note). Errors: CheckpointInvalid."""
    # The last empty line parts them, and a note may hold control characters nowhere but its line feeds.
    text, separator, signatures = note.rpartition("\n\n")
    if not separator:
        raise CheckpointInvalid("没有签名")
    if any(sign < " " and sign != "\n" for sign in note):
        raise CheckpointInvalid("里面有控制字符")
    return text + "\n", signatures


def signature_lines(signatures: str) -> list[tuple[str, bytes]]:
    """(name, key id and signature) of each line. Errors: CheckpointInvalid."""
    if not signatures.endswith("\n"):
        raise CheckpointInvalid("签名不完整")
    lines = signatures[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise CheckpointInvalid("签名太多")
    found: list[tuple[str, bytes]] = []
    for line in lines:
        name, space, encoded = line.removeprefix(DASH).partition(" ")
        if not line.startswith(DASH) or not space or not name or "+" in name:
            raise CheckpointInvalid("签名行的格式不对")
        try:
            data = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise CheckpointInvalid("签名不是 base64") from error
        if len(data) < 5:
            raise CheckpointInvalid("签名不完整")
        found.append((name, data))
    return found


def _check_signatures(signatures: str, text: bytes, key: PublicKey) -> None:
    found = False
    for name, data in signature_lines(signatures):
        if name != key.name or data[:4] != key.id:
            continue
        if not key.verifies(data[4:], text):
            raise CheckpointInvalid("签名和内容不符：内容被改过，或不是这把钥匙签的")
        found = True
    if not found:
        raise CheckpointInvalid(f"没有 {key.name} 的签名")
