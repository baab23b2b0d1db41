"""The catalogue on the data door: found by any word, told whole, audited into tickets that people move on, filled by sheets."""

from __future__ import annotations

import re
from typing import Any

import httpx
from desk_work import at_desk
from town import Town
from visitor import Visitor

from dizuo.engines.exchange import catalogue

LAMPS = "信息资源名称,信息资源提供方,信息资源摘要,信息资源格式,信息项名称,共享类型,更新周期\n路灯台账,市城管局,全市路灯,库表,编号；位置,无条件共享,每月\n=cmd,市城馆局,坏的,库表,编号,无条件共享,每月\n"


async def anybody(town: Town) -> Visitor:
    return town.visitor()


async def listed(visitor: Visitor, query: str = "") -> dict[str, Any]:
    answer = await visitor.client.get(f"/data/catalogue.json{query}")
    assert answer.status_code == 200
    return answer.json()


async def uploaded(visitor: Visitor, content: bytes, name: str = "目录.csv") -> httpx.Response:
    await visitor.open("/data/import")
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', visitor.page.html))
    return await visitor.client.post(
        "/data/import",
        data=hidden,
        files={"file": (name, content, "text/csv")},
        headers={"sec-fetch-site": "same-origin"},
    )


async def test_anybody_finds_a_resource_by_part_of_a_name_an_item_or_a_department(town: Town) -> None:
    visitor = await anybody(town)
    every = await listed(visitor)
    assert len(every["resources"]) == len(town.dizuo.city.registers) + len(town.dizuo.city.sources)
    found = await listed(visitor, "?q=籍贯")
    assert {"人口", "常住户口登记"} <= {one["title"] for one in found["resources"]}
    await visitor.open("/data/catalogue?q=大数据管理局")
    assert "现在是无锡市数据局" in visitor.page.text
    assert "电子证照" in visitor.page.text
    await visitor.open("/data/catalogue?q=没有这种东西")
    assert "没有这样的资源" in visitor.page.text


async def test_filters_narrow_and_count_truly(town: Town) -> None:
    visitor = await anybody(town)
    every = await listed(visitor)
    for one in every["filters"]:
        for choice in one["choices"]:
            shown = await listed(visitor, choice["href"].removeprefix("/data/catalogue"))
            assert len(shown["resources"]) == choice["n"]
    both = await listed(visitor, "?provider=psb&kind=register")
    assert {one["provider"] for one in both["resources"]} == {"市公安局"}
    for odd in (
        "?share=9",
        "?page=999999",
        "?page=-1",
        "?page=x",
        "?kind=%00",
        "?q=%00%27%22%3Cscript%3E",
        "?q=" + "长" * 500,
    ):
        answer = await visitor.client.get(f"/data/catalogue{odd}")
        assert answer.status_code == 200
        assert "<script>" not in answer.text


async def test_one_resource_is_told_whole_and_without_any_value(town: Town) -> None:
    visitor = await anybody(town)
    every = await listed(visitor, "?kind=register")
    href = next(one["href"] for one in every["resources"] if one["title"] == "人口")
    await visitor.open(href)
    for words in (
        "公民身份号码",
        "户口登记",
        "常住人口管理系统",
        "信息资源代码",
        "编入目录",
        "个人信息保护法",
    ):
        assert words in visitor.page.text, words
    assert "林晓晴" not in visitor.page.text
    assert "目录核查发现的问题" not in visitor.page.text
    assert (await visitor.client.get(f"{href}.json")).json()["code"] == href.removeprefix("/data/catalogue/")
    for wrong in (
        "/data/catalogue/x/y",
        "/data/catalogue/" + "1" * 300 + "/1",
        "/data/catalogue/%00/1",
        "/data/catalogue/x",
    ):
        answer = await visitor.client.get(wrong)
        assert answer.status_code == 404


async def test_tickets_are_for_officials_and_move_on_by_people(town: Town) -> None:
    await catalogue.audit_catalogue(town.dizuo.pool, town.dizuo.city, town.now())
    visitor = await anybody(town)
    assert (await visitor.client.get("/data/audit")).status_code == 303
    steward = await at_desk(town, "沈博文")
    await steward.open("/data/audit?rule=A1&organisation=tax")
    assert "市税务局有职责" in steward.page.text
    (ticket,) = await catalogue.findings(town.dizuo.pool, rule="A1", organisation="tax")
    await steward.open(f"/data/audit/{ticket.id}")
    stale = steward.page.html
    await steward.press("派发给责任部门")
    assert "认领" in steward.page.text
    officer = await at_desk(town, "冯霞")
    await officer.open(f"/data/audit/{ticket.id}")
    assert officer.page.status == 200
    assert "办理" not in [head.strip() for head in re.findall(r"<h2>([^<]*)", officer.page.html)]
    hidden = tuple(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', stale))
    late = await steward.post(f"/data/audit/{ticket.id}", (*hidden, ("to", "assigned")))
    assert late.status_code in (403, 409)
    await steward.press("认领")
    await steward.press("开始整改")
    await steward.fill({"情况说明": ""}, "提交复核")
    assert steward.page.status == 422
    await steward.fill({"情况说明": "已通知部门编目"}, "提交复核")
    await steward.fill({"情况说明": "自己销号"}, "销号")
    assert steward.page.status == 403
    assert "不能自己销号" in steward.page.text
    assert (await catalogue.finding(town.dizuo.pool, ticket.id))[0].state == "review"


async def test_a_steward_hands_in_a_sheet_and_takes_the_report(town: Town) -> None:
    steward = await at_desk(town, "沈博文")
    answer = await uploaded(steward, LAMPS.encode("gbk"))
    assert answer.status_code == 303, answer.text[:300]
    await steward.open(answer.headers["location"])
    assert "路灯台账" in steward.page.text
    assert "公式" in steward.page.text
    taken = await steward.client.get(answer.headers["location"] + "/csv")
    assert taken.headers["content-disposition"].startswith("attachment")
    assert '"=cmd' not in taken.content.decode("utf-8-sig")
    assert "路灯台账" in {one["title"] for one in (await listed(steward, "?kind=imported"))["resources"]}
    wrong = await uploaded(steward, b"%PDF-1.7")
    assert wrong.status_code == 422
    assert "不是表格文件" in wrong.text
    nothing = await uploaded(steward, b"")
    assert nothing.status_code == 422
    other = await at_desk(town, "冯霞")
    assert (await other.client.get(answer.headers["location"])).status_code == 403


async def test_the_pages_speak_english(town: Town) -> None:
    visitor = await anybody(town)
    await visitor.open("/data/catalogue")
    await visitor.follow("English")
    assert "Data resources" in visitor.page.text
    await visitor.follow("Persons")
    assert "Core metadata" in visitor.page.text
