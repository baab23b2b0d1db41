"""差评回访 in a real browser: by axe, at three widths, and with the keyboard alone."""

from __future__ import annotations

from typing import Any

import pytest
from newborn import LIN, begin, submit
from playwright.sync_api import Browser
from served import Served, seat

pytestmark = pytest.mark.browser

VIEWS = (
    ("plain.light.zh", 1440),
    ("plain.dark.zh", 390),
    ("elder.light.en", 320),
)


async def _rated(town: Any) -> str:
    lin = await begin(town, "林晓晴")
    number = await submit(lin, LIN)
    await lin.open(f"/cases/{number}/withdraw")
    await lin.fill({"撤回哪些": "全部还没决定的"}, "确认撤回")
    await lin.open(f"/cases/{number}")
    await lin.fill({"请您评价": "不满意", "想说点什么": "等了一上午没有人叫号"}, "提交评价")
    return number


@pytest.fixture(scope="module")
def rated(served: Served) -> str:
    """A case that was rated with two stars."""
    return str(served.run(_rated(served.town)))


@pytest.mark.parametrize(("view", "width"), VIEWS)
def test_pages_of_a_bad_rating(browser: Browser, served: Served, rated: str, view: str, width: int) -> None:
    found: list[str] = []
    for who, addresses in (
        ("曹刚", ("/desk", "/desk/ratings", f"/desk/ratings/{rated}")),
        ("林晓晴", (f"/cases/{rated}",)),
    ):
        made = seat(browser, served.base, view=view, width=width)
        made.sign_in(who)
        for address in addresses:
            made.open(address)
            found += [f"{address}: {line}" for line in made.axe()]
            if made.too_wide() > 0:
                found.append(f"{address}: {made.too_wide()} px too wide")
        if who == "曹刚":
            made.page.locator("button[data-send]").click()
            made.page.locator("#errsum").wait_for()
            found += [f"with an error: {line}" for line in made.axe()]
        found += made.wrong
        made.context.close()
    assert not found, "\n".join(found)


def test_contacting_with_the_keyboard_alone(browser: Browser, served: Served, rated: str) -> None:
    made = seat(browser, served.base)
    made.sign_in("曹刚")
    page = made.open("/desk/ratings")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/ratings/{rated}")
    assert page.locator("input[type=radio]:checked").count() == 0
    page.locator("input[name=choice]").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("电话里问清楚了，当天少开了一个窗口")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**done=1")
    page.get_by_role("status").wait_for()
    assert page.get_by_text("核实中").first.is_visible()
    made.context.close()
    assert not made.wrong


def test_the_page_of_the_department_that_mends(browser: Browser, served: Served, rated: str) -> None:
    """After the contact above: found valid, and on the desk of the department's head."""
    made = seat(browser, served.base, width=390)
    made.sign_in("曹刚")
    page = made.open(f"/desk/ratings/{rated}")
    page.get_by_label("有效差评").check()
    page.get_by_label("市公安局").check()
    page.get_by_label("情况").fill("属实，要整改")
    page.locator("button[data-send]").click()
    page.wait_for_url("**done=1")
    made.context.close()
    head = seat(browser, served.base, width=320, view="elder.light.zh")
    head.sign_in("施伟民")
    page = head.open("/desk/queue/waiting")
    page.get_by_role("link", name="整改：“新生儿出生一件事”").click()
    page.wait_for_url("**/desk/mends/**")
    assert not head.axe()
    assert head.too_wide() <= 0
    page.locator("button[data-send]").click()
    page.locator("#errsum").wait_for()
    assert not head.axe()
    head.context.close()
    assert not made.wrong
    assert not head.wrong
