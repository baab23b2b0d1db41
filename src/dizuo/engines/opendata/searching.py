"""Finding: every entry that holds what was asked for, weightiest first; Chinese by any part of a word, pinyin, English.

A substring is never missed: whatever holds it has all its n-grams, the index and the postings tell who has these, and the
text itself decides. Of rows no more texts are looked at than are shown.
"""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain, groupby, islice
from typing import Any, Final, Literal

import msgspec

from dizuo.engines.opendata.folding import LONGEST, fold, fold_sign, needed, sounds
from dizuo.engines.opendata.postings import SPAN, chunk_of, first_rank, meet
from dizuo.foundation.store import Connection, Pool, Row

Kind = Literal["dataset", "column", "row"]
KINDS: Final[tuple[Kind, ...]] = ("dataset", "column", "row")
MOST_TERMS: Final = 5
_COUNTED: Final = 1_000
"""Of so many rows that may hold the terms, all are looked at for their number; about 2 ms."""
_RAREST: Final = 3
"""Of each term the rarest grams are enough to leave few texts to look at."""
_WIDER: Final = 8
"""Where the texts looked at did not hold the terms, so many times more are looked at next."""
_TRIES: Final = 4
"""Rows may be written anew between the look at the postings and that at the texts; then it begins again, so many times."""
_SAID = "SELECT * FROM opendata.said($1, $2, $3, $4, $5)"
_SAID_OF_SETS = "SELECT * FROM opendata.said_of_sets($1, $2, $3)"
_POSTINGS = "SELECT * FROM opendata.postings($1, $2, $3)"
_TEXTS = """
SELECT count(*) AS seen, array_agg(t.rank) FILTER (WHERE t.holds) AS ranks, array_agg(t.dataset) FILTER (WHERE t.holds) AS datasets,
    array_agg(t.shown) FILTER (WHERE t.holds) AS shown, array_agg(t.place) FILTER (WHERE t.holds) AS places,
    array_agg(t.folded) FILTER (WHERE t.holds) AS folded
FROM (SELECT * FROM opendata.texts($1, $2) ORDER BY rank) t
"""
_SHOWN = """
SELECT count(*) AS seen, array_agg(t.rank) FILTER (WHERE t.holds) AS ranks, array_agg(t.dataset) FILTER (WHERE t.holds) AS datasets,
    array_agg(t.shown) FILTER (WHERE t.holds) AS shown
FROM (SELECT rank, dataset, shown, holds FROM opendata.texts($1, $2) ORDER BY rank) t
"""
_COUNT = "SELECT count(*) AS seen, count(*) FILTER (WHERE holds) AS found FROM opendata.texts($1, $2)"
_ALIKE: Final = 50
"""Of the known words those most alike in their pairs of letters are compared with a query that finds nothing."""
_WORDS = "SELECT word, sound FROM opendata.word"


_Text = tuple[Any, ...]
"""What is asked for of a text: its rank, dataset and so on."""


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


class Match(msgspec.Struct, frozen=True, gc=False):
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
    low = KINDS.index(kind) * SPAN if after is None else after + 1
    if kind != "row":
        rows = await pool.fetch(_SAID, _needed(terms)[0], terms, kind, low, limit)
        hits = (
            Hit(
                row["dataset"],
                kind,
                row["shown"],
                row["place"],
                row["folded"],
                marks(row["shown"], terms),
                row["rank"],
            )
            for row in rows
        )
        return Found(tuple(hits), int(rows[0]["found"]) if rows else 0, True)
    found = Found((), 0, True)
    for _ in range(_TRIES):
        found, whole = await _find_rows(pool, terms, low, limit)
        if whole:
            break
    return found


async def _find_rows(
    pool: Pool | Connection, terms: Sequence[str], low: int, limit: int
) -> tuple[Found, bool]:
    """Rows found, and whether all that the postings told of were still there."""
    first = chunk_of(low)
    chunks = [(chunk, held) for chunk, held in await _postings(pool, terms) if chunk >= first]
    at_most = sum(min(many for many, _ in held) for _, held in chunks)
    told = (first_rank(chunk) + place for chunk, held in chunks for place in meet(held))
    ranks = (rank for rank in told if rank >= low)
    texts: list[_Text] = []
    asked = there = 0
    step = limit
    while len(texts) < limit and (lot := list(islice(ranks, step))):
        seen = await _one(pool, _TEXTS, lot, terms)
        asked, there = asked + len(lot), there + int(seen["seen"])
        texts += _rows_of(seen, "ranks", "datasets", "shown", "places", "folded")
        step *= _WIDER
    total = len(texts)
    exact = at_most <= _COUNTED
    if exact:
        if rest := list(ranks):
            counted = await _one(pool, _COUNT, rest, terms)
            asked, there = asked + len(rest), there + int(counted["seen"])
            total += int(counted["found"])
    else:
        exact = next(ranks, None) is None
    hits = (
        Hit(dataset, "row", shown, place, folded, marks(shown, terms), rank)
        for rank, dataset, shown, place, folded in texts[:limit]
    )
    return Found(tuple(hits), total if exact else limit, exact), asked == there


async def find_sets(pool: Pool | Connection, query: str, *, most: int = 3) -> Mapping[str, list[Match]]:
    """Every dataset with an entry that holds all terms of the query, with its first ``most`` entries of each kind.

    The weightiest kind comes first: what is said of the dataset, its columns, its rows. No dataset is left out, however many
    entries of others hold the terms too. Errors: the pool's. A query without any sign finds nothing.
    """
    terms = terms_of(query)
    if not terms:
        return {}
    found: dict[str, list[Match]] = {}
    said = await _one(pool, _SAID_OF_SETS, _needed(terms)[0], terms, most)
    for rank, dataset, shown in _rows_of(said, "ranks", "datasets", "shown"):
        _add(found, dataset, Match(KINDS[int(rank) // SPAN], shown), most)
    rows: list[_Text] = []
    for _ in range(_TRIES):
        rows, whole = await _rows_of_sets(pool, terms, most)
        if whole:
            break
    for _, dataset, shown in sorted(rows):
        _add(found, dataset, Match("row", shown), most)
    return found


async def _rows_of_sets(pool: Pool | Connection, terms: Sequence[str], most: int) -> tuple[list[_Text], bool]:
    """The first rows of each chunk that hold the terms, and whether all that the postings told of were still there."""
    waiting = {chunk: iter(meet(held)) for chunk, held in await _postings(pool, terms)}
    missing = dict.fromkeys(waiting, most)
    rows: list[_Text] = []
    asked = there = 0
    step = most
    while waiting:
        lots = {
            chunk: [first_rank(chunk) + place for place in islice(places, step)]
            for chunk, places in waiting.items()
        }
        if ranks := list(chain.from_iterable(lots.values())):
            seen = await _one(pool, _SHOWN, ranks, terms)
            asked, there = asked + len(ranks), there + int(seen["seen"])
            held = _rows_of(seen, "ranks", "datasets", "shown")
            rows += held
            for rank, *_ in held:
                missing[chunk_of(rank)] -= 1
        waiting = {
            chunk: waiting[chunk] for chunk, lot in lots.items() if len(lot) == step and missing[chunk] > 0
        }
        step *= _WIDER
    return rows, asked == there


async def _one(pool: Pool | Connection, statement: str, *args: object) -> Row:
    """The row of a statement that gives one always."""
    row = await pool.fetchrow(statement, *args)
    assert row is not None
    return row


def _rows_of(columns: Row, *names: str) -> list[_Text]:
    """Rows from columns that came as arrays, which is quicker; no array is no rows."""
    return list(zip(*(columns[name] or () for name in names), strict=True))


def _add(found: dict[str, list[Match]], dataset: str, match: Match, most: int) -> None:
    """Add a match behind those of its dataset unless there are ``most`` of its kind; they come kind by kind."""
    matches = found.setdefault(dataset, [])
    if len(matches) < most or matches[-most].kind != match.kind:
        matches.append(match)


def _needed(terms: Sequence[str]) -> tuple[list[int], list[int]]:
    """The grams of all terms, and of which term each is."""
    pairs = [(gram, n) for n, term in enumerate(terms) for gram in needed(term)]
    return [gram for gram, _ in pairs], [n for _, n in pairs]


async def _postings(
    pool: Pool | Connection, terms: Sequence[str]
) -> list[tuple[int, list[tuple[int, bytes]]]]:
    """Chunks in which all grams of the terms stand, in order, each with postings of the rarest."""
    rows = await pool.fetch(_POSTINGS, *_needed(terms), _RAREST)
    return [
        (chunk, [(row["entries"], row["held"]) for row in some])
        for chunk, some in groupby(rows, key=lambda row: int(row["chunk"]))
    ]


def marks(shown: str, terms: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Where the terms stand in a text as shown, in order and without overlaps; sound-alikes are not marked."""
    folded = "".join(map(fold_sign, shown))
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
        # Comparing letter by letter with ten thousand titles takes half a second; pairs of letters tell which may be near.
        pairs = _pairs(sound)
        alike = heapq.nlargest(_ALIKE, self._sounds, key=lambda one: _likeness(pairs, _pairs(one)))
        close = difflib.get_close_matches(sound, alike, n=most, cutoff=0.72)
        found = [*same, *(word for one in close for word in self._sounds[one])]
        return tuple(word for word in dict.fromkeys(found) if word != asked)[:most]


@lru_cache(maxsize=1 << 16)
def _pairs(sound: str) -> int:
    """The pairs of neighbouring letters of a sound with its beginning and end, each a bit of 256."""
    bits = 0
    for before, after in zip("^" + sound, sound + "$", strict=True):
        bits |= 1 << (ord(before) * 31 + ord(after) & 255)
    return bits


def _likeness(one: int, other: int) -> float:
    """From 0 to 1: how many of their pairs two sounds have in common."""
    return 2 * (one & other).bit_count() / (one.bit_count() + other.bit_count())


async def speller(pool: Pool | Connection) -> Speller:
    """All words with their sounds. Errors: the pool's."""
    return Speller({row["word"]: row["sound"] for row in await pool.fetch(_WORDS)})
