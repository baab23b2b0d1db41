"""The node's folder: who we are, our signing keys, the base's keys that we believe. Private: nobody else may read it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from dizuo.foundation.signing import (
    ED25519,
    Algorithm,
    KeySet,
    PrivateKey,
    PublicKey,
    SigningKeyUnknown,
    jwks,
)
from dizuo.node.errors import (
    BaseKeysInvalid,
    BaseNotTrusted,
    NodeKeyMissing,
    NodeKeyUnknown,
    NodeNotSetUp,
    NodeSetUpAlready,
)

_SETTINGS: Final = "node.json"
_TRUSTED: Final = "trusted.json"
_TAKING: Final = ".trusted.lock"
_KEYS: Final = "keys"
_UNREGISTERED: Final = "unregistered-"


class NodeSettings(msgspec.Struct, frozen=True):
    """``department`` is the id under which the base knows us, ``base`` its address without a path."""

    department: str
    base: str


class _Taken(msgspec.Struct):
    """What is kept beside the base's keys: when their set was signed, and which ended in sets of that very second."""

    created: int = 0
    dropped: list[str] = []


class NodeKey(msgspec.Struct, frozen=True):
    """One of our keys. ``registered``: the base gave it its id, so that it may sign. The last one registered signs."""

    id: str
    algorithm: str
    fingerprint: str
    registered: bool
    signs: bool


def fingerprint(key: PublicKey) -> str:
    """SHA-256 of a public key in groups of four, to be read out over the telephone."""
    text = hashlib.sha256(key.raw).hexdigest()
    return " ".join(text[n : n + 4] for n in range(0, 64, 4))


class NodeHome:
    """A node's folder that was set up. Errors: NodeNotSetUp."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.settings = msgspec.json.decode((folder / _SETTINGS).read_bytes(), type=NodeSettings)
        except FileNotFoundError:
            raise NodeNotSetUp(folder=folder, why="没有 node.json") from None
        except msgspec.DecodeError as error:
            raise NodeNotSetUp(folder=folder, why=f"node.json 读不出来（{error}）") from None

    @classmethod
    def make(cls, folder: Path, department: str, base: str) -> NodeHome:
        """Set a folder up. Errors: NodeSetUpAlready."""
        if (folder / _SETTINGS).exists():
            raise NodeSetUpAlready(folder=folder, department=cls(folder).settings.department)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / _KEYS).mkdir(exist_ok=True, mode=0o700)
        write_private(folder / _SETTINGS, msgspec.json.encode(NodeSettings(department, base.rstrip("/"))))
        return cls(folder)

    # ------------------------------------------------------------------------------------------------- our keys

    def make_key(self, algorithm: Algorithm = ED25519) -> PrivateKey:
        """A new key, not registered yet; its public part goes to the base."""
        key = PrivateKey.make(_UNREGISTERED + secrets.token_hex(4), algorithm)
        self._write_key(key)
        return key

    def adopt_key(self, key: str, id: str) -> PrivateKey:
        """The base registered one of our keys under an id: it signs from now on. Errors: NodeKeyUnknown."""
        path = self._path(key)
        held = PrivateKey.from_jwk(_jwk(path))
        made = PrivateKey(id, held.algorithm, held.secret, held.public.raw)
        self._write_key(made)
        path.unlink()
        return made

    def drop_key(self, key: str) -> None:
        """Delete a key that signs no more. Errors: NodeKeyUnknown."""
        self._path(key).unlink()

    def held(self) -> tuple[NodeKey, ...]:
        """Every key, the one that signs last."""
        found = [PrivateKey.from_jwk(_jwk(path)) for path in self._files()]
        last = next((key.id for key in reversed(found) if not key.id.startswith(_UNREGISTERED)), "")
        return tuple(
            NodeKey(
                key.id,
                key.algorithm,
                fingerprint(key.public),
                not key.id.startswith(_UNREGISTERED),
                key.id == last,
            )
            for key in found
        )

    def signing_key(self) -> PrivateKey:
        """The key that signs: the last one that the base registered. Errors: NodeKeyMissing."""
        for path in reversed(self._files()):
            key = PrivateKey.from_jwk(_jwk(path))
            if not key.id.startswith(_UNREGISTERED):
                return key
        raise NodeKeyMissing()

    def _files(self) -> Sequence[Path]:
        return sorted(
            (self.folder / _KEYS).glob("*.jwk"), key=lambda path: (path.stat().st_mtime_ns, path.name)
        )

    def _path(self, key: str) -> Path:
        for path in self._files():
            if path.stem == key:
                return path
        raise NodeKeyUnknown(key=key)

    def _write_key(self, key: PrivateKey) -> None:
        write_private(self.folder / _KEYS / f"{key.id}.jwk", msgspec.json.encode(key.as_jwk()))

    # ------------------------------------------------------------------------------------------- the base's keys

    def trust(self, document: bytes) -> tuple[PublicKey, ...]:
        """Believe these keys of the base (a JWK Set) and no others. Errors: BaseKeysInvalid."""
        keys = read_jwks(document)
        write_private(self.folder / _TRUSTED, msgspec.json.encode(jwks(keys)))
        return keys

    def take_over(self, found: KeySet) -> tuple[list[str], list[str]]:
        """Believe the keys of a set that a known key signed; gives (ids that came, ids that ended). An older set changes nothing.

        Several processes may do it: each waits for the other.
        """
        turn = os.open(self.folder / _TAKING, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(turn) as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            document = self._document()
            known = {key.id for key in read_jwks(document)}
            taken = msgspec.json.decode(document, type=_Taken)
            if found.created < taken.created:
                return [], []
            # Two sets of one second have no order: what ended in one of them does not come back with the other.
            dropped = set(taken.dropped) if found.created == taken.created else set[str]()
            keys = [key for key in found.keys if key.id not in dropped]
            ended = known - {key.id for key in keys}
            if not keys:
                return [], []
            now = {**jwks(keys), "created": found.created, "dropped": sorted(dropped | ended)}
            write_private(self.folder / _TRUSTED, msgspec.json.encode(now))
            return sorted({key.id for key in keys} - known), sorted(ended)

    def looked_at(self) -> float:
        """When the base's keys were last taken over, or a person believed them: seconds since 1970, by this machine's clock."""
        try:
            return (self.folder / _TRUSTED).stat().st_mtime
        except FileNotFoundError:
            raise BaseNotTrusted() from None

    def trusted(self) -> Mapping[str, PublicKey]:
        """The base's keys by id. Errors: BaseNotTrusted."""
        return {key.id: key for key in read_jwks(self._document())}

    def _document(self) -> bytes:
        try:
            return (self.folder / _TRUSTED).read_bytes()
        except FileNotFoundError:
            raise BaseNotTrusted() from None

    def find_base_key(self, id: str) -> PublicKey:
        """The base's key with that id. Errors: SigningKeyUnknown, BaseNotTrusted."""
        found = self.trusted().get(id)
        if found is None:
            raise SigningKeyUnknown()
        return found


def read_jwks(document: bytes) -> tuple[PublicKey, ...]:
    """The keys of a JWK Set (RFC 7517); those of kinds that we do not know are left out. Errors: BaseKeysInvalid."""
    try:
        told: Any = msgspec.json.decode(document)
    except msgspec.DecodeError:
        raise BaseKeysInvalid(why="不是 JSON") from None
    listed: Any = cast("dict[str, Any]", told).get("keys") if isinstance(told, dict) else None
    if not isinstance(listed, list):
        raise BaseKeysInvalid(why="没有 keys")
    keys: list[PublicKey] = []
    for one in cast("list[Any]", listed):
        known = isinstance(one, dict) and cast("dict[str, Any]", one).get("crv") in ("Ed25519", "SM2")
        if known:
            keys.append(PublicKey.from_jwk(cast("dict[str, Any]", one)))
    if not keys:
        raise BaseKeysInvalid(why="里面没有 Ed25519 或 SM2 公钥")
    return tuple(keys)


def write_private(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, readable by its owner only."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _jwk(path: Path) -> dict[str, Any]:
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
