"""民政局 asks 公安局 for data: form, check, review, answer, use, end; what is public of it; without scripts."""

from __future__ import annotations

import csv
import io

import pytest
from desk_work import at_desk
from town import Town
from visitor import Visitor

from dizuo.engines.exchange import requests

PURPOSE = "核对长者助餐补贴申请人的身份"
COMPLETE: dict[str, str | bool] = {
    "姓名": True,
    "用来做什么": PURPOSE,
    "使用依据": "第 33 条",
    "用在哪件事上": "不是为一件事",
    "日常职责": "长者助餐补贴",
    "使用范围": "本局福利科，核对本市申请人",
    "逐条查询": True,
    "多久用一次": "实时",
    "每天最多多少次": "300",
    "用到哪一天": "2027-06-30",
    "安全责任人": "谈国华，分管负责人",
    "我们承诺": True,
}


async def begun(town: Town, resource: str = "人口") -> Visitor:
    """唐文娟 stands before a new form with a resource chosen."""
    asker = await at_desk(town, "唐文娟")
    await asker.follow("数据共享")
    await asker.press("申请数据")
    assert asker.page.h1 == "申请数据"
    await asker.fill({"要哪个资源": resource}, "看这个资源有哪些数据项")
    return asker


async def sent(town: Town, **changed: str | bool) -> str:
    """A request that waits to be checked; its number."""
    asker = await begun(town)
    await asker.fill({**COMPLETE, **changed}, "送本部门审核")
    assert asker.page.status == 200, asker.page.errors()
    return asker.here().rsplit("/", 1)[1]


async def acted(town: Town, name: str, number: str, step: str, **more: str) -> Visitor:
    """An official takes a step of a request on its page."""
    official = await at_desk(town, name)
    await official.open(f"/desk/shares/{number}")
    await official.fill({"您要办的": step, **more}, "确定")
    return official


async def at_police(town: Town, **changed: str | bool) -> str:
    number = await sent(town, **changed)
    await acted(town, "谈国华", number, "审核通过")
    await acted(town, "沈博文", number, "符合，转提供部门答复")
    return number


async def test_nothing_written_is_told_beside_each_field_and_kept(town: Town) -> None:
    asker = await begun(town)
    await asker.fill(
        {"用来做什么": PURPOSE, "每天最多多少次": "很多", "用到哪一天": "2020-01-01"}, "送本部门审核"
    )
    assert asker.page.status == 422
    told = " ".join(asker.page.errors())
    for words in (
        "至少选一个要用的数据项",
        "选一条本市已声明",
        "写一个整数",
        "这一天已经过了",
        "没有承诺不能送出",
    ):
        assert words in told
    number = asker.here().split("/")[3]
    again = await at_desk(town, "唐文娟")
    await again.open(f"/desk/shares/{number}/form")
    assert PURPOSE in "".join(node.get("value") for node in again.page.main.all("input"))
    other = await at_desk(town, "强素芬")
    await other.open(f"/desk/shares/{number}")
    assert other.page.status == 404


async def test_asked_checked_reviewed_answered_used_and_taken_back(town: Town) -> None:
    number = await sent(town)
    asker = await at_desk(town, "唐文娟")
    await asker.open(f"/desk/shares/{number}")
    assert "在等市民政局的审核岗位" in asker.page.root.text()
    await acted(town, "谈国华", number, "审核通过")
    await acted(town, "沈博文", number, "符合，转提供部门答复")

    police = await at_desk(town, "施伟民")
    await police.follow("数据共享")
    assert "还剩 10 个工作日" in police.page.row(number)
    await police.follow("人口", near=number)
    assert "没有核对过法规原文" in police.page.text  # the clock is not verified, and says so
    await police.fill({"您要办的": "不同意"}, "确定")
    assert police.page.status == 422
    assert "请选一个法定理由" in " ".join(police.page.errors())
    await police.fill({"您要办的": "同意"}, "确定")
    await police.fill({"您要办的": "开通"}, "确定")
    assert "共享授权" in police.page.text

    held = await town.owner.fetchrow(
        "SELECT g.id, g.fields, g.expires FROM exchange.data_grant g JOIN exchange.share_request q ON q.grant_id = g.id WHERE q.number = $1",
        number,
    )
    assert held["fields"] == ["name"]
    assert (await requests.grant(town.dizuo.pool, held["id"])).usable(town.now.today())
    ruler = await acted(town, "高志远", number, "收回授权", 说明="用途改变，主管部门收回")
    assert "收回" in ruler.page.text
    gone = await requests.grant(town.dizuo.pool, held["id"])
    assert (gone.state, gone.usable(town.now.today())) == ("revoked", False)

    entered = await town.owner.fetch(
        "SELECT kind FROM ledger.entry WHERE body ->> 'number' = $1 ORDER BY id", number
    )
    assert [row["kind"] for row in entered] == [
        "share.draft", "share.submit", "share.pass", "share.forward", "share.agree", "share.provision", "share.revoke",
    ]  # fmt: skip


async def test_two_who_answer_at_once(town: Town) -> None:
    number = await at_police(town, 用来做什么="核对高龄老人探访名单")
    first = await at_desk(town, "施伟民")
    await first.open(f"/desk/shares/{number}")
    form = first.page.filled(
        "确定", {"您要办的": "不同意", "不同意的法定理由": "超出需求部门", "说明": "探访名单用不到户籍数据"}
    )
    await acted(town, "施伟民", number, "同意")
    await first.send(form)
    assert first.page.status == 409
    assert "施伟民 已经在" in first.page.text
    assert "探访名单用不到户籍数据" in first.page.text  # what was typed is kept
    state = await town.owner.fetchval("SELECT state FROM exchange.share_request WHERE number = $1", number)
    assert state == "agreed"


async def test_a_refusal_is_disputed(town: Town) -> None:
    number = await at_police(town, 用来做什么="核对长者电话回访名单")
    refused = await acted(
        town, "施伟民", number, "不同意", 不同意的法定理由="超出需求部门", 说明="回访用不到户籍姓名"
    )
    assert "不同意：超出需求部门履行法定职责的需要" in refused.page.text
    disputed = await acted(town, "谈国华", number, "提出争议", 说明="回访要核对姓名才能发补贴")
    assert "争议协商" in disputed.page.text


async def test_what_one_has_already_is_pointed_out(town: Town) -> None:
    number = await at_police(town, 用来做什么="核对百岁老人慰问名单", 性别=True)
    await acted(town, "施伟民", number, "同意")
    await acted(town, "施伟民", number, "开通")
    asker = await begun(town)
    await asker.fill({**COMPLETE, "用来做什么": "核对百岁老人祝寿名单"}, "送本部门审核")
    assert asker.page.status == 409
    assert "已经有这些数据项、同一用途的授权" in asker.page.text
    await asker.fill({"为什么还要再申请": "祝寿活动另有专人负责"}, "送本部门审核")
    assert asker.page.status == 200, asker.page.errors()
    assert "在等市民政局的审核岗位" in asker.page.root.text()


async def test_before_a_form_asks_people_one_looks(town: Town) -> None:
    figures = (await town.visitor().client.get("/data/sharing.json")).json()["figures"]
    asker = await at_desk(town, "唐文娟")
    await asker.open("/desk/shares")
    await asker.fill({}, "查")
    assert asker.page.status == 422
    for _ in range(2):
        await asker.fill({"想问什么": "品牌型号", "用在哪件事的表上": "老年人优待证"}, "查")
        assert "您的部门还没有授权" in asker.page.text
    await asker.fill({"想问什么": "结婚证字号"}, "查")
    assert "本部门自己的数据" in asker.page.text
    after = (await town.visitor().client.get("/data/sharing.json")).json()["figures"]
    assert after["pointed_questions"] == figures["pointed_questions"] + 1
    await asker.fill({"想问什么": "品牌型号"}, "查")
    await asker.press("申请这个资源")
    assert "有哪些数据项" not in asker.page.h1
    assert "机动车" in asker.page.text


async def test_who_has_no_part_is_told_whom_to_ask(town: Town) -> None:
    clerk = await at_desk(town, "许蕾")
    await clerk.open("/desk/shares")
    assert "您的岗位不办数据共享" in clerk.page.text
    answer = await clerk.post("/desk/shares", ())
    assert answer.status_code == 403


@pytest.mark.parametrize("listed", ["rights", "needs", "duties", "negative"])
async def test_the_lists_are_public_and_name_nobody(town: Town, listed: str) -> None:
    stranger = town.visitor()
    await stranger.open("/data/sharing")
    assert stranger.page.status == 200
    assert "平均答复" in stranger.page.text
    await stranger.open(f"/data/sharing/{listed}")
    assert stranger.page.status == 200
    assert "谈国华" not in stranger.page.text
    told = await stranger.client.get(f"/data/sharing/{listed}.json")
    rows = told.json()["rows"]
    assert rows
    taken = await stranger.client.get(f"/data/sharing/{listed}/csv")
    assert taken.headers["content-type"].startswith("text/csv")
    assert len(list(csv.reader(io.StringIO(taken.text.removeprefix("\ufeff"))))) == len(rows) + 1
    assert (await stranger.client.get("/data/sharing/nothing")).status_code == 404


async def test_figures_are_public(town: Town) -> None:
    told = (await town.visitor().client.get("/data/sharing.json")).json()["figures"]
    assert told["answers"] >= told["refused"] > 0
    assert told["pointed_requests"] + told["pointed_questions"] > 0
