"""The exchange through its door: signatures over HTTP, answers bound to calls, every refusal with its code and way out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from exchange_town import FATHER, MOTHER, ExchangeTown
from exchange_web import ExchangeWeb, as_json, make_app, question

from dizuo.engines.exchange.delivery import Exchange, ServerKeys
from dizuo.engines.exchange.delivery.limits import Limits
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.signing import (
    ED25519,
    SM2,
    PrivateKey,
    ResponseNotOurs,
    SignatureRefused,
    SigningKeyUnknown,
    follow_key_set,
)

QUERY, BATCH = "/data/exchange/v1/query", "/data/exchange/v1/batch"


@pytest.fixture(scope="module")
async def web(town: ExchangeTown, app_pool: Any) -> ExchangeWeb:
    Exchange._opened[id(app_pool)] = town.exchange
    await town.grant()
    return ExchangeWeb(town, make_app(town.exchange.city, app_pool, town.data))


@pytest.fixture(autouse=True)
def rested(town: ExchangeTown) -> None:
    town.exchange.limits = Limits()


async def test_a_question_and_its_signed_answer(web: ExchangeWeb) -> None:
    answer = await web.post(QUERY, question(MOTHER, fields=["name", "illness"]))
    assert answer.status_code == 200
    told = as_json(answer)
    assert (told["state"], told["withheld"], told["case"]) == ("found", ["illness"], "X2026-1")
    assert told["records"][0]["fields"]["name"]["value"] == "林晓晴"
    assert told["entry"] > 0
    assert "signature" in answer.headers


async def test_an_answer_is_sent_as_it_was_signed(web: ExchangeWeb) -> None:
    """A compressed body would miss its digest, so a large answer is not compressed even for who accepts it."""
    answer = await web.post(BATCH, question(*[MOTHER, FATHER] * 100))
    assert len(answer.content) > 5000
    assert "content-encoding" not in answer.headers
    assert [one["n"] for one in as_json(answer)["results"]] == list(range(200))


async def test_sm2_is_answered_with_sm2(web: ExchangeWeb, town: ExchangeTown) -> None:
    kept = town.keys["hrss"]
    try:
        await town.add_key("hrss", SM2)
        sent, body = town.signed(QUERY, question(MOTHER))
        assert "sm3=:" in sent.headers["content-digest"]
        answer = await web.client.post(QUERY, content=body, headers=dict(sent.headers))
        assert answer.status_code == 200
        assert 'alg="sm2-sm3"' in answer.headers["signature-input"]
        web._keys = {}
        await web.check(answer, sent)
    finally:
        town.keys["hrss"] = kept


async def test_what_a_department_may_do(web: ExchangeWeb) -> None:
    answer = await web.get("/data/exchange/v1/grants")
    told = as_json(answer)
    assert told["consumer"] == "hrss"
    assert {"grant", "fields", "purpose", "basis", "per_day", "used_today", "state"} <= set(told["grants"][0])
    other = as_json(await web.get("/data/exchange/v1/grants", consumer="civil"))
    assert other["grants"] == []


async def test_a_call_about_nobody_counts_once_too(web: ExchangeWeb, town: ExchangeTown) -> None:
    """Subscriptions and downloads go through the same frame: whatever is signed is done once."""
    path = "/data/exchange/v1/grants"
    sent, _ = town.signed(path, b"", method="GET")
    assert (await web.send(sent, path, b"", "GET")).status_code == 200
    again = await web.send(sent, path, b"", "GET")
    assert (again.status_code, as_json(again)["code"]) == (409, "request_replayed")


async def test_where_everything_is(web: ExchangeWeb) -> None:
    told = (await web.client.get("/data/.well-known/exchange-configuration")).json()
    assert told["endpoints"]["query"].endswith(QUERY)
    assert (await web.client.get(told["jwks_uri"])).json()["keys"][0]["crv"] == "Ed25519"
    assert all("d" not in one for one in (await web.client.get(told["jwks_uri"])).json()["keys"])
    assert (await web.client.get(told["openapi"])).json()["openapi"] == "3.1.0"


async def test_a_rotation_is_followed_by_the_key_that_is_known(web: ExchangeWeb, town: ExchangeTown) -> None:
    """The set is signed by each of its keys, at once after a rotation, and stands unaltered behind the shell."""
    first = await web.client.get("/data/exchange/v1/keys")
    known = await web.keys()
    next_one = ServerKeys(town.data, "small").rotate(ED25519, SystemNow()())
    answer = await web.client.get("/data/exchange/v1/keys", headers={"accept-encoding": "gzip"})
    fields = {name.lower(): value for name, value in answer.headers.items()}
    told = {key.id: key for key in follow_key_set(fields, answer.content, known.__getitem__, now=town.now())}
    assert set(told) == {*known, next_one.id}
    assert told[next_one.id].raw == next_one.public.raw
    assert {one["kid"] for one in first.json()["keys"]} == set(known)
    only_next = {next_one.id: told[next_one.id]}
    follow_key_set(fields, answer.content, only_next.__getitem__, now=town.now())
    with pytest.raises(SigningKeyUnknown):
        follow_key_set(fields, answer.content, {}.__getitem__, now=town.now())
    web._keys = {}


# ------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("none", 401, "signature_missing"), ("body", 401, "digest_wrong"), ("path", 401, "signature_wrong"),
        ("type", 401, "signature_wrong"), ("expired", 401, "signature_expired"), ("future", 401, "signature_from_future"),
        ("long", 401, "signature_too_long"), ("stranger", 401, "signing_key_unknown"), ("thief", 401, "signature_wrong"),
        ("replay", 409, "request_replayed"), ("bearer", 401, "signature_missing"),
    ],
)  # fmt: skip
async def test_whoever_is_not_believed(
    web: ExchangeWeb, town: ExchangeTown, what: str, status: int, code: str
) -> None:
    sent, body = town.signed(QUERY, question(MOTHER))
    path, headers = QUERY, dict(sent.headers)
    match what:
        case "none":
            headers = {"content-type": "application/json"}
        case "bearer":
            headers = {"content-type": "application/json", "authorization": "Bearer dzp_x"}
        case "body":
            body = body.replace(b"X2026-1", b"X2026-2")
        case "path":
            path = BATCH
        case "type":
            headers["content-type"] = "text/plain"
        case "expired":
            sent, body = town.signed(QUERY, question(MOTHER), now=town.now() - 1000)
        case "future":
            sent, body = town.signed(QUERY, question(MOTHER), now=town.now() + 1000)
        case "long":
            sent, body = town.signed(QUERY, question(MOTHER), lifetime=3600)
        case "stranger" | "thief":
            kept = town.keys["hrss"]
            town.keys["hrss"] = PrivateKey.make("nobody.1" if what == "stranger" else kept.id)
            sent, body = town.signed(QUERY, question(MOTHER))
            town.keys["hrss"] = kept
        case "replay":
            assert (await web.client.post(QUERY, content=body, headers=headers)).status_code == 200
    if what in {"expired", "future", "long", "stranger", "thief"}:
        headers = dict(sent.headers)
    answer = await web.client.post(path, content=body, headers=headers)
    told = as_json(answer)
    assert (answer.status_code, told["code"]) == (status, code), told
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["fix"]
    assert told["title"] == told["message"]
    assert MOTHER not in answer.text
    assert "林晓晴" not in answer.text


async def test_outside_the_grant_every_reason_is_told(web: ExchangeWeb) -> None:
    answer = await web.post(QUERY, question(MOTHER, basis="x:1", fields=["illness"]))
    told = as_json(answer)
    assert (answer.status_code, told["code"]) == (403, "call_refused")
    assert [one["rule"] for one in told["reasons"]] == ["share.basis", "share.fields"]
    assert told["reasons"][0]["en"].startswith("The law cited")
    assert told["entry"] > 0
    assert told["type"] == "urn:dizuo:error:call_refused"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"\xff\xfe", 400), (b"[]", 422), (b"null", 422), (b'"x"', 422), (b"{}", 422), (b"[" * 50_000, 422),
        (question(MOTHER, fields=[]), 422), (question(MOTHER, extra=1), 422), (question(MOTHER, case=""), 422),
        (question(MOTHER, case=7), 422), (question("320213"), 422), (question(MOTHER + "\u0000"), 422),
        (question(MOTHER, subject={"citizen_id": MOTHER, "key": "x"}), 422), (question(MOTHER, subject={}), 422),
        (question(MOTHER, grant=1 << 63), 422), (question(MOTHER, grant=-1), 422), (question(MOTHER, fields=["f"] * 201), 422),
        (question(MOTHER, case="x" * 101), 422), (b'{"resource": "\\ud800"}', 400),
        (question(MOTHER, resource="'; DROP TABLE registers.record; --"), 403),
        (question(MOTHER, fields=["name' OR '1'='1"]), 403), (question(MOTHER, fields=["data->>'illness'"]), 403),
        (question(MOTHER, matter="\u202e\u2066newborn"), 403), (question(MOTHER, case="𠮷\u200d🏠'\"\\%_"), 200),
        (question(MOTHER, subject={"key": "' OR true --"}), 200), (question(MOTHER, subject={"key": "\u0301" * 200}), 200),
        (question(MOTHER, purpose="ﷺ" * 500), 403),
    ],
)  # fmt: skip
async def test_odd_input(web: ExchangeWeb, body: Any, status: int) -> None:
    answer = await web.post(QUERY, body)
    told = as_json(answer)
    assert answer.status_code == status, told
    if status == 200 and "key" in body["subject"]:
        assert told["state"] == "missing"
    elif status != 200:
        assert told["code"]
        assert told["fix"]


async def test_a_case_is_kept_as_it_was_written(web: ExchangeWeb, town: ExchangeTown) -> None:
    case = "𠮷\u200d🏠'\"\\%_"
    told = as_json(await web.post(QUERY, question(MOTHER, case=case)))
    (entry,) = [one for one in await town.entries() if one["id"] == told["entry"]]
    assert entry["payload"]["case"] == case


async def test_too_much(web: ExchangeWeb) -> None:
    answer = await web.post(QUERY, b'{"x": "' + b"a" * 70_000 + b'"}')
    assert (answer.status_code, as_json(answer)["code"]) == (413, "too_large")
    answer = await web.post(BATCH, question(*[MOTHER] * 1001))
    assert answer.status_code == 422
    answer = await web.post(BATCH, question(*[MOTHER] * 1000))
    assert len(as_json(answer)["results"]) == 1000


async def test_a_batch_with_numbers_that_are_none(web: ExchangeWeb) -> None:
    body = question(MOTHER, FATHER)
    body["subjects"] = [{"citizen_id": "x"}, {"citizen_id": MOTHER}, {}, {"citizen_id": FATHER}]
    told = as_json(await web.post(BATCH, body))
    assert [(one["n"], one["state"]) for one in told["results"]] == [
        (0, "refused"), (1, "found"), (2, "refused"), (3, "found"),
    ]  # fmt: skip
    assert (await web.post(BATCH, {**body, "subjects": [{}]})).status_code == 422


async def test_answers_cannot_be_exchanged(web: ExchangeWeb, town: ExchangeTown) -> None:
    """Two calls under way, their answers delivered the wrong way round: both callers notice."""
    calls = [town.signed(QUERY, question(one)) for one in (MOTHER, FATHER)]
    answers = await asyncio.gather(
        *(web.client.post(QUERY, content=b, headers=dict(s.headers)) for s, b in calls)
    )
    await web.check(answers[0], calls[0][0])
    with pytest.raises(ResponseNotOurs):
        await web.check(answers[0], calls[1][0])
    answers[1]._content = answers[1].content.replace("王启明".encode(), "林晓晴".encode())
    with pytest.raises(SignatureRefused):
        await web.check(answers[1], calls[1][0])


async def test_ten_thousand_tiny_requests(web: ExchangeWeb, town: ExchangeTown) -> None:
    """A scraper within its limit of a hundred a day: the first refusals are entered one by one, the flood in counts."""
    grant = await town.grant(per_day=100)
    town.exchange._rights.clear()
    await town.exchange.tally.flush()
    before = await town.last_entry()
    statuses: dict[tuple[int, str], int] = {}

    async def scrape(times: int) -> None:
        for _ in range(times):
            sent, body = town.signed(QUERY, question(MOTHER, grant=grant))
            answer = await web.client.post(QUERY, content=body, headers=dict(sent.headers))
            code = (answer.status_code, as_json(answer).get("code", ""))
            statuses[code] = statuses.get(code, 0) + 1

    await asyncio.gather(*(scrape(1000) for _ in range(10)))
    await town.exchange.tally.flush()
    entries = await town.entries(before)
    kinds: dict[str, int] = {}
    for one in entries:
        kinds[one["kind"]] = kinds.get(one["kind"], 0) + 1
    assert statuses[200, ""] == kinds["register.read"] == 100
    assert statuses[429, "daily_limit_reached"] == kinds["register.refused"]
    turned_away = [one["body"] for one in entries if one["kind"] == "exchange.turned_away"]
    assert (
        sum(one["times"].get("too_many_calls", 0) for one in turned_away)
        == statuses[429, "too_many_calls"]
        > 9500
    )
    assert {one["actor"]["unit"] for one in turned_away} == {"hrss"}
    assert len(turned_away) < 300, "in counts, not one by one"


async def test_forgeries_are_entered_in_counts(web: ExchangeWeb, town: ExchangeTown) -> None:
    await town.exchange.tally.flush()
    before = await town.last_entry()
    sent, body = town.signed(QUERY, question(MOTHER))
    for n in range(50):
        head, _, tail = sent.headers["signature"].partition(":")
        headers = {**sent.headers, "signature": f"{head}:{'B' if tail[0] == 'A' else 'A'}{tail[1:]}"}
        answer = await web.client.post(QUERY, content=body + b" " * n, headers=headers)
        assert answer.status_code == 401
    await town.exchange.tally.flush()
    entries = await town.entries(before)
    assert {entry["kind"] for entry in entries} == {"exchange.turned_away"}
    assert sum(sum(entry["body"]["times"].values()) for entry in entries) == 50
    assert all("actor" not in entry["body"] for entry in entries), "nobody knows who forged it"
