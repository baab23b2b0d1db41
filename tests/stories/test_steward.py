"""A wrong record: reported by the person, checked by the department that recorded it, changed or declined with a reason."""

from __future__ import annotations

from desk_work import at_desk
from newborn import begin
from town import Town
from visitor import Visitor

RIGHT = "13712340000"


async def reported(town: Town, wants: str, says: str = "") -> Visitor:
    """林晓晴 reports that her telephone number is wrong, from the form where she saw it."""
    lin = await begin(town, "林晓晴")
    await lin.follow("有误？更正联系电话")
    assert "更正我的信息" in lin.page.h1
    await lin.fill({"应该是什么": wants, "怎么知道的": says}, "提交更正")
    return lin


async def test_nothing_written_is_told(town: Town) -> None:
    lin = await reported(town, "")
    assert lin.page.status == 422
    assert "请写上应该是什么" in lin.page.errors()


async def test_reported_checked_and_changed(town: Town) -> None:
    lin = await reported(town, RIGHT, "换了号码")
    assert "收到了，登记它的部门会答复您" in lin.page.text
    assert "正在核对" in lin.page.text
    await town.settle(minutes=1)

    steward = await at_desk(town, "沈博文")
    await steward.follow("待我办")
    await steward.follow("人口", near="更正")
    assert RIGHT in steward.page.text
    assert "换了号码" in steward.page.text
    await steward.fill({}, "确定")
    assert steward.page.status == 422
    await steward.fill({"核对的结果": "记录有误，更正", "说明": "与运营商核对过"}, "确定")
    assert steward.page.status == 200, steward.page.text[:400]
    await town.settle(minutes=1)

    await lin.open("/me/data/correct")
    assert "已更正" in lin.page.text
    again = await begin(town, "林晓晴")
    assert again.page.facts()["联系电话"].replace(" ", "") == RIGHT
    # The old version stays, closed.
    kept = await town.owner.fetchval(
        "SELECT count(*) FROM registers.record WHERE register = 'person' AND data ->> 'name' = '林晓晴'"
        " AND superseded_at IS NOT NULL"
    )
    assert kept >= 1


async def test_declined_with_a_reason(town: Town) -> None:
    lin = await reported(town, "13700000001")
    await town.settle(minutes=1)
    steward = await at_desk(town, "沈博文")
    await steward.follow("待我办")
    await steward.follow("人口", near="更正")
    await steward.fill({"核对的结果": "记录无误"}, "确定")
    assert steward.page.status == 422  # a refusal without a reason is none
    await steward.fill({"核对的结果": "记录无误", "说明": "号码与实名登记一致"}, "确定")
    await town.settle(minutes=1)
    await lin.open("/me/data/correct")
    assert "没有更正" in lin.page.text
    assert "号码与实名登记一致" in lin.page.text


async def test_only_the_source_department_may_change_it(town: Town) -> None:
    await reported(town, "13700000002")
    await town.settle(minutes=1)
    number = await town.owner.fetchval(
        "SELECT number FROM cases.correction ORDER BY opened_at DESC, number DESC LIMIT 1"
    )
    other = await at_desk(town, "吴晓峰")
    await other.follow("待我办")
    assert "13700000002" not in other.page.text
    await other.open(f"/desk/corrections/{number}")
    assert other.page.status in (403, 404)
    assert "13700000002" not in other.page.html


async def test_an_entry_about_somebody_else_cannot_be_reported(town: Town) -> None:
    entry = await town.owner.fetchval(
        "SELECT e.id FROM ledger.entry e JOIN directory.account a ON a.subject = e.subject"
        " WHERE a.name = '林晓晴' AND e.kind = 'register.read' ORDER BY e.id LIMIT 1"
    )
    other = await town.signed_in("许曼")
    for path in (f"/me/data/correct?entry={entry}&field=phone", f"/me/data/{entry}/proof"):
        assert (await other.client.get(path)).status_code == 404
