"""督办 and what it leaves on the desk, in a real browser: by axe, at three widths, with the keyboard alone."""

from __future__ import annotations

from typing import Any

import pytest
from newborn import LIN, agree, begin, submit
from playwright.sync_api import Browser
from served import Seat, Served, seat

pytestmark = pytest.mark.browser

REASON = "群众来电催办，请今天办结"
VIEWS = (
    ("plain.light.zh", 1440),
    ("plain.dark.zh", 1440),
    ("plain.light.zh", 390),
    ("elder.light.en", 320),
)


async def _late(town: Any) -> str:
    lin = await begin(town, "林晓晴")
    number = await submit(lin, LIN)
    for name in ("王启明", "王建国"):
        await agree(town, name, number)
    await town.settle(minutes=1)
    await town.settle(days=6)
    return number


@pytest.fixture(scope="module")
def late(served: Served) -> str:
    """A case whose household registration is over its promise."""
    return str(served.run(_late(served.town)))


def _checked(made: Seat, addresses: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for address in addresses:
        made.open(address)
        found += [f"{address}: {line}" for line in made.axe()]
        if made.too_wide() > 0:
            found.append(f"{address}: {made.too_wide()} px too wide")
    return found


@pytest.mark.parametrize(("view", "width"), VIEWS)
def test_pages_of_whoever_supervises(
    browser: Browser, served: Served, late: str, view: str, width: int
) -> None:
    made = seat(browser, served.base, view=view, width=width)
    made.sign_in("曹刚")
    found = _checked(made, ("/desk", "/desk/queue/supervised", f"/desk/supervised/{late}", "/centre"))
    made.open(f"/desk/supervised/{late}")
    made.page.locator("button[data-send]").first.click()
    found += [f"with an error: {line}" for line in made.axe()]
    assert made.page.locator("textarea[aria-invalid]").count() == 1
    made.context.close()
    assert not found, "\n".join(found)
    assert not made.wrong


def test_pressing_with_the_keyboard_alone(browser: Browser, served: Served, late: str) -> None:
    made = seat(browser, served.base)
    made.sign_in("曹刚")
    page = made.open("/desk/queue/supervised")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/supervised/{late}")
    # In the search field Ctrl+Enter is no decision about anything.
    page.keyboard.press("/")
    page.keyboard.type("户口")
    page.keyboard.press("Control+Enter")
    assert page.url.endswith(f"/desk/supervised/{late}")
    assert page.locator("#errsum").count() == 0
    page.locator("textarea").first.focus()
    page.keyboard.type(REASON)
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**pressed=1")
    assert page.get_by_role("status").count() == 1
    made.context.close()

    officer = seat(browser, served.base)
    officer.sign_in("周敏")
    page = officer.open("/desk/queue/waiting")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/cases/{late}**")
    assert page.get_by_text(REASON).first.is_visible()
    assert not officer.axe()
    # The first key chooses, nothing was chosen before; without the judgement the error is what one stands on.
    assert page.locator("input[type=radio]:checked").count() == 0
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    page.locator("#errsum").wait_for()
    assert page.evaluate("document.activeElement.id") == "errsum"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.name").startswith("choice_")
    page.keyboard.press("Space")
    page.keyboard.press("Control+Enter")
    page.wait_for_load_state()
    page.get_by_role("status").wait_for()
    officer.context.close()
    assert not officer.wrong
