"""Finding: every entry that holds what was asked for, weightiest first; Chinese by any part of a word, pinyin, English.

A substring is never missed. Rare ones are found through the index of n-grams, frequent ones by walking the entries from the
weightiest; a walk that does not find enough goes on through the index.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from dizuo.engines.opendata.folding import LONGEST, fold, needed, sounds
from dizuo.foundation.store import Connection, Pool

Kind = Literal["dataset", "column", "row"]
KINDS: Final[tuple[Kind, ...]] = ("dataset", "column", "row")
MOST_TERMS: Final = 5
_SPAN: Final = 10**12
_STEPS: Final = 25_000
"""So many entries are looked at on a walk before the index is asked after all; about 15 ms."""
_FEWEST: Final = 2_000
_RAREST: Final = 5
"""Of a long query's grams the rarest are enough for the index; the text itself decides."""
_RARE = "SELECT * FROM opendata.find_rare($1, $2, $3, $4, $5)"
_COMMON = "SELECT * FROM opendata.find_common($1, $2, $3, $4, $5)"
_COUNTS = """
SELECT (SELECT c.entries FROM opendata.entry_count c) AS entries, min(r.entries) AS rarest, array_agg(r.gram) AS grams FROM (
    SELECT n AS gram, coalesce(g.entries, 0) AS entries FROM unnest($1::integer[]) n LEFT JOIN opendata.gram g ON g.gram = n
    ORDER BY 2, 1 LIMIT $2) r
"""
_GOES_ON = "SELECT EXISTS (SELECT FROM opendata.entry WHERE rank >= $1 AND rank < $2 ORDER BY rank OFFSET $3)"
_SETS_RARE = "SELECT * FROM opendata.sets_rare($1, $2, 0, $3, NULL, $4) ORDER BY rank"
_SETS_COMMON = "SELECT * FROM opendata.sets_common($1, $2, $3, $4, $5, $6, $7) ORDER BY rank"
_WORDS = "SELECT word, sound FROM opendata.word"


class Hit(msgspec.Struct, frozen=True):
    """One entry found. ``place``: a column's id or a row's number; ``marks``: where in ``shown`` the terms stand (from, to)."""

    dataset: str
    kind: Kind
    shown: str
    place: str
    folded: str
    marks: tuple[tuple[int, int], ...]
    rank: int


class Found(msgspec.Struct, frozen=True):
    """What was found of one kind. ``exact``: ``total`` counts all hits, also those beyond the page; otherwise there may be more."""

    hits: tuple[Hit, ...]
    total: int
    exact: bool


class Match(msgspec.Struct, frozen=True):
    """An entry of a dataset that holds what was asked for."""

    kind: Kind
    shown: str


def terms_of(query: str) -> tuple[str, ...]:
    """The terms of a query: parted by spaces, folded, at most five, each once."""
    return tuple(dict.fromkeys(fold(query[:200])[:LONGEST].split()))[:MOST_TERMS]


async def find(
    pool: Pool | Connection, query: str, kind: Kind, *, limit: int = 50, after: int | None = None
) -> Found:
    """Entries of one kind that hold every term of the query, in order of weight; ``after`` goes on behind a rank.

    Errors: the pool's. A query without any sign finds nothing.
    """
    terms = terms_of(query)
    if not terms:
        return Found((), 0, True)
    grams = sorted({gram for term in terms for gram in needed(term)})
    start = KINDS.index(kind) * _SPAN
    low, high = start if after is None else after + 1, start + _SPAN
    row = await pool.fetchrow(_COUNTS, grams, _RAREST)
    assert row is not None
    entries, rarest = int(row["entries"]), int(row["rarest"])
    if rarest > _common_from(entries):
        rows = await pool.fetch(_COMMON, list(terms), low, high, limit, _STEPS)
        if len(rows) == limit:
            return Found(_hits(rows, terms), limit, False)
        if not await pool.fetchval(_GOES_ON, low, high, _STEPS):
            return Found(_hits(rows, terms), len(rows), True)  # all there are have been looked at
    rows = await pool.fetch(_RARE, row["grams"], list(terms), low, high, limit)
    total = int(rows[0]["found"]) if rows else 0
    return Found(_hits(rows, terms), total, True)


async def find_sets(pool: Pool | Connection, query: str, *, most: int = 3) -> Mapping[str, list[Match]]:
    """Every dataset with an entry that holds all terms of the query, with its first ``most`` entries of each kind.

    The weightiest kind comes first: what is said of the dataset, its columns, its rows. No dataset is left out, however many
    entries of others hold the terms too. Errors: the pool's. A query without any sign finds nothing.
    """
    terms = terms_of(query)
    if not terms:
        return {}
    grams = sorted({gram for term in terms for gram in needed(term)})
    row = await pool.fetchrow(_COUNTS, grams, _RAREST)
    assert row is not None
    rows_from, high = KINDS.index("row") * _SPAN, len(KINDS) * _SPAN
    if int(row["rarest"]) > _common_from(int(row["entries"])):
        rows = await pool.fetch(_SETS_COMMON, grams, row["grams"], list(terms), rows_from, high, most, _STEPS)
    else:
        rows = await pool.fetch(_SETS_RARE, row["grams"], list(terms), high, most)
    found: dict[str, list[Match]] = {}
    for one in rows:
        found.setdefault(one["dataset"], []).append(Match(one["kind"], one["shown"]))
    return found


def _common_from(entries: int) -> int:
    """A gram of more entries than this is common: walking finds it sooner than the index tells where all of them are."""
    return max(_FEWEST, entries // 250)


def _hits(rows: Sequence[Any], terms: Sequence[str]) -> tuple[Hit, ...]:
    return tuple(
        Hit(row["dataset"], row["kind"], row["shown"], row["place"], row["folded"], marks(row["shown"], terms), row["rank"])
        for row in rows
    )  # fmt: skip


def marks(shown: str, terms: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Where the terms stand in a text as shown, in order and without overlaps; sound-alikes are not marked."""
    folded = "".join(sign if len(one := fold(sign)) != 1 else one for sign in shown)
    spans: list[tuple[int, int]] = []
    for term in terms:
        at = folded.find(term)
        while at >= 0:
            spans.append((at, at + len(term)))
            at = folded.find(term, at + len(term))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


class Speller:
    """Words that a query without hits may have meant: of the same sound first, then of a sound nearby."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._sounds: dict[str, list[str]] = {}
        for word, sound in words.items():
            self._sounds.setdefault(sound or word, []).append(word)

    def near(self, query: str, most: int = 3) -> tuple[str, ...]:
        """At most ``most`` words; none for a query that sounds like nothing known."""
        asked = fold(query[:LONGEST])
        if not asked:
            return ()
        sound = sounds(asked)[0].replace("\n", "") or asked.replace(" ", "")
        same = self._sounds.get(sound, [])
        close = difflib.get_close_matches(sound, self._sounds, n=most, cutoff=0.72)
        found = [*same, *(word for one in close for word in self._sounds[one])]
        return tuple(word for word in dict.fromkeys(found) if word != asked)[:most]


async def speller(pool: Pool | Connection) -> Speller:
    """All words with their sounds. Errors: the pool's."""
    return Speller({row["word"]: row["sound"] for row in await pool.fetch(_WORDS)})
