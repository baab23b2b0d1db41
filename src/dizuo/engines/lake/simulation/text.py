# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Columns of text, made a block at a time: everything here works on whole Arrow arrays, nothing cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from dizuo.engines.lake.simulation.dice import Flags, Ints

pc: Any = pyarrow.compute
"""Its functions are made when it is imported, so no checker knows them."""
Column = Any
"""A pyarrow string array; the library has no type stubs."""
Days = NDArray[np.datetime64]
Digits = NDArray[np.uint8]
"""Characters of numbers, one row a number: shape (rows, places), ASCII codes."""


def column(words: Sequence[str | None]) -> Column:
    """A column of these words."""
    return pa.array(list(words), pa.string())


def constant(word: str | None, rows: int) -> Column:
    """The same word in every row."""
    if word is None:
        return pa.nulls(rows, pa.string())
    return pa.array([word], pa.string()).take(pa.array(np.zeros(rows, np.int64)))


def take(words: Column, places: Ints) -> Column:
    """words[places]; a negative place gives null."""
    indices = pa.array(places, mask=places < 0) if len(places) else pa.array([], pa.int64())
    return words.take(indices)


def rows(texts: Column, places: Ints) -> Column:
    """Some rows of a column."""
    return texts.take(pa.array(places))


def choose(words: Sequence[str], places: Ints) -> Column:
    """words[places] of a short list; a negative place gives null."""
    return take(column(words), places)


def join(*parts: Column | str) -> Column:
    """The parts of each row one after the other; null when a part is null."""
    return pc.binary_join_element_wise(*parts, "")


def where(mask: Flags, yes: Column | str | None, no: Column | str | None) -> Column:
    """`yes` where the mask is set, else `no`."""
    return pc.if_else(pa.array(mask), _scalar(yes), _scalar(no))


def _scalar(value: Column | str | None) -> Column:
    return pa.scalar(value, pa.string()) if value is None or isinstance(value, str) else value


def blank(texts: Column, mask: Flags) -> Column:
    """Null where the mask is set."""
    return where(mask, None, texts) if mask.any() else texts


def put(texts: Column, mask: Flags, fresh: Column) -> Column:
    """The rows of the mask replaced in order by `fresh`, which has one row for each."""
    if not mask.any():
        return texts
    return pc.replace_with_mask(texts, pa.array(mask), fresh)


def some(texts: Column, mask: Flags) -> Column:
    """Only the rows of the mask."""
    return texts.filter(pa.array(mask))


def isnull(texts: Column) -> Flags:
    return np.asarray(pc.is_null(texts))


def same(left: Column, right: Column) -> Flags:
    """Whether the two texts of a row are equal; two nulls are not."""
    return np.asarray(pc.fill_null(pc.equal(left, right), False))


def replaced(texts: Column, old: str, new: str) -> Column:
    return pc.replace_substring(texts, old, new)


def ascii_rows(digits: Digits) -> Column:
    """Rows of ASCII characters as text."""
    count, width = digits.shape
    offsets = np.arange(count + 1, dtype=np.int32) * width
    return pa.Array.from_buffers(
        pa.string(),
        count,
        [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(digits).tobytes())],
    )


def digits_of(numbers: Ints, width: int) -> Digits:
    """The decimal digits of whole numbers, zeros in front."""
    out = np.empty((len(numbers), width), np.uint8)
    rest = numbers.copy()
    for place in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, 10)
        out[:, place] = digit + 48
    return out


def padded(numbers: Ints, width: int) -> Column:
    """Whole numbers as text of a fixed width."""
    return ascii_rows(digits_of(numbers, width))


def plain(numbers: Ints) -> Column:
    """Whole numbers as text."""
    return pa.array(numbers).cast(pa.string())


def shifted(day: np.datetime64, by: Ints) -> Days:
    """Days before (negative) or after a day."""
    return (day.astype("datetime64[D]").astype(np.int64) + by).astype("datetime64[D]")


def later(days: Days, by: Ints) -> Days:
    """Each day moved by so many days."""
    return (days.astype("datetime64[D]").astype(np.int64) + by).astype("datetime64[D]")


def at_clock(days: Days, seconds: Ints | int) -> NDArray[np.datetime64]:
    """The moment so many seconds into each day."""
    return (days.astype("datetime64[D]").astype(np.int64) * 86_400 + seconds).astype("datetime64[s]")


def iso(days: Days) -> Column:
    """2026-11-23; null for a missing day."""
    return pa.array(days.astype("datetime64[D]")).cast(pa.string())


def dashless(days: Days) -> Column:
    """20261123; null for a missing day."""
    return pc.replace_substring(iso(days), "-", "")


def slashed(days: Days) -> Column:
    """2026/11/23; null for a missing day."""
    return pc.replace_substring(iso(days), "-", "/")


def moments(seconds: NDArray[np.datetime64]) -> Column:
    """2026-11-23 08:05:09; null for a missing moment."""
    return pa.array(seconds.astype("datetime64[s]")).cast(pa.string())


_WIDE = {str(n): chr(0xFF10 + n) for n in range(10)}


def widened(texts: Column) -> Column:
    """Full-width digits in place of ASCII ones."""
    for narrow, wide in _WIDE.items():
        texts = pc.replace_substring(texts, narrow, wide)
    return texts


def spaced(texts: Column, after: int) -> Column:
    """A stray space after the first `after` characters."""
    head = pc.utf8_slice_codeunits(texts, 0, after)
    return join(head, " ", pc.utf8_slice_codeunits(texts, after, None))


def clipped(texts: Column, length: int) -> Column:
    """The first characters only."""
    return pc.utf8_slice_codeunits(texts, 0, length)


def listed(texts: Column) -> list[str | None]:
    return texts.to_pylist()
