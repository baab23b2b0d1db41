"""Differential privacy (差分隐私) as a form of release: counts with discrete Laplace noise, drawn by OpenDP.

One record is in exactly one cell, so adding or removing a person's record changes the table by 1 (L1 sensitivity 1), and
the whole table costs ``epsilon`` once. Negative results are shown as 0 and totals are sums of what is shown: both are made
from the noised numbers alone and cost nothing more.
"""

from __future__ import annotations

from typing import Any, Final

from dizuo.engines.opendata.counted import Table

_SURE: Final = 0.05


def noised(made: Table, epsilon: float) -> Table:
    """The table with noise in every cell; ``epsilon`` > 0. Errors: ValueError for an epsilon that the noise would exceed."""
    import opendp.prelude as _opendp

    dp: Any = _opendp
    dp.enable_features("contrib")
    measure: Any = dp.m.make_laplace(
        dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int), scale=1.0 / epsilon
    )
    spent = float(measure.map(d_in=1))
    if spent > epsilon * (1 + 1e-9):
        raise ValueError(f"noise for epsilon {epsilon} would spend {spent}")
    keys = list(made.cells)
    drawn: list[int] = measure([made.cells[key] or 0 for key in keys])
    return Table({key: max(0, number) for key, number in zip(keys, drawn, strict=True)}, {})


def accuracy(epsilon: float) -> float:
    """How far a noised count is off, at most, in 95 of 100 cells; as OpenDP tells it."""
    import opendp.prelude as _opendp

    dp: Any = _opendp
    return float(dp.discrete_laplacian_scale_to_accuracy(scale=1.0 / epsilon, alpha=_SURE))
