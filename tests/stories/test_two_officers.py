"""Two officials have one case open: one decides, the other is told kindly; ten minutes later it stands."""

from __future__ import annotations

from desk_work import at_desk, decide, pick_up, to_queue
from newborn import LIN, agree, begin, states, submit
from town import Town

KEEP = {"怎么处理": "以户籍登记为准"}


async def test_one_decides_the_other_is_told_and_ten_minutes_later_it_stands(town: Town) -> None:
    lin = await begin(town, "林晓晴")
    number = await submit(lin, LIN)
    await agree(town, "王启明", number)
    await agree(town, "王建国", number)
    await town.settle(minutes=1)

    # The joint reviewer and the household officer both have it open.
    first, second = await at_desk(town, "周敏"), await at_desk(town, "陈志刚")
    await pick_up(first, "王沐言")
    await pick_up(second, "王沐言")
    await decide(first, "准予", "以户籍登记为准", **KEEP)
    assert "10 分钟内可以撤回" in first.page.text
    await decide(second, "不予", "我写了很久的理由", **KEEP)
    assert second.page.status == 409
    assert "周敏" in second.page.text
    assert "我写了很久的理由" in second.page.text
    verdicts = await town.owner.fetch(
        "SELECT d.verdict FROM cases.decision d JOIN cases.application a ON a.id = d.application"
        " WHERE a.number = $1 AND d.item = 'household'",
        number,
    )
    assert [row["verdict"] for row in verdicts] == ["grant"]

    # The work done is found again, and leaves both queues.
    await first.follow("我经手的")
    assert "王沐言" in first.page.text
    for officer in (first, second):
        await to_queue(officer)
        assert number not in officer.page.text

    # The other may not take back what is not his.
    await first.open(f"/desk/cases/{number}?item=household")
    undo = first.page.filled("撤回这个决定", {})
    assert (await second.post(undo.action, undo.pairs)).status_code == 403  # another session's token

    # After ten minutes nobody may.
    await town.settle(minutes=11)
    answer = await first.post(undo.action, undo.pairs)
    assert answer.status_code == 409
    assert "已经生效" in answer.text
    assert (await states(lin, number))["户口登记"] in ("送达中", "办好了")
