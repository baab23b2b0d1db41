"""A record of another catalogue as it is read, before it is ours."""

from __future__ import annotations

from typing import Any

import msgspec

SECOND_HAND = "那里也是采集来的；请直接采集它的来源"
"""Why a record is refused that its portal harvested itself: two portals that harvest each other would grow for ever."""


class Found(msgspec.Struct, frozen=True):
    """One dataset of a source.

    ``identifier`` is the source's own name for it; ``name`` what it is called in addresses there; ``package`` its fields as
    CKAN names them; ``fault`` why it cannot be taken, ''. A record with a fault has a fate as well as any other.
    """

    identifier: str
    name: str = ""
    publisher: str = ""
    link: str = ""
    package: dict[str, Any] = {}
    groups: tuple[str, ...] = ()
    fault: str = ""


class Page(msgspec.Struct, frozen=True):
    """One page of a catalogue: its records, and the address of the next or ''. ``mark`` tells whether anything changed."""

    records: tuple[Found, ...]
    next: str = ""
    mark: str = ""
