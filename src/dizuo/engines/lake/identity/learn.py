"""Learning: Splink estimates from unlabelled mentions how often the same and how often strangers agree; we keep the numbers.

u comes from random pairs, m from expectation maximisation within blocks. Two corrections of our own: a random sample of a small
place holds matches too, so their share is taken out of u again; and what strangers share by living together (a telephone, a door)
is marked to shrink with the size of the city.
"""

# ruff: noqa: S608 - names of tables and numbers of our own, never anything delivered

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import duckdb

from dizuo.engines.lake.identity.spec import Comparison, Level, Model, Shape, Weights, fitted

Connection = duckdb.DuckDBPyConnection
_LEAST: Final = 1e-6
"""An agreement that the sample never showed is taken for rare, not for impossible."""


def splink_settings(shape: Shape, weights: Weights | None, rules: Sequence[str]) -> dict[str, Any]:
    """The shape as Splink's settings (Splink 5), with the weights given or to be learnt; ``rules`` are its blocking rules."""
    model = fitted(shape, weights) if weights is not None else None
    comparisons = model.comparisons() if model else shape.comparisons
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "node",
        "probability_two_random_records_match": 1e-4,
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": rule, "sql_dialect": "duckdb"} for rule in rules
        ],
        "comparisons": [_comparison(comparison, model) for comparison in comparisons],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
    }


def learn(
    store: Connection, shape: Shape, nodes: str, training: Sequence[str], *, lower: float, upper: float,
    learnt: Mapping[str, str], seed: int = 1, pairs: float = 5e6,
) -> Weights:  # fmt: skip
    """Weights from the table ``nodes`` (each mention a node of its own).

    ``training``: blocking rules (SQL over l and r) for expectation maximisation; together they must leave every comparison free once.
    Errors: ModelUnfit when a comparison was never free.
    """
    # Splink takes two seconds to import, and only learning needs it.
    from splink import DuckDBAPI, Linker

    logging.getLogger("splink").setLevel(logging.ERROR)
    api: Any = DuckDBAPI(store)
    frame = api.register(nodes)
    linker: Any = Linker(frame, splink_settings(shape, None, training), log_level=None)
    linker.training.estimate_probability_two_random_records_match(list(training[:1]), recall=0.8)
    prior = float(linker._settings_obj._probability_two_random_records_match)
    linker.training.estimate_u_using_random_sampling(max_pairs=pairs, seed=seed, min_count_per_level=None)
    for rule in training:
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True
        )
    found = cast("dict[str, Any]", linker.misc.save_model_to_json())
    levels = {
        comparison.id: _learnt(comparison, told, prior)
        for comparison, told in zip(shape.comparisons, found["comparisons"], strict=True)
    }
    # Numbers tell best how many a sample is about: some are mentioned once, an employer a thousand times.
    people = max(_count(store, f"(SELECT DISTINCT number FROM {nodes} WHERE number IS NOT NULL)"), 2)
    weights = Weights(shape.entity, levels, people, lower, upper, dict(learnt))
    fitted(shape, weights)
    return weights


def _comparison(comparison: Comparison, model: Model | None) -> dict[str, Any]:
    absent = comparison.absent if model is not None else comparison.absent_when_learning or comparison.absent
    levels: list[dict[str, Any]] = [
        {"sql_condition": absent, "label_for_charts": "无从比较", "is_null_level": True}
    ]
    for level in comparison.levels:
        told: dict[str, Any] = {"sql_condition": level.when or "ELSE", "label_for_charts": level.id}
        if level.tf:
            told |= {"tf_adjustment_column": comparison.id, "tf_adjustment_weight": 1.0}
        if model is not None:
            told |= {"m_probability": level.m, "u_probability": level.u}
        levels.append(told)
    return {"output_column_name": comparison.id, "comparison_levels": levels}


def _learnt(comparison: Comparison, told: dict[str, Any], prior: float) -> dict[str, tuple[float, float]]:
    """[m, u] of each level, both summing to one, with the matches in the random sample taken out of u."""
    by_label = {level["label_for_charts"]: level for level in told["comparison_levels"]}
    m = [
        level.fixed_m or max(_number(by_label[level.id].get("m_probability")), _LEAST)
        for level in comparison.levels
    ]
    u = [
        _strangers(level, _number(by_label[level.id].get("u_probability")), here, prior)
        for level, here in zip(comparison.levels, m, strict=True)
    ]
    return {
        level.id: (round(here / sum(m), 9), round(there / sum(u), 12))
        for level, here, there in zip(comparison.levels, m, u, strict=True)
    }


def _strangers(level: Level, estimated: float, m: float, prior: float) -> float:
    if level.fixed_u is not None:
        return level.fixed_u
    return max((estimated - prior * m) / (1 - prior), _LEAST)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _count(store: Connection, table: str) -> int:
    return int(store.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])
