"""Two catalogues behind CKAN's Action API, side by side: ours and a real CKAN.

``python bench/ckan.py --ours http://…/open --our-key K [--theirs http://… --their-key K] [--datasets 500] [--seconds 5]``

Both get the same invented datasets through ``package_create`` (演示数据), are read with ``package_show`` and ``package_search``
by the same clients, and are asked for every substring of two to four signs of some Chinese titles: recall is the share of
substrings by which the dataset was found. What a side cannot do (a CKAN without Solr cannot search) is told and left out.

A CKAN for it, in a venv of its own: ``pip install "ckan[requirements]==2.12.0" gunicorn``, redis-server, a PostgreSQL, Solr where there
is one; ``ckan generate config``, ``ckan db init``, a sysadmin's token, an organisation ``bench``, one gunicorn worker with threads. Without
Solr a stub that answers every request with an empty result lets loads and package_show run: then no time of indexing is in CKAN's
loads, and its package_show reads the database because its index is empty.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

WORDS = [
    "停车",
    "公交",
    "医院",
    "学校",
    "图书",
    "绿化",
    "道路",
    "照明",
    "环卫",
    "养老",
    "托育",
    "社区",
    "水质",
    "噪声",
    "空气",
    "气象",
    "桥梁",
    "隧道",
    "地铁",
    "充电",
    "消防",
    "食品",
    "药品",
    "体育",
    "场馆",
]
KINDS = ["设施分布", "运行记录", "检查结果", "统计年报", "点位清单", "月度汇总"]


RUN = f"bench-{int(time.time())}"
"""Every run has names of its own: a dataset that is there already would be refused, and a refusal is quick."""


def package(n: int, owner: str) -> dict[str, Any]:
    """An invented dataset."""
    title = f"{WORDS[n % len(WORDS)]}{WORDS[n * 7 % len(WORDS)]}{KINDS[n % len(KINDS)]}{n}号"
    return {
        "name": f"{RUN}-{n}", "title": title, "notes": f"{title}的说明。" * 6, "owner_org": owner, "license_id": "cc-by",
        "tags": [{"name": WORDS[n % len(WORDS)]}, {"name": KINDS[n % len(KINDS)]}],
        "resources": [
            {"name": f"{title}.csv", "url": f"https://a.example/{n}.csv", "format": "CSV"},
            {"name": f"{title}.json", "url": f"https://a.example/{n}.json", "format": "JSON"},
        ],
    }  # fmt: skip


class Side:
    """One catalogue."""

    def __init__(self, name: str, base: str, key: str, owner: str) -> None:
        self.name = name
        self.base = base.rstrip("/")
        self.owner = owner
        self.client = httpx.AsyncClient(timeout=60, headers={"authorization": key} if key else {})

    async def call(self, action: str, told: dict[str, Any]) -> Any:
        """One action; its result. Errors: RuntimeError with what was answered."""
        answer = await self.client.post(f"{self.base}/api/3/action/{action}", json=told)
        body = answer.json()
        if not isinstance(body, dict) or not body.get("success"):
            raise RuntimeError(f"{answer.status_code} {str(body)[:200]}")
        return body["result"]


async def many(
    work: Callable[[int], Awaitable[Any]], clients: int, seconds: float
) -> tuple[float, list[float]]:
    """Calls a second of so many clients, and how long each took, in milliseconds."""
    took: list[float] = []
    until = time.perf_counter() + seconds

    async def one(seed: int) -> None:
        draw = random.Random(seed)
        while time.perf_counter() < until:
            started = time.perf_counter()
            await work(draw.randrange(10**9))
            took.append((time.perf_counter() - started) * 1000)

    started = time.perf_counter()
    await asyncio.gather(*(one(seed) for seed in range(clients)))
    return len(took) / (time.perf_counter() - started), took


def line(name: str, what: str, rate: float, took: list[float]) -> None:
    took = sorted(took)
    p95 = took[int(len(took) * 0.95)] if took else 0.0
    print(f"{name:8} {what:28} {rate:9.1f}/s   p50 {statistics.median(took):7.1f} ms   p95 {p95:7.1f} ms")


async def measured(side: Side, count: int, seconds: float, clients: int) -> None:
    """Loads, reads, searches and recall of one side."""
    took: list[float] = []
    started = time.perf_counter()
    for n in range(count):
        begun = time.perf_counter()
        try:
            await side.call("package_create", package(n, side.owner))
        except RuntimeError as error:
            print(f"{side.name:8} package_create cannot be compared: {error}")
            return
        took.append((time.perf_counter() - begun) * 1000)
    line(side.name, f"package_create, {count}", count / (time.perf_counter() - started), took)
    rate, took = await many(
        lambda n: side.call("package_show", {"id": f"{RUN}-{n % count}"}), clients, seconds
    )
    line(side.name, f"package_show, {clients} clients", rate, took)
    try:
        found = await side.call("package_search", {"q": "*:*", "rows": 0})
        if found["count"] < count:
            raise RuntimeError(f"{found['count']} of {count} datasets are in its index")
    except RuntimeError as error:
        print(f"{side.name:8} package_search and recall cannot be compared: {error}")
        return
    work = [WORDS[n % len(WORDS)] for n in range(100)]
    rate, took = await many(
        lambda n: side.call("package_search", {"q": work[n % 100], "rows": 10}), clients, seconds
    )
    line(side.name, f"package_search, {clients} clients", rate, took)
    asked = hit = 0
    for n in range(0, count, max(1, count // 25)):
        title = package(n, "")["title"]
        for size in (2, 3, 4):
            for at in range(len(title) - size + 1):
                part = title[at : at + size]
                asked += 1
                told = {"q": f'"{part}"', "rows": 1, "fq": f"name:{RUN}-{n}"}
                hit += (await side.call("package_search", told))["count"] == 1
    print(f"{side.name:8} substrings of Chinese titles    {hit} of {asked} found ({hit / asked:.1%})")


async def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--ours", required=True)
    asked.add_argument("--our-key", required=True)
    asked.add_argument("--our-owner", default="data")
    asked.add_argument("--theirs", default="")
    asked.add_argument("--their-key", default="")
    asked.add_argument("--their-owner", default="bench")
    asked.add_argument("--datasets", type=int, default=500)
    asked.add_argument("--seconds", type=float, default=5)
    asked.add_argument("--clients", type=int, default=4)
    told = asked.parse_args()
    sides = [Side("ours", told.ours, told.our_key, told.our_owner)]
    if told.theirs:
        sides.append(Side("ckan", told.theirs, told.their_key, told.their_owner))
    for side in sides:
        await measured(side, told.datasets, told.seconds, told.clients)
        await side.client.aclose()


if __name__ == "__main__":
    asyncio.run(main())
