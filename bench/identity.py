"""Who is who, measured: our run beside plain Splink, each in a process of its own, on the same records.

``python bench/identity.py febrl``                       FEBRL 4 (DIZUO_SHARED_DATA), English names
``python bench/identity.py city --mentions 'DIR/*.parquet' --truth 'DIR/*.parquet'``   standardised mentions with truth;
    ``--entity enterprise`` for enterprises, ``--ours`` without Splink
``python bench/identity.py invented --people 200000``    invented mentions (演示数据) with truth
``python bench/identity.py resolve --people 400000``     one record against a million

Splink is run as its own guide advises: its comparisons for names, dates and texts, term frequencies, u by random sampling, m by
expectation maximisation, clusters at 0.95. Its training is timed apart, since ours happens once and comes with the program.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dizuo.engines.lake.identity import Query, Resolver, build_index, default_models, link, open_store
from dizuo.engines.lake.identity.cluster import Facts, Pairs, cluster
from dizuo.engines.lake.identity.latin import LATIN
from dizuo.engines.lake.identity.rehearsal import Rehearsal
from dizuo.engines.lake.identity.score import Scoring, prepare, score
from dizuo.engines.lake.identity.spec import fitted

learn = importlib.import_module("dizuo.engines.lake.identity.learn").learn
SHARED = Path(os.environ.get("DIZUO_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


def measured(work: Any) -> dict[str, Any]:
    """Run in this process; the caller started one for it alone. Processor time tells more than the clock where others compute too."""
    began = time.perf_counter()
    figures = work()
    figures["seconds"] = round(time.perf_counter() - began, 2)
    figures["cpu_seconds"] = _cpu()
    return figures


def _peak() -> float:
    """Peak resident memory so far, in GB: asked before the quality is judged, which needs memory of its own."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 3)


def _cpu(since: float = 0.0) -> float:
    """Processor seconds of this process, user and system, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return round(used.ru_utime + used.ru_stime - since, 2)


def quality(sql: duckdb.DuckDBPyConnection, found: str, truth: str) -> dict[str, Any]:
    """Pairwise precision, recall, F1 of (record_id, cid) against (record_id, entity_id, errors); recall for each kind of error."""
    sql.execute(
        f"CREATE OR REPLACE TABLE judged AS SELECT t.record_id, coalesce(f.cid::VARCHAR, t.record_id) AS cid, t.entity_id, t.errors"
        f" FROM {truth} t LEFT JOIN {found} f USING (record_id)"
    )
    pairs = "SELECT sum(n * (n - 1) // 2) FROM (SELECT count(*) AS n FROM judged GROUP BY {})"
    right, said, there = (
        float(sql.execute(pairs.format(by)).fetchall()[0][0] or 0)
        for by in ("cid, entity_id", "cid", "entity_id")
    )
    kinds = sql.execute(
        "WITH e AS (SELECT *, unnest(CASE WHEN len(errors) = 0 THEN ['none'] ELSE errors END) AS kind FROM judged),"
        " g AS (SELECT cid, entity_id, count(*) - 1 AS n FROM judged GROUP BY ALL), a AS (SELECT entity_id, count(*) - 1 AS n FROM judged GROUP BY ALL)"
        " SELECT kind, count(*), sum(g.n) / sum(a.n) FROM e JOIN g USING (cid, entity_id) JOIN a USING (entity_id) GROUP BY kind"
        " HAVING sum(a.n) > 0 ORDER BY 3"
    ).fetchall()
    return {
        "precision": round(right / said, 5) if said else 0.0, "recall": round(right / there, 5), "f1": round(2 * right / (said + there), 5),
        "kinds": {kind: [n, round(share, 4)] for kind, n, share in kinds},
    }  # fmt: skip


# -------------------------------------------------------------------------- cities


def ours_city(mentions: str, truth: str, memory: str, entity: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder), memory=memory) as store:
        began, start = time.perf_counter(), _cpu()
        # Splink is given one entity alone, and so are we.
        report = link(store, [Path(p) for p in _glob(mentions)], entities=(entity,))
        took = time.perf_counter() - began
        found = f"(SELECT * FROM read_parquet('{report.map_file}') WHERE entity = '{entity}')"
        return {
            "link_seconds": round(took, 2),
            "link_cpu": _cpu(start),
            "peak_gb": _peak(),
            "nodes": report.entities[0].nodes,
        } | quality(duckdb.connect(), found, _truth(mentions, truth, entity))


_PERSONS = (
    "SELECT record_id AS unique_id, name, coalesce(citizen_id, id_other) AS number, strftime(birth_date, '%Y-%m-%d') AS birth, sex, phone,"
    " division, address_rest AS address FROM read_parquet({files}, union_by_name = TRUE) WHERE entity = 'person'"
)
# Who represents an enterprise stands in the same row of the same delivery; Splink is told too.
_ENTERPRISES = (
    "SELECT record_id AS unique_id, name, coalesce(uscc, id_other) AS number, legal, phone, division, address_rest AS address"
    " FROM read_parquet({files}, union_by_name = TRUE) LEFT JOIN (SELECT left(record_id, length(record_id) - 6) AS of_row,"
    " min(coalesce(citizen_id, id_other)) AS legal FROM read_parquet({files}, union_by_name = TRUE)"
    " WHERE entity = 'person' AND ends_with(record_id, ':legal') GROUP BY of_row) ON of_row = regexp_replace(record_id, ':[^:]*$', '')"
    " WHERE entity = 'enterprise'"
)


def _person_settings() -> tuple[Any, list[Any]]:
    """Splink for persons: its settings and the rules to train by."""
    import splink.comparison_library as cl
    from splink import SettingsCreator, block_on

    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("name", [0.9, 0.75]).configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("number", [1, 2]),
            cl.DateOfBirthComparison("birth", input_is_string=True),
            cl.ExactMatch("sex"),
            cl.LevenshteinAtThresholds("phone", [1]).configure(term_frequency_adjustments=True),
            cl.ExactMatch("division").configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("address", [0.95, 0.85]).configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("number"), block_on("name", "birth"), block_on("name", "phone"), block_on("name", "division"),
            block_on("birth", "address"), block_on("birth", "phone"), block_on("name", "substr(number, 1, 10)"),
        ],
        retain_intermediate_calculation_columns=False, retain_matching_columns=False,
    )  # fmt: skip
    return settings, [block_on("number"), block_on("name", "birth"), block_on("name", "phone")]


def _enterprise_settings() -> tuple[Any, list[Any]]:
    """Splink for enterprises."""
    import splink.comparison_library as cl
    from splink import SettingsCreator, block_on

    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("name", [0.95, 0.85]).configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("number", [1, 2]),
            cl.ExactMatch("legal").configure(term_frequency_adjustments=True),
            cl.LevenshteinAtThresholds("phone", [1]).configure(term_frequency_adjustments=True),
            cl.ExactMatch("division").configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("address", [0.95, 0.85]).configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("number"), block_on("name"), block_on("phone", "substr(name, 1, 4)"), block_on("address", "division"),
            block_on("substr(name, 1, 8)", "division"), block_on("substr(number, 9, 9)"),
        ],
        retain_intermediate_calculation_columns=False, retain_matching_columns=False,
    )  # fmt: skip
    return settings, [block_on("number"), block_on("name"), block_on("address", "division")]


def splink_city(mentions: str, truth: str, memory: str, entity: str) -> dict[str, Any]:
    import logging

    from splink import DuckDBAPI, Linker, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        sql = duckdb.connect(str(Path(folder) / "splink.duckdb"))
        sql.execute(f"SET memory_limit = '{memory}'")
        sql.execute(f"SET temp_directory = '{folder}/spill'")
        began = time.perf_counter()
        records, made = {
            "person": (_PERSONS, _person_settings),
            "enterprise": (_ENTERPRISES, _enterprise_settings),
        }[entity]
        sql.execute(f"CREATE TABLE records AS {records.format(files=_glob(mentions))}")
        settings, training = made()
        linker = Linker(DuckDBAPI(sql).register("records"), settings, log_level=None)
        linker.training.estimate_probability_two_random_records_match([block_on("number")], recall=0.8)
        linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
        for rule in training:
            linker.training.estimate_parameters_using_expectation_maximisation(
                rule, estimate_without_term_frequencies=True
            )
        trained, start = time.perf_counter(), _cpu()
        pairs = linker.inference.predict(threshold_match_probability=0.95)
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
            pairs, threshold_match_probability=0.95
        )
        took = time.perf_counter()
        found = f"(SELECT unique_id AS record_id, cluster_id AS cid FROM {clusters.physical_name})"
        return {
            "train_seconds": round(trained - began, 2),
            "link_seconds": round(took - trained, 2),
            "train_cpu": start,
            "link_cpu": _cpu(start),
            "peak_gb": _peak(),
        } | quality(sql, found, _truth(mentions, truth, entity))


def _glob(pattern: str) -> list[str]:
    import glob

    return sorted(path for part in pattern.split(",") for path in glob.glob(part))


def _truth(mentions: str, truth: str, entity: str) -> str:
    """The truth of an entity's records that are in the mentions; a row that was delivered twice counts once."""
    return (
        f"(SELECT record_id, any_value(entity_id) AS entity_id, any_value(errors) AS errors FROM read_parquet({_glob(truth)}, union_by_name = TRUE)"
        f" WHERE record_id IN (SELECT record_id FROM read_parquet({_glob(mentions)}, union_by_name = TRUE) WHERE entity = '{entity}')"
        " GROUP BY record_id)"
    )


def invent(people: int, folder: Path) -> tuple[str, str]:
    """An invented city's mentions and truth as Parquet, some hundred thousand a file; one city, so that no number is given twice."""
    made = Rehearsal(people, seed=100).mentions()
    for n in itertools.count():
        part = list(itertools.islice(made, 250_000))
        if not part:
            break
        rows = [m.row() for m in part]
        schema = pa.schema(
            [(name, pa.date32() if name in {"birth_date", "as_of"} else pa.string()) for name in rows[0]]
        )
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / f"m{n}.parquet")
        truth = pa.table(
            {
                "record_id": [m.record_id for m in part],
                "entity_id": [m.entity_id for m in part],
                "errors": pa.array([list(m.errors) for m in part], pa.list_(pa.string())),
            }
        )
        pq.write_table(truth, folder / f"t{n}.parquet")
    return str(folder / "m*.parquet"), str(folder / "t*.parquet")


# --------------------------------------------------------------------------- FEBRL


def _febrl(sql: duckdb.DuckDBPyConnection) -> str:
    files = [str(SHARED / "record_linkage" / "febrl" / f"dataset4{side}.csv") for side in "ab"]
    sql.execute(
        "CREATE TABLE raw AS SELECT trim(rec_id) AS record_id, split_part(trim(rec_id), '-', 2) AS entity_id, []::VARCHAR[] AS errors,"
        " nullif(trim(given_name), '') AS given, nullif(trim(surname), '') AS surname, nullif(trim(address_1), '') AS street,"
        " nullif(trim(suburb), '') AS suburb, nullif(trim(postcode), '') AS postcode, nullif(trim(date_of_birth), '') AS birth,"
        f" nullif(trim(soc_sec_id), '') AS number FROM read_csv({files}, all_varchar = TRUE, header = TRUE)"
    )
    return "(SELECT record_id, entity_id, errors FROM raw)"


def ours_febrl(*_: str) -> dict[str, Any]:
    sql = duckdb.connect()
    truth = _febrl(sql)
    frequencies = ", ".join(
        f"(count(*) OVER (PARTITION BY {c}) / count({c}) OVER ())::FLOAT AS {c}_tf"
        for c in ("given", "surname", "street", "suburb")
    )
    sql.execute(
        f"CREATE TABLE nodes AS SELECT row_number() OVER (ORDER BY record_id) AS node, 1 AS touched, record_id, {', '.join(c for c in LATIN.columns if not c.endswith('_tf'))}, {frequencies} FROM raw"
    )
    began = time.perf_counter()
    weights = learn(
        sql,
        LATIN,
        "nodes",
        ["l.number = r.number", "l.given = r.given AND l.surname = r.surname", "l.birth = r.birth"],
        lower=0.0,
        upper=1.0,
        learnt={"on": "FEBRL 4"},
        pairs=2e6,
    )
    trained = time.perf_counter()
    job = Scoring(fitted(LATIN, weights), "nodes", "pairs", weights.people, 1)
    prepare(sql, job)
    score(sql, job, lambda key, part: False, lambda key, part: None)
    found = sql.execute("SELECT l, r, max(w) AS w FROM pairs GROUP BY l, r HAVING max(w) >= 1.0").fetchnumpy()
    none = found["l"][:0]
    made = cluster(Pairs(found["l"], found["r"], found["w"]), Facts(none, none, none, none))
    took = time.perf_counter() - trained
    sql.register("made", pa.table({"node": made.vertices, "cid": made.labels}))
    return {"train_seconds": round(trained - began, 2), "link_seconds": round(took, 2)} | quality(
        sql,
        "(SELECT n.record_id, coalesce(m.cid, n.node) AS cid FROM nodes n LEFT JOIN made m USING (node))",
        truth,
    )


def splink_febrl(*_: str) -> dict[str, Any]:
    import logging

    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    sql = duckdb.connect()
    truth = _febrl(sql)
    began = time.perf_counter()
    settings = SettingsCreator(
        link_type="dedupe_only", unique_id_column_name="record_id",
        comparisons=[
            cl.NameComparison("given").configure(term_frequency_adjustments=True),
            cl.NameComparison("surname").configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("birth", [1, 2]),
            cl.DamerauLevenshteinAtThresholds("number", [1, 2]),
            cl.JaroWinklerAtThresholds("street", [0.9, 0.8]).configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("suburb", [0.9, 0.8]).configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("number"), block_on("given", "surname"), block_on("birth"), block_on("surname", "postcode"),
            block_on("given", "postcode"), block_on("street", "postcode"), block_on("given", "street"), block_on("surname", "suburb"),
        ],
    )  # fmt: skip
    linker = Linker(DuckDBAPI(sql).register("raw"), settings, log_level=None)
    linker.training.estimate_probability_two_random_records_match([block_on("number")], recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for rule in (block_on("number"), block_on("given", "surname"), block_on("birth")):
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True
        )
    trained = time.perf_counter()
    pairs = linker.inference.predict(threshold_match_probability=0.5)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        pairs, threshold_match_probability=0.5
    )
    took = time.perf_counter() - trained
    return {"train_seconds": round(trained - began, 2), "link_seconds": round(took, 2)} | quality(
        sql, f"(SELECT record_id, cluster_id AS cid FROM {clusters.physical_name})", truth
    )


# ------------------------------------------------------------------------- resolve


def resolve(people: int, asks: int) -> dict[str, Any]:
    """p50 and p95 in milliseconds of one record against everybody; how often the first answer is the right identity."""
    with tempfile.TemporaryDirectory() as folder:
        mentions, _ = invent(people, Path(folder))
        model = default_models()["person"]
        with open_store(Path(folder) / "store") as store:
            report = link(store, [Path(p) for p in _glob(mentions)])
            began = time.perf_counter()
            about = build_index(store, "person", model, Path(folder) / "index")
            built = time.perf_counter() - began
        rows = duckdb.execute(
            f"SELECT m.record_id, p.cid, name, former_name, sex, birth_date, citizen_id, id_other, uscc, phone, division, address_rest"
            f" FROM read_parquet({_glob(mentions)}) m JOIN read_parquet('{report.map_file}') p USING (record_id) ORDER BY hash(m.record_id) LIMIT {asks}"
        ).fetchall()
        took: list[float] = []
        busy: list[float] = []
        right = 0
        with Resolver(Path(folder) / "index", "person", model) as resolver:
            for row in rows:
                began, start = time.perf_counter(), time.thread_time()
                found = resolver.resolve(Query(*row[2:]))
                took.append((time.perf_counter() - began) * 1000)
                busy.append((time.thread_time() - start) * 1000)
                right += bool(found) and found[0].cid == row[1]
        cuts, cpu = statistics.quantiles(took, n=100), statistics.quantiles(busy, n=100)
        return {"nodes": about.nodes, "index_seconds": round(built, 1), "p50_ms": round(cuts[49], 2), "p95_ms": round(cuts[94], 2), "p99_ms": round(cuts[98], 2), "p95_cpu_ms": round(cpu[94], 2), "right": right / len(rows)}  # fmt: skip


# ----------------------------------------------------------------------------- main

WORK = {
    "ours_city": ours_city,
    "splink_city": splink_city,
    "ours_febrl": ours_febrl,
    "splink_febrl": splink_febrl,
}


def alone(name: str, *arguments: str) -> dict[str, Any]:
    """A work in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--alone", name, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def compare(kind: str, rounds: int, *arguments: str, sides: Sequence[str] = ("splink", "ours")) -> None:
    """Interleaved rounds of Splink and ours; medians. The load at the end of each stands on a line of its own."""
    told: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side in told:
            told[side].append(alone(f"{side}_{kind}", *arguments))
            print(f"{side}: load {os.getloadavg()[0]:.1f}", flush=True)
    for side, rows in told.items():
        middle = {key: statistics.median(row[key] for row in rows) for key in rows[0] if key not in {"kinds"}}
        print(side, json.dumps(middle))
    for kind_of, (count, share) in told["ours"][0]["kinds"].items():
        beside = told["splink"][0]["kinds"].get(kind_of, [0, 0])[1] if "splink" in told else None
        print(
            f"  {kind_of:22} {count:>9,}  ours {share:.4f}"
            + (f"  splink {beside:.4f}" if beside is not None else "")
        )


def main() -> None:
    if sys.argv[1:2] == ["--alone"]:
        print(json.dumps(measured(lambda: WORK[sys.argv[2]](*sys.argv[3:]))))
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["febrl", "city", "invented", "resolve"])
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--mentions", default="")
    parser.add_argument("--truth", default="")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", default="6GB")
    parser.add_argument("--entity", choices=["person", "enterprise"], default="person")
    parser.add_argument("--ours", action="store_true", help="without Splink")
    given = parser.parse_args()
    if given.what == "febrl":
        compare("febrl", given.rounds)
    elif given.what == "city":
        sides = ("ours",) if given.ours else ("splink", "ours")
        compare("city", given.rounds, given.mentions, given.truth, given.memory, given.entity, sides=sides)
    elif given.what == "invented":
        with tempfile.TemporaryDirectory() as folder:
            mentions, truth = invent(given.people, Path(folder))
            compare("city", given.rounds, mentions, truth, given.memory, given.entity)
    else:
        print(json.dumps(resolve(given.people, 2000)))


if __name__ == "__main__":
    main()
