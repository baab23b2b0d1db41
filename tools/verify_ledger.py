#!/usr/bin/env python3
"""Verify a city's ledger without dizuo: one file, Python 3.9 or later, nothing to install.

It checks the signature of a checkpoint, the cosignatures of witnesses, a proof that somebody downloaded, that a newer
checkpoint only added to an older one, and a whole copy of the log (C2SP signed-note, tlog-checkpoint, tlog-cosignature,
tlog-proof, tlog-tiles; RFC 9162; RFC 8032). Exit code 0: it holds; 1: it does not; 2: it could not be checked.
A ledger under SM3 and SM2 also needs ledger_sm.py, beside this file. verify_mine.py proves that no entry about a person is missing.

    verify_ledger.py checkpoint FILE --key KEY [--witness KEY ... --quorum N]
    verify_ledger.py proof FILE --key KEY [--witness KEY ... --quorum N]
    verify_ledger.py consistency OLD NEW --key KEY --proof FILE
    verify_ledger.py tiles FOLDER|URL --key KEY [--kept CHECKPOINT ...]
    verify_ledger.py copy URL FOLDER --key KEY [--hashes]

KEY is a verifier key, or a file that holds one in its first line. Get it elsewhere than from where you get the log.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import importlib
import sys
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

Verify = Callable[[bytes, bytes, bytes], bool]
SM2 = b"\xffdizuo/sm2-sm3/1"
WIDTH, LARGEST = 256, 32 * 1024 * 1024
PROOF, DASH = "c2sp.org/tlog-proof@v1", "\u2014 "


class Wrong(Exception):
    """What was given does not hold."""


class Unusable(Exception):
    """What was given cannot be read."""


# Ed25519 (RFC 8032). Verdict: cofactorless ([S]B = R + [k]A exactly); S is below the group's order; R is compared as bytes, so only its one
# encoding fits; the key may be of small order or not in its one encoding, as in OpenSSL, so that both ways of checking agree.

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
Point = tuple[int, int, int, int]  # (X, Y, Z, T), extended coordinates


def _add(one: Point, two: Point) -> Point:
    a = (one[1] - one[0]) * (two[1] - two[0]) % _P
    b = (one[1] + one[0]) * (two[1] + two[0]) % _P
    c = 2 * one[3] * two[3] * _D % _P
    d = 2 * one[2] * two[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(number: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = _add(total, point)
        point = _add(point, point)
        number >>= 1
    return total


def _decode(data: bytes) -> Point | None:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, (y & ((1 << 255) - 1)) % _P
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P:
        return None
    if x & 1 != sign:
        x = -x % _P
    return x, y, 1, x * y % _P


def _encode(point: Point) -> bytes:
    inverse = pow(point[2], _P - 2, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_BASE = _decode((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little"))


def verify_pure(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the Ed25519 signature holds, with nothing but Python."""
    if len(key) != 32 or len(signature) != 64 or _BASE is None:
        return False
    point, s = _decode(key), int.from_bytes(signature[32:], "little")
    if point is None or s >= _L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % _L
    minus = (-point[0] % _P, point[1], 1, -point[3] % _P)
    return _encode(_add(_times(s, _BASE), _times(k, minus))) == signature[:32]


def verify_ed25519(key: bytes, signature: bytes, message: bytes) -> bool:
    """With the library where it is installed: the same verdicts, five hundred times as fast."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return verify_pure(key, signature, message)
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except Exception:  # InvalidSignature, or no key at all
        return False
    return True


class Key:
    """A verifier key: name+id+base64 of kind and key (C2SP signed-note). Kind 1 is a log's, 4 a witness's, SM2 a log's."""

    def __init__(self, text: str, kind: int) -> None:
        name, _, rest = text.strip().partition("+")
        number, _, encoded = rest.partition("+")
        data = unbase64(encoded)
        self.verify, self.hash = verify_ed25519, sha256
        national = kind == 1 and data.startswith(SM2)
        self.name, self.raw = name, data[len(SM2) if national else 1 :]
        if national:
            sm = importlib.import_module("ledger_sm")
            self.verify, self.hash = sm.verify_sm2, sm.sm3
        elif len(data) != 33 or data[0] != kind:
            raise Unusable(f"not a key of a {'log' if kind == 1 else 'witness'}: {text.strip()}")
        self.id = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
        if self.id.hex() != number.lower():
            raise Unusable(f"the key's number should be {self.id.hex()}: a letter was copied wrongly")

    @classmethod
    def given(cls, text: str, kind: int) -> Key:
        """From a key, or a file whose first line is one."""
        path = Path(text)
        if path.is_file():
            text = (path.read_text(encoding="utf-8").splitlines() or [""])[0]
        return cls(text, kind)


class Head:
    """A checkpoint that a log signed: name, size, root, and which of the witnesses signed it when (seconds since 1970)."""

    def __init__(self, note: str, key: Key, witnesses: Sequence[Key] = (), quorum: int = 0) -> None:
        text, separator, signatures = note.rpartition("\n\n")
        text += "\n"
        if not separator or not signatures.endswith("\n"):
            raise Wrong("the checkpoint is not signed")
        signed, self.witnessed = False, dict[str, int]()
        for line in signatures[:-1].split("\n"):
            name, _, encoded = line[len(DASH) :].partition(" ")
            if not line.startswith(DASH) or not encoded:
                raise Wrong("a signature line is broken")
            data = unbase64(encoded)
            if (name, data[:4]) == (key.name, key.id):
                if not key.verify(key.raw, data[4:], text.encode()):
                    raise Wrong("the signature does not fit: the text was changed, or another key made it")
                signed = True
            for witness in witnesses:
                if (name, data[:4]) == (witness.name, witness.id):
                    at = int.from_bytes(data[4:12], "big")
                    message = f"cosignature/v1\ntime {at}\n{text}".encode()
                    if len(data) != 76 or not verify_ed25519(witness.raw, data[12:], message):
                        raise Wrong(f"the cosignature of {name} does not fit")
                    self.witnessed[str(witness.name)] = at
        if not signed:
            raise Wrong(f"{key.name} with this key did not sign the checkpoint")
        if len(self.witnessed) < quorum:
            raise Wrong(f"{len(self.witnessed)} of the witnesses signed, {quorum} are needed")
        lines = text.split("\n")
        if len(lines) < 4 or not _plain(lines[1]):
            raise Wrong("the checkpoint is not: name, size, root")
        self.origin, self.size, self.root = lines[0], int(lines[1]), unbase64(lines[2])
        if len(self.root) != 32:
            raise Wrong("the root is not 32 bytes")

    def told(self) -> str:
        """In words."""
        by = f", cosigned by {', '.join(sorted(self.witnessed))}" if self.witnessed else ""
        return f"{self.origin}: {self.size} entries, root {self.root.hex()}{by}"


def _plain(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19 and (text == "0" or text[0] != "0")


def unbase64(text: str) -> bytes:
    """Standard base64, strictly. Errors: Wrong."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Wrong("something is not base64") from error


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


HASH = [sha256]  # of the tree under verification: SHA-256, or what the log's key says


def leaf(data: bytes) -> bytes:
    """§2.1.1"""
    return HASH[0](b"\0" + data)


def node(left: bytes, right: bytes) -> bytes:
    """§2.1.1"""
    return HASH[0](b"\1" + left + right)


def covered(extra: bytes) -> bytes:
    """The bytes under the leaf of an entry: itself, or from `dizuo-entry/2` on its tag and the hash of its content."""
    content, found, tag = extra.rpartition(b"\ntag ")
    if not extra.startswith(b"dizuo-content/2\n") or not found or len(tag) != 33:
        return extra
    return b"dizuo-entry/2\ntag " + tag + b"content " + HASH[0](content + b"\n").hex().encode() + b"\n"


def _climbed(f: int, s: int, value: bytes, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """§2.1.3.2 and §2.1.4.2, from node f of a row that ends with s: (the root of what lies left of it and it, the root of all).

    Two empty values when the path is too short or too long.
    """
    left = whole = value
    for p in path:
        if s == 0:
            return b"", b""
        if f & 1 or f == s:
            left, whole = node(p, left), node(p, whole)
            while not f & 1 and f:
                f, s = f >> 1, s >> 1
        else:
            whole = node(whole, p)
        f, s = f >> 1, s >> 1
    return (left, whole) if s == 0 else (b"", b"")


def includes(index: int, size: int, value: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path proves the leaf hash at an index."""
    if not 0 <= index < size or any(len(one) != 32 for one in (value, *path)):
        return False
    return _climbed(index, size - 1, value, path)[1] == root


def extends(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the tree of ``new`` leaves only added to the one of ``old``."""
    if not 0 < old <= new or any(len(one) != 32 for one in path):
        return False
    if old == new or not path:
        return old == new and not path and old_root == new_root
    first, *rest = path if old & (old - 1) else [old_root, *path]
    f, s = old - 1, new - 1
    while f & 1:
        f, s = f >> 1, s >> 1
    return _climbed(f, s, first, rest) == (old_root, new_root)


class Growing:
    """A tree that grows leaf by leaf and tells its root at any size on the way."""

    def __init__(self) -> None:
        self.size = 0
        self.stack: list[bytes] = []

    def append(self, value: bytes) -> None:
        rest = self.size
        while rest & 1:
            value = node(self.stack.pop(), value)
            rest >>= 1
        self.stack.append(value)
        self.size += 1

    def root(self) -> bytes:
        if not self.stack:
            return HASH[0](b"")
        value = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            value = node(left, value)
        return value


class Log:
    """A log as tiles: a folder that mirrors it, or the address that serves it."""

    def __init__(self, place: str) -> None:
        self.place = place.rstrip("/")
        self.remote = place.startswith(("http://", "https://"))

    def read(self, path: str) -> bytes:
        """One resource. Errors: Wrong when it is not there, Unusable when it cannot be had."""
        try:
            if not self.remote:
                return (Path(self.place) / path).read_bytes()
            request = urllib.request.Request(f"{self.place}/{path}", headers={"Accept-Encoding": "gzip"})  # noqa: S310
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                body = answer.read(LARGEST)
                packed = answer.headers.get("Content-Encoding") == "gzip"
                return zlib.decompressobj(31).decompress(body, LARGEST) if packed else body
        except (OSError, zlib.error) as error:
            gone = isinstance(error, FileNotFoundError) or getattr(error, "code", 0) == 404
            raise (Wrong if gone else Unusable)(f"{path} is missing: {error}") from error

    def tile(self, level: str, index: int, width: int) -> bytes:
        """A tile or bundle; a partial one may be cut from the full one that has replaced it."""
        try:
            return self.read(tile_path(level, index, width))
        except Wrong:
            whole = b"" if width == WIDTH else self.read(tile_path(level, index, WIDTH))
            if not whole:
                raise
            return whole if level in ("entries", "contents") else whole[: width * 32]


def tile_path(level: str, index: int, width: int) -> str:
    """Index 1234067 of level 0 is tile/0/x001/x234/067."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    return f"tile/{level}/{'/'.join(groups)}{'' if width == WIDTH else f'.p/{width}'}"


def widths(count: int) -> Iterator[tuple[int, int]]:
    """(index, width) of the tiles that hold so many hashes."""
    for index in range((count + WIDTH - 1) // WIDTH):
        yield index, min(WIDTH, count - index * WIDTH)


def entries(bundle: bytes) -> list[bytes]:
    """The entries of a bundle. Errors: Wrong."""
    found: list[bytes] = []
    place = 0
    while place < len(bundle):
        end = place + 2 + int.from_bytes(bundle[place : place + 2], "big")
        if end > len(bundle):
            raise Wrong("an entry bundle is cut off")
        found.append(bundle[place + 2 : end])
        place = end
    return found


def hashes(log: Log, level: int, index: int, width: int) -> list[bytes]:
    """The hashes of one tile. Errors: Wrong."""
    body = log.tile(str(level), index, width)
    if len(body) != width * 32:
        raise Wrong(f"{tile_path(str(level), index, width)} has {len(body)} bytes, not {width * 32}")
    return [body[n : n + 32] for n in range(0, len(body), 32)]


def verify_tiles(log: Log, head: Head, kept: Sequence[Head] = (), bare: bool = False) -> None:
    """Every entry (not when ``bare``), leaf, level and root of a copy. Errors: Wrong with the place."""
    tree, roots = Growing(), dict[int, set[bytes]]()
    for one in (*kept, head):
        roots.setdefault(one.size, set()).add(one.root)
    if max(roots) > head.size:
        raise Wrong(f"you kept one of {max(roots)} entries, this log has {head.size}: it was cut short")
    if roots.get(0, {tree.root()}) != {tree.root()}:
        raise Wrong("an empty log has another root")
    level: list[bytes] = []
    for index, width in widths(head.size):
        name, stored = tile_path("entries", index, width), hashes(log, 0, index, width)
        bundle = [] if bare else entries(log.tile("entries", index, width))[:width]
        if len(bundle) != (0 if bare else width):
            raise Wrong(f"{name} does not hold {width} entries")
        for n, value in enumerate(stored):
            if not bare and leaf(bundle[n]) != value:
                raise Wrong(f"entry {index * WIDTH + n} in {name} is not what its leaf says")
            tree.append(value)
            if tree.size in roots and roots[tree.size] != {tree.root()}:
                raise Wrong(
                    f"the first {tree.size} entries do not lead to a root that was signed: forked, changed"
                )
        level += stored
    depth = 0
    while len(level) >= WIDTH:
        depth += 1
        for _ in range(8):
            level = [node(level[n], level[n + 1]) for n in range(0, len(level) - 1, 2)]
        if [one for at in widths(len(level)) for one in hashes(log, depth, *at)] != level:
            raise Wrong(f"the tiles of level {depth} are not made of those below")


def verify_proof(text: str, key: Key, witnesses: Sequence[Key], quorum: int) -> tuple[bytes, int, Head]:
    """A downloaded proof: (the entry's bytes, its place, the checkpoint). Errors: Wrong."""
    above, separator, note = text.partition("\n\n")
    lines = above.split("\n")
    if not separator or len(lines) < 3 or lines[0] != PROOF or not lines[1].startswith("extra "):
        raise Wrong(f"not a {PROOF} file with the entry in it")
    index = lines[2][len("index ") :]
    if not lines[2].startswith("index ") or not _plain(index) or len(lines) > 66:
        raise Wrong("the index or the path is broken")
    head = Head(note, key, witnesses, quorum)
    data = unbase64(lines[1][len("extra ") :])
    path, value = [unbase64(line) for line in lines[3:]], leaf(covered(data))
    if not includes(int(index), head.size, value, path, head.root):
        raise Wrong("the entry, its place or its path was changed: they do not lead to the signed root")
    return data, int(index), head


def copy(log: Log, folder: Path, head: Head, note: str, bare: bool) -> int:
    """Copy every tile and entry of a checkpoint into a folder; what is there already and full is kept. Files written."""
    written = 0
    levels = [("entries", 0 if bare else head.size)] + [(str(n), head.size >> 8 * n) for n in range(8)]
    for level, count in levels:
        for index, width in widths(count):
            path = folder / tile_path(level, index, width)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                part = path.with_name(path.name + ".part")
                part.write_bytes(log.tile(level, index, width))
                part.replace(path)
                written += 1
    (folder / "checkpoint").write_text(note, encoding="utf-8")
    return written


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("act", choices=("checkpoint", "proof", "consistency", "tiles", "copy"))
    top.add_argument("what", nargs="+", metavar="FILE|FOLDER|URL")
    top.add_argument("--key", required=True)
    top.add_argument("--witness", action="append", default=[], metavar="KEY")
    top.add_argument("--quorum", type=int, help="how many witnesses must have signed; unless told, all given")
    top.add_argument("--proof", metavar="FILE", help="a consistency proof: a base64 hash a line")
    top.add_argument("--hashes", action="store_true", help="without entries, where a log keeps them closed")
    top.add_argument("--kept", action="append", default=[], metavar="CHECKPOINT")
    return top


def run(given: argparse.Namespace) -> str:
    """Do what was asked; returns what to print. Errors: Wrong, Unusable."""
    key, witnesses = Key.given(given.key, 1), [Key.given(one, 4) for one in given.witness]
    HASH[0] = key.hash
    quorum = len(witnesses) if given.quorum is None else given.quorum
    if len(given.what) != (2 if given.act in ("consistency", "copy") else 1):
        raise Unusable(f"{given.act} takes another number of files; see --help")
    first, last = given.what[0], given.what[-1]
    if given.act == "checkpoint":
        return Head(_text(first), key, witnesses, quorum).told()
    if given.act == "proof":
        data, index, found = verify_proof(_text(first), key, witnesses, quorum)
        return f"{data.decode('utf-8', 'replace')}is entry {index} of\n{found.told()}"
    if given.act == "consistency":
        old, new = Head(_text(first), key), Head(_text(last), key, witnesses, quorum)
        path = [unbase64(line) for line in _text(given.proof or "").split()]
        if not extends(old.size, new.size, old.root, new.root, path):
            raise Wrong("the newer checkpoint does not go on from the older one: rewound or forked")
        return f"{new.told()}\nonly added to the first {old.size}"
    log = Log(first)
    note = log.read("checkpoint").decode("utf-8", "replace")
    found = Head(note, key, witnesses, quorum)
    if given.act == "copy":
        written = copy(log, Path(last), found, note, given.hashes)
        log, note = Log(last), f"{written} files copied, "
    verify_tiles(log, found, [Head(_text(one), key) for one in given.kept], given.hashes)
    return f"{found.told()}\n{note if given.act == 'copy' else ''}nothing was altered, removed or reordered"


def _text(path: str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path} cannot be read: {error}") from error


def told(act: Callable[[], str]) -> int:
    """Do it and print what it says. 0: it holds; 1: it does not; 2: it could not be checked."""
    try:
        print(act())
    except Wrong as wrong:
        print(f"WRONG: {wrong}", file=sys.stderr)
        return 1
    except Unusable as error:
        print(f"not checked: {error}", file=sys.stderr)
        return 2
    print("OK")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    return told(lambda: run(parser().parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
