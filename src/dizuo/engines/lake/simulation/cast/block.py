"""The cast as one block more: its company, its parts of every delivery, the truth about whom they speak of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

import numpy as np

from dizuo.engines.lake.demonstration import DemoPerson
from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.blocks import Delivering, Written, deliveries, write_part
from dizuo.engines.lake.simulation.cast.births import DECK, newborn
from dizuo.engines.lake.simulation.cast.characters import scenes
from dizuo.engines.lake.simulation.cast.families import Maker
from dizuo.engines.lake.simulation.cast.ground import Ground
from dizuo.engines.lake.simulation.cast.model import Cluster
from dizuo.engines.lake.simulation.cast.rows import Line, Writer
from dizuo.engines.lake.simulation.dice import Ints
from dizuo.engines.lake.simulation.people import STRIDE, Plan
from dizuo.engines.lake.simulation.rates import KINDS
from dizuo.engines.lake.simulation.rows import Rows, Said
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.blueprint.model_source import Source


@dataclass(frozen=True, slots=True)
class Company:
    """The whole cast: families, and those whom sign-in offers."""

    clusters: tuple[Cluster, ...]
    people: tuple[DemoPerson, ...]


def company(city: City, today: date) -> Company:
    """The same persons with the same numbers whatever the size of the city and its seed. Errors: NoTowns."""
    maker = Maker(Random(f"{city.id}:{today.isoformat()}"), Ground(city), today)  # noqa: S311 - invented people, not secrets
    clusters: list[Cluster] = []
    people: list[DemoPerson] = []
    for scene in scenes(maker):
        clusters.append(scene.cluster)
        people += scene.people
    for nth, kind in enumerate(reversed(DECK), 1):
        cluster = newborn(maker, kind)
        clusters.append(cluster)
        people.append(_offered(cluster, nth))
    return Company(tuple(clusters), tuple(people))


def _offered(cluster: Cluster, nth: int) -> DemoPerson:
    birth = cluster.births[0]
    parent = birth.mother if birth.mother.household is not None or birth.father is None else birth.father
    return DemoPerson(
        f"parent-{nth:02d}",
        parent.number,
        parent.name,
        "有一个还没落户的新生儿",
        "Has a newborn not yet registered",
    )


def write_cast(city: City, plan: Plan, folder: Path) -> list[Written]:
    """Write the cast's parts of all deliveries into `folder`: everything on the first day and in every later snapshot."""
    block = plan.blocks
    writer = Writer(Random(f"{city.id}:{plan.seed}"), plan.day, block, block * STRIDE)  # noqa: S311 - as above
    lines: dict[str, list[Line]] = defaultdict(list)
    for cluster in company(city, plan.day).clusters:
        for line in writer.lines(cluster):
            lines[line.source].append(line)
    written: list[Written] = []
    for one in deliveries(plan, set(city.sources)):
        source = city.sources[one.source]
        whole = one.day == 0 or (plan.snapshots and source.delivery.mode == "full")
        written.append(_part(source, one, lines[source.id] if whole else [], block, folder))
    return written


def _part(source: Source, one: Delivering, lines: Sequence[Line], block: int, folder: Path) -> Written:
    columns = {name: text.column([line.cells.get(name) for line in lines]) for name in source.columns}
    said = tuple(_said(mention.id, lines) for mention in source.mentions)
    rows = Rows(source.id, columns, text.column([line.key for line in lines]), said)
    return write_part(source, one, rows, list(columns.values()), block, folder)


def _said(mention: str, lines: Sequence[Line]) -> Said:
    spoken = [line.said.get(mention) for line in lines]
    errors: Ints = np.array(
        [sum(1 << KINDS.index(slip) for slip in one.slips) if one else 0 for one in spoken], np.int64
    )
    return Said(
        mention,
        text.column([one.entity if one else "" for one in spoken]),
        errors,
        np.zeros(len(lines), np.int64),
        np.array([one is not None for one in spoken], np.bool_),
    )
