"""A page and a command load nothing heavy: the data platform's tools are imported where they work, and only there."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"duckdb", "ibis", "numpy", "opencc", "pandas", "pyarrow", "pypinyin", "splink", "xlsxwriter"}


@pytest.mark.parametrize("module", ["dizuo.app", "dizuo.cli", "dizuo.serve", "dizuo.clerk"])
def test_starting_loads_nothing_heavy(module: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", f"import {module}, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    loaded = {name.partition(".")[0] for name in told.stdout.split()}
    assert not loaded & HEAVY
