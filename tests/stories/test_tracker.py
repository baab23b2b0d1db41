"""我的数据 end to end: complete and proven offline, new kinds of use, sifting, taking along, objecting, the department's answer."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Any

import pytest
from desk_work import at_desk
from newborn import begin
from test_log import copied, got
from town import Town

from dizuo.foundation.ledger import Entry, NewKinds, note_kinds

TOOLS = Path(__file__).resolve().parents[2] / "tools"
READ = {
    "actor": {"kind": "system", "unit": "education", "channel": "system"},
    "register": "household", "fields": ["address"], "purpose": "=义务教育入学资格核验", "basis": "data-sharing-2025:25",
    "grant": 3, "method": "query",
}  # fmt: skip
POLICE = READ | {
    "actor": {"kind": "official", "unit": "psb", "post": "household_officer"},
    "purpose": "查询户口",
}


@pytest.fixture(scope="module")
def tools() -> Any:
    """The verifiers that need no dizuo."""
    sys.path.insert(0, str(TOOLS))
    import verify_mine

    yield verify_mine
    sys.path.remove(str(TOOLS))


async def enter(town: Town, *bodies: dict[str, Any]) -> None:
    """Uses of her data by departments, through the exchange and at a desk."""
    subject = (await town.entries("data.viewed"))[-1]["subject"]
    some = [Entry("register.read", body, subject, {"case": "入学-1", "key": "#5"}) for body in bodies]
    await town.dizuo.pool.fetchval("SELECT ledger.append_batch($1)", some)
    await town.settle()


async def test_nothing_is_missing_and_she_proves_it_without_us(
    town: Town, tools: Any, tmp_path: Path
) -> None:
    lin = await begin(town, "林晓晴")
    await lin.open("/me/data")
    await town.settle()
    await lin.open("/me/data")
    assert "完整：第 1–" in lin.page.text
    assert "没有缺" in lin.page.text
    await town.settle()
    kept = await lin.client.get("/me/data/complete")
    assert "attachment" in kept.headers["content-disposition"]
    await copied(town, tools.ledger, tmp_path)
    (tmp_path / "mine").write_bytes(kept.content)
    (tmp_path / "key").write_text(town.runtime.ledger_key)
    arguments = [str(tmp_path / "mine"), "--key", str(tmp_path / "key"), "--log", str(tmp_path)]
    assert tools.main(["mine", *arguments]) == 0
    lines = kept.text.split("\n")
    (tmp_path / "mine").write_text("\n".join(line for line in lines if not line.startswith("entry 3 ")))
    assert tools.main(["mine", *arguments]) == 1
    other = await town.signed_in("许曼")
    answer = await other.client.get("/me/data/complete")
    assert answer.status_code == 404 or lines[1] not in answer.text, "the key is hers alone"
    assert (await got(town, "checkpoint")).status_code == 200


async def test_a_new_kind_of_use_is_pointed_out_once_and_only_if_she_wants(town: Town) -> None:
    lin = await town.signed_in("林晓晴")
    await lin.open("/me/data")
    assert "新的用法" not in [node.text() for node in lin.page.root.all("h2")]
    await lin.open("/")
    assert "种新的用法" not in lin.page.text
    await enter(town, READ)
    await note_kinds(town.sealer._pool)  # pyright: ignore[reportPrivateUsage]
    town.app.state.citizen_new_kinds = NewKinds()  # what a process believed for twenty seconds is over
    await lin.open("/")
    assert "您的数据有 1 种新的用法" in lin.page.text
    await lin.follow("看看是谁、为什么")
    assert "市教育局第一次用了您的数据：=义务教育入学资格核验" in lin.page.text
    await lin.open("/")
    assert "种新的用法" not in lin.page.text
    await lin.open("/me/data")
    assert "第一次用了您的数据：" not in lin.page.text
    await lin.press("不用提醒我")
    await enter(town, POLICE)
    await lin.open("/me/data")
    assert "第一次用了您的数据：" not in lin.page.text
    assert "市公安局 · 户籍民警" in lin.page.text, "not pointed out, but listed"
    await lin.press("提醒我")


async def test_sifting_leaves_nothing_else(town: Town) -> None:
    lin = await town.signed_in("林晓晴")
    await lin.open("/me/data?unit=education")
    assert "部门系统（经数据交换）" in lin.page.text
    assert "市公安局 · 户籍民警" not in lin.page.text
    await lin.open("/me/data?unit=education&until=2020-01-01")
    assert "没有这样的记录" in lin.page.text
    await lin.open("/me/data?unit=%27%3B--&since=x")
    assert lin.page.status == 200


async def test_what_she_takes_along_is_whole_and_no_formula(town: Town) -> None:
    lin = await town.signed_in("林晓晴")
    viewed = len(await town.entries("data.viewed"))
    answer = await lin.client.get("/me/data/all.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    whys = {row["为什么"] for row in rows}
    assert "'=义务教育入学资格核验" in whys
    assert not [cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "-", "@")]
    told = (await lin.client.get("/me/data/all.json")).json()
    assert len(told["entries"]) >= len(rows)
    assert told["complete"].startswith("dizuo-complete/2\n")
    assert len(await town.entries("data.viewed")) == viewed + 2, "taking it along is entered too"
    stranger = town.visitor()
    assert "dizuo-complete" not in (await stranger.client.get("/me/data/complete")).text


async def test_an_objection_goes_to_the_department_and_comes_back(town: Town) -> None:
    lin = await town.signed_in("林晓晴")
    await lin.open("/me/data?unit=psb")
    await lin.follow("我有异议")
    assert "市公安局用了您的数据，由它答复，最晚" in lin.page.text
    await lin.press("提出异议")
    assert lin.page.status == 422
    await lin.fill({"为什么": "我没有办这件事"}, "提出异议")
    assert "等答复" in lin.page.text

    officer = await at_desk(town, "陈志刚")
    await officer.open("/data/objections")
    assert "我没有办这件事" in officer.page.text
    assert "林晓晴" not in officer.page.html
    await officer.follow("YY")
    assert "查询户口" in officer.page.text
    await officer.fill({"结果": "成立", "答复": "查询没有依据，已停用"}, "答复当事人")
    assert "成立" in officer.page.text

    other = await at_desk(town, "周敏")
    await other.open("/data/objections")
    assert "我没有办这件事" not in other.page.text

    await lin.open("/me/data")
    assert "市公安局答复：查询没有依据，已停用" in lin.page.text
    for kind in ("objection.raised", "objection.viewed", "objection.answered"):
        assert await town.entries(kind), kind


async def test_nobody_objects_in_another_s_name(town: Town) -> None:
    police = [one for one in await town.entries("register.read") if one["body"].get("purpose") == "查询户口"]
    other = await town.signed_in("许曼")
    assert (await other.open(f"/me/data/object?entry={police[0]['id']}")).status == 404
    lin = await town.signed_in("林晓晴")
    own = next(one for one in await town.entries("data.viewed"))
    assert (await lin.open(f"/me/data/object?entry={own['id']}")).status in (404, 409)
