"""Resolving: one record against everybody, in milliseconds, from files that many processes read at once.

The index is two files that are mapped, not read: sorted key values with the node of each, and the nodes' columns. A look-up makes a
node of the record (`asking`), searches its keys, gathers the candidates' rows and weighs them (`twins`); no statement is planned.
A new index stands beside the old one until a pointer names it.
"""

# ruff: noqa: S608 - names of tables and numbers of our own, never anything delivered

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import duckdb
import msgspec
import numpy as np
import pyarrow
from numpy.typing import NDArray

from dizuo.engines.lake.identity.asking import Query, keys_of, node_of
from dizuo.engines.lake.identity.errors import IndexMissing
from dizuo.engines.lake.identity.evidence import Waterfall, waterfall
from dizuo.engines.lake.identity.spec import Model
from dizuo.engines.lake.identity.store import Store
from dizuo.engines.lake.identity.twins import guarded, weigh

_pa: Final[Any] = pyarrow
_ipc: Final[Any] = importlib.import_module("pyarrow.ipc")
_POINTER: Final = "current"
_BLOCK: Final = 200
"""A key that names more nodes than this is passed over: another key of the record is sharper."""
_MOST: Final = 400


class About(msgspec.Struct, frozen=True):
    """What an index holds: how many nodes of which entity."""

    entity: str
    nodes: int


class Candidate(msgspec.Struct, frozen=True):
    """An identity that may be meant. ``verdict``: same (the machine would join), maybe (people would look), unlikely."""

    cid: int
    node: int
    weight: float
    verdict: str
    evidence: Waterfall


def build_index(store: Store, entity: str, model: Model, folder: Path) -> About:
    """Write an index of all nodes to a new folder in ``folder`` and let the pointer name it; the one before the last is removed."""
    sql = store.connection
    name = f"{entity}-{store.number('SELECT max(run) FROM run'):06d}"
    beside, target = folder / f"{name}.part", folder / name
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True, mode=0o700)
    columns = ", ".join(f"n.{column}" for column in model.shape.columns)
    sql.execute(
        f"CREATE OR REPLACE TEMP TABLE ordered AS SELECT (row_number() OVER (ORDER BY n.node) - 1)::INTEGER AS place, n.node"
        f" FROM node_{entity} n"
    )
    _write_arrow(
        sql, f"SELECT m.cid, n.node, {columns} FROM node_{entity} n JOIN ordered o USING (node) JOIN member_{entity} m USING (node) ORDER BY o.place",
        beside / "nodes.arrow",
    )  # fmt: skip
    keyed = " UNION ALL ".join(
        f"SELECT {key} AS k, o.place FROM node_{entity} n JOIN ordered o USING (node)"
        for key in (text for k in model.shape.keys for text in k.lasting_sql)
    )
    _write_arrow(
        sql,
        f"SELECT DISTINCT k, place FROM ({keyed}) WHERE k IS NOT NULL ORDER BY k, place",
        beside / "keys.arrow",
    )
    about = About(entity, store.number("SELECT count(*) FROM ordered"))
    sql.execute("DROP TABLE ordered")
    (beside / "about.json").write_bytes(msgspec.json.encode(about))
    shutil.rmtree(target, ignore_errors=True)
    os.replace(beside, target)
    pointer = folder / f"{entity}.{_POINTER}"
    before = pointer.read_text("utf-8") if pointer.exists() else ""
    fresh = pointer.with_suffix(".part")
    fresh.write_text(name, encoding="utf-8")
    os.replace(fresh, pointer)
    for old in folder.glob(f"{entity}-*"):
        # Readers that opened the last one keep its files; the one before that nobody uses.
        if old.is_dir() and old.name not in {name, before}:
            shutil.rmtree(old, ignore_errors=True)
    return about


def _write_arrow(sql: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    reader: Any = sql.sql(query).to_arrow_reader(100_000)
    with _pa.OSFile(str(path), "wb") as sink, _ipc.new_file(sink, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)


class Resolver:
    """An open index; any number of processes and threads may ask at once. Errors: IndexMissing."""

    def __init__(self, folder: Path, entity: str, model: Model) -> None:
        pointer = folder / f"{entity}.{_POINTER}"
        try:
            here = folder / pointer.read_text("utf-8")
            self.about = msgspec.json.decode((here / "about.json").read_bytes(), type=About)
        except (OSError, msgspec.MsgspecError) as error:
            raise IndexMissing from error
        self._model = model
        self._maps = [_pa.memory_map(str(here / name)) for name in ("keys.arrow", "nodes.arrow")]
        keys, rows = (_ipc.open_file(mapped) for mapped in self._maps)
        self._keys = _Sorted([keys.get_batch(n) for n in range(keys.num_record_batches)])
        self._batches = [rows.get_batch(n) for n in range(rows.num_record_batches)]
        self._starts = np.cumsum([0, *(batch.num_rows for batch in self._batches)])

    def __enter__(self) -> Resolver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the files back."""
        self._batches.clear()
        for mapped in self._maps:
            mapped.close()

    def resolve(self, query: Query, most: int = 5) -> tuple[Candidate, ...]:
        """The likeliest identities, the likeliest first, one row for each; none that is ten bits below the model's lower threshold."""
        entity, shape = self._model.shape.entity, self._model.shape
        one = node_of(entity, query)
        places = self._places(sorted(keys_of(shape.keys, one)))
        if not len(places):
            return ()
        found = self._gather(places)
        rows = [other | weigh(self._model, self.about.nodes, one, other) for other in found]
        return self._best(one, rows, most)

    def _places(self, keys: Sequence[int]) -> NDArray[np.int64]:
        found = [block for key in keys if 0 < len(block := self._keys.of(key)) <= _BLOCK]
        if not found:
            return np.zeros(0, np.int64)
        places, votes = np.unique(np.concatenate(found), return_counts=True)
        return places[np.argsort(-votes, kind="stable")[:_MOST]]

    def _gather(self, places: NDArray[np.int64]) -> list[dict[str, Any]]:
        ordered = np.sort(places)
        batch_of = np.searchsorted(self._starts, ordered, side="right") - 1
        parts = [
            self._batches[n].take(_pa.array(ordered[batch_of == n] - self._starts[n]))
            for n in np.unique(batch_of).tolist()
        ]
        return _pa.Table.from_batches(parts).to_pylist()

    def _best(
        self, one: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], most: int
    ) -> tuple[Candidate, ...]:
        best: dict[int, Mapping[str, Any]] = {}
        for row in sorted(rows, key=lambda row: (-row["w"], row["node"])):
            if row["w"] >= self._model.weights.lower - 10:
                best.setdefault(int(row["cid"]), row)
        return tuple(self._candidate(one, row) for row in list(best.values())[:most])

    def _candidate(self, one: Mapping[str, Any], row: Mapping[str, Any]) -> Candidate:
        weights, w = self._model.weights, float(row["w"])
        sure = w >= weights.upper and not guarded(self._model.shape.entity, row, one, row)
        verdict = "same" if sure else "maybe" if w >= weights.lower else "unlikely"
        return Candidate(
            int(row["cid"]),
            int(row["node"]),
            round(w, 2),
            verdict,
            waterfall(self._model, self.about.nodes, row),
        )


class _Sorted:
    """Sorted keys in mapped batches: where a key is, by two binary searches."""

    def __init__(self, batches: Sequence[Any]) -> None:
        self._keys: list[NDArray[np.uint64]] = [batch.column(0).to_numpy() for batch in batches]
        self._places: list[NDArray[np.int32]] = [batch.column(1).to_numpy() for batch in batches]
        self._firsts = np.array([keys[0] for keys in self._keys], np.uint64)

    def of(self, key: int) -> NDArray[np.int64]:
        """The places of a key, in order."""
        wanted = np.uint64(key)
        n = max(int(np.searchsorted(self._firsts, wanted, side="left")) - 1, 0)
        found: list[NDArray[np.int32]] = []
        while n < len(self._keys) and self._firsts[n] <= wanted:
            keys = self._keys[n]
            low, high = (
                np.searchsorted(keys, wanted, side="left"),
                np.searchsorted(keys, wanted, side="right"),
            )
            found.append(self._places[n][low:high])
            n += 1
        return np.concatenate(found).astype(np.int64) if found else np.zeros(0, np.int64)
