"""Whatever dies, no value has left without its entry and no receipt was given for nothing. Short form of bench/faults.py.

One kill for every step of every operation, the victims in turn; thousands of them run in the bench.
"""

from __future__ import annotations

import importlib.util
import itertools
import sys
import tempfile
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench" / "faults.py"


def load_bench():
    spec = importlib.util.spec_from_file_location("dizuo_bench_faults", BENCH)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


FAULTS = load_bench()


@pytest.fixture(scope="module")
def bench():
    # Not pytest's folder: a socket's path must stay short, and the server's user must reach it.
    made = FAULTS.Bench(Path(tempfile.mkdtemp(prefix="dizuo-faults-")))
    yield made
    made.close()


def short_form():
    """Every (operation, step) once, the victims in turn."""
    ways = itertools.groupby(FAULTS.FAULTS, key=lambda fault: (fault.op, fault.step))
    return [list(faults)[number % 2] for number, (_, faults) in enumerate(ways)]


@pytest.mark.slow
def test_a_careless_acknowledgement_is_lost_and_seen(bench):
    """The control: if this finds nothing, a clean result below would mean nothing."""
    bench.control()
    assert bench.findings.careless_lost > 0


@pytest.mark.slow
@pytest.mark.parametrize("fault", short_form(), ids=lambda fault: f"{fault.op}-{fault.step}-{fault.victim}")
def test_nothing_leaves_unlogged_and_nothing_acknowledged_is_lost(bench, fault):
    bench.run(fault)
    assert bench.findings.clean, [*bench.findings.unlogged, *bench.findings.lost]


@pytest.mark.slow
def test_after_all_that_the_ledger_verifies_and_there_was_something_to_lose(bench):
    report = bench.verify()
    assert report.ok, report.counts
    assert bench.findings.reads > 0
    assert bench.findings.values > 0
    assert bench.findings.receipts > 0
