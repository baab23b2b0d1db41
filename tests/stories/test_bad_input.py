"""What people, and others, send: every answer is a page that says what happened, and nothing breaks behind it."""

from __future__ import annotations

import re

import pytest
from newborn import LIN, answers, begin, submit
from town import Town
from visitor import Visitor

TOLD = ("您填的内容", "您可以这样做", "编号")


@pytest.fixture
async def lin(town: Town) -> Visitor:
    """林晓晴 before her form, fresh."""
    return await begin(town, "林晓晴")


async def send_name(lin: Visitor, name: str) -> None:
    await lin.fill(answers(name=name), "提交")


def typed(lin: Visitor) -> str:
    """What stands in the name field now."""
    return next(n.get("value") for n in lin.page.main.all("input") if n.get("name") == "a.given_name")


def whole(page: object) -> None:
    """Never a stack, a path or a query on a page."""
    html = page.html  # type: ignore[attr-defined]
    assert not re.search(r"Traceback|\.py\b|asyncpg|SELECT |File &quot;", html)


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "'; DROP TABLE cases.application; --",
        "{{ 7 * 7 }}",
        "宝👶",
        "沐\u200b言",
        "沐\u202e言",
        "·沐言",
        "沐··言",
        "一" * 31,
        "Ann 2",
        "\U000f0000",
    ],
    ids=["script", "image", "sql", "template", "emoji", "zero-width", "bidi", "dot-first", "two-dots", "31", "digits", "private-use"],
)  # fmt: skip
async def test_what_is_no_name_is_said_beside_the_field_and_kept(lin: Visitor, name: str) -> None:
    await send_name(lin, name)
    assert lin.page.status == 422, lin.page.h1
    assert lin.page.errors()
    assert typed(lin) == name
    # Shown as text wherever it stands: no element was made of it, and nothing was computed.
    tags = {node.tag for node in lin.page.main.all()}
    assert not tags & {"script", "img"}
    assert lin.page.html.count("<script") == 0
    whole(lin.page)


@pytest.mark.parametrize(
    "name", ["一" * 30, "阿依·古丽", "\U00030edd", "㐂言"], ids=["30", "dot", "rare", "extension-a"]
)
async def test_what_is_a_name_is_taken(lin: Visitor, name: str) -> None:
    await lin.fill(answers(name=name, agree=False), "提交")
    told = lin.page.errors()
    assert lin.page.status == 422
    assert told == ["请勾选同意，我们才能替您办"], told
    assert typed(lin) == name


async def test_an_option_that_was_not_offered_is_not_taken(lin: Visitor) -> None:
    form = lin.page.filled("提交", LIN)
    pairs = tuple((n, "c999999" if n == "a.clinic" else v) for n, v in form.pairs)
    answer = await lin.post(form.action, pairs)
    assert answer.status_code == 422
    assert "打预防针" in answer.text


async def test_the_same_submission_twice_gives_the_same_receipt(town: Town) -> None:
    xu = await begin(town, "许曼")
    form = xu.page.filled("提交", answers(surname=None, name="安然", household=None, clinic="旺庄街道"))
    first = await xu.post(form.action, form.pairs)
    second = await xu.post(form.action, form.pairs)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert await town.owner.fetchval("SELECT count(*) FROM cases.application WHERE title LIKE '许安然%'") == 1


async def test_both_parents_at_once_make_one_application(town: Town) -> None:
    mother, father = await begin(town, "林晓晴"), await begin(town, "王启明")
    form = father.page.filled("提交", LIN)
    number = await submit(mother, LIN)
    late = await father.post(form.action, form.pairs)
    assert late.status_code == 409
    assert "这件事已经提交过申请，正在办" in late.text
    assert number not in late.text  # it is hers; he finds it where his consent is asked
    assert await town.owner.fetchval("SELECT count(*) FROM cases.application WHERE title LIKE '王沐言%'") == 1


async def test_a_stale_tab_loses_nothing(town: Town) -> None:
    """Two tabs of one form: the older one cannot overwrite, and what was typed in it stays before one's eyes."""
    first = await begin(town, "周婷婷")
    await first.fill({"宝宝叫什么名字": "子墨"}, "先存着")
    await first.follow("现在接着办")
    second = Visitor(first.client)
    await second.open(first.page.url)
    await second.fill({"宝宝叫什么名字": "子涵"}, "先存着")
    assert second.page.h1 == "存好了"
    await first.fill({"宝宝叫什么名字": "子轩"}, "先存着")
    assert first.page.status == 409
    assert typed(first) == "子轩"
    assert "在别的页面改过了" in first.page.text
    again = await second.open(second.page.link("现在接着办"))
    assert "子涵" in again.html


async def test_a_case_that_is_not_mine_is_like_one_that_is_not_there(town: Town) -> None:
    rows = await town.owner.fetchrow("SELECT number FROM cases.application WHERE title LIKE '王沐言%'")
    stranger = await town.signed_in("陆思琪")
    for under in ("", "/receipt", "/withdraw", "/fix/household", "/consents/other_parent"):
        real = await stranger.client.get(f"/cases/{rows['number']}{under}")
        made_up = await stranger.client.get(f"/cases/WX20261123999999{under}")
        assert real.status_code == made_up.status_code == 404, under
        assert same(real.text, rows["number"]) == same(made_up.text, "WX20261123999999")


def same(html: str, number: str) -> str:
    """A page without what differs on every rendering: the number asked for, the number to quote."""
    return re.sub(r"\b[0-9a-f]{8}\b", "", html.replace(number, "N"))


async def test_looking_for_anothers_case_is_entered(town: Town) -> None:
    """Whoever applied sees that somebody tried."""
    number = await town.owner.fetchval("SELECT number FROM cases.application WHERE title LIKE '王沐言%'")
    before = len(await town.entries("case.refused"))
    stranger = await town.signed_in("许曼")
    await stranger.open(f"/cases/{number}")
    assert stranger.page.status == 404
    after = await town.entries("case.refused")
    assert len(after) == before + 1
    assert after[-1]["subject"] is not None


async def test_a_consent_that_is_not_mine(town: Town) -> None:
    number = await town.owner.fetchval("SELECT number FROM cases.application WHERE title LIKE '王沐言%'")
    head = await town.signed_in("王建国")
    await head.follow("请您确认")
    form = head.page.filled("提交答复", {"您同意吗": "我同意"})
    stranger = await town.signed_in("许曼")
    # With the head's own token it is a forged form; with a token of one's own, a case that is not there.
    stolen = await stranger.post(form.action, form.pairs)
    assert stolen.status_code == 403
    own = await stranger.client.get(form.action)
    assert own.status_code == 404
    state = await town.owner.fetchval(
        "SELECT c.state FROM cases.consent c JOIN cases.application a ON a.id = c.application"
        " WHERE a.number = $1 AND c.id = 'father_side_head'",
        number,
    )
    assert state == "pending"


async def test_a_draft_of_somebody_else(town: Town) -> None:
    zhou = await town.signed_in("周婷婷")
    await zhou.follow("接着办", near="可以办")
    draft = next(n.get("value") for n in zhou.page.main.all("input") if n.get("name") == "draft")
    assert draft
    xu = await town.signed_in("王启明")
    await xu.open(f"/matters/newborn/apply?draft={draft}")
    assert "子涵" not in xu.page.html
    form = xu.page.filled("先存着", {})
    pairs = tuple((n, draft if n == "draft" else "7" if n == "version" else v) for n, v in form.pairs)
    saved = await xu.post(form.action, pairs)
    assert saved.status_code == 200
    await zhou.open(f"/matters/newborn/apply?draft={draft}")
    assert "子涵" in zhou.page.html
