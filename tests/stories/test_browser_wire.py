"""What goes over the wire: the first view's weight, nothing from elsewhere, no broken content rule, a script that may be missing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from served import Served, seat

pytestmark = pytest.mark.browser

FIRST_VIEW = 40 * 1024
PAGES = ("/", "/matters", "/matters/newborn", "/matters/newborn/apply", "/me/data", "/cases", "/help")


def weigh(browser: Browser, served: Served, name: str, address: str) -> dict[str, int]:
    """Bytes on the wire by file for a first visit with an empty cache: headers and all."""
    someone = seat(browser, served.base)
    if name:
        someone.sign_in(name)
    network = someone.context.new_cdp_session(someone.page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    names: dict[str, str] = {}
    weight: dict[str, int] = {}
    network.on(
        "Network.responseReceived", lambda event: names.update({event["requestId"]: event["response"]["url"]})
    )
    network.on(
        "Network.loadingFinished",
        lambda event: weight.update({names.get(event["requestId"], "?"): int(event["encodedDataLength"])}),
    )
    someone.open(address)
    someone.page.wait_for_load_state("networkidle")
    assert not someone.wrong
    someone.context.close()
    return weight


@pytest.mark.parametrize("address", PAGES)
def test_the_first_view_of_a_resident_is_light(browser: Browser, served: Served, address: str) -> None:
    weight = weigh(browser, served, "林晓晴", address)
    assert len(weight) >= 2, weight  # the page and its style sheet at least: otherwise nothing was measured
    assert sum(weight.values()) <= FIRST_VIEW, weight


@pytest.mark.parametrize("address", ["/desk", "/desk/queue/waiting", "/desk/search"])
def test_the_first_view_of_an_official_is_light(browser: Browser, served: Served, address: str) -> None:
    weight = weigh(browser, served, "周敏", address)
    assert len(weight) >= 2, weight
    assert sum(weight.values()) <= FIRST_VIEW, weight


@pytest.mark.parametrize("address", ["/centre", "/data"])
def test_the_other_doors_are_light(browser: Browser, served: Served, address: str) -> None:
    weight = weigh(browser, served, "沈博文", address)
    assert sum(weight.values()) <= FIRST_VIEW, weight


def test_residents_pages_have_no_script_at_all(browser: Browser, served: Served) -> None:
    someone = seat(browser, served.base)
    someone.sign_in("林晓晴")
    for address in PAGES:
        someone.open(address)
        assert someone.page.locator("script").count() == 0, address
        assert someone.page.locator("[style]").count() == 0, address
        handlers = someone.page.evaluate(
            "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))"
        )
        assert handlers == [], address
    assert not someone.wrong
    someone.context.close()


def test_the_desks_keys_work_and_can_be_done_without(browser: Browser, served: Served) -> None:
    """/ goes to the search field; in a field the same key is a letter."""
    officer = seat(browser, served.base)
    page = officer.sign_in("周敏")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.type("/出生")
    assert page.locator("#find").input_value() == "/出生"
    assert not officer.wrong
    officer.context.close()


def test_a_visitor_sends_no_cookie_that_was_not_needed(browser: Browser, served: Served) -> None:
    visitor = seat(browser, served.base)
    visitor.context.clear_cookies()
    visitor.open("/matters")
    assert visitor.context.cookies() == []
    visitor.open("/sign-in")
    found = visitor.context.cookies()
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Lax" for cookie in found), found
    visitor.context.close()
