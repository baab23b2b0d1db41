"""What a department has to correct: in counts, then as a file for a purpose; and what a steward decides about a delivery."""

from __future__ import annotations

import csv
import io
from urllib.parse import urlencode

import pytest
from pairs import OTHER, STEWARD, deliver
from town import Town
from visitor import Visitor

CORRECT = "改正后重新交付"


@pytest.fixture(scope="module")
async def published(town: Town) -> int:
    return await deliver(town, "hukou", "2026-11-20")


async def taken(visitor: Visitor, delivery: int, button: str) -> tuple[dict[str, str], bytes]:
    """Headers and bytes of the file behind a button."""
    await visitor.open(f"/data/deliveries/{delivery}/rejected")
    form = visitor.page.filled(button, {"取走做什么": CORRECT})
    answer = await visitor.post(form.action, form.pairs)
    assert answer.status_code == 200, answer.text[:300]
    return dict(answer.headers), answer.content


async def test_the_rows_of_its_own_source_as_a_file_that_opens_safely(town: Town, published: int) -> None:
    police = await town.signed_in(OTHER)
    await police.open(f"/data/deliveries/{published}")
    await police.follow("看退回和待核的 5 行")
    assert "栏数不对" in police.page.text
    assert "http://example.invalid" not in police.page.html
    headers, body = await taken(police, published, "下载退回的 3 行")
    assert headers["content-disposition"].startswith("attachment;")
    assert headers["cache-control"] == "no-store"
    assert body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert rows[0] == ["行号", "栏目", "原因代码", "原因", "原文"]
    assert [row[0] for row in rows[1:]] == ["7", "9", "12"]
    assert rows[1][4] == '\'=HYPERLINK("http://example.invalid")'
    assert rows[2][4] == "王,小明"
    assert rows[3][1:] == ["公民身份号码", "citizen_id", "校验码不对。", "'@32021"]
    entry = (await town.entries("lake.returned"))[-1]
    about = entry["body"]
    assert (about["delivery"], about["source"], about["rows"], about["why"]) == (
        published,
        "hukou",
        3,
        CORRECT,
    )
    assert about["by"]
    assert "王" not in str(about)


async def test_rows_that_wait_come_with_what_was_delivered(town: Town, published: int) -> None:
    steward = await town.signed_in(STEWARD)
    _, body = await taken(steward, published, "下载待核的 2 行")
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert rows == [
        ["行号", "原因代码", "原因", "姓名", "电话"],
        ["3", "no_identity", "还不知道是谁。", "'=乙", "2"],
        ["5", "no_key", "缺主键。", "", "4"],
    ]
    assert (await town.entries("lake.returned"))[-1]["body"]["held"] == 2


async def test_without_a_purpose_nothing_leaves(town: Town, published: int) -> None:
    steward = await town.signed_in(STEWARD)
    before = len(await town.entries("lake.returned"))
    await steward.open(f"/data/deliveries/{published}/rejected")
    form = steward.page.filled("下载退回的 3 行", {})
    await steward.send(form)
    assert steward.page.status == 422
    assert "请选择取走做什么" in steward.page.errors()
    forged = urlencode([*form.pairs, ("purpose", "curious")]).encode()
    assert (await steward.post(form.action, forged)).status_code == 422
    assert len(await town.entries("lake.returned")) == before


async def test_a_file_that_is_lost_is_said_and_not_entered(town: Town) -> None:
    lost = await deliver(town, "births", "2026-11-20")
    steward = await town.signed_in(STEWARD)
    lake = town.database.data / "lake"
    for file in (
        *lake.glob(f"rejected/births/{lost}.*"),
        *lake.glob(f"golden/*/fates/births-{lost}.parquet"),
    ):
        file.unlink()
    before = len(await town.entries("lake.returned"))
    for button in ("下载退回的 3 行", "下载待核的 2 行"):
        await steward.open(f"/data/deliveries/{lost}/rejected")
        await steward.fill({"取走做什么": CORRECT}, button)
        assert steward.page.status == 404
        assert "不在磁盘上" in steward.page.root.text()
    assert len(await town.entries("lake.returned")) == before
    await town.owner.execute("DELETE FROM lake.source_delivery WHERE id = $1", lost)


async def test_only_its_own_department(town: Town, published: int) -> None:
    vehicles = await deliver(town, "marriage", "2026-11-20")
    police = await town.signed_in(OTHER)
    await police.open(f"/data/deliveries/{vehicles}/rejected")
    assert police.page.status == 403
    await police.open(f"/data/deliveries/{vehicles}")
    assert "下载改正" not in police.page.text
    assert "处置这一批" not in police.page.text
    anybody = town.visitor()
    await anybody.open(f"/data/deliveries/{published}")
    assert "下载改正" not in anybody.page.text
    await anybody.open(f"/data/deliveries/{published}/rejected")
    assert anybody.here() == "/sign-in"
    # A form of one's own source does not open another's.
    await police.open(f"/data/deliveries/{published}/rejected")
    form = police.page.filled("下载退回的 3 行", {"取走做什么": CORRECT})
    foreign = await police.post(f"/data/deliveries/{vehicles}/rejected", form.pairs)
    assert foreign.status_code == 403


async def test_a_held_delivery_is_let_go_on_once(town: Town) -> None:
    held = await deliver(town, "vehicles", "2026-11-20", held=True)
    police = await town.signed_in(OTHER)
    await police.open(f"/data/deliveries/{held}")
    assert "处置这一批" not in police.page.text, "deciding takes the power"

    steward = await town.signed_in(STEWARD)
    await steward.open("/data/desk")
    assert "比上一批少了 40%。" in steward.page.text
    await steward.open(f"/data/deliveries/{held}")
    await steward.press("确定")
    assert steward.page.status == 422
    assert steward.page.errors() == ["请选择怎么处置", "请写理由，4 到 200 字"]
    form = steward.page.filled("确定", {"怎么处置": "放行", "理由": "部门来函说明"})
    await steward.send(form)
    assert steward.here() == f"/data/deliveries/{held}"
    assert "已读出" in steward.page.text
    entry = (await town.entries("lake.release"))[-1]["body"]
    assert (entry["delivery"], entry["why"], entry["held_for"]) == (held, "部门来函说明", "dropped")

    await steward.send(form)
    assert steward.page.status == 409
    assert "状态刚才变了" in steward.page.text
    assert len(await town.entries("lake.release")) == 1

    await steward.open(f"/data/deliveries/{held}")
    await steward.fill({"怎么处置": "暂停", "理由": "再查一查"}, "确定")
    assert "暂停，等人看" in steward.page.text
    await steward.fill({"怎么处置": "整批退回", "理由": "请重新交付"}, "确定")
    assert "整批退回" in steward.page.text
    assert "请重新交付" in steward.page.text
    assert "处置这一批" not in steward.page.text
    assert [len(await town.entries(kind)) for kind in ("lake.hold", "lake.refuse")] == [1, 1]


async def test_the_desk_lists_what_is_ones_own(town: Town, published: int) -> None:
    police = await town.signed_in(OTHER)
    found = (await police.client.get("/data/desk.json")).json()
    assert {row["source"] for row in found["correct"]} == {"常住户口登记"}
    steward = await town.signed_in(STEWARD)
    found = (await steward.client.get("/data/desk.json")).json()
    assert {row["source"] for row in found["correct"]} >= {"常住户口登记", "婚姻登记"}
    await steward.open("/data")
    await steward.follow("要人办的")
    assert steward.here() == "/data/desk"
    assert "要人办的" not in (await town.visitor().open("/data")).root.text()
