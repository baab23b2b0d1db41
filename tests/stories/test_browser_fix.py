"""The pages of a 补正 with changed answers in every width and view, and without scripts on an old telephone."""

from __future__ import annotations

import pytest
from desk_work import at_desk, pick_up
from looks import VIEWS, look_at, look_here
from newborn import LIN, agree, begin, submit
from playwright.sync_api import Browser, expect
from served import Seat, Served, seat
from town import Town

pytestmark = pytest.mark.browser


async def _asked(town: Town) -> str:
    """Lin's application, with a request to change name and delivery and to bring a paper."""
    lin = await begin(town, "林晓晴")
    number = await submit(lin, LIN)
    for name in ("王启明", "王建国"):
        await agree(town, name, number)
    await town.settle(minutes=1)
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    await officer.follow("告知补正")
    await officer.fill(
        {
            "宝宝叫什么名字": True,
            "证件怎么给您": True,
            "第 1 条要补什么": "姓名申报表",
            "理由": "名字和申报表不一样",
        },
        "一次告知申请人",
    )
    assert officer.page.status == 200
    return number


@pytest.fixture(scope="module")
def number(served: Served) -> str:
    return served.run(_asked(served.town))


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_asked_and_what_is_wrong(look: Seat, number: str) -> None:
    found: list[str] = []
    look.sign_in("林晓晴")
    look_at(look, f"/cases/{number}/fix/household", found)
    look.page.locator("[name='a.given_name']").fill("")
    look.page.locator("[name='a.delivery'][value=other]").check(force=True)
    look.page.locator("button[value=send]").click()
    assert look.page.locator(".errsum li").count() == 2  # the name, and the address that the change leads to
    look_here(look, "fix with errors", found)
    look.page.locator("main details summary").last.click()
    look.page.locator("button[value=give_up]").click()
    assert look.page.locator("#sure-error").count() == 1
    look_here(look, "giving up without being sure", found)
    assert not found, "\n".join(found)


def test_without_scripts_by_keyboard_and_then_side_by_side(
    browser: Browser, served: Served, number: str
) -> None:
    lin = seat(browser, served.base, width=320, scripts=False)
    page = lin.sign_in("林晓晴")
    page.goto(f"{served.base}/cases/{number}/fix/household")
    name = page.get_by_label("宝宝叫什么名字")
    expect(name).to_have_value("沐言")
    name.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("沐妍")
    page.keyboard.press("Enter")  # as good as the button: it sends, and does not give up
    expect(page.get_by_role("heading", level=1)).to_contain_text("王沐妍")
    assert page.url.endswith(f"/cases/{number}")
    page.get_by_role("link", name="看看您补了什么").click()
    expect(page.locator("main")).to_contain_text("原来填的：沐言")
    assert not lin.wrong
    lin.context.close()


@pytest.mark.parametrize("view", VIEWS)
def test_what_was_sent_and_what_the_official_sees(look: Seat, served: Served, number: str) -> None:
    found: list[str] = []
    look.sign_in("林晓晴")
    look_at(look, f"/cases/{number}/fix/household", found)
    look.sign_in("周敏")
    look_at(look, f"/desk/cases/{number}?item=household", found)
    cell = look.page.locator("#fixed").locator("xpath=../..").locator("td")
    assert [cell.nth(i).inner_text() for i in range(2)] == ["沐言", "沐妍"]
    assert not found, "\n".join(found)
