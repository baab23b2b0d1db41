"""A department's system pushes credit records with its key: answered row by row, durable, once, and nobody else may."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator
from town import BASE, Town

from dizuo.commands import source_key
from dizuo.engines.lake import intake
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.store import LOADER, Pool, open_pool

ROWS = "/data/api/sources/credit/rows"


@dataclass
class Bureau:
    """The development and reform commission's system, with its key, and the loader behind the town's doors."""

    town: Town
    client: httpx.AsyncClient
    loader: intake.Intake
    pool: Pool

    def records(self, *numbers: int) -> list[dict[str, str]]:
        headers = {id: column.column for id, column in self.town.city.sources["credit"].columns.items()}
        plain = {
            "record_no": "XY{0:06d}", "subject": "无锡市演示商贸有限公司", "subject_code": "91320200MA1MTE9C0X", "kind": "行政处罚",
            "document_no": "锡演罚〔2026〕{0}号", "decided_on": "2026-11-20", "issuer": "演示机关", "content": "演示数据",
            "valid_to": "2027-11-20", "updated_at": "2026-11-22 10:00:00",
        }  # fmt: skip
        return [{headers[id]: text.format(n) for id, text in plain.items() if id in headers} for n in numbers]

    async def push(self, content: object, **headers: str) -> httpx.Response:
        body = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
        return await self.client.post(ROWS, content=body, headers=headers)

    async def refusals(self) -> dict[str, int]:
        rows = await self.pool.fetch("SELECT code, sum(times)::int AS n FROM lake.push_refusal GROUP BY code")
        return {row["code"]: row["n"] for row in rows}


@pytest.fixture
async def bureau(town: Town, tmp_path: Path) -> AsyncIterator[Bureau]:
    pool = await open_pool(town.database.dsn(LOADER), min_size=1, max_size=3)
    desk = intake.Intake.of(pool, town.city, tmp_path, town.now)
    _, key = await intake.make_key(desk, "credit", by="story")
    transport = httpx.ASGITransport(town.app, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        yield Bureau(town, client, desk, pool)
    pool.terminate()


async def test_a_record_is_acknowledged_when_it_is_in_the_database(bureau: Bureau) -> None:
    answer = await bureau.push(bureau.records(1)[0])
    assert answer.status_code == 202
    told = answer.json()
    assert (told["ok"], told["accepted"], told["rejected"]) == (True, 1, 0)
    assert told["rows"] == [{"row": 1, "verdict": "accepted"}]
    kept = await bureau.pool.fetchrow("SELECT delivery, body FROM lake.push WHERE id = $1", told["push"])
    assert kept is not None
    assert kept["delivery"] == told["delivery"]
    assert "XY000001" in kept["body"]
    assert "set-cookie" not in answer.headers


async def test_a_batch_is_told_row_by_row_and_goes_the_way_of_every_delivery(bureau: Bureau) -> None:
    batch: list[Any] = bureau.records(10, 11)
    header = next(iter(batch[0]))
    batch.append({**batch[0], header: ""})
    answer = await bureau.push(batch)
    told = answer.json()
    assert [row["verdict"] for row in told["rows"]] == ["accepted", "accepted", "rejected"]
    assert told["rows"][2]["column"] == header
    assert "必填" in told["rows"][2]["says"]
    closed = await intake.collect(bureau.loader, "credit")
    assert closed is not None
    assert closed.id == told["delivery"]
    done = await intake.read(bureau.loader, closed.id)
    rows = pq.read_table(bureau.loader.places.rows("credit", done.id)).to_pylist()
    assert {"XY000010", "XY000011"} <= {row["record_no"] for row in rows}
    assert done.rows_in == done.rows_read + done.rows_rejected


async def test_lines_are_taken_too(bureau: Bureau) -> None:
    lines = "\n".join(json.dumps(record, ensure_ascii=False) for record in bureau.records(20, 21)).encode()
    answer = await bureau.push(lines, **{"content-type": "application/x-ndjson"})
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)


async def test_a_repeated_request_gets_its_first_answer(bureau: Bureau) -> None:
    first = await bureau.push(bureau.records(30), **{"idempotency-key": "drc-30"})
    again = await bureau.push(bureau.records(30), **{"idempotency-key": "drc-30"})
    assert again.status_code == 202
    assert again.json() == {**first.json(), "replayed": True}
    other = await bureau.push(bureau.records(31), **{"idempotency-key": "drc-30"})
    assert (other.status_code, other.json()["code"]) == (409, "push_key_reused")


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer dzk_wrong", "Basic dzk_wrong", "Bearer é", "Bearer " + "x" * 9_000]
)
async def test_without_a_right_key_nothing_is_taken(bureau: Bureau, shown: str) -> None:
    before = await bureau.pool.fetchval("SELECT count(*) FROM lake.push")
    del bureau.client.headers["authorization"]
    headers = {b"authorization": shown.encode("latin-1")}
    answer = await bureau.client.post(ROWS, json=bureau.records(40), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "key_needed")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert await bureau.pool.fetchval("SELECT count(*) FROM lake.push") == before
    assert (await bureau.refusals())["key_needed"] >= 1


async def test_a_browsers_session_is_no_key(bureau: Bureau) -> None:
    steward = await bureau.town.signed_in("林晓晴")
    answer = await steward.client.post(ROWS, content=b"{}", headers={"content-type": "application/json"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/data/api/sources/hukou/rows", b"{}", 403, "push_key_foreign"),
        ("/data/api/sources/nobody/rows", b"{}", 404, "source_unknown"),
        (ROWS, b"", 422, "push_unreadable"),
        (ROWS, b"\xff\xfe", 422, "push_unreadable"),
        (ROWS, b"[" + b"{}," * 1_000 + b"{}]", 422, "push_unreadable"),
        (ROWS, b'"' + b"x" * (1 << 20) + b'"', 413, "too_large"),
    ],
)
async def test_refused_requests_say_why_in_json_and_are_counted(
    bureau: Bureau, path: str, body: bytes, status: int, code: str
) -> None:
    before = (await bureau.refusals()).get(code, 0)
    answer = await bureau.client.post(path, content=body)
    told = answer.json()
    assert (answer.status_code, told["code"], told["ok"]) == (status, code, False)
    assert told["fix"]
    assert (await bureau.refusals())[code] == before + 1


async def test_the_address_is_for_sending_only(bureau: Bureau) -> None:
    answer = await bureau.client.get(ROWS)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_key_has_a_rate_and_a_steward_ends_it(bureau: Bureau) -> None:
    number, key = await intake.make_key(bureau.loader, "credit", by="story", per_minute=2)
    bureau.client.headers["authorization"] = f"Bearer {key}"
    assert (await bureau.push(bureau.records(50))).status_code == 202
    assert (await bureau.push(bureau.records(51))).status_code == 202
    answer = await bureau.push(bureau.records(52))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    await intake.revoke_key(bureau.loader, number, by="story", why="演练")
    assert (await bureau.push(bureau.records(53))).status_code == 401
    told = await bureau.town.entries("lake.key_revoked")
    assert told[-1]["body"]["why"] == "演练"


async def test_pushes_at_the_same_time_all_arrive(bureau: Bureau) -> None:
    answers = await asyncio.gather(*(bureau.push(bureau.records(n)) for n in range(600, 630)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["push"] for answer in answers}) == 30


async def test_the_interface_describes_itself_as_it_is(bureau: Bureau) -> None:
    told = (await bureau.client.get("/data/api/openapi")).json()
    operation = told["paths"]["/data/api/sources/{source}/rows"]["post"]
    assert "credit" in operation["parameters"][0]["schema"]["enum"]
    schemas = told["components"]["schemas"]

    def wrong(name: str, value: Any) -> list[str]:
        whole = {"$ref": f"#/components/schemas/{name}", "components": told["components"]}
        return [error.message for error in Draft202012Validator(whole).iter_errors(value)]

    Draft202012Validator.check_schema(schemas["credit"])
    record = bureau.records(80)[0]
    assert not wrong("credit", record)
    assert wrong("credit", dict(list(record.items())[1:])), "the key of the row is required"
    answer = await bureau.push([record, {}])
    assert not wrong("Pushed", answer.json())
    for path, body in (
        (ROWS, b""),
        ("/data/api/sources/hukou/rows", b"{}"),
        ("/data/api/sources/nobody/rows", b"{}"),
    ):
        refused = await bureau.client.post(path, content=body)
        assert not wrong("Problem", refused.json())
        assert str(refused.status_code) in operation["responses"]


async def test_the_command_makes_lists_and_revokes(bureau: Bureau) -> None:
    from dizuo.cli import parser

    async def act(*words: str) -> str:
        arguments = parser().parse_args(["source-key", *words])
        return await source_key._act(
            bureau.town.database, bureau.town.city, bureau.loader.places.root, arguments
        )

    made = await act("make", "credit", "--by", "data-steward", "--note", "信用平台前置机")
    key, number = made.split()[0], made.split()[2]
    bureau.client.headers["authorization"] = f"Bearer {key}"
    bureau.town.now.set(datetime.now(SHANGHAI))  # the command lives by the machine's clock
    assert (await bureau.push(bureau.records(70))).status_code == 202
    assert "信用平台前置机" in await act("list", "credit")
    assert key not in await act("list")
    assert "revoked" in await act("revoke", number, "--by", "data-steward", "--why", "换新的")
    assert (await bureau.push(bureau.records(71))).status_code == 401


def test_the_commands_words_are_checked_before_anything_is_done() -> None:
    from dizuo.cli import parser

    for words in (
        ["make"],
        ["make", "credit"],
        ["revoke", "1", "--by", "x"],
        ["revoke", "credit", "--by", "x", "--why", "y"],
    ):
        with pytest.raises(source_key.SourceKeyWords):
            source_key.check(parser().parse_args(["source-key", *words]))
    source_key.check(parser().parse_args(["source-key", "list"]))
    source_key.check(parser().parse_args(["source-key", "make", "credit", "--by", "data-steward"]))
