"""Residents' pages in every width and view: for everybody's eyes, ears and fingers (axe, no sideways scroll)."""

from __future__ import annotations

import pytest
from looks import VIEWS, Cases, look_at, look_here, prepare
from served import Seat, Served

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("view", VIEWS)]

PUBLIC = ("/", "/search?q=宝宝", "/search?q=qqq", "/matters", "/matters/newborn", "/matters/restaurant", "/help",
          "/accessibility", "/how-to-tell", "/check?number=x&code=y", "/sign-in", "/no-such-page",
          "/-/patterns")  # fmt: skip
MINE = ("/", "/matters/newborn/apply", "/cases", "/me", "/me/data", "/me/data?kind=refused", "/me/data/correct",
        "/me/documents", "/acting", "/sign-out")  # fmt: skip


@pytest.fixture(scope="module")
def cases(served: Served) -> Cases:
    return served.run(prepare(served.town, "王建国"))


def _mine(cases: Cases, look: Seat) -> list[str]:
    """Pages of a resident with a case that runs."""
    number = cases.running
    found = [f"/cases/{number}", f"/cases/{number}/receipt", f"/cases/{number}/withdraw"]
    look.open("/me/documents")
    found += [look.page.locator("main a[href^='/me/documents/']").first.get_attribute("href") or ""]
    look.open("/me/data/correct")
    found += [look.page.locator("main a[href*='entry=']").first.get_attribute("href") or ""]
    return [*MINE, *found]


def test_pages_that_everybody_may_see(look: Seat) -> None:
    found: list[str] = []
    for address in PUBLIC:
        look_at(look, address, found)
    assert not found, "\n".join(found)


def test_pages_of_a_resident(look: Seat, cases: Cases) -> None:
    look.sign_in("林晓晴")
    found: list[str] = []
    for address in _mine(cases, look):
        look_at(look, address, found)
    assert not found, "\n".join(found)


def test_pages_of_other_residents(look: Seat, cases: Cases) -> None:
    """A form with one parent, a form of an old person, a case of another family, a consent that is asked for."""
    found: list[str] = []
    for who, address in (
        ("许曼", "/matters/newborn/apply"),
        ("许曼", f"/cases/{cases.running}"),
        ("赵玉珍", "/matters/senior/apply"),
        ("王启明", f"/cases/{cases.running}/consents/other_parent"),
    ):
        look.sign_in(who)
        look_at(look, address, found)
    assert not found, "\n".join(found)


def test_pages_with_errors_and_requests(look: Seat, cases: Cases) -> None:
    """The form with everything missing, a saved form, a choice of whom to act for, a fix, a refusal."""
    found: list[str] = []
    look.sign_in("周婷婷")
    look.open("/matters/newborn/apply")
    if look.page.locator("button[value=submit]").count():
        look.page.locator("button[value=submit]").click()
    else:
        look.page.locator("button[value=next]").click()
        look.page.locator("button[value=next]").click()
    assert look.page.locator(".errsum").count() == 1
    look_here(look, "form with errors", found)
    look.page.locator("button[value=save]").click()
    look_here(look, "saved", found)
    look.sign_in("周立新")
    look.open(f"/acting?next=/cases/{cases.shop}")
    look.page.get_by_text("梁味坊").first.click()
    look.page.locator("main form button").last.click()
    for address in (f"/cases/{cases.shop}", f"/cases/{cases.shop}/fix/tobacco"):
        look_at(look, address, found)
    assert not found, "\n".join(found)
