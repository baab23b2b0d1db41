"""锡心办, 城市运行 and 数据中心 in a real browser: every page by axe, work without scripts, keys that press what is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from looks import Cases, look_at, look_here, prepare
from pairs import STEWARD, ask, deliver
from playwright.sync_api import Browser
from served import Seat, Served, seat

pytestmark = pytest.mark.browser

VIEWS = ("plain.light.zh", "plain.dark.zh", "elder.light.en")


@pytest.fixture(scope="module")
def cases(served: Served) -> Cases:
    return served.run(prepare(served.town, "王启明", "王建国"))


@pytest.fixture
def officer(browser: Browser, served: Served, cases: Cases) -> Iterator[Seat]:
    """周敏 of the police, with scripts, before the desk."""
    made = seat(browser, served.base)
    made.sign_in("周敏")
    yield made
    made.context.close()
    assert not made.wrong


@pytest.mark.parametrize("view", VIEWS)
def test_pages_of_the_desk(look: Seat, cases: Cases) -> None:
    look.sign_in("周敏")
    found: list[str] = []
    case = f"/desk/cases/{cases.running}"
    desk = ["/desk", "/desk/queue/waiting", "/desk/queue/mine", "/desk/queue/supervised", "/desk/search?q=出生",
            "/desk/cases/WX20261123999991", f"/desk/cases/{cases.shop}", case, f"{case}?item=household",
            f"{case}?item=subsidy", f"{case}/household/fix", f"{case}/household/special"]  # fmt: skip
    for address in desk:
        look_at(look, address, found)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("view", VIEWS)
def test_pages_of_other_posts(look: Seat, cases: Cases) -> None:
    found: list[str] = []
    look.sign_in("华俊")
    for address in (
        "/desk/queue/cooperating",
        f"/desk/cases/{cases.shop}",
        f"/desk/cases/{cases.shop}/tobacco/refer",
        f"/desk/cases/{cases.running}",
    ):
        look_at(look, address, found)
    look.sign_in("沈博文")
    look_at(look, f"/desk/corrections/{cases.correction}", found)
    look.sign_in("许蕾")
    look_at(look, "/desk/window", found)
    look.page.locator("main form button").last.click()
    look_here(look, "window with errors", found)
    assert not found, "\n".join(found)


def _addresses(look: Seat, start: str, most: int) -> list[str]:
    """Pages of a door that can be reached by links, one address for each kind of page, breadth first."""
    todo, seen, kinds = [start], set[str](), dict[str, str]()
    while todo and len(kinds) < most:
        address = todo.pop(0)
        if address in seen:
            continue
        seen.add(address)
        look.open(address)
        kinds.setdefault(_kind(address), address)
        for node in look.page.locator("a[href^='/']").all():
            found = (node.get_attribute("href") or "").split("#")[0]
            if found and not found.startswith("/-/") and not found.endswith((".json", "/proof")):
                todo.append(found)
    return list(kinds.values())


def _kind(address: str) -> str:
    """Numbers and ids taken out: /cases/WX2026… and another are the same kind of page."""
    path, _, query = address.partition("?")
    names = "&".join(sorted(part.split("=")[0] for part in query.split("&") if part and "case" not in part))
    kind = re.sub(r"/(WX|JC|DZ)?[0-9A-Z.-]{6,}", "/N", path)
    return f"{kind}?{names}"


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("door", "also"),
    [
        ("/centre", ()),
        (
            "/data",
            (
                "/data/registers/person",
                "/data/matters/newborn",
                "/data/sources",
                "/data/sources/hukou",
                "/data/ledger",
            ),
        ),
    ],
)
def test_pages_of_the_other_doors(look: Seat, cases: Cases, door: str, also: tuple[str, ...]) -> None:
    look.sign_in("沈博文")
    found: list[str] = []
    pages = [address for address in _addresses(look, door, most=12) if address.startswith(door)]
    assert pages
    for address in dict.fromkeys((*pages, *also)):
        look_at(look, address, found)
    assert not found, "\n".join(found)


@pytest.fixture(scope="module")
def waiting(served: Served) -> tuple[int, int, int]:
    """A pair that waits, a delivery with rows to correct, one that is held."""
    town = served.town
    return (
        served.run(ask(town)),
        served.run(deliver(town, "hukou", "2026-11-20")),
        served.run(deliver(town, "vehicles", "2026-11-20", held=True)),
    )


@pytest.mark.parametrize("view", VIEWS)
def test_pages_of_the_stewards(look: Seat, waiting: tuple[int, int, int]) -> None:
    pair, published, held = waiting
    look.sign_in(STEWARD)
    found: list[str] = []
    for address in (
        "/data/desk",
        "/data/review",
        f"/data/review/{pair}",
        f"/data/deliveries/{published}/rejected",
        f"/data/deliveries/{held}",
    ):
        look_at(look, address, found)
    look.page.locator("#decide button").click()
    look_here(look, "a decision without reason", found)
    look.open(f"/data/review/{pair}")
    look.page.locator("main label").first.click()
    look.page.locator("main form button").click()
    look_here(look, "two records", found)
    look.page.locator("main form button").click()
    look_here(look, "two records with errors", found)
    assert not found, "\n".join(found)


def test_a_case_is_decided_and_undone_with_scripts_off(
    browser: Browser, served: Served, cases: Cases
) -> None:
    officer = seat(browser, served.base, scripts=False)
    officer.sign_in("周敏")
    page = officer.open(f"/desk/cases/{cases.running}?item=household")
    assert page.locator("input:checked").count() == 0
    page.get_by_text("以户籍登记为准，继续办").click()
    page.get_by_text("准予：户口登记").click()
    page.get_by_label("理由（会存档）").fill("以户籍登记为准")
    page.get_by_role("button", name="确定，下一件").click()
    page.get_by_role("button", name="撤回这个决定").first.click()
    assert "有 1 处要您判断" in page.content()
    assert not officer.wrong
    officer.context.close()


def test_keys_press_what_is_on_the_page(officer: Seat) -> None:
    page = officer.open("/desk/queue/waiting")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.hasAttribute('data-job')")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/cases/**")
    page.keyboard.press("1")
    assert page.evaluate("document.querySelector('[name=verdict]:checked').value") == "grant"
    page.keyboard.press("3")
    assert page.evaluate("document.querySelector('[name=verdict]:checked').value") == "refuse"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    # Off in text fields: what is typed is typed, the search key itself among it.
    page.keyboard.type("j1k?/出生")
    assert page.input_value("#find") == "j1k?/出生"
    page.locator("#reason").fill("理由还没有写法律依据")
    page.locator("#reason").press("Control+Enter")
    page.wait_for_selector("#errsum")
    assert page.evaluate("document.activeElement.id") == "errsum"


def test_keys_can_be_turned_off_and_stay_off(officer: Seat, cases: Cases) -> None:
    address = f"/desk/cases/{cases.running}?item=household"
    page = officer.open(address)
    page.get_by_role("button", name="关闭快捷键").click()
    officer.open(address)
    page.keyboard.press("1")
    assert page.locator("[name=verdict]:checked").count() == 0
    page.get_by_role("button", name="打开快捷键").click()
    page.locator("h1").click()
    page.keyboard.press("1")
    assert page.locator("[name=verdict]:checked").count() == 1
