"""The same expressions on DuckDB and on Spark give the same cells.

Needs PySpark (`pip install pyspark==4.3.0`) and a Java 17 or later; it is left out where either is absent.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import ibis
import msgspec
import pytest
from standard_sample import TODAY, kinds, rows, sources, wuxi

from dizuo.engines.lake.standard import (
    failing_rows,
    mentions,
    open_engine,
    rejected_rows,
    rule_counts,
    stages_kept,
    standard_rows,
)
from dizuo.foundation.blueprint.model_source import Source, Standard

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="PySpark is not installed"),
    pytest.mark.skipif(
        shutil.which("java") is None and not os.environ.get("JAVA_HOME"), reason="there is no Java here"
    ),
]


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    warnings.simplefilter("ignore")
    folder = tmp_path_factory.mktemp("spark")
    session = (
        SparkSession.builder.master("local[2]")
        .appName("dizuo-test")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.memory", "1g")
        .config("spark.sql.shuffle.partitions", "1")
        # A few hundred rows: compiling the expressions to Java would take minutes, reading them as they are a second.
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        .config("spark.sql.warehouse.dir", str(folder))
        .config("spark.local.dir", str(folder))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield ibis.pyspark.connect(session)
    session.stop()


def every_standardiser() -> Source:
    """A source with a column of each kind, made of the city's declared ones: Spark plans every column for seconds."""
    hukou, market = sources()["hukou"], sources()["enterprises"]
    kept = ("person_no", "citizen_id", "name", "sex", "birth_date", "address", "state", "updated_at")
    columns = {name: hukou.columns[name] for name in kept}
    columns["uscc"] = msgspec.structs.replace(market.columns["uscc"], required=False)
    columns["capital"] = market.columns["capital"]
    for kind in ("division", "integer", "boolean", "phone"):
        columns[kind] = msgspec.structs.replace(hukou.columns["native_place"], id=kind, column=kind, as_=kind)
    mention = msgspec.structs.replace(hukou.mentions[0], former_name="", phone="phone")
    read = {column.as_ for column in columns.values()}
    assert read == set(get_args(Standard))
    rules = tuple(rule for rule in hukou.quality if "id_valid_to" not in rule.rule.text)
    return msgspec.structs.replace(hukou, columns=columns, mentions=(mention,), quality=rules)


def cells(engine: Any, table: Any) -> list[dict[str, object]]:
    with stages_kept():
        return sorted(engine.to_pyarrow(table).to_pylist(), key=str)


def both(spark: Any, table: Any) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    return cells(spark, table), cells(open_engine("1GB", 1), table)


def test_every_cell_is_the_same_on_spark(spark: Any, tmp_path: Path) -> None:
    source = every_standardiser()
    raw = ibis.memtable(rows(source, 300), schema=kinds(source))
    there, here = both(spark, rejected_rows(raw, source, wuxi()))
    assert here
    assert there == here
    there, here = both(spark, standard_rows(raw, source, wuxi()))
    assert len(here) > 100
    assert there == here
    # What follows reads standard rows from Parquet, as a run does.
    duck, file = open_engine("1GB", 1), tmp_path / "standard.parquet"
    with stages_kept():
        duck.to_parquet(standard_rows(raw, source, wuxi()), file)
    for follow in (
        lambda t: mentions(t, source, wuxi().ids, TODAY),
        lambda t: rule_counts(t, source, TODAY),
        lambda t: failing_rows(t, source, TODAY),
    ):
        here = cells(duck, follow(duck.read_parquet(file)))
        assert here
        assert cells(spark, follow(spark.read_parquet(file))) == here


def test_numbers_in_plain_text_columns_are_the_same_on_spark(spark: Any) -> None:
    source = sources()["credit"]
    raw = ibis.memtable(rows(source, 200), schema=kinds(source))
    there, here = both(spark, mentions(standard_rows(raw, source, wuxi()), source, wuxi().ids, TODAY))
    assert here
    assert there == here
