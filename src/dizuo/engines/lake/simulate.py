"""Invents a city's people and writes what each department would deliver: the only place where demo data is made.

Streams cluster by cluster: memory does not grow with the number of people. The same seed, day and city folder give
the same bytes.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from io import TextIOWrapper
from pathlib import Path
from random import Random

from dizuo.engines.lake.births import DECK, newborn, registered_births
from dizuo.engines.lake.business import enterprises
from dizuo.engines.lake.characters import DemoPerson, cast
from dizuo.engines.lake.delivery import AS_OF, NOTICE, DeliveryFile, Manifest, sha256_of, write_manifest
from dizuo.engines.lake.families import Maker, ordinary
from dizuo.engines.lake.ground import Ground
from dizuo.engines.lake.naming import Namer
from dizuo.engines.lake.numbering import Numberer
from dizuo.engines.lake.people import Cluster, Person
from dizuo.engines.lake.records import Cell, Projection, Row, invented
from dizuo.foundation.blueprint.model import City, Field, Register

Progress = Callable[[str, int, int], None]
"""Told (what, done, total) now and then."""

NEWBORN_SHARE = 0.013
# Departments whose systems are older deliver GB 18030, as many do.
_GB18030 = frozenset({"land", "tax", "tobacco"})
_OFFERED = 16


def simulate(
    city: City,
    out: Path,
    people: int = 20_000,
    seed: int = 2026,
    today: date | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Write the deliveries of an invented city of about `people` residents into `out`.

    Shapes: `out` is made when absent; per department a folder, per register a CSV; manifest.json last. Named
    characters are always there. Errors: NoTowns; OSError when the folder cannot be written.
    """
    day = today or date.today()
    out.mkdir(parents=True, exist_ok=True)
    tell = progress or _silent
    rng = Random(f"{city.id}:{seed}:{day.isoformat()}")  # noqa: S311 - invented people, not secrets
    maker = Maker(rng, Ground(city), Namer(), Numberer(), day)
    projection = Projection(city, rng, day)
    demo: list[DemoPerson] = []
    with _Files(city, out, rng, day) as files:
        made = 0
        for cluster in _clusters(maker, people, demo):
            for row in projection.rows(cluster):
                files.write(row)
            before, made = made, made + len(cluster.people)
            if made // 1000 != before // 1000:
                tell("生成演示居民", min(made, people), people)
    tell("生成演示居民", people, people)
    manifest = Manifest(
        notice=NOTICE,
        city=city.id,
        today=day,
        people=made,
        seed=seed,
        files=tuple(files.delivered()),
        demo=tuple(demo),
    )
    write_manifest(out, manifest)
    return manifest


def _clusters(maker: Maker, people: int, demo: list[DemoPerson]) -> Iterator[Cluster]:
    """The characters, then families until there are enough people; newborns are dealt from the deck by quota."""
    company = cast(maker)
    demo += company.people
    made = births = 0
    serial = 1
    deck: list[str] = []
    offered = 0
    for cluster in company.clusters:
        made += len(cluster.people)
        yield cluster
    while made < people:
        if births < NEWBORN_SHARE * (made + 1):
            if not deck:
                deck = list(DECK)
                maker.rng.shuffle(deck)
            cluster = newborn(maker, deck.pop())
            births += 1
            if offered < _OFFERED and cluster.births:
                offered += 1
                demo.append(_offer(cluster, offered))
        else:
            cluster = ordinary(maker)
        _some_died(maker, cluster)
        registered_births(maker, cluster)
        serial = enterprises(maker, cluster, serial)
        made += len(cluster.people)
        yield cluster


def _offer(cluster: Cluster, number: int) -> DemoPerson:
    birth = cluster.births[0]
    parent: Person = birth.mother if birth.mother_registered or birth.father is None else birth.father
    return DemoPerson(
        f"parent-{number:02d}",
        parent.number,
        parent.name,
        "有一个还没落户的新生儿",
        "Has a newborn not yet registered",
    )


def _some_died(maker: Maker, cluster: Cluster) -> None:
    """Deaths of the last two years among the old; never a head of household with others on the register."""
    for person in cluster.people:
        old = person.age(maker.today)
        if old < 66 or maker.rng.random() > (0.012 if old < 80 else 0.06):
            continue
        house = person.household
        if house is None or (house.head is person and len(house.members) > 1):
            continue
        person.died = maker.today - timedelta(days=maker.rng.randint(20, 720))
        person.works = False
        if person.spouse is not None:
            person.spouse.marital = "30"


class _Delivery:
    """One department's file of one register while it is being written."""

    def __init__(self, register: Register, department: str, folder: Path) -> None:
        self.register = register
        self.department = department
        self.encoding = "gb18030" if department in _GB18030 else "utf-8"
        self.path = folder / department / f"{register.id}.csv"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.fields = [f for f in register.fields.values() if f.source == department and f.id != register.key]
        self.rows = 0
        self._own_key = register.fields[register.key].source == department
        self._file = TextIOWrapper(self.path.open("wb", buffering=1 << 20), self.encoding, newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(
            [register.fields[register.key].name.zh, *(f.name.zh for f in self.fields), AS_OF]
        )

    def write(self, key: str, values: dict[str, Cell], as_of: date) -> None:
        cells = [_text(values[f.id]) for f in self.fields]
        if self._own_key or any(cells):
            self._writer.writerow((key, *cells, as_of.isoformat()))
            self.rows += 1

    def close(self) -> None:
        self._file.close()


class _Files:
    """All files of a delivery folder; each row is split among the departments that are sources of its fields."""

    def __init__(self, city: City, out: Path, rng: Random, today: date) -> None:
        self._city = city
        self._out = out
        self._rng = rng
        self._today = today
        self._unknown: dict[str, list[Field]] = {}
        self._files: dict[str, list[_Delivery]] = {}
        for register in city.registers.values():
            own = register.fields[register.key].source
            sources = dict.fromkeys([own, *(f.source for f in register.fields.values())])
            self._files[register.id] = [_Delivery(register, source, out) for source in sources]

    def write(self, row: Row) -> None:
        register = self._city.registers[row.register]
        unknown = self._unknown.get(row.register)
        if unknown is None:
            unknown = self._unknown[row.register] = [
                f for f in register.fields.values() if f.id not in row.values
            ]
        values = dict(row.values)
        for field in unknown:
            values[field.id] = invented(field, self._rng, self._today)
        key = str(values[register.key])
        for file in self._files[row.register]:
            file.write(key, values, row.as_of)

    def delivered(self) -> Iterator[DeliveryFile]:
        start = self._today.replace(day=1)
        for register_id, files in self._files.items():
            for file in files:
                organisation = self._city.organisations.get(file.department)
                yield DeliveryFile(
                    path=file.path.relative_to(self._out).as_posix(), department=file.department,
                    department_name=organisation.name.zh if organisation else file.department, register=register_id,
                    register_name=file.register.name.zh, period_from=start, period_to=self._today, encoding=file.encoding,
                    rows=file.rows, sha256=sha256_of(file.path),
                )  # fmt: skip

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *_: object) -> None:
        for files in self._files.values():
            for file in files:
                file.close()


def _text(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return value.isoformat() if isinstance(value, date) else str(value)


def _silent(_: str, __: int, ___: int) -> None:
    return None
