"""The other lawful steps at a desk: 补正, 特别程序, 延期, 转核实, 不予 with remedies, and taking a decision back."""

from __future__ import annotations

import pytest
from desk_work import at_desk, decide, pick_up, to_queue
from newborn import agree, answers, begin, states, submit
from town import Town
from visitor import Visitor

KEEP = {"怎么处理": "以户籍登记为准"}


async def newborn_at_desk(town: Town) -> str:
    """Lin's registration with everybody's consent, waiting at the desk for the address to be judged."""
    lin = await begin(town, "林晓晴")
    number = await submit(lin, answers())
    for name in ("王启明", "王建国"):
        await agree(town, name, number)
    await town.settle(minutes=1)
    return number


@pytest.fixture(scope="module")
async def number(town: Town) -> str:
    return await newborn_at_desk(town)


async def state_of(town: Town, number: str, item: str = "household") -> tuple[str, bool]:
    row = await town.owner.fetchrow(
        "SELECT i.state, i.paused FROM cases.item i JOIN cases.application a ON a.id = i.application"
        " WHERE a.number = $1 AND i.id = $2",
        number,
        item,
    )
    return row["state"], row["paused"]


async def somebody(town: Town, organisation: str, post: str, place: str) -> Visitor:
    """An official whom the sign-in list does not offer, at their own desk."""
    account = await town.owner.fetchval(
        "SELECT p.account FROM directory.posting p JOIN directory.unit u ON u.id = p.unit"
        " WHERE u.organisation = $1 AND p.post = $2 AND u.division LIKE $3 || '%' ORDER BY p.account LIMIT 1",
        organisation,
        post,
        place,
    )
    opened = await town.dizuo.directory.open_session(account)
    visitor = town.visitor()
    visitor.client.cookies.set("dz_session", opened.token)
    await visitor.open("/desk")
    assert visitor.page.status == 200
    return visitor


async def test_a_special_procedure_stops_the_clock_and_the_parent_is_told(town: Town, number: str) -> None:
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    await officer.follow("特别程序")
    assert "第四十五条" in officer.page.text
    await officer.fill({"理由": "要外省协查", "需要多久": "10 个工作日"}, "开始特别程序")
    assert officer.page.errors() == ["请选一种特别程序。"]
    await officer.fill({"哪一种": "鉴定", "理由": "要外省协查", "需要多久": ""}, "开始特别程序")
    assert officer.page.status == 422
    await officer.fill({"哪一种": "鉴定", "理由": "要外省协查", "需要多久": "10 个工作日"}, "开始特别程序")
    assert officer.page.status == 200
    assert await state_of(town, number) == ("special", True)
    await town.settle()
    lin = await town.signed_in("林晓晴")
    await lin.open(f"/cases/{number}")
    assert "10 个工作日" in lin.page.text
    await officer.open(f"/desk/cases/{number}?item=household")
    assert "时限已暂停" in officer.page.text
    await officer.follow("特别程序结束")
    await officer.fill({"结果": "外省没有登记过"}, "结束，继续办理")
    assert await state_of(town, number) == ("reviewing", False)


async def test_a_clock_that_the_law_does_not_extend_offers_no_extension(town: Town, number: str) -> None:
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    assert "申请延期" not in [words for words, _ in officer.page.links()]
    await officer.open(f"/desk/cases/{number}/household/extend")
    await officer.fill({"理由": "想多要几天"}, "报负责人批准")
    assert officer.page.status == 409
    assert "依法不能延长" in officer.page.text


async def test_a_colleague_is_asked_and_answers_and_nobody_answers_oneself(town: Town, number: str) -> None:
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    await officer.follow("转同事核实")
    await officer.fill({"要核实什么": "门牌是 402 还是 420？"}, "发给同事")
    police = await at_desk(town, "陈志刚")
    await police.follow("部门协同")
    await police.follow("王沐言")
    assert "周敏：门牌是 402 还是 420？" in police.page.text
    await officer.open(police.page.url)
    await officer.fill({"核实的结果": "我自己答"}, "答复")
    assert officer.page.status == 403
    await police.fill({"核实的结果": "实地看过，402"}, "答复")
    await officer.open(f"/desk/cases/{number}?item=household")
    assert "实地看过，402" in officer.page.text


async def test_taken_back_within_ten_minutes(town: Town, number: str) -> None:
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    await decide(officer, "准予", "以户籍登记为准", **KEEP)
    assert "10 分钟内可以撤回" in officer.page.text
    await officer.press("撤回这个决定")
    assert await state_of(town, number) == ("reviewing", False)
    await town.settle(minutes=11)
    assert (await state_of(town, number))[0] == "reviewing"


async def test_put_aside_changes_nothing(town: Town, number: str) -> None:
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    before = await town.owner.fetchval("SELECT count(*) FROM cases.event")
    await officer.follow("先放一放")
    assert officer.here() == "/desk/queue/waiting"
    assert await town.owner.fetchval("SELECT count(*) FROM cases.event") == before


async def test_everything_missing_is_asked_for_once(town: Town, number: str) -> None:
    """The system's own finding is listed, the official adds; other items go on; a second time is not offered."""
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    await decide(officer, "要补正", "地址两处不一样")
    assert officer.page.h1 == "告知补正"
    kept = next(n.text() for n in officer.page.main.all("textarea") if n.get("name") == "reason")
    assert kept == "地址两处不一样"
    assert "落户地址在两个系统里不一样" in officer.page.text
    await officer.fill({"给申请人多少天": "三十"}, "一次告知申请人")
    assert officer.page.status == 422
    form = officer.page.filled("一次告知申请人", {"给申请人多少天": "30", "理由": "地址两处不一样"})
    more = {"want_1": "房屋不动产权证的照片", "why_1": "核对门牌"}
    pairs = tuple((name, more.get(name, value)) for name, value in form.pairs)
    assert (await officer.post(form.action, pairs)).status_code == 303
    assert await state_of(town, number) == ("fix_awaited", True)
    lin = await town.signed_in("林晓晴")
    found = await states(lin, number)
    assert found["户口登记"] != found["预防接种建档"]
    await lin.open(f"/cases/{number}/fix/household")
    assert "房屋不动产权证的照片" in lin.page.text
    assert "落户地址在两个系统里不一样" in lin.page.text
    field = next(n for n in lin.page.main.all("textarea"))
    form = lin.page.filled("提交", {})
    assert (
        await lin.post(form.action, (*form.pairs, (field.get("name"), "门牌以户口簿的 402 为准")))
    ).status_code == 303
    assert await state_of(town, number) == ("reviewing", False)
    await pick_up(officer, "王沐言")
    assert "要补正" not in [n.text() for n in officer.page.main.all("label")]


async def test_refused_with_reason_law_and_remedy(town: Town, number: str) -> None:
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    await decide(officer, "不予", "")
    assert len(officer.page.errors()) == 2
    form = officer.page.filled("确定，下一件", {"决定": "不予", "理由": "申请的地址不是父母的户籍地址"})
    pairs = tuple((name, "hukou-1958:7" if name == "law" else value) for name, value in form.pairs)
    assert (await officer.post(form.action, pairs)).status_code == 303
    await town.settle(minutes=11)
    lin = await town.signed_in("林晓晴")
    await lin.open(f"/cases/{number}")
    assert "申请的地址不是父母的户籍地址" in lin.page.text
    assert "60 日内" in lin.page.text
    assert "人民法院" in lin.page.text


async def test_an_old_page_of_a_step_keeps_what_was_typed(town: Town) -> None:
    """Two officials prepare a step on the same item; the slower one is told who and when and keeps the words."""
    single = await begin(town, "许曼")
    given: dict[str, str | bool] = {
        "宝宝叫什么名字": "晨",
        "在哪里打预防针": "旺庄街道",
        "证件怎么给您": "自己去拿",
        "我确认信息属实": True,
    }
    await submit(single, given)
    await town.settle(minutes=1)
    row = await town.owner.fetchrow(
        "SELECT a.number, i.unit FROM cases.item i JOIN cases.application a ON a.id = i.application"
        " WHERE a.applicant_name = '许曼' AND i.id = 'household'"
    )
    place = row["unit"]
    fast = await somebody(town, "psb", "household_officer", place)
    slow = await somebody(town, "district_service", "joint_reviewer", place[:6])
    for one in (fast, slow):
        await one.open(f"/desk/cases/{row['number']}/household/special")
        assert one.page.status == 200, one.page.text[:300]
    given_step: dict[str, str | bool] = {"哪一种": "鉴定", "理由": "先来的理由", "需要多久": "5 个工作日"}
    await fast.fill(given_step, "开始特别程序")
    await slow.fill({**given_step, "理由": "后到的人写了很久"}, "开始特别程序")
    assert slow.page.status == 409
    assert "后到的人写了很久" in slow.page.text


async def test_filters_say_how_far_they_looked(town: Town) -> None:
    officer = await at_desk(town, "周敏")
    await to_queue(officer)
    await officer.follow("开办餐饮店")
    assert "看过的这些里没有符合的" in officer.page.text or "按时限从近到远看了" in officer.page.text
    await officer.open("/desk/queue/nowhere")
    assert officer.page.status == 404
    await officer.open("/desk/queue/waiting?after=x|y")
    assert officer.page.status == 422


async def test_the_queue_as_json(town: Town) -> None:
    officer = await at_desk(town, "周敏")
    found = (await officer.client.get("/desk/queue/waiting.json")).json()
    assert found["here"] == "waiting"
    assert isinstance(found["rows"], list)
