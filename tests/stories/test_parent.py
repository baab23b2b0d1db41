"""林晓晴, whose daughter was born a week ago: from the front page to delivered papers, in one application."""

from __future__ import annotations

import re

import pytest
from desk_work import at_desk, decide, pick_up
from newborn import LIN, agree, answers, begin, states, submit
from town import Town

from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.ledger import PublicKey, verify_proof

AT_HOME = "首页为您提前准备“新生儿出生一件事”"
LATER = {"居民医保参保登记", "居民医保缴费", "社会保障卡", "育儿补贴和科学育儿指导"}


async def test_the_front_page_has_it_prepared(town: Town) -> None:
    lin = await town.signed_in("林晓晴")
    assert lin.page.h1.startswith("晓晴，上午好")
    says = re.search(r"政府已经有 (\d+) 项信息.*?再回答 (\d+) 个问题，(\d+) 个事项", lin.page.text)
    assert says is not None
    known, asked, items = map(int, says.groups())
    assert (asked, items) == (4, 8)
    await lin.follow("开始确认")
    assert f"{known} 项 · 已核验" in lin.page.text
    assert len(lin.page.questions()) == asked


async def test_what_the_front_page_read_is_told_apart_from_the_form(town: Town) -> None:
    lin = await begin(town, "林晓晴")
    await lin.open("/me/data?kind=mine")
    rows = [n.text() for n in lin.page.main.all("li") if "为什么" in n.text()]
    home = [row for row in rows if AT_HOME in row]
    form = [row for row in rows if "填“新生儿出生一件事”时" in row]
    assert any(row.startswith("用了") for row in home)
    assert any(row.startswith("用了") for row in form)
    assert not set(home) & set(form)


async def test_the_form_is_filled_with_source_and_date_and_asks_only_what_nobody_can_know(town: Town) -> None:
    lin = await begin(town, "林晓晴")
    assert [q.split(". ")[1] for q in lin.page.questions()] == [
        "宝宝叫什么名字？",
        "户口落在谁那里？",
        "在哪里打预防针？",
        "证件怎么给您？",
    ]
    facts = lin.page.facts()
    assert facts["出生时间"] == "2026 年 11 月 16 日 08:42"
    assert facts["爸爸"] == "王启明"
    # Numbers are hidden in the middle, on every page.
    assert re.fullmatch(r"320211\*{8}\d{3}[\dX]", facts["妈妈的身份号码"])
    assert "来自出生医学证明，市卫生健康委 2026-11-18 登记" in lin.page.text
    assert "我们没有调取的：" in lin.page.text
    # Nothing is chosen for her, and nothing is asked that the page already shows.
    assert not [n for n in lin.page.main.all("input") if "checked" in n.attrs]
    asked = " ".join(lin.page.questions())
    for known in ("妈妈叫什么", "身份证号码", "结婚", "手机"):
        assert known not in asked
    # Two households in two districts are told apart by head and address.
    assert [o.split("户主")[0] for o in lin.page.options("户口落在谁那里")] == ["跟爸爸", "跟妈妈"]


async def test_nothing_answered_is_told_all_at_once(town: Town) -> None:
    lin = await begin(town, "林晓晴")
    await lin.fill({}, "提交 ")
    assert lin.page.status == 422
    assert lin.page.title.startswith("错误")
    told = " ".join(lin.page.errors())
    for question in (
        "姓什么",
        "叫什么名字",
        "户口落在谁那里",
        "在哪里打预防针",
        "证件怎么给您",
        "请勾选同意",
    ):
        assert question in told, question
    # Each line of the summary leads to a field that is there.
    box = next(n for n in lin.page.root.all("div") if n.get("id") == "errsum")
    ids = {n.get("id") for n in lin.page.root.all() if n.get("id")}
    assert all(a.get("href").removeprefix("#") in ids for a in box.all("a"))


async def test_from_submission_to_delivery(town: Town) -> None:
    lin = await begin(town, "林晓晴")
    number = await submit(lin, LIN)
    assert re.fullmatch(r"WX20261123\d{6}", number)
    assert "请要同意的家人登录灵锡" in lin.page.text

    # What needs nobody else is done at once; the rest waits, each for its own reason.
    first = await states(lin, number)
    assert first["户口登记"] == "等家人同意"
    assert {first[name] for name in ("预防接种建档", "生育医疗费报销", "生育津贴")} == {"办好了"}
    assert {first[name] for name in LATER} == {"等前一项"}

    # The father and the head of the household are each asked for their own consent, once.
    father = await agree(town, "王启明", number)
    assert "您已经同意了。" in father.page.text
    assert (await states(lin, number))["户口登记"] == "等家人同意"
    head = await agree(town, "王建国", number)
    assert "宝宝要落在您做户主的户里" in head.page.text
    await town.settle(minutes=1)
    assert (await states(lin, number))["户口登记"] == "审查中"

    # The official judges the one thing that the rules could not: two spellings of one door.
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    assert "落户地址在两个系统里不一样" in officer.page.text
    await decide(officer, "准予", "以户籍登记为准", 怎么处理="以户籍登记为准")
    assert "10 分钟内可以撤回" in officer.page.text
    await town.settle(minutes=1)
    assert (await states(lin, number))["户口登记"] == "审查中"  # nothing is told before it is certain

    # Taken back within ten minutes, decided again, and only then does it take effect.
    await officer.press("撤回这个决定")
    assert (await states(lin, number))["户口登记"] == "审查中"
    await pick_up(officer, "王沐言")
    await decide(officer, "准予", "以户籍登记为准", 怎么处理="以户籍登记为准")
    await town.settle(minutes=11)
    second = await states(lin, number)
    assert second["户口登记"] in ("送达中", "办好了"), second
    assert {second[name] for name in ("居民医保参保登记", "居民医保缴费", "育儿补贴和科学育儿指导")} == {
        "办好了"
    }

    # Papers that go by post are handed over by their departments.
    for official in ("周敏", "陈志刚", "钱静"):
        who = await at_desk(town, official)
        while "王沐言" in (await who.follow("待我办")).text:
            await who.follow("王沐言")
            await who.fill({"怎么送达的": "EMS 演示 0001"}, "已送达")
            assert who.page.status == 200, who.page.text[:300]
    await town.settle(minutes=1)
    assert set((await states(lin, number)).values()) == {"办好了"}
    assert "全部办好了。" in lin.page.text

    # One rating, once.
    await lin.fill({"请您评价": "非常满意"}, "提交评价")
    assert "您的评价：非常满意" in lin.page.root.text()
    assert all(node.text() != "提交评价" for node in lin.page.root.all("button"))


async def test_the_papers_are_hers_alone(town: Town) -> None:
    lin = await town.signed_in("林晓晴")
    await lin.follow("我的")
    await lin.follow("我的证件")
    await lin.follow("户口簿内页")
    facts = lin.page.text
    assert "王沐言" in facts
    assert "演示，无效" in lin.page.root.text()
    address = lin.page.url
    other = await town.signed_in("许曼")
    await other.open(address)
    assert other.page.status == 404
    made_up = await other.open("/me/documents/nothing-here")
    assert made_up.status == 404
    assert "王沐言" not in other.page.html


async def test_she_sees_every_use_and_can_prove_one(town: Town) -> None:
    await town.settle()
    lin = await town.signed_in("林晓晴")
    await lin.follow("我的")
    await lin.follow("我的数据")
    page = lin.page
    assert page.status == 200
    for word in ("法律依据", "下载证明"):
        assert page.says(word)
    proof = await lin.client.get(page.link("下载证明"))
    assert proof.status_code == 200
    assert "attachment" in proof.headers["content-disposition"]
    proven = verify_proof(proof.content, PublicKey.parse(town.runtime.ledger_key))
    assert proven.index < proven.checkpoint.size
    # One altered byte and it is no proof any more.
    broken = bytearray(proof.content)
    at = proof.content.index(b"extra ") + 200
    broken[at] = ord("A") if broken[at] != ord("A") else ord("B")
    with pytest.raises(DizuoError):
        verify_proof(bytes(broken), PublicKey.parse(town.runtime.ledger_key))


async def test_each_read_of_hers_is_on_her_page(town: Town) -> None:
    """Behind the door: as many uses as the ledger has, none forgotten by the page's own paging."""
    lin = await town.signed_in("林晓晴")
    subject = await town.owner.fetchval("SELECT subject FROM directory.account WHERE name = '林晓晴'")
    kept = await town.owner.fetchval("SELECT count(*) FROM ledger.entry WHERE subject = $1", subject)
    await lin.open("/me/data")
    shown: set[str] = set()
    for _ in range(20):
        shown |= {url for _, url in lin.page.links() if url.endswith("/proof")}
        if all(text != "更早的" for text, _ in lin.page.links()):
            break
        await lin.follow("更早的")
    assert len(shown) == kept


async def test_every_wrong_on_the_form_leads_somewhere(town: Town) -> None:
    """Facts of the father and shared records too: to the very field, or to the records that are hers."""
    xu = await begin(town, "许曼")
    lin = await town.signed_in("王启明")
    await lin.open("/")
    links = [url for text, url in xu.page.links() if text.startswith("有误")]
    assert links
    straight = 0
    for url in links:
        await xu.open(url)
        if "这一条不能直接从这里改" not in xu.page.text:
            assert xu.page.status == 200, url
            straight += 1
            assert xu.page.options("哪一项不对")
            assert [n for n in xu.page.main.all("input") if "checked" in n.attrs], url
    assert straight
    # Somebody else's entry and one that does not exist are answered alike, with nothing of either.
    await lin.open(links[0])
    first = lin.page.text
    await lin.open("/me/data/correct?entry=999999999")
    assert lin.page.text == first
    assert "这一条不能直接从这里改" in first


async def test_a_second_application_for_the_same_child_is_not_possible(town: Town) -> None:
    lin = await town.signed_in("林晓晴")
    await lin.open("/matters/newborn/apply")
    assert "宝宝已经登记过户口了" in lin.page.text
    assert not list(lin.page.main.all("form"))


def test_the_story_answers_are_complete() -> None:
    assert answers() == LIN
