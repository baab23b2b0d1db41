"""A run: from mention files to identities, events and doubts; may be killed anywhere and started again with the same files."""

# ruff: noqa: S608 - names of tables and numbers of our own, never anything delivered

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from dizuo.engines.lake.identity import nodes
from dizuo.engines.lake.identity.enterprise import ENTERPRISE
from dizuo.engines.lake.identity.errors import ModelUnfit
from dizuo.engines.lake.identity.person import PERSON
from dizuo.engines.lake.identity.score import CAP, PART, Crowd, Scoring, prepare, score, tables_of
from dizuo.engines.lake.identity.settle import Decision, Settled, settle
from dizuo.engines.lake.identity.spec import Model, Weights, fitted
from dizuo.engines.lake.identity.store import ENTITIES, Store

Progress = Callable[[str], None]
SHAPES = {"person": PERSON, "enterprise": ENTERPRISE}


@dataclass(frozen=True)
class EntityReport:
    """One entity's run: nodes in all, nodes with news, what became of them, blocks left out."""

    entity: str
    nodes: int
    touched: int
    settled: Settled
    crowds: tuple[Crowd, ...]


@dataclass(frozen=True)
class RunReport:
    """A finished run; ``map_file`` is the file of everybody (see `mapped`), ``changed`` what this run changed of it."""

    run: int
    entities: tuple[EntityReport, ...]
    map_file: Path
    changed: Path
    events: Path
    doubts: Path


@cache
def default_models() -> Mapping[str, Model]:
    """The models that come with the program, learnt on an invented city. Errors: ModelUnfit."""
    return {entity: fitted(shape, _default_weights(entity)) for entity, shape in SHAPES.items()}


def _default_weights(entity: str) -> Weights:
    name = f"weights_{entity}.json"
    try:
        return msgspec.json.decode((files("dizuo.engines.lake.identity") / name).read_bytes(), type=Weights)
    except (OSError, msgspec.MsgspecError) as error:
        raise ModelUnfit(entity=entity, missing=str(error)) from error


def link(
    store: Store,
    mentions: Sequence[Path],
    *,
    decisions: Sequence[Decision] = (),
    models: Mapping[str, Model] | None = None,
    entities: Sequence[str] = ENTITIES,
    cap: int = CAP,
    part: int = PART,
    progress: Progress | None = None,
) -> RunReport:
    """Link new or changed mentions to everybody known, and apply what people decided.

    ``mentions``: Parquet files of the contract, only those not linked before; none of them: only decisions are applied.
    ``entities``: link only these; the mentions of others are passed over. ``decisions``: all of them, ever, the older first; repeating one changes nothing. Errors: MentionsUnusable, IdentityUnfinished.
    """
    tell = progress or _silent
    given = msgspec.json.encode([(d.left, d.right, d.same) for d in decisions]).decode()
    store.begin_run(mentions, given)
    reports = tuple(
        _link_entity(
            store, entity, mentions, decisions, (models or default_models())[entity], cap, part, tell
        )
        for entity in entities
    )
    tell("写出身份对照表")
    report = _export(store, reports)
    store.finish_run()
    return report


def _link_entity(
    store: Store, entity: str, mentions: Sequence[Path], decisions: Sequence[Decision], model: Model, cap: int, part: int, tell: Progress,
) -> EntityReport:  # fmt: skip
    sql = store.connection
    source = _reader(mentions)
    tell(f"{entity}: 归并相同写法")
    store.step(f"told:{entity}", lambda: nodes.tell(sql, entity, source, store.run))
    store.step(f"built:{entity}", lambda: (nodes.build(sql, entity, store.run), _empty_pairs(store, entity)))
    count = store.number(f"SELECT count(*) FROM node_{entity}")
    touched = store.number(f"SELECT count(*) FROM node_{entity} WHERE touched = ?", [store.run])
    job = Scoring(model, f"node_{entity}", f"pair_{entity}", count, store.run, touched < count, cap, part)
    prepare(sql, job)
    tell(f"{entity}: 比对 {touched:,} 个新写法")
    crowds = score(
        sql,
        job,
        lambda stage, n: not touched or store.done(f"{stage}:{entity}:{n}"),
        lambda stage, n: store.note(f"{stage}:{entity}:{n}"),
    )
    tell(f"{entity}: 合并与编号")
    if not store.done(f"settled:{entity}"):
        with store.transaction():
            settled = settle(store, entity, model.weights.upper, decisions)
            store.note(f"settled:{entity}:{msgspec.json.encode(settled).decode()}")
            store.note(f"settled:{entity}")
    told = store.rows(
        "SELECT name FROM step WHERE run = ? AND starts_with(name, ?)", [store.run, f"settled:{entity}:"]
    )
    settled = msgspec.json.decode(str(told[0][0]).removeprefix(f"settled:{entity}:"), type=Settled)
    return EntityReport(entity, count, touched, settled, crowds)


def _reader(mentions: Sequence[Path]) -> str:
    """What stands after FROM: the files, or nothing in the same columns."""
    if mentions:
        listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in mentions)
        return f"read_parquet([{listed}], union_by_name = TRUE)"
    return (
        "(SELECT ''::VARCHAR AS record_id, ''::VARCHAR AS entity, NULL::VARCHAR AS name, NULL::VARCHAR AS former_name,"
        " NULL::VARCHAR AS sex, NULL::DATE AS birth_date, NULL::VARCHAR AS citizen_id, NULL::VARCHAR AS id_other, NULL::VARCHAR AS uscc,"
        " NULL::VARCHAR AS phone, NULL::VARCHAR AS division, NULL::VARCHAR AS address_rest, NULL::DATE AS as_of WHERE FALSE)"
    )


def _empty_pairs(store: Store, entity: str) -> None:
    for table in tables_of(f"pair_{entity}"):
        store.connection.execute(f"DROP TABLE IF EXISTS {table}")


def _export(store: Store, reports: tuple[EntityReport, ...]) -> RunReport:
    """Write the map's changes (`mapped`), events and doubts as Parquet; a file appears whole or not at all."""
    run = store.run
    whole, path = store.folder / "map.parquet", store.folder / "changed" / f"{run:06d}.parquet"
    if store.number("SELECT count(*) FROM run") > 1 and whole.exists():
        _write(store, " UNION ALL ".join(_changed(e, run) for e in ENTITIES), path)
    else:
        _first(store, whole, path)
    events = f"SELECT * FROM event WHERE run = {run} ORDER BY entity, ord"
    doubts = f"SELECT * FROM doubt WHERE run = {run} ORDER BY entity, l, r"
    return RunReport(
        run,
        reports,
        whole,
        path,
        _write(store, events, store.folder / "events" / f"{run:06d}.parquet"),
        _write(store, doubts, store.folder / "doubts" / f"{run:06d}.parquet"),
    )


def _changed(entity: str, run: int) -> str:
    """The records that this run gave to somebody: those that are said otherwise, and those of nodes that went elsewhere.

    Only the few nodes that either is about are joined: everybody's records with everybody's nodes would be most of a day's work.
    """
    stirred = f"SELECT node FROM record_{entity} WHERE since = {run} UNION SELECT node FROM member_{entity} WHERE since = {run}"
    return (
        f"SELECT r.record_id, '{entity}' AS entity, m.cid, {run}::INTEGER AS since FROM record_{entity} r"
        f" JOIN (FROM member_{entity} WHERE node IN ({stirred})) m USING (node) WHERE r.since = {run} OR m.since = {run}"
    )


def _first(store: Store, whole: Path, path: Path) -> None:
    """Everybody, who is what a first run changed, too; what another store left beside it is not of this one."""
    for left in path.parent.glob("*.parquet"):
        left.unlink()
    everybody = " UNION ALL ".join(
        f"SELECT r.record_id, '{e}' AS entity, m.cid, greatest(m.since, r.since) AS since FROM record_{e} r JOIN member_{e} m USING (node)"
        for e in ENTITIES
    )
    _write(store, everybody, whole)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.link(whole, path)


def _write(store: Store, query: str, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_suffix(".part")
    store.connection.execute(f"COPY ({query}) TO '{beside}' (FORMAT parquet, COMPRESSION zstd)")
    os.replace(beside, path)
    return path


def _silent(_: str) -> None:
    return None
