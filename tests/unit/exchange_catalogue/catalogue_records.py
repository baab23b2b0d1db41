"""Records behind the doors (演示数据), the day that the tests live in, and where the project is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.store import Pool

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)


async def register_record(pool: Pool, register: str, key: str, data: Mapping[str, str]) -> None:
    """Put a record behind the doors (演示数据), counted as the writers count it."""
    await pool.execute(
        "INSERT INTO registers.record (register, key, version, ref, data, sources)"
        " VALUES ($1, $2, 1, nextval('registers.record_ref'), $3, '{}')",
        register, key, dict(data),
    )  # fmt: skip
    await pool.execute(
        "INSERT INTO registers.tally (register, records, last_at) VALUES ($1, 1, now())", register
    )
