"""A paper of the item is missing: the official ticks it, the enterprise hands in a file, and a body that breaks off is nothing."""

from __future__ import annotations

from typing import Any

import pytest
from desk_work import at_desk, pick_up
from newborn import states
from test_restaurant import ANSWERS, SHOP, owner_of
from town import Town
from visitor import Visitor

PICTURE = b"\xff\xd8\xff\xe0" + b"0" * 3_000 + b"\xff\xd9"


@pytest.fixture(scope="module")
async def shop(town: Town) -> str:
    """The restaurant's application, whose sign the urban office asks to see in a better picture."""
    zhou = await owner_of(town)
    fire = any("消防检查用哪种办法" in question for question in zhou.page.questions())
    more: dict[str, str | bool] = {"消防检查用哪种办法": "先上门检查"} if fire else {}
    await zhou.fill({**ANSWERS, **more}, "提交")
    if zhou.page.errors():
        await zhou.fill({"消防检查用哪种办法": "先上门检查", "我确认信息属实": True}, "提交")
    await town.settle(minutes=1)
    number = await town.owner.fetchval("SELECT number FROM cases.application WHERE matter = 'restaurant'")
    officer = await at_desk(town, "蒋鹏")
    await pick_up(officer, SHOP)
    await officer.follow("告知补正")
    await officer.fill({"招牌效果图": True, "理由": "效果图看不清"}, "一次告知申请人")
    assert officer.page.status == 200, officer.page.errors()
    return number


async def owner(town: Town) -> Visitor:
    zhou = await town.signed_in("周立新")
    await zhou.open("/acting")
    await zhou.fill({"替谁办": SHOP}, "就这样办")
    return zhou


async def send(who: Visitor, button: str, *files: tuple[str, bytes, str], **answers: str | bool) -> Any:
    """Press a button of the page with files in its first file field, as a browser does."""
    form = who.page.filled(button, dict(answers))
    texts: list[Any] = [(name, (None, value.encode())) for name, value in form.pairs if name != "file-1"]
    sent = [("file-1", file) for file in files]
    return await who.client.post(
        form.action, files=[*texts, *sent], headers={"sec-fetch-site": "same-origin"}
    )


async def test_the_paper_is_asked_for_and_neither_silence_nor_another_kind_is_taken(
    town: Town, shop: str
) -> None:
    zhou = await owner(town)
    await zhou.open(f"/cases/{shop}/fix/sign")
    assert "招牌效果图" in zhou.page.text
    assert "已经送到窗口的不用传" in zhou.page.text
    await zhou.fill({}, "提交补正")
    assert zhou.page.status == 422
    assert zhou.page.errors() == ["请传“招牌效果图”；已经送到窗口或者没有的，请在说明里写一句。"]
    page = await send(zhou, "提交补正", ("图.png", b"\x89PNG\r\n\x1a\nnothing", "image/png"))
    assert page.status_code == 422
    assert "图.png" in page.text
    big = await send(zhou, "提交补正", ("图.jpg", PICTURE + b"0" * 10_485_760, "image/jpeg"))
    assert big.status_code == 422
    assert "超过了 10 MB" in big.text
    await zhou.prefer(lang="en")
    assert "Files to hand in" in zhou.page.text
    assert "Picture of the sign" in zhou.page.text
    assert (await states(zhou, shop))["Outdoor sign"] == "Waiting for you"


async def test_half_a_body_a_forged_token_and_a_strangers_file_change_nothing(town: Town, shop: str) -> None:
    zhou = await owner(town)
    await zhou.open(f"/cases/{shop}/fix/sign")
    form = zhou.page.filled("提交补正", {})
    texts: list[Any] = [(name, (None, value.encode())) for name, value in form.pairs if name != "file-1"]
    request = zhou.client.build_request(
        "POST", form.action, files=[*texts, ("file-1", ("图.jpg", PICTURE, "image/jpeg"))]
    )
    body = b"".join([piece async for piece in request.stream])
    kind = request.headers["content-type"]
    for cut in (10, 1_000, len(body) - 60, len(body) - 3):
        answer = await zhou.post(form.action, body[:cut], content_type=kind)
        assert answer.status_code == 400, cut
    no_token = [(name, value) for name, value in texts if name != "csrf"]
    forged = await zhou.client.post(
        form.action, files=[*no_token, ("file-1", ("图.jpg", PICTURE, "image/jpeg"))]
    )
    assert forged.status_code == 403
    lin = await town.signed_in("林晓晴")
    other = await lin.client.post(form.action, files=[*texts, ("file-1", ("图.jpg", PICTURE, "image/jpeg"))])
    assert other.status_code == 403  # the token is another session's
    assert await town.owner.fetchval("SELECT count(*) FROM cases.upload") == 0
    assert await town.owner.fetchval("SELECT count(*) FROM cases.content") == 0


async def test_the_picture_is_handed_in_once_and_reaches_the_officials_desk(town: Town, shop: str) -> None:
    zhou = await owner(town)
    await zhou.open(f"/cases/{shop}/fix/sign")
    first = await send(zhou, "提交补正", ("招牌 效果图.jpg", PICTURE, "image/jpeg"))
    again = await send(zhou, "提交补正", ("招牌 效果图.jpg", PICTURE, "image/jpeg"))
    assert (first.status_code, again.status_code) == (303, 303)
    late = await send(zhou, "提交补正", ("另一张.jpg", PICTURE + b"\xff\xd9", "image/jpeg"))
    assert late.status_code == 409
    assert await town.owner.fetchval("SELECT count(*) FROM cases.upload WHERE sent_at IS NOT NULL") == 1
    assert (await states(zhou, shop))["户外招牌设施"] == "审查中"
    officer = await at_desk(town, "蒋鹏")
    await pick_up(officer, SHOP)
    assert "招牌 效果图.jpg" in officer.page.text
    address = officer.page.link("招牌 效果图.jpg")
    answer = await officer.client.get(address)
    assert answer.content == PICTURE
    # Other departments of the same case have no business with it.
    for name in ("华俊", "尤勇"):
        other = await at_desk(town, name)
        refused = await other.client.get(address)
        assert refused.status_code in (403, 404), name
    entries = await town.entries("case.file")
    assert [entry["body"]["actor"]["unit"] for entry in entries] == ["urban"]
    assert (await zhou.client.get(address)).status_code in (302, 303, 403)
