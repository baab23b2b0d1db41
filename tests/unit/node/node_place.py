"""A resource that stays at a department's node, and `dizuo node serve` as a process of its own: everything invented (演示数据)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from dizuo.engines.exchange import delivery
from dizuo.foundation.store import LOADER, connect
from dizuo.node import NodeHome
from ports import free_port

MOTHER, FATHER, NOBODY = "320213199403151026", "320211199201011015", "320213190001010019"
CITED = {"matter": "newborn", "basis": "social:58", "case": "HRSS-2026-9"}
ROWS = [(MOTHER, "林晓晴", "2019-05-01", "不给人看"), (FATHER, "王启明", "2018-03-02", "不给人看")]
ADAPTER = """
kind: node-adapter/1
resource: {resource}
source: {source}
key: {{column: 身份证号, type: citizen_id}}
fields:
  - {{id: name, column: 姓名}}
  - {{id: married_on, column: 登记日期, type: date}}
  - {{id: diary, column: 日记}}
"""
RESOURCE = """
INSERT INTO exchange.resource (code, title, provider, kind, share_type, update_cycle, fields)
VALUES ($1, '婚姻登记（演示）', 'civil', 'imported', 2, 'realtime', '[{"id": "name"}, {"id": "married_on"}, {"id": "diary"}]')
"""
GRANT = """
INSERT INTO exchange.data_grant (consumer, resource, fields, purpose, matter, basis, methods, per_day, starts, expires)
VALUES ('hrss', $1, '{name,married_on}', '为参保人员发放社会保障卡', 'newborn', 'social:58', '{query,batch}', 1000, current_date - 1,
        current_date + 30) RETURNING id
"""


class Place:
    """A resource at a node at ``port``, bound as the operator's command does it."""

    def __init__(self, base: Any, resource: str, folder: Path) -> None:
        self.base, self.resource, self.folder = base, resource, folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        base.sql(RESOURCE, resource)
        self.grant = base.sql(GRANT, resource)[0]["id"]
        folder.mkdir()
        self.home = NodeHome.make(folder / "home", "civil", base.url)
        self.key = base.register_key(self.home, "civil")
        with asked_client(self.home) as client:
            self.home.trust(client.fetch_keys())

    def bind(self, **more: Any) -> str:
        async def bound() -> str:
            connection = await connect(self.base.database.dsn(LOADER))
            try:
                given = {
                    "resource": self.resource,
                    "address": self.address,
                    "keys": [self.key],
                    "private": True,
                    **more,
                }
                return await delivery.bind_node(
                    connection,
                    given["resource"],
                    given["address"],
                    given["keys"],
                    "data.steward",
                    private=given["private"],
                )
            finally:
                await connection.close()

        return self.base.run(bound())

    def entries(self, since: int) -> list[dict[str, Any]]:
        rows = self.base.sql(
            "SELECT id, kind, subject, body, payload FROM ledger.entry WHERE id > $1 AND body ->> 'resource' = $2 ORDER BY id",
            since,
            self.resource,
        )
        return [dict(row) for row in rows]

    def last(self) -> int:
        return self.base.sql("SELECT coalesce(max(id), 0) AS id FROM ledger.entry")[0]["id"]

    def counts(self) -> dict[str, Any]:
        return dict(
            self.base.sql("SELECT * FROM exchange.availability WHERE resource = $1", self.resource)[0]
        )


def asked_client(home: NodeHome) -> Any:
    from dizuo.node import BaseClient

    return BaseClient(home)


def serve(place: Place, source: str) -> subprocess.Popen[bytes]:
    """`dizuo node serve`, as a department starts it; ends with the test."""
    file = place.folder / "adapter.yaml"
    file.write_text(ADAPTER.format(resource=place.resource, source=source), "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "dizuo.cli", "node", "--home", str(place.folder / "home"), "serve",
         "--adapter", str(file), "--public", place.address, "--port", str(place.port)],
        stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", place.port)) == 0:
                return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError("the node did not start")
