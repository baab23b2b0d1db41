"""What a folder of simulated deliveries holds: manifest.json vouches for every file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec

from dizuo.engines.lake.demonstration import DemoPerson

MANIFEST = "manifest.json"
NOTICE = "演示数据：全部为虚构，与任何真实个人和单位无关。"


class DeliveredFile(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery of one source.

    `day` is the day it is about, `arrives` the day it comes (later: a late delivery), `mode` full or changes,
    `oddity` what is unusual about it in words (empty: nothing), `table` where a loader puts it (format table).
    """

    source: str
    department: str
    delivery: str
    day: dt.date
    arrives: dt.date
    path: str
    format: str
    encoding: str = ""
    delimiter: str = ""
    mode: str
    rows: int
    bytes: int
    sha256: str
    table: str = ""
    oddity: str = ""


class TruthFile(msgspec.Struct, frozen=True, kw_only=True):
    """The truth about one delivery's mentions (for measuring only)."""

    source: str
    delivery: str
    path: str
    rows: int
    bytes: int
    sha256: str


class SourcesManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of simulated deliveries. `people` are living residents on `day`; `days` more days follow.

    `demo` are the characters that the demonstration's sign-in offers.
    """

    kind: str = "simulation/1"
    notice: str = NOTICE
    city: str
    seed: int
    people: int
    day: dt.date
    days: int
    deliveries: tuple[DeliveredFile, ...]
    truth: tuple[TruthFile, ...]
    demo: tuple[DemoPerson, ...] = ()


def read(folder: Path) -> SourcesManifest:
    """The manifest of a folder. Errors: OSError, msgspec.DecodeError."""
    return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=SourcesManifest)


def write(folder: Path, manifest: SourcesManifest) -> None:
    """Write the manifest last, so that an interrupted folder is never taken for a whole one."""
    beside = folder / (MANIFEST + ".part")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    beside.replace(folder / MANIFEST)
