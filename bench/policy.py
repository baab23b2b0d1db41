"""How fast policy answers: decisions, explanations, AuthZEN single and batch. ``python bench/policy.py [--seconds 2] [--city …]``.

Questions are drawn from the city's own posts, items and places. ``first`` asks Cedar for every question, ``again`` finds the
answer in memory, as nearly every question of a running city does. One thread; nothing here touches a database, so that
the AuthZEN figures are the decision point's own work without HTTP and without the ledger entry.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable, Iterable
from itertools import cycle
from pathlib import Path
from typing import Any

from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.policy import Ask, Policy, Principal, Request, evaluate, evaluate_many

ROOT = Path(__file__).resolve().parents[1]
BATCH = 100


def questions(city: City, count: int, seed: int = 20_261_123) -> list[Request]:
    """Reads, views and decisions of every post on every item in many places; allowed and refused ones."""
    draw = random.Random(seed)
    posts = [
        Principal("official", organisation.id, post.id, post.powers, place)
        for organisation in city.organisations.values()
        for post in organisation.posts
        for place in ("", "320213", "320211")
    ]
    items = [(matter, item) for matter in city.matters.values() for item in matter.items]
    places = sorted(city.divisions)
    made: dict[Request, None] = {}
    while len(made) < count:
        matter, item = draw.choice(items)
        facts = frozenset(fact for need in item.needs for fact in need.facts)
        purposes = frozenset(need.purpose for need in item.needs)
        ask = Ask("duty", draw.choice(places), "", purposes, facts)
        who = Principal("resident") if draw.random() < 0.3 else draw.choice(posts)
        relation = "self" if who.kind == "resident" else "duty"
        at = "" if who.kind == "resident" and draw.random() < 0.1 else ask.at
        made[Request(who, "read", f"{matter.id}.{item.id}", Ask(relation, at, "", purposes, facts))] = None
    return list(made)


def authzen_of(request: Request) -> dict[str, Any]:
    """The same question as another system writes it."""
    actor, ask = request.actor, request.context
    properties = {"unit": actor.unit, "post": actor.post, "place": actor.place}
    return {
        "subject": {"type": actor.kind, "id": "x", "properties": properties},
        "action": {"name": request.action},
        "resource": {"type": "item", "id": request.resource},
        "context": {
            "relation": ask.relation,
            "at": ask.at,
            "purposes": sorted(ask.purposes),
            "facts": sorted(ask.facts),
            "case": True,
        },
    }


def timed(work: Callable[[Any], object], rounds: Iterable[Any], seconds: float) -> tuple[float, float, float]:
    """Calls a second, calls a second of CPU (what a machine of one's own would give), p95 of one call in ms."""
    times: list[float] = []
    cpu, ends = time.process_time(), time.perf_counter() + seconds
    for one in rounds:
        started = time.perf_counter()
        work(one)
        stopped = time.perf_counter()
        times.append(stopped - started)
        if stopped > ends:
            break
    cpu = time.process_time() - cpu
    return len(times) / sum(times), len(times) / cpu, statistics.quantiles(times, n=20)[-1] * 1000


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--city", type=Path, default=ROOT / "cities" / "wuxi")
    arguments.add_argument("--seconds", type=float, default=2.0, help="for each figure")
    arguments.add_argument("--questions", type=int, default=2000)
    given = arguments.parse_args()
    city = load_city(given.city)
    started = time.perf_counter()
    policy = Policy.from_city(city)
    print(f"{len(policy.rules)} rules made and validated in {(time.perf_counter() - started) * 1000:.0f} ms; load {os.getloadavg()[0]:.1f}")  # fmt: skip
    asked = questions(city, given.questions)
    first = timed(policy.decide, asked, 60)
    allowed = sum(policy.decide(one).allowed for one in asked)
    print(f"{len(asked):,} different questions, {allowed:,} allowed\n")
    single = [authzen_of(one) for one in asked]
    many = [{"evaluations": single[n : n + BATCH]} for n in range(0, len(single) - BATCH + 1, BATCH)]
    told = {
        "decide, first time": (first, 1),
        "decide, again": (timed(policy.decide, cycle(asked), given.seconds), 1),
        "explained, zh and en": (timed(policy.explained, cycle(asked), given.seconds), 1),
        "AuthZEN evaluation": (timed(lambda one: evaluate(city, policy, one), cycle(single), given.seconds), 1),
        f"AuthZEN evaluations of {BATCH}": (timed(lambda one: evaluate_many(city, policy, one), cycle(many), given.seconds), BATCH),
    }  # fmt: skip
    for name, ((wall, cpu, p95), decisions) in told.items():
        print(f"{name:28} {wall * decisions:>12,.0f} decisions/s  {cpu * decisions:>12,.0f} a CPU second   p95 of a call {p95:8.3f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
