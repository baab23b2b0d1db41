"""What a folder of invented deliveries tells about the demonstration: who may be chosen at sign-in, and what day it is about.

Read by whatever starts the city; the simulator itself, with its columnar libraries, is loaded only to make such a folder.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec

from dizuo.engines.lake.errors import DeliveryFolderUnusable

MANIFEST = "manifest.json"


class DemoPerson(msgspec.Struct, frozen=True):
    """Someone offered by the demonstration sign-in: who they are, in a phrase, and whom they may act for."""

    key: str
    citizen_id: str
    name: str
    note_zh: str
    note_en: str
    acts_for: str | None = None


class Demonstration(msgspec.Struct, frozen=True):
    """The day that the invented city stands on, and the characters in it."""

    day: dt.date
    demo: tuple[DemoPerson, ...] = ()


def read_demonstration(folder: Path) -> Demonstration:
    """What the manifest of a folder says. Errors: DeliveryFolderUnusable when it is absent or broken."""
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Demonstration)
    except FileNotFoundError:
        raise DeliveryFolderUnusable(folder=folder.name, why="没有 manifest.json") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DeliveryFolderUnusable(folder=folder.name, why=f"manifest.json 读不懂（{error}）") from None
