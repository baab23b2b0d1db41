"""差评: a mother rates badly; somebody who did not work on it looks into it, has it mended and asks her again."""

from __future__ import annotations

import pytest
from desk_work import at_desk
from newborn import LIN, begin, submit
from town import Town

WORDS = "等了一上午没有人叫号"
HEAD = "施伟民"


@pytest.fixture
async def rated(town: Town) -> str:
    """A case that its applicant took back and rated with one star."""
    lin = await begin(town, "林晓晴")
    number = await submit(lin, LIN)
    await lin.open(f"/cases/{number}/withdraw")
    await lin.fill({"撤回哪些": "全部还没决定的"}, "确认撤回")
    await lin.open(f"/cases/{number}")
    await lin.fill({"请您评价": "非常不满意", "想说点什么": WORDS}, "提交评价")
    assert lin.page.status == 200
    assert "您的评价：非常不满意" in lin.page.text
    assert "督办人员最晚 2026 年 11 月" in lin.page.text
    return number


async def test_a_bad_rating_is_followed_to_its_end(town: Town, rated: str) -> None:
    seer = await at_desk(town, "曹刚")
    await seer.follow("差评回访")
    assert seer.here() == "/desk/ratings"
    assert rated in seer.page.text
    for personal in ("林晓晴", "王沐言", WORDS):
        assert personal not in seer.page.html
    await seer.follow("新生儿出生", near=rated)
    assert seer.here() == f"/desk/ratings/{rated}"
    assert WORDS in seer.page.text
    assert "林晓晴" in seer.page.text
    assert "还没有核对过本市的规定" in seer.page.text
    twin = await seer.client.get(f"/desk/ratings/{rated}.json")
    assert twin.json()["state"] == "差评待核实"

    # Nothing is chosen before; what is missing is said at its place.
    await seer.fill({"情况": ""}, "确定")
    assert seer.page.status == 422
    assert seer.page.errors()
    await seer.fill({"联系核实": "打通了电话", "情况": "当天窗口少一个人"}, "确定")
    assert "记下了" in seer.page.text
    await seer.fill({"认定": "有效差评", "情况": "属实，要整改"}, "确定")
    assert seer.page.status == 422  # found valid, and nobody to mend it
    await seer.fill({"认定": "有效差评", "由哪个部门整改": "公安", "情况": "属实，要整改"}, "确定")
    assert "整改中" in seer.page.text

    lin = await town.signed_in("林晓晴")
    await lin.open(f"/cases/{rated}")
    assert "认定有效，由" in lin.page.text
    assert "属实，要整改" in lin.page.text
    assert "曹刚" not in lin.page.html  # officials stand by their department

    await _mended(town)
    await seer.open(f"/desk/ratings/{rated}")
    assert "高峰时加开一个窗口" in seer.page.text
    await seer.fill({"回访": "满意", "情况": "本人满意"}, "确定")
    assert "已归档" in seer.page.text
    assert not any("确定" in n.text() for n in seer.page.main.all("button"))
    await lin.open(f"/cases/{rated}")
    assert "已归档：您表示满意" in lin.page.text
    await lin.open("/me")
    assert "您的评价有了进展" in lin.page.text
    await town.settle(minutes=1)
    await lin.open("/me/data")
    assert "核实评价时看了您的评价" in lin.page.text


async def _mended(town: Town) -> None:
    """The head of the department answers, and learns neither who rated nor in which case."""
    head = await at_desk(town, HEAD)
    await head.follow("待我办")
    await head.follow("整改：“新生儿出生一件事”")
    assert "属实，要整改" in head.page.text
    for hidden in ("林晓晴", "王沐言", WORDS, "WX2026"):
        assert hidden not in head.page.html
    await head.fill({"改了什么": ""}, "整改好了")
    assert head.page.status == 422
    await head.fill({"改了什么": "高峰时加开一个窗口"}, "整改好了")
    assert "已经办完" in head.page.text


async def test_the_rated_and_other_places_are_kept_out(town: Town, rated: str) -> None:
    officer = await at_desk(town, "周敏")
    assert "差评回访" not in officer.page.text
    for path in ("/desk/ratings", f"/desk/ratings/{rated}"):
        await officer.open(path)
        assert officer.page.status == 403
        assert WORDS not in officer.page.html
    seer = await at_desk(town, "曹刚")
    await seer.open("/desk/ratings/WX00000000000000")
    assert seer.page.status == 404
    # The search knows that an ended case with a rating is not late work.
    await seer.open(f"/desk/search?q={rated}")
    assert seer.here() == f"/desk/ratings/{rated}"


async def test_two_pages_of_one_rating(town: Town, rated: str) -> None:
    """A page that was open before a colleague's step keeps what was typed and says who was faster."""
    first, second = await at_desk(town, "曹刚"), await at_desk(town, "曹刚")
    await first.open(f"/desk/ratings/{rated}")
    await second.open(f"/desk/ratings/{rated}")
    await first.fill({"联系核实": "当面谈了", "情况": "在窗口谈过"}, "确定")
    await second.fill({"联系核实": "发了消息", "情况": "写了很长的一段话"}, "确定")
    assert second.page.status == 409
    assert "曹刚" in second.page.text
    assert "写了很长的一段话" in second.page.text


async def test_nobody_takes_it_up(town: Town, rated: str) -> None:
    await town.settle(days=2)
    seer = await at_desk(town, "曹刚")
    await seer.follow("督办")
    row = next(n.text() for n in seer.page.main.all("li") if rated in n.text())
    assert "超 " in row
    assert "差评" in row
    await seer.follow("差评", near=rated)
    assert seer.here() == f"/desk/ratings/{rated}"
    assert "超过期限，没有办" in seer.page.text


async def test_in_english(town: Town, rated: str) -> None:
    lin = await town.signed_in("林晓晴")
    await lin.open(f"/-/prefer?lang=en&back=/cases/{rated}")
    assert "Your rating: Very dissatisfied" in lin.page.text
    assert "A supervisor will get in touch with you by" in lin.page.text
    seer = await at_desk(town, "曹刚")
    await seer.open("/-/prefer?lang=en&back=/desk/ratings")
    assert "Bad ratings" in seer.page.text
    await seer.follow("A baby is born", near=rated)
    assert "To be looked into" in seer.page.text
    assert "Spoke on the telephone" in seer.page.text
