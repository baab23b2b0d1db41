#!/usr/bin/env python3
"""Verify the file that a person downloads about themself: no entry is missing, none was changed. Needs verify_ledger.py beside it.

    verify_mine.py mine FILE --key KEY [--witness KEY ...] [--log FOLDER|URL]
    verify_mine.py contents FOLDER|URL --key KEY

`mine` checks that the numbers about the person go from the first to the last without a gap, that each stands under the
signed checkpoint, and that the person's next number is on none of the leaves under it. For most leaves that follows from sorted
lists of tags whose roots are entries of the log: a root that is not that of its leaves could hide a number. With --log (a copy of the public
log, which says nothing about anybody) the lists are made again, and every leaf is looked at. `contents` checks what a log tells
about its entries against their leaves, and every list of tags.

The file holds the person's key: whoever has it can tell which entries of the log are about that person. Keep it.
Exit codes: 0 it holds; 1 it does not; 2 it could not be checked.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import verify_ledger as ledger

Wrong, Unusable = ledger.Wrong, ledger.Unusable
FORMATS = (["dizuo-complete/1"], ["dizuo-complete/2"])
"""The first form does not say where the list ends."""


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
        if not separator or lines[0] not in FORMATS or [line[0] for line in lines[1:3]] != ["first", "last"]:
            raise Wrong(f"not a {FORMATS[-1][0]} file")
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
        about = [line for line in lines[3:] if line[0] not in ("tags", "rest")]
        for line in about:
            self._read(line)
        lacking = [n for n in self.tags.values() if n not in self.places]
        if lacking:
            raise Wrong(f"number {lacking[0]} is missing, and {len(lacking) - 1} more")
        behind = lines[3 + len(about) :]
        if about != lines[3 : 3 + len(about)]:
            raise Wrong("a line is broken")
        self.end = Ending(behind, self.head, self.next, self.last + 1) if behind else None

    def _read(self, line: list[str]) -> None:
        what, *rest = line
        if len(rest) != (3 if what == "older" else 4) or what not in ("entry", "erased", "older"):
            raise Wrong("a line is broken")
        place, extra, path = rest[-3:]
        if not place.isdigit():
            raise Wrong("a place is broken")
        data = ledger.unbase64(extra)
        value = ledger.leaf(ledger.covered(data))
        if not ledger.includes(int(place), self.head.size, value, _steps(path), self.head.root):
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
        for one in self.end.lists if self.end else ():
            one.check(log.seen)
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


class TagList:
    """What an entry of the log says of a run of leaves: from where to where, how many tags, their root."""

    def __init__(self, place: int, data: bytes) -> None:
        self.place = place
        try:
            lines = data.split(b"\n")
            said: Any = json.loads(lines[4][len(b"body ") :])
            self.low, self.high, self.tags = (int(said[name]) for name in ("from", "to", "tags"))
            self.root = bytes.fromhex(said["root"])
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise Wrong(f"the entry at place {place} is no list of tags") from error
        if lines[0] != b"dizuo-content/2" or lines[3] != b"kind ledger.tags" or len(self.root) != 32:
            raise Wrong(f"the entry at place {place} is no list of tags")
        if not (0 <= self.low < self.high <= place and 0 <= self.tags <= self.high - self.low):
            raise Wrong(f"the list of tags at place {place} cannot be of those leaves")

    def check(self, seen: Sequence[bytes]) -> None:
        """Make it again from all leaves. Errors: Wrong."""
        tags = sorted(filter(None, map(_tag, seen[self.low : self.high])))
        tree = ledger.Growing()
        for tag in tags:
            tree.append(ledger.leaf(tag))
        if (len(tags), tree.root()) != (self.tags, self.root):
            raise Wrong(
                f"the list of tags at place {self.place} is not that of the entries {self.low} to {self.high - 1}: it can"
                " hide numbers. The signed log itself proves this: keep the copy"
            )


class Ending:
    """That no leaf under a checkpoint bears a tag: lists of tags that lie one behind the other, then the leaves themselves."""

    def __init__(self, lines: Sequence[Sequence[str]], head: ledger.Head, tag: bytes, number: int) -> None:
        self.head, self.tag, self.number = head, tag, number
        self.lists: list[TagList] = []
        at = 0
        for line in lines[:-1]:
            self.lists.append(self._list(line, at))
            at = self.lists[-1].high
        self._rest(lines[-1], at)
        self.leaves = head.size - at

    def _list(self, line: Sequence[str], at: int) -> TagList:
        if line[0] != "tags" or len(line) != 6 or not line[1].isdigit():
            raise Wrong("a line about the end of the list is broken")
        place, data = int(line[1]), ledger.unbase64(line[2])
        if not ledger.includes(
            place, self.head.size, ledger.leaf(ledger.covered(data)), _steps(line[3]), self.head.root
        ):
            raise Wrong(f"the list of tags at place {place} does not lead to the signed root")
        found = TagList(place, data)
        if found.low != at:
            raise Wrong(f"the entries from {at} on are in no list of tags")
        left, right = (self._neighbour(word, found) for word in line[4:])
        if left is None and right is None:
            whole = found.tags == 0 and found.root == ledger.HASH[0](b"")
        elif left is None:
            whole = right is not None and right[0] == 0 and self.tag < right[1]
        elif right is None:
            whole = left[0] == found.tags - 1 and left[1] < self.tag
        else:
            whole = right[0] == left[0] + 1 and left[1] < self.tag < right[1]
        if not whole:
            raise Wrong(
                f"number {self.number} may be among the entries {found.low} to {found.high - 1}: something is withheld"
            )
        return found

    @staticmethod
    def _neighbour(word: str, found: TagList) -> tuple[int, bytes] | None:
        if word == "-":
            return None
        index, _, rest = word.partition(":")
        text, _, path = rest.partition(":")
        try:
            tag = bytes.fromhex(text)
        except ValueError as error:
            raise Wrong("a neighbour in a list of tags is broken") from error
        if not index.isdigit() or len(tag) != 16:
            raise Wrong("a neighbour in a list of tags is broken")
        if not ledger.includes(int(index), found.tags, ledger.leaf(tag), _steps(path), found.root):
            raise Wrong(f"a neighbour is not in the list of tags at place {found.place}")
        return int(index), tag

    def _rest(self, line: Sequence[str], at: int) -> None:
        if line[0] != "rest" or len(line) != 4 or line[1] != str(at):
            raise Wrong("the line about the last entries is broken")
        tree, data = ledger.Growing(), b"" if line[3] == "-" else ledger.unbase64(line[3])
        tree.size, tree.stack = at, list(_steps(line[2]))
        if [len(one) for one in tree.stack] != [32] * bin(at).count("1") or len(data) != 48 * (
            self.head.size - at
        ):
            raise Wrong("the line about the last entries is broken")
        for n in range(0, len(data), 48):
            tag, content = data[n : n + 16], data[n + 16 : n + 48]
            if tag == self.tag:
                raise Wrong(
                    f"number {self.number} is at place {tree.size}, and the file does not have it: something is withheld"
                )
            tree.append(
                ledger.leaf(
                    b"dizuo-entry/2\ntag %s\ncontent %s\n" % (tag.hex().encode(), content.hex().encode())
                )
            )
        if tree.root() != self.head.root:
            raise Wrong("the last entries are not those under the signed root")


def _steps(text: str) -> list[bytes]:
    return [] if text == "-" else [ledger.unbase64(one) for one in text.split(",")]


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
        return "\n".join([*said, _ended(found)])
    log = Watched(given.log)
    newest = ledger.Head(log.read("checkpoint").decode("utf-8", "replace"), key)
    ledger.verify_tiles(log, newest, [found.head])
    later = found.look_through(log)
    after = "; there are newer ones about you since" if later else ""
    return "\n".join(
        [*said, f"no other of the first {found.head.size} entries of the log has a number of yours{after}"]
    )


def _ended(found: Mine) -> str:
    if found.end is None:
        return "this file does not show where your list ends: give --log to know that no further number is in the log"
    shown = f"number {found.last + 1} is on none of the first {found.head.size} entries of the log"
    if not found.end.lists:
        return shown
    return (
        f"{shown}: the last {found.end.leaves} are in the file, the others in {len(found.end.lists)} lists of tags, which are"
        " right as far as anybody has made them again (`contents`, or --log here)"
    )


def contents(given: argparse.Namespace, key: ledger.Key) -> str:
    """Errors: Wrong, Unusable."""
    log = Watched(given.what)
    head = ledger.Head(log.read("checkpoint").decode("utf-8", "replace"), key)
    ledger.verify_tiles(log, head)
    lists = 0
    for index, width in ledger.widths(head.size):
        for n, said in enumerate(ledger.entries(log.tile("contents", index, width))[:width]):
            leaf = log.seen[index * ledger.WIDTH + n]
            if said.split(b"\n")[3:4] == [b"kind ledger.tags"]:
                TagList(index * ledger.WIDTH + n, said).check(log.seen)
                lists += 1
            if leaf != said and leaf.split(b"\n")[2:3] != [b"content " + ledger.HASH[0](said).hex().encode()]:
                raise Wrong(f"the content of entry {index * ledger.WIDTH + n} is not what its leaf says")
    return f"{head.told()}\nwhat it tells of each entry is what the leaf says; {lists} lists of tags are those of their leaves"


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
