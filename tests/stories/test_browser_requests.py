"""Data requests in a real browser: the desk's pages and the public lists by axe, at three widths, light and dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from served import Seat, Served, seat

pytestmark = pytest.mark.browser

VIEWS = (("plain.light.zh", 1440), ("plain.dark.zh", 390), ("plain.light.en", 320))


def _faults(made: Seat, where: str) -> list[str]:
    wide = [f"{where}: {made.too_wide()} px too wide"] if made.too_wide() > 0 else []
    return [f"{where}: {line}" for line in made.axe()] + wide


@pytest.mark.parametrize(("view", "width"), VIEWS)
def test_pages_of_requests(browser: Browser, served: Served, view: str, width: int) -> None:
    made = seat(browser, served.base, view=view, width=width)
    found: list[str] = []
    for address in ("/data/sharing", "/data/sharing/rights", "/data/sharing/needs"):
        made.open(address)
        found += _faults(made, address)
    made.sign_in("施伟民")
    made.open("/desk/shares")
    found += _faults(made, "the list")
    made.page.locator(".job a").first.click()
    found += _faults(made, "a request")
    made.page.locator("input[value=refuse]").check()
    made.page.locator("button[data-send]").first.click()
    assert made.page.locator("textarea[aria-invalid]").count() == 1
    found += _faults(made, "a refusal without a reason")
    made.context.close()
    assert not found, "\n".join(found)
    assert not made.wrong


def test_the_form_by_axe_with_every_fault(browser: Browser, served: Served) -> None:
    made = seat(browser, served.base, view="plain.light.zh", width=390)
    made.sign_in("唐文娟")
    made.open("/desk/shares")
    made.page.get_by_role("button", name="申请数据").click()
    made.page.get_by_role("button", name="送本部门审核").click()
    assert made.page.locator("#errsum li").count() >= 10
    found = _faults(made, "the form")
    made.context.close()
    assert not found, "\n".join(found)
    assert not made.wrong


@pytest.mark.parametrize(("view", "width"), VIEWS[2:])
def test_the_connection_of_a_department(browser: Browser, served: Served, view: str, width: int) -> None:
    made = seat(browser, served.base, view=view, width=width)
    made.sign_in("唐文娟")
    found: list[str] = []
    for address in ("/desk/connection", "/desk/connection?refused=1"):
        made.open(address)
        assert made.page.locator("h2").count() == 4
        found += _faults(made, address)
    made.open("/desk/shares")
    made.page.locator("form[action='/desk/shares'] button").first.click()
    made.open(made.page.url.removeprefix(served.base).removesuffix("/form") + "/delete")
    found += _faults(made, "before a draft is deleted")
    made.page.locator("main form button").click()
    assert made.page.locator("#sure[aria-invalid]").count() == 1
    found += _faults(made, "not confirmed")
    made.page.locator("#sure").check()
    made.page.locator("main form button").click()
    assert made.page.url.endswith("?gone=1")
    found += _faults(made, "deleted")
    made.context.close()
    assert not found, "\n".join(found)
    assert not made.wrong
