"""What every action works with: the database, the city's organisations, where the portal stands, and who asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from dizuo.engines.opendata.model import DatasetSeen
from dizuo.engines.opendata.reads import datasets
from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.store import Connection, Pool, Queries

from .errors import CkanKeyNeeded, CkanNotFound, CkanNotYours
from .package import Shown

QUERIES: Final = Queries.load("dizuo.engines.opendata", "ckan.sql")
ALL: Final = "*"
"""The organisation of a key that may write for all."""


class Writer(msgspec.Struct, frozen=True):
    """Who shows a key: its number and the organisation that it is good for, or all."""

    id: int
    organisation: str


@dataclass(frozen=True)
class Portal:
    """One reader's view of the catalogue. ``declared``: organisation id → its name, in Chinese and in English."""

    pool: Pool
    base: str
    title: str
    version: str
    declared: Mapping[str, tuple[str, str]]
    now: Now
    writer: Writer | None = None
    parties: dict[str, dict[str, dict[str, Any]]] = field(
        default_factory=dict[str, dict[str, dict[str, Any]]]
    )

    def must_write(self, organisation: str | None = None) -> Writer:
        """Who writes. Errors: CkanKeyNeeded, CkanNotYours when the key is another organisation's."""
        if self.writer is None:
            raise CkanKeyNeeded()
        if organisation is not None and self.writer.organisation not in (ALL, organisation):
            raise CkanNotYours(self.writer.organisation)
        return self.writer

    async def known(self, kind: str) -> dict[str, dict[str, Any]]:
        """Organisations or groups by id, declared ones first. Errors: the pool's."""
        if kind not in self.parties:
            found: dict[str, dict[str, Any]] = {}
            if kind == "organization":
                found |= self._own()
            for row in await self.pool.fetch(QUERIES["parties"], kind):
                created = row["made_at"].replace(tzinfo=None).isoformat()
                found[row["id"]] = party(
                    row["id"],
                    row["name"],
                    row["title"],
                    row["says"],
                    kind,
                    row["state"],
                    row["extras"],
                    created,
                )
            self.parties[kind] = found
        return self.parties[kind]

    async def find_party(self, kind: str, told: str) -> dict[str, Any]:
        """An organisation or group by id or name. Errors: CkanNotFound, the pool's."""
        known = await self.known(kind)
        found = known.get(told) or next((one for one in known.values() if one["name"] == told), None)
        if found is None or (found["state"] != "active" and self.writer is None):
            raise CkanNotFound(what=told[:100])
        return found

    async def shown(self, seen: Iterable[DatasetSeen] = ()) -> Shown:
        """What makes packages of these datasets for this reader; parties are asked for only where one is named. Errors: the pool's."""
        kept: list[Mapping[str, Any]] = [one.extras["ckan"] for one in seen if "ckan" in one.extras]
        strange = any(one["owner_org"] and one["owner_org"] not in self.declared for one in kept)
        organisations = await self.known("organization") if strange else self._own()
        grouped = await self.known("group") if any(one["groups"] for one in kept) else {}
        return Shown(self.base, self.title, organisations, {one["name"]: one for one in grouped.values()})

    def _own(self) -> dict[str, dict[str, Any]]:
        return {
            id: party(id, id, zh, en, "organization", "active", {}, "")
            for id, (zh, en) in self.declared.items()
        }

    async def packages(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The packages of these datasets, in this order. Errors: the pool's."""
        seen = {one.id: one for one in await datasets(self.pool, ids)}
        return await self.told(seen[id] for id in ids if id in seen)

    async def told(self, seen: Iterable[DatasetSeen]) -> list[dict[str, Any]]:
        """The packages of datasets. Errors: the pool's."""
        listed = list(seen)
        foreign = [one.id for one in listed if "ckan" in one.extras]
        tables: frozenset[str] = frozenset()
        if foreign:
            tables = frozenset(
                row["resource"] for row in await self.pool.fetch(QUERIES["tables_of"], foreign)
            )
        shown = await self.shown(listed)
        return [shown.package(one, tables=tables) for one in listed]

    async def find(self, told: str, connection: Connection | Pool | None = None) -> DatasetSeen:
        """A dataset by name or CKAN id; those not published only for the one who may write them. Errors: CkanNotFound."""
        source = connection or self.pool
        name = await source.fetchval(QUERIES["dataset_named"], told)
        found = await datasets(source, [name]) if name else ()
        if not found or (found[0].state != "published" and not self._minds(found[0])):
            raise CkanNotFound(what=told[:100])
        return found[0]

    def _minds(self, seen: DatasetSeen) -> bool:
        return self.writer is not None and self.writer.organisation in (ALL, seen.provider)


def party(
    id: str, name: str, title: str, says: str, kind: str, state: str, extras: Mapping[str, Any], created: str
) -> dict[str, Any]:
    """An organisation or group as CKAN shows it in short."""
    return {
        "id": id, "name": name, "title": title or name, "description": says, "type": kind, "state": state,
        "is_organization": kind == "organization", "approval_status": "approved", "created": created,
        "image_url": str(extras.get("image_url", "")), "image_display_url": str(extras.get("image_url", "")),
        "display_name": title or name, "extras": list(extras.get("extras", [])),
    }  # fmt: skip
