"""What goes over the wire: the first view's weight, nothing from elsewhere, no broken content rule, a script that may be missing."""

from __future__ import annotations

import pytest
from newborn import LIN, agree, begin, submit
from playwright.sync_api import Browser
from served import Served, seat
from town import Town

pytestmark = pytest.mark.browser

FIRST_VIEW = 40_000
KIB = 1024
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


async def _wang(town: Town) -> str:
    lin = await begin(town, "林晓晴")
    number = await submit(lin, LIN)
    for name in ("王启明", "王建国"):
        await agree(town, name, number)
    await town.settle(minutes=1)
    return number


@pytest.fixture(scope="module")
def number(served: Served) -> str:
    """A newborn's case that waits for the police."""
    return served.run(_wang(served.town))


def test_each_part_of_a_desk_page_is_light(browser: Browser, served: Served, number: str) -> None:
    """Charter 3.10, on the wire: of an office's page 40 kB, its styles 12, its script 15; of open data 30, 10 and none."""
    limits = {
        f"/desk/cases/{number}?item=household": (40, 12, 15),
        "/centre": (40, 12, 15),
        "/data/matters/newborn": (30, 10, 0),
    }
    for address, limit in limits.items():
        weight = weigh(browser, served, "周敏", address)
        parts = {kind: sum(n for url, n in weight.items() if url.endswith(kind)) for kind in (".css", ".js")}
        page = weight[served.base + address]
        assert parts[".css"] > 0, weight
        assert (parts[".js"] > 0) == address.startswith("/desk"), weight
        assert page <= limit[0] * KIB, weight
        assert parts[".css"] <= limit[1] * KIB, weight
        assert parts[".js"] <= limit[2] * KIB, weight


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


def test_a_visitor_sends_no_cookie_that_was_not_needed(browser: Browser, served: Served) -> None:
    visitor = seat(browser, served.base)
    visitor.context.clear_cookies()
    visitor.open("/matters")
    assert visitor.context.cookies() == []
    visitor.open("/sign-in")
    found = visitor.context.cookies()
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Lax" for cookie in found), found
    visitor.context.close()
