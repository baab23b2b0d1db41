"""Another system asks the city's policy by OpenID AuthZEN 1.0: decided with reasons, batched, refused clearly, entered."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from town import BASE, Town

from dizuo.commands import policy_key
from dizuo.doors.data.authzen_keys import Keys

ONE, MANY = "/data/access/v1/evaluation", "/data/access/v1/evaluations"
YEAR = dt.timedelta(days=365)
POLICE = {
    "type": "official",
    "id": "officer-7-张三",
    "properties": {"unit": "psb", "post": "household_officer", "place": "320213"},
}
HOUSEHOLD = {"type": "item", "id": "newborn.household"}
ASKED: dict[str, Any] = {
    "subject": POLICE,
    "action": {"name": "read"},
    "resource": HOUSEHOLD,
    "context": {"relation": "duty", "at": "320213001001", "case": "WX-2026-000001"},
}


@dataclass
class Pep:
    """A system that asks (policy enforcement point), with its key."""

    town: Town
    client: httpx.AsyncClient
    keys: Keys
    id: int

    async def ask(self, body: object, where: str = ONE, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return await self.client.post(where, content=content, headers=headers)

    async def counted(self) -> list[Any]:
        return [row["body"] for row in await self.town.entries("policy.evaluated")]


@pytest.fixture
async def pep(town: Town) -> AsyncIterator[Pep]:
    keys = Keys.of(town.dizuo.data)
    made, key = keys.new("story", "test", town.now(), YEAR)
    keys.add(made)
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    transport = httpx.ASGITransport(town.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        yield Pep(town, client, keys, made.id)


def replaced(**parts: object) -> dict[str, Any]:
    return {**ASKED, **parts}


async def test_an_allowed_question_is_answered_with_its_reason_and_entered(pep: Pep) -> None:
    before = len(await pep.counted())
    answer = await pep.ask(ASKED, **{"x-request-id": "bfe9eb29-ab87"})
    assert answer.status_code == 200
    assert answer.headers["x-request-id"] == "bfe9eb29-ab87"
    assert answer.headers["content-type"].startswith("application/json")
    assert "set-cookie" not in answer.headers
    told = answer.json()
    assert told["decision"] is True
    context = told["context"]
    assert (context["rule"], context["law"]) == ("newborn.household.duty", "hukou-1958:7")
    assert "《户口登记条例》第 7 条" in context["reason_admin"]["zh"]
    assert context["reason_admin"]["en"].startswith("Allowed to read")
    (entry,) = (await pep.counted())[before:]
    assert entry["key"] == pep.id
    assert entry["version"] == pep.town.city.version
    assert entry["asked"] == [
        {"action": "read", "resource": "newborn.household", "allowed": True, "rule": "newborn.household.duty", "times": 1}
    ]  # fmt: skip
    assert "张三" not in str(entry)
    assert "WX-2026" not in str(entry)


@pytest.mark.parametrize(
    ("parts", "missing"),
    [
        ({"context": {"relation": "duty", "at": "320211002", "case": True}}, "place"),
        ({"context": {"relation": "duty", "at": "320213001001"}}, "case"),
        ({"context": {**ASKED["context"], "purposes": ["curiosity"]}}, "purposes"),
        ({"context": {**ASKED["context"], "facts": ["mother_medical.citizen_id"]}}, "facts"),
        ({"subject": {"type": "resident", "id": "张三"}}, "relation"),
        ({"subject": {**POLICE, "properties": {"unit": "psb", "post": "nobody"}}}, "power"),
        # A caller does not give itself powers.
        (
            {"subject": {**POLICE, "properties": {"unit": "hrss", "post": "card_officer", "powers": ["psb.household.decide"]}}},
            "power",
        ),
    ],
)  # fmt: skip
async def test_a_refusal_says_what_was_missing_and_who_could(
    pep: Pep, parts: dict[str, Any], missing: str
) -> None:
    told = (await pep.ask(replaced(**parts))).json()
    assert told["decision"] is False
    assert [one["kind"] for one in told["context"]["missing"]] == [missing]
    assert told["context"]["law"]
    assert "张三" not in json.dumps(told, ensure_ascii=False)


@pytest.mark.parametrize(
    "parts",
    [
        {"subject": {"type": "robot", "id": "r"}},
        {"action": {"name": "fly"}},
        {"resource": {"type": "folder", "id": "newborn.household"}},
        {"resource": {"type": "item", "id": "newborn.张三的事"}},
        {"resource": {"type": "matter", "id": "newborn.household"}},
    ],
)
async def test_what_nobody_declared_is_denied_and_not_repeated(pep: Pep, parts: dict[str, Any]) -> None:
    answer = await pep.ask(replaced(**parts))
    assert answer.status_code == 200
    assert answer.json()["decision"] is False
    assert answer.json()["context"]["rule"] == "no_rule"
    told = str((await pep.counted())[-1])
    assert "张三" not in told
    assert "fly" not in told
    assert "folder" not in told


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"{", "请求"),
        (b"[" * 100_000, "请求"),
        (b"\xff\xfe", "请求"),
        ([], "请求"),
        ({}, "subject"),
        ({key: ASKED[key] for key in ("subject", "action")}, "resource"),
        (replaced(subject="alice"), "subject"),
        (replaced(subject={"type": "official"}), "subject.id"),
        (replaced(action={}), "action.name"),
        (replaced(action={"name": 7}), "action.name"),
        (replaced(resource={"type": "item", "id": "x" * 501}), "resource.id"),
        (replaced(subject={**POLICE, "properties": []}), "subject.properties"),
        (replaced(subject={**POLICE, "properties": {"place": "无锡"}}), "subject.properties.place"),
        (replaced(context=None), "context"),
        (replaced(context={"relation": "friend"}), "context.relation"),
        (replaced(context={"at": "1" * 13}), "context.at"),
        (replaced(context={"case": 3}), "context.case"),
        (replaced(context={"facts": "child.name"}), "context.facts"),
        (replaced(context={"purposes": [1]}), "context.purposes"),
    ],
)
async def test_bad_input_is_told_where_it_is_wrong(pep: Pep, body: object, place: str) -> None:
    answer = await pep.ask(body, **{"x-request-id": "r1"})
    assert answer.status_code == 400
    told = answer.json()
    assert told["code"] == "authzen_invalid"
    assert f"：{place} " in told["message"]
    assert told["fix"]
    assert answer.headers["x-request-id"] == "r1"
    assert (await pep.counted())[-1]["asked"][0]["action"] == "invalid"


async def test_the_other_limits(pep: Pep) -> None:
    assert (await pep.ask(ASKED, **{"content-type": "text/plain"})).status_code == 400
    large = await pep.ask(b" " * ((1 << 20) + 1), **{"x-request-id": "r3"})
    assert (large.status_code, large.headers["x-request-id"]) == (413, "r3")
    assert (await pep.client.get(ONE)).status_code == 405
    forged = await pep.ask(ASKED, **{"x-request-id": "a" * 300})
    assert "x-request-id" not in forged.headers


SERIES = [
    {"resource": {"type": "item", "id": id}}
    for id in ("newborn.household", "newborn.card", "newborn.household")
]


@pytest.mark.parametrize(
    ("semantic", "first", "decisions"),
    [
        (None, "newborn.household", [True, False, True]),
        ("execute_all", "newborn.household", [True, False, True]),
        ("deny_on_first_deny", "newborn.household", [True, False]),
        ("permit_on_first_permit", "newborn.household", [True]),
        ("permit_on_first_permit", "newborn.card", [False, True]),
    ],
)
async def test_a_batch_ends_where_its_semantic_says(
    pep: Pep, semantic: str | None, first: str, decisions: list[bool]
) -> None:
    series = SERIES if first == "newborn.household" else SERIES[1:]
    body = {key: ASKED[key] for key in ("subject", "action", "context")} | {"evaluations": series}
    if semantic:
        body["options"] = {"evaluations_semantic": semantic, "another": 1}
    answer = await pep.ask(body, MANY)
    assert answer.status_code == 200
    told = answer.json()
    assert "decision" not in told
    assert [one["decision"] for one in told["evaluations"]] == decisions
    assert sum(row["times"] for row in (await pep.counted())[-1]["asked"]) == len(decisions)


async def test_one_bad_evaluation_denies_itself_only(pep: Pep) -> None:
    body = {**ASKED, "evaluations": [{}, {"action": {"name": 7}}, {"context": {}}]}
    told = (await pep.ask(body, MANY)).json()["evaluations"]
    assert [one["decision"] for one in told] == [True, False, False]
    assert told[1]["context"]["error"]["status"] == 400
    assert "action.name" in told[1]["context"]["error"]["message"]
    assert told[2]["context"]["rule"] == "bound.case", "a part of an evaluation replaces the default whole"


async def test_a_batch_that_is_wrong_as_a_whole(pep: Pep) -> None:
    assert (await pep.ask({**ASKED, "evaluations": []}, MANY)).json()["decision"] is True
    assert (await pep.ask(ASKED, MANY)).json()["decision"] is True
    for wrong in (
        {"evaluations": {}},
        {"evaluations": ["x"], "options": 3},
        {"evaluations": [{}], "options": {"evaluations_semantic": "first"}},
        {"evaluations": [{}] * 1001},
    ):
        assert (await pep.ask({**ASKED, **wrong}, MANY)).status_code == 400


async def test_the_configuration_names_base_and_endpoints(pep: Pep) -> None:
    answer = await pep.client.get("/data/.well-known/authzen-configuration")
    assert answer.json() == {
        "policy_decision_point": f"{BASE}/data",
        "access_evaluation_endpoint": f"{BASE}{ONE}",
        "access_evaluations_endpoint": f"{BASE}{MANY}",
    }


async def test_without_a_live_key_nothing_is_decided(pep: Pep, town: Town) -> None:
    before = len(await pep.counted())
    expired, key = pep.keys.new("old", "test", town.now() - 2 * YEAR, YEAR)
    pep.keys.add(expired)
    for shown in ("", "Bearer", "Bearer dzp_nobody", "Bearer dzk_other", f"Bearer {key}", "Basic abc"):
        answer = await pep.ask(ASKED, authorization=shown, **{"x-request-id": "r2"})
        assert answer.status_code == 401, shown
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["x-request-id"] == "r2"
        assert "decision" not in answer.json()
    assert len(await pep.counted()) == before
    # It opens nothing else.
    assert (await pep.client.post("/data/api/sources/credit/rows", content=b"{}")).status_code == 401


async def test_a_revoked_key_stops_at_the_next_request(pep: Pep, town: Town) -> None:
    assert (await pep.ask(ASKED)).status_code == 200
    pep.keys.revoke(pep.id, "test", "stolen", town.now())
    assert (await pep.ask(ASKED)).status_code == 401
    with pytest.raises(policy_key.DizuoError, match="没有在用"):
        pep.keys.revoke(pep.id, "test", "again", town.now())
    file = town.dizuo.data / "secrets" / "policy-keys.json"
    assert file.stat().st_mode & 0o077 == 0
    assert "dzp_" not in file.read_text("utf-8")


async def test_the_answers_validate_against_the_policy_itself(pep: Pep, town: Town) -> None:
    """The decision point and the pages ask one policy: hundreds of questions, the same answers."""
    from dizuo.foundation.policy import Ask, Principal, Request

    asked: list[dict[str, Any]] = []
    wanted: list[bool] = []
    for unit, organisation in town.city.organisations.items():
        for post in organisation.posts:
            who = {
                "type": "official",
                "id": "x",
                "properties": {"unit": unit, "post": post.id, "place": "320213"},
            }
            actor = Principal("official", unit, post.id, post.powers, "320213")
            for item in town.city.matters["newborn"].items:
                resource = f"newborn.{item.id}"
                for name in ("read", "view_case", "supervise", "write"):
                    asked.append(
                        {
                            "subject": who,
                            "action": {"name": name},
                            "resource": {"type": "item", "id": resource},
                        }
                    )
                    ask = Ask("duty", "320213001001")
                    wanted.append(town.dizuo.policy.decide(Request(actor, name, resource, ask)).allowed)
    got: list[bool] = []
    for n in range(0, len(asked), 500):
        body = {"context": ASKED["context"], "evaluations": asked[n : n + 500]}
        answer = (await pep.ask(body, MANY)).json()
        got += [one["decision"] for one in answer["evaluations"]]
    assert got == wanted
    assert {True, False} == set(wanted)


@pytest.mark.parametrize("words", [["make"], ["make", "x"], ["revoke", "1", "--by", "me"], ["revoke", "x", "--by", "me", "--why", "w"]])  # fmt: skip
def test_an_incomplete_command_says_what_is_missing(words: list[str]) -> None:
    from dizuo.cli import parser

    arguments: argparse.Namespace = parser().parse_args(["policy-key", *words])
    with pytest.raises(policy_key.PolicyKeyWords):
        policy_key.check(arguments)
