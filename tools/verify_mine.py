#!/usr/bin/env python3
"""Verify the file that a person downloads about themself: no entry is missing, none was changed. Needs verify_ledger.py beside it.

    verify_mine.py mine FILE --key KEY [--witness KEY ...] [--log FOLDER|URL]
    verify_mine.py contents FOLDER|URL --key KEY

`mine` checks that the numbers about the person go from the first to the last without a gap, and that each stands under the
signed checkpoint. With --log (a copy of the public log, which says nothing about anybody) it also looks at every leaf there:
that no further number of the person is among them. `contents` checks what a log tells about its entries against their leaves.

The file holds the person's key: whoever has it can tell which entries of the log are about that person. Keep it.
Exit codes: 0 it holds; 1 it does not; 2 it could not be checked.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import verify_ledger as ledger

Wrong, Unusable = ledger.Wrong, ledger.Unusable
FORMAT = "dizuo-complete/1"


def tag_of(key: bytes) -> bytes:
    """The tag of the number whose key this is."""
    return hashlib.sha256(b"\2" + key).digest()[:16]


def key_after(key: bytes) -> bytes:
    """The key of the next number."""
    return hashlib.sha256(b"\3" + key).digest()


class Mine:
    """A person's file: the keys of their numbers, every entry with its place and path, one checkpoint."""

    def __init__(self, text: str, key: ledger.Key, witnesses: Sequence[ledger.Key] = ()) -> None:
        above, separator, note = text.partition("\n\n")
        lines = [line.split(" ") for line in above.split("\n")]
        if not separator or lines[0] != [FORMAT] or [line[0] for line in lines[1:3]] != ["first", "last"]:
            raise Wrong(f"not a {FORMAT} file")
        try:
            self.first, secret, self.last = int(lines[1][1]), bytes.fromhex(lines[1][2]), int(lines[2][1])
        except (ValueError, IndexError) as error:
            raise Wrong("the first or the last number is broken") from error
        if not 0 < self.first <= self.last + 1 or (len(secret) != 32 and self.last):
            raise Wrong("the first or the last number is broken")
        self.head = ledger.Head(note, key, witnesses, len(witnesses))
        self.tags: dict[bytes, int] = {}
        for number in range(self.first, self.last + 1):
            self.tags[tag_of(secret)] = number
            secret = key_after(secret)
        self.next = tag_of(secret)
        self.places: dict[int, int] = {}
        self.erased = self.older = 0
        for line in lines[3:]:
            self._read(line)
        lacking = [n for n in self.tags.values() if n not in self.places]
        if lacking:
            raise Wrong(f"number {lacking[0]} is missing, and {len(lacking) - 1} more")

    def _read(self, line: list[str]) -> None:
        what, *rest = line
        if len(rest) != (3 if what == "older" else 4) or what not in ("entry", "erased", "older"):
            raise Wrong("a line is broken")
        place, extra, path = rest[-3:]
        if not place.isdigit():
            raise Wrong("a place is broken")
        data = ledger.unbase64(extra)
        steps = [] if path == "-" else [ledger.unbase64(one) for one in path.split(",")]
        value = ledger.leaf(ledger.covered(data))
        if not ledger.includes(int(place), self.head.size, value, steps, self.head.root):
            raise Wrong(f"the entry at place {place} was changed: it does not lead to the signed root")
        if what == "older":
            self.older += 1
            return
        number = self.tags.get(_tag(ledger.covered(data)) or b"")
        if number is None or str(number) != rest[0] or number in self.places:
            raise Wrong(f"the entry at place {place} does not have number {rest[0]}")
        self.places[number] = int(place)
        self.erased += what == "erased"

    def look_through(self, log: Watched) -> int:
        """Every leaf of a log that begins with this file's checkpoint; returns how many numbers came after it. Errors: Wrong."""
        right = {place: number for number, place in self.places.items()}
        later = 0
        for place, entry in enumerate(log.seen):
            tag = _tag(entry)
            number = self.tags.get(tag or b"")
            if right.get(place) != number:
                raise Wrong(
                    f"number {number or right[place]} stands at place {place} of the log, not where the file says"
                )
            if tag == self.next:
                if place < self.head.size:
                    raise Wrong(
                        f"number {self.last + 1} is at place {place}, and the file does not have it: something is withheld"
                    )
                later += 1
        return later


class Watched(ledger.Log):
    """A log that remembers its entries as they are verified."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.seen: list[bytes] = []

    def tile(self, level: str, index: int, width: int) -> bytes:
        body = super().tile(level, index, width)
        if level == "entries":
            self.seen += ledger.entries(body)[:width]
        return body


def _tag(entry: bytes) -> bytes | None:
    """The tag on a leaf of the second version."""
    lines = entry.split(b"\n")
    if (
        lines[0] != b"dizuo-entry/2"
        or len(lines) != 4
        or not lines[1].startswith(b"tag ")
        or len(lines[1]) != 36
    ):
        return None
    try:
        return bytes.fromhex(lines[1][4:].decode("ascii", "replace"))
    except ValueError:
        return None


def mine(given: argparse.Namespace, key: ledger.Key) -> str:
    """Errors: Wrong, Unusable."""
    found = Mine(ledger._text(given.what), key, [ledger.Key.given(one, 4) for one in given.witness])
    count = f"numbers {found.first} to {found.last}, none missing" if found.last else "no numbered entry"
    said = [
        f"{count}; {found.erased} erased lawfully, {found.older} from before there were numbers",
        found.head.told(),
    ]
    if not given.log:
        return "\n".join([*said, "give --log to know that no further number is in the log"])
    log = Watched(given.log)
    newest = ledger.Head(log.read("checkpoint").decode("utf-8", "replace"), key)
    ledger.verify_tiles(log, newest, [found.head])
    later = found.look_through(log)
    after = "; there are newer ones about you since" if later else ""
    return "\n".join(
        [*said, f"no other of the first {found.head.size} entries of the log has a number of yours{after}"]
    )


def contents(given: argparse.Namespace, key: ledger.Key) -> str:
    """Errors: Wrong, Unusable."""
    log = Watched(given.what)
    head = ledger.Head(log.read("checkpoint").decode("utf-8", "replace"), key)
    ledger.verify_tiles(log, head)
    for index, width in ledger.widths(head.size):
        for n, said in enumerate(ledger.entries(log.tile("contents", index, width))[:width]):
            leaf = log.seen[index * ledger.WIDTH + n]
            if leaf != said and leaf.split(b"\n")[2:3] != [b"content " + ledger.HASH[0](said).hex().encode()]:
                raise Wrong(f"the content of entry {index * ledger.WIDTH + n} is not what its leaf says")
    return f"{head.told()}\nwhat it tells of each entry is what the leaf says"


def main(arguments: Sequence[str] | None = None) -> int:
    """0: it holds; 1: it does not; 2: it could not be checked."""
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("act", choices=("mine", "contents"))
    top.add_argument("what", metavar="FILE|FOLDER|URL")
    top.add_argument("--key", required=True)
    top.add_argument("--witness", action="append", default=[], metavar="KEY")
    top.add_argument("--log", metavar="FOLDER|URL")
    given = top.parse_args(arguments)

    def act() -> str:
        key = ledger.Key.given(given.key, 1)
        ledger.HASH[0] = key.hash
        return (mine if given.act == "mine" else contents)(given, key)

    return ledger.told(act)


if __name__ == "__main__":
    sys.exit(main())
