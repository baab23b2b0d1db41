"""周立新 opens a restaurant: the enterprise's side, several departments in parallel, and everything that may go other ways."""

from __future__ import annotations

import pytest
from desk_work import at_desk, decide, pick_up
from newborn import number_on, states
from town import Town
from visitor import Visitor

SHOP = "无锡市梁味坊餐饮有限公司（演示）"
AGREE = "我确认信息属实"
ANSWERS: dict[str, str | bool] = {
    "店开在哪里": "就在执照上的地址",
    "主要做什么": "凉菜、生食",
    "店有多少平方米": "320",
    "要在店外挂招牌": "是",
    "店里要卖香烟": "是",
    AGREE: True,
}


async def owner_of(town: Town) -> Visitor:
    """The owner, before the form of his shop."""
    zhou = await town.signed_in("周立新")
    await zhou.fill({"搜索服务": "开饭店"}, "搜索")
    await zhou.follow("开办餐饮店一件事")
    await zhou.follow("开始办")
    assert zhou.page.h1.startswith("您替谁办")
    await zhou.fill({"替谁办": SHOP}, "就这样办")
    return zhou


@pytest.fixture(scope="module")
async def case(town: Town) -> str:
    """Submitted; what could be decided by rules alone is decided."""
    zhou = await owner_of(town)
    await zhou.fill(ANSWERS, "提交")
    assert zhou.page.errors() == ["请选择：消防检查用哪种办法？"]
    await zhou.fill({"消防检查用哪种办法": "先上门检查", AGREE: True}, "提交")
    await town.settle(minutes=1)
    return number_on(zhou)


async def test_nobody_else_can_act_for_the_shop(town: Town) -> None:
    lin = await town.signed_in("林晓晴")
    await lin.open("/matters/restaurant/apply")
    assert lin.page.path == "/acting"
    assert SHOP not in lin.page.html
    zhou = await owner_of(town)
    form = await _acting_form(zhou)
    own = await _acting_form(lin)
    smuggled = tuple((n, form if n == "for" else v) for n, v in lin.page.filled("就这样办", {}).pairs)
    assert own == ""
    answer = await lin.post("/acting", (*smuggled, ("for", form)))
    assert answer.status_code in (403, 404)


async def _acting_form(visitor: Visitor) -> str:
    """The value behind the shop on the page 您替谁办, '' when it is not offered."""
    await visitor.open("/acting")
    for node in visitor.page.main.all("label"):
        if SHOP in node.text():
            return next(node.all("input")).get("value")
    return ""


async def test_the_form_knows_the_shop_and_says_for_whom_one_acts(town: Town) -> None:
    zhou = await owner_of(town)
    assert f"正在替{SHOP}办" in zhou.page.root.text()
    assert zhou.page.facts()["名称"] == SHOP
    assert zhou.page.facts()["登记状态"] == "存续"
    # Only papers that no department has issued are asked for.
    assert "经营场所布局和操作流程图" in zhou.page.text
    assert "营业执照复印件" not in zhou.page.text


async def test_a_shop_that_is_too_small_needs_no_fire_check(town: Town) -> None:
    zhou = await owner_of(town)
    small = {**ANSWERS, "店有多少平方米": "80", "店里要卖香烟": "否", AGREE: False}
    await zhou.fill(small, "提交")
    assert zhou.page.errors() == ["请勾选同意，我们才能替您办"]
    side = zhou.page.root.text()
    assert "不用办：店的面积不到 300 平方米（演示设定）" in side
    assert "不用办：您不卖香烟" in side


async def test_departments_work_at_the_same_time(town: Town, case: str) -> None:
    zhou = await town.signed_in("周立新")
    await zhou.open("/acting")
    await zhou.fill({"替谁办": SHOP}, "就这样办")
    now = await states(zhou, case)
    assert now["营业执照信息核验"] == "办好了"
    assert {now[name] for name in ("联合现场核查", "户外招牌设施", "烟草专卖零售许可")} == {"审查中"}
    assert now["食品经营许可"] == "等前一项"


async def test_a_fix_is_asked_once_and_holds_up_nothing_else(town: Town, case: str) -> None:
    officer = await at_desk(town, "华俊")
    await pick_up(officer, SHOP)
    await officer.follow("告知补正")
    await officer.fill({"理由": "照片看不清"}, "一次告知申请人")
    assert officer.page.status == 422  # nothing listed
    await officer.fill(
        {"第 1 条要补什么": "店面照片", "第 1 条为什么": "原来的看不清", "理由": "照片看不清"},
        "一次告知申请人",
    )
    zhou = await town.signed_in("周立新")
    await zhou.open("/acting")
    await zhou.fill({"替谁办": SHOP}, "就这样办")
    now = await states(zhou, case)
    assert now["烟草专卖零售许可"] == "等您补正"
    assert now["户外招牌设施"] == "审查中"
    await zhou.follow("现在补")
    assert "店面照片 · 原来的看不清" in zhou.page.text
    await zhou.fill({}, "提交补正")
    assert zhou.page.status == 422
    await zhou.fill({"您的说明": "新照片已送到窗口"}, "提交补正")
    await town.settle(minutes=1)
    assert (await states(zhou, case))["烟草专卖零售许可"] == "审查中"
    # The law allows to ask once.
    await pick_up(officer, SHOP)
    assert "告知补正" not in [text for text, _ in officer.page.links()]


async def test_a_special_procedure_stops_the_clock_and_says_for_how_long(town: Town, case: str) -> None:
    officer = await at_desk(town, "尤勇")
    await pick_up(officer, SHOP)
    assert "最晚 2026 年 11 月 26 日" in officer.page.text
    await officer.follow("特别程序")
    assert officer.page.options("哪一种") == [
        "听证", "招标", "拍卖", "检验", "检测", "检疫", "鉴定", "专家评审",
    ]  # fmt: skip
    await officer.fill({"哪一种": "检测", "理由": "要检测喷淋", "需要多久": "5 个工作日"}, "开始特别程序")
    zhou = await town.signed_in("周立新")
    await zhou.open("/acting")
    await zhou.fill({"替谁办": SHOP}, "就这样办")
    await states(zhou, case)
    assert "时限暂停：检测" in zhou.page.text
    await town.settle(days=7)
    officer = await at_desk(town, "尤勇")
    await officer.open(f"/desk/cases/{case}?item=fire")
    assert "时限已暂停" in officer.page.text
    await officer.follow("特别程序结束")
    await officer.fill({"结果": "检测合格"}, "结束")
    # A week stood still: what was left of three working days is left now, a week later.
    await officer.open(f"/desk/cases/{case}?item=fire")
    assert "最晚 2026 年 12 月 3 日" in officer.page.text, officer.page.text[:500]


async def test_a_visit_on_site_is_entered_and_then_decided(town: Town, case: str) -> None:
    officer = await at_desk(town, "尤勇")
    await pick_up(officer, SHOP)
    await officer.follow("开始现场核查")
    await officer.press("开始核查")
    zhou = await town.signed_in("周立新")
    await zhou.open("/acting")
    await zhou.fill({"替谁办": SHOP}, "就这样办")
    assert (await states(zhou, case))["公众聚集场所消防安全检查"] == "现场核查"
    await officer.open(f"/desk/cases/{case}?item=fire")
    await officer.follow("现场核查结束")
    await officer.fill({"结果": "疏散通道畅通"}, "核查结束")
    await pick_up(officer, SHOP)
    await decide(officer, "准予", "现场核查合格")
    await town.settle(minutes=11)
    assert (await states(zhou, case))["公众聚集场所消防安全检查"] == "办好了"


async def test_an_extension_needs_another_who_approves_and_a_reason_for_the_applicant(
    town: Town, case: str
) -> None:
    inspector = await at_desk(town, "潘国强")
    await pick_up(inspector, SHOP)
    await inspector.follow("申请延期")
    await inspector.fill({}, "报负责人批准")
    assert inspector.page.status == 422
    await inspector.fill({"理由": "专间还在装修，要再看一次"}, "报负责人批准")
    head = await at_desk(town, "邵静")
    await head.follow("待我办")
    await head.follow(SHOP, near="批准延期")
    assert "专间还在装修，要再看一次" in head.page.text
    await head.fill({"批准吗": "批准", "理由": "同意"}, "确定")
    await town.settle(minutes=1)
    zhou = await town.signed_in("周立新")
    await zhou.open("/acting")
    await zhou.fill({"替谁办": SHOP}, "就这样办")
    assert (await states(zhou, case))["联合现场核查"] == "审查中，已延期"
    assert "延长时限" in zhou.page.text
    assert "专间还在装修，要再看一次" in zhou.page.text
    # Only once.
    await pick_up(inspector, SHOP)
    assert "申请延期" not in [text for text, _ in inspector.page.links()]


async def test_a_refusal_needs_reason_and_law_and_tells_where_to_turn(town: Town, case: str) -> None:
    officer = await at_desk(town, "蒋鹏")
    await pick_up(officer, SHOP)
    await decide(officer, "不予")
    assert officer.page.status == 422
    assert len(officer.page.errors()) == 2
    await officer.fill({"决定": "不予", "理由": "招牌遮住了交通信号灯", "法律依据": "《"}, "确定")
    await town.settle(minutes=11)
    zhou = await town.signed_in("周立新")
    await zhou.open("/acting")
    await zhou.fill({"替谁办": SHOP}, "就这样办")
    now = await states(zhou, case)
    assert now["户外招牌设施"] == "没有批准"
    row = zhou.page.row("招牌遮住了交通信号灯")
    assert "60 日内" in row
    assert "行政复议" in row
    assert "6 个月内" in row
    assert "行政诉讼" in row
    assert "《城市市容和环境卫生管理条例》第 11 条" in row
    # A refusal is not counted among what is done.
    done = [name for name, tag in now.items() if tag == "办好了"]
    assert f"{len(now)} 项里办好了 {len(done)} 项" in zhou.page.text


async def test_withdrawing_leaves_what_is_done(town: Town, case: str) -> None:
    zhou = await town.signed_in("周立新")
    await zhou.open("/acting")
    await zhou.fill({"替谁办": SHOP}, "就这样办")
    await states(zhou, case)
    await zhou.follow("撤回")
    await zhou.fill({}, "确认撤回")
    assert zhou.page.status == 422
    await zhou.fill({"撤回哪些": "烟草专卖零售许可", "为什么撤回": "不卖了"}, "确认撤回")
    now = await states(zhou, case)
    assert now["烟草专卖零售许可"] == "已撤回"
    assert now["营业执照信息核验"] == "办好了"
    assert now["公众聚集场所消防安全检查"] == "办好了"
    # It is gone from the desk that had it.
    officer = await at_desk(town, "华俊")
    await officer.follow("待我办")
    assert SHOP not in officer.page.text
