"""Orders of sealed reads, where a resource at a node can be reached, and finding open data: in a real browser, by axe, at three widths."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Browser
from served import Seat, Served, seat

from dizuo.foundation.kernel.clock_source import SHANGHAI

pytestmark = pytest.mark.browser

VIEWS = (("plain.dark.zh", 390),)
WIDTHS = (1440, 320, 390)


def _faults(made: Seat, where: str) -> list[str]:
    """Axe once, and whether the page fits at each width."""
    found = [f"{where}: {line}" for line in made.axe()]
    for width in WIDTHS:
        made.page.set_viewport_size({"width": width, "height": 900})
        if made.too_wide() > 0:
            found.append(f"{where} at {width}: {made.too_wide()} px too wide")
    return found


@pytest.mark.parametrize(("view", "width"), VIEWS)
def test_an_order_to_read_sealed(browser: Browser, served: Served, view: str, width: int) -> None:
    officer, head = (seat(browser, served.base, view=view, width=width) for _ in range(2))
    found: list[str] = []
    officer.sign_in("戴宏伟")
    officer.open("/data/seals")
    page, number = officer.page, f"演示〔2026〕{width}"
    page.locator("form.narrow .btn").last.click()
    assert page.locator("#errsum li").count()
    found += _faults(officer, "the form with its faults")
    page.locator("[name=number]").fill(number)
    page.locator("[name=scheme][value=citizen_id]").check()
    page.locator("[name=whom]").fill("320203196201011032")
    page.locator("[name=fields]").first.check()
    page.locator("[name=opens_on]").last.fill(
        (dt.datetime.now(SHANGHAI).date() + dt.timedelta(20)).isoformat()
    )
    page.locator("textarea[name=why]").last.fill("演示：侦查需要，告知会妨碍")
    page.locator("form.narrow .btn").last.click()
    order = page.url.removeprefix(served.base)
    assert order.startswith("/data/seals/orders/")
    found += _faults(officer, "an order that waits")
    head.sign_in("孔令勇")
    head.open(order)
    found += _faults(head, "an order to decide")
    head.page.locator("[name=state][value=approve]").check()
    head.page.locator("form.narrow .btn").first.click()
    officer.open(order)
    found += _faults(officer, "an order to read on")
    officer.page.locator("form.narrow .btn").first.click()
    found += _faults(officer, "what was read")
    head.open("/data/seals")
    found += _faults(head, "the list of whoever approves")
    for made in (officer, head):
        made.context.close()
        assert not made.wrong
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("view", "width"), VIEWS)
def test_finding_open_data(browser: Browser, served: Served, view: str, width: int) -> None:
    made = seat(browser, served.base, view=view, width=width)
    found: list[str] = []
    for address in ("/open", "/open?q=人口", "/open?q=没有这样的东西", "/data/audit"):
        made.open(address)
        found += _faults(made, address)
    made.context.close()
    assert not found, "\n".join(found)
    assert not made.wrong
