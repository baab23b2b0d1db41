"""What kind of values departments really delivered, by their form in a sample of each column: counts, never a value.

Looked at are the raw rows that the lake keeps of every source, as they came: also of what no register takes, and also of a delivery
that is held. The forms are those that the registers are searched for (registers: formats_found).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from dizuo.engines.lake import intake
from dizuo.engines.registers import FormatsFound

PARTS: Final = 4
"""From so many places of a file the sample is taken."""
_CITIZEN: Final = re.compile(
    r"(?<![0-9])([1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx])(?![0-9])"
)
_PHONE: Final = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")
_PICTURE: Final = re.compile(r"data:image/|/9j/|iVBORw0KGgo|R0lGOD|Qk0")
_PICTURE_LENGTH: Final = 200
_DIGITS: Final = "10X98765432"
_WEIGHTS: Final = tuple(2 ** (17 - place) % 11 for place in range(17))


def contents_found(
    data: Path, sources: Iterable[str], sample: int = 600
) -> Mapping[str, tuple[FormatsFound, ...]]:
    """By source, its columns in up to ``sample`` rows of the newest delivery that was read; sources without one are left out.

    ``data`` is the installation's folder. Files that are not whole or not there any more are left out, too.
    """
    places = intake.Places.of(data)
    found: dict[str, tuple[FormatsFound, ...]] = {}
    for source in sources:
        newest = _newest(places.rows(source, 0).parent)
        columns = _sampled(newest, max(PARTS, sample)) if newest is not None else None
        if columns:
            found[source] = tuple(_counted(name, values) for name, values in columns.items())
    return found


def _newest(folder: Path) -> Path | None:
    numbered = [path for path in folder.glob("*.parquet") if path.stem.isdigit()]
    return max(numbered, key=lambda path: int(path.stem), default=None)


def _sampled(file: Path, sample: int) -> Mapping[str, Sequence[object]] | None:
    """Rows from the beginning of row groups all over the file: only these are decoded."""
    # Loaded where it is used: the processes that serve pages import this room too.
    pq: Any = importlib.import_module("pyarrow.parquet")
    pa: Any = importlib.import_module("pyarrow")
    try:
        with pq.ParquetFile(file) as opened:
            groups = opened.metadata.num_row_groups
            chosen = sorted({groups * part // PARTS for part in range(PARTS)}) if groups else []
            columns: dict[str, list[object]] = {}
            for group in chosen:
                # Each row group gives its share of what is still wanted, so a file of one gives it all.
                wanted = sample // len(chosen)
                batch = next(opened.iter_batches(batch_size=wanted, row_groups=[group]), None)
                for name, values in batch.to_pydict().items() if batch is not None else ():
                    columns.setdefault(name, []).extend(values)
            return columns
    except (pa.ArrowException, OSError):
        return None


def _counted(name: str, values: Sequence[object]) -> FormatsFound:
    filled = [str(value) for value in values if value is not None and value != ""]
    return FormatsFound(
        name, len(values), len(filled),
        citizen_ids=sum(holds_citizen_id(text) for text in filled),
        phones=sum(len(text) >= 11 and _PHONE.search(text) is not None for text in filled),
        pictures=sum(len(text) > _PICTURE_LENGTH and _PICTURE.match(text) is not None for text in filled),
    )  # fmt: skip


def holds_citizen_id(text: str) -> bool:
    """Whether a citizen's number with the right check digit stands in a text (GB 11643)."""
    return len(text) >= 18 and any(map(_checks, _CITIZEN.findall(text)))


def _checks(number: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return _DIGITS[total % 11] == number[17].upper()
