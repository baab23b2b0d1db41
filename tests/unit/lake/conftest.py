"""Fixtures for the lake: the declared city, and a way to deliver one file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from police_file import ROOT, TODAY, Deliver

from dizuo.engines.lake import DeliveryFile, LoadReport, Manifest, load
from dizuo.engines.lake.delivery import write_manifest
from dizuo.engines.registers.publish import publish
from dizuo.foundation.blueprint import City, load_city


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(ROOT / "cities" / "wuxi")


@pytest.fixture(scope="module")
async def declared(pg, city: City) -> City:
    async with pg() as conn:
        await publish(conn, city)
    return city


@pytest.fixture
def deliver(database, declared: City, tmp_path: Path) -> Deliver:
    """Deliver one file of the police for the person register, as bytes or text, and load it."""

    def delivered(
        content: bytes | str, *, rows: int | None = None, encoding: str = "utf-8", delimiter: str = ",",
        department: str = "psb", register: str = "person", sha256: str | None = None,
    ) -> LoadReport:  # fmt: skip
        raw = content.encode(encoding) if isinstance(content, str) else content
        counted = sum(1 for line in raw.split(b"\n")[1:] if line.strip()) if rows is None else rows
        file = DeliveryFile(
            path=f"{department}.csv", department=department, department_name="演示", register=register, register_name="演示",
            period_from=TODAY.replace(day=1), period_to=TODAY, encoding=encoding, delimiter=delimiter, rows=counted,
            sha256=sha256 or hashlib.sha256(raw).hexdigest(),
        )  # fmt: skip
        (tmp_path / file.path).write_bytes(raw)
        write_manifest(
            tmp_path, Manifest(notice="演示数据", city="wuxi", today=TODAY, people=0, seed=0, files=(file,))
        )
        return load(database, declared, tmp_path, landing=tmp_path / "landing")

    return delivered
