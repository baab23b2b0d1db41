"""封存 through the pages: ordered, approved by somebody else, read, overseen without the person, lifted, told to the person."""

from __future__ import annotations

import datetime as dt

from desk_work import at_desk
from newborn import begin
from town import Town

from dizuo.foundation.kernel.clock_source import SHANGHAI

NUMBER = "锡公刑调〔2026〕17号"


async def test_a_sealed_read_from_the_order_to_the_day_it_opens(town: Town) -> None:
    lin = await begin(town, "林晓晴")
    subject = await town.owner.fetchval("SELECT subject FROM directory.account WHERE name = '林晓晴'")
    number = await town.owner.fetchval("SELECT number FROM registers.identity WHERE id = $1", subject)
    opens = (dt.datetime.now(SHANGHAI).date() + dt.timedelta(30)).isoformat()
    asked = {"文号": NUMBER, "凭什么号码查": "公民身份号码", "号码": number, "到哪天公开": opens, "为什么需要，为什么不能告知": "核对住址"}  # fmt: skip

    officer = await at_desk(town, "戴宏伟")
    await officer.follow("封存")
    await officer.fill(asked, "提交批准")
    assert officer.page.status == 422
    assert "请至少选一个字段" in officer.page.text
    await officer.fill(asked | {"姓名": True, "到哪天公开": "2099-01-01"}, "提交批准")
    assert "不超过最长期限" in officer.page.text
    await officer.fill(asked | {"姓名": True, "到哪天公开": opens}, "提交批准")
    assert "待批准" in officer.page.text
    assert "调取结果" not in officer.page.text
    order = officer.here()

    clerk = await at_desk(town, "陈志刚")
    assert (await clerk.open(order)).status == 404
    assert (await clerk.post(order, (("state", "approve"),))).status_code == 403

    head = await at_desk(town, "孔令勇")
    await head.open("/data/seals")
    await head.follow(NUMBER)
    await head.fill({"批准还是退回": "退回"}, "确定")
    assert head.page.status == 422
    await head.fill({"批准还是退回": "批准"}, "确定")
    assert "已批准" in head.page.text

    await officer.open(order)
    await officer.press("调取")
    assert "调取结果" in officer.page.text
    assert "林晓晴" in officer.page.text
    await town.settle()

    await lin.open("/me/data")
    assert "刑事案件侦查" not in lin.page.text
    prosecutor = await at_desk(town, "舒雅琴")
    await prosecutor.follow("封存")
    assert "市公安局 · 侦查员" in prosecutor.page.text
    for hidden in ("林晓晴", number, NUMBER):
        assert hidden not in prosecutor.page.html
    assert (await prosecutor.open(order)).status == 404
    await prosecutor.open("/data/seals")
    await prosecutor.fill({"理由": "侦查已经终结"}, "提前公开")
    assert "现在没有封存的条目" in prosecutor.page.text
    await town.settle()
    await town.settle()
    await lin.open("/me/data")
    assert "刑事案件侦查" in lin.page.text
    assert "市公安局 · 侦查员" in lin.page.text
    assert [one["subject"] for one in await town.entries("sealed.opened")] == [subject]
