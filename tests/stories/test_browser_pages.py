"""Every page of every door, in every width and theme: for everybody's eyes, ears and fingers (axe, no sideways scroll)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from desk_work import at_desk, pick_up
from newborn import LIN, agree, answers, begin, submit
from playwright.sync_api import Browser
from served import Seat, Served, seat
from town import Town

pytestmark = pytest.mark.browser

WIDTHS = (1440, 390, 320)
RESIDENT = "陆思琪"


@dataclass(frozen=True)
class Cases:
    """What is there to look at: numbers of cases in different states."""

    running: str
    shop: str
    correction: str


async def _prepare(town: Town) -> Cases:
    """A twin applied for and decided, a restaurant with a fix asked and a refusal, a reported error."""
    lu = await begin(town, RESIDENT)
    await lu.fill({"出生医学证明": "宝宝性别 男"}, "下一步")
    await submit(lu, answers(surname="顾", name="嘉树", household=None, clinic="澄江街道"))
    zhou = await town.signed_in("周立新")
    await zhou.open("/acting?next=/matters/restaurant/apply")
    await zhou.fill({"替谁办": "无锡市梁味坊"}, "就这样办")
    shop_answers: dict[str, str | bool] = {
        "店开在哪里": "就在执照上的地址",
        "主要做什么": "奶茶",
        "店有多少平方米": "60",
        "要在店外挂招牌": "是",
        "店里要卖香烟": "是",
        "我确认信息属实": True,
    }
    shop = await submit(zhou, shop_answers)
    officer = await at_desk(town, "华俊")
    await pick_up(officer, "梁味坊")
    await officer.follow("告知补正")
    await officer.fill(
        {"第 1 条要补什么": "店面照片", "第 1 条为什么": "看不清", "理由": "看不清"}, "一次告知申请人"
    )
    other = await at_desk(town, "蒋鹏")
    await pick_up(other, "梁味坊")
    await other.fill({"决定": "不予", "理由": "招牌遮住了信号灯", "法律依据": "《"}, "确定")
    wang = await begin(town, "王启明")
    await wang.follow("有误？更正联系电话")
    await wang.fill({"应该是什么": "13712340000"}, "提交更正")
    await wang.fill(LIN, "提交") if "提交" in [b.text() for b in wang.page.root.all("button")] else None
    mother = await begin(town, "周婷婷")
    await mother.fill({"宝宝叫什么名字": "子墨"}, "先存着")
    family = await begin(town, "林晓晴")
    number = await submit(family, LIN)
    await agree(town, "王建国", number)
    await town.settle(minutes=11)
    return Cases(number, shop, await town.owner.fetchval("SELECT number FROM cases.correction LIMIT 1"))


@pytest.fixture(scope="module")
def cases(served: Served) -> Cases:
    return served.run(_prepare(served.town))


def _addresses(seat_: Seat, start: str, most: int = 60) -> list[str]:
    """Every page of a door that can be reached by links, one address for each kind of page, breadth first."""
    todo, seen, kinds = [start], set(), {}
    while todo and len(kinds) < most:
        address = todo.pop(0)
        if address in seen:
            continue
        seen.add(address)
        seat_.open(address)
        path = address.split("?")[0].split("#")[0]
        kinds.setdefault(_kind(address), address)
        for node in seat_.page.locator("a[href^='/']").all():
            found = (node.get_attribute("href") or "").split("#")[0]
            if found and not found.startswith("/-/") and not found.endswith((".json", "/proof")) and path:
                todo.append(found)
    return list(kinds.values())


def _kind(address: str) -> str:
    """Numbers and ids taken out: /cases/WX2026… and another are the same kind of page."""
    import re

    path, _, query = address.partition("?")
    names = "&".join(sorted(part.split("=")[0] for part in query.split("&") if part and "case" not in part))
    kind = re.sub(r"/(WX|JC|DZ)?[0-9A-Z.-]{6,}", "/N", path)
    return f"{kind}?{names}"


PUBLIC = ("/", "/search?q=宝宝", "/search?q=qqq", "/matters", "/matters/newborn", "/matters/restaurant", "/help",
          "/accessibility", "/how-to-tell", "/sign-in", "/no-such-page", "/-/patterns")  # fmt: skip
MINE = ("/", "/matters/newborn/apply", "/cases", "/me", "/me/data", "/me/data?kind=refused", "/me/data/correct",
        "/me/documents", "/acting", "/sign-out")  # fmt: skip


def _mine(cases: Cases, look: Seat) -> list[str]:
    """Pages of a resident with a case that runs."""
    number = cases.running
    found = [f"/cases/{number}", f"/cases/{number}/receipt", f"/cases/{number}/withdraw"]
    look.open("/me/documents")
    found += [look.page.locator("main a[href^='/me/documents/']").first.get_attribute("href") or ""]
    look.open("/me/data/correct")
    found += [look.page.locator("main a[href*='entry=']").first.get_attribute("href") or ""]
    return [*MINE, *found]


def _look(look: Seat, address: str, found: list[str]) -> None:
    """One page in all widths."""
    for width in WIDTHS:
        look.page.set_viewport_size({"width": width, "height": 900})
        if width == WIDTHS[0]:
            look.open(address)
        _check(look, address, width, found)


def _check(look: Seat, name: str, width: int, found: list[str]) -> None:
    found += [f"{name} at {width}: {line}" for line in look.axe()]
    if look.too_wide() > 0:
        found.append(f"{name} at {width}: {look.too_wide()} px too wide")


THEMES = {"light": "plain.light.zh", "dark": "plain.dark.zh", "elder": "elder.light.zh"}


@pytest.fixture(params=list(THEMES))
def theme(request: pytest.FixtureRequest) -> str:
    return THEMES[request.param]


@pytest.fixture
def look(browser: Browser, served: Served, theme: str) -> Iterator[Seat]:
    """A window in the theme of this test."""
    made = seat(browser, served.base, view=theme)
    yield made
    made.context.close()
    assert not made.wrong


def test_pages_that_everybody_may_see(look: Seat) -> None:
    found: list[str] = []
    for address in PUBLIC:
        _look(look, address, found)
    assert not found, "\n".join(found)


def test_pages_of_a_resident(look: Seat, cases: Cases) -> None:
    look.sign_in("林晓晴")
    found: list[str] = []
    for address in _mine(cases, look):
        _look(look, address, found)
    assert not found, "\n".join(found)


def test_pages_with_errors_and_requests(look: Seat, cases: Cases) -> None:
    """The form with everything missing, a saved form, a consent, a fix, a choice of children, a refusal."""
    found: list[str] = []
    look.sign_in("周婷婷")
    look.open("/matters/newborn/apply")
    if look.page.locator("button[value=submit]").count():
        look.page.locator("button[value=submit]").click()
    else:
        look.page.locator("button[value=next]").click()
        look.page.locator("button[value=next]").click()
    _shown(look, "form with errors", found)
    look.page.locator("button[value=save]").click()
    _shown(look, "saved", found)
    look.sign_in("王启明")
    _look(look, f"/cases/{cases.running}/consents/other_parent", found)
    look.sign_in("周立新")
    look.open(f"/acting?next=/cases/{cases.shop}")
    look.page.get_by_text("梁味坊").first.click()
    look.page.get_by_role("button", name="就这样办").click()
    for address in (f"/cases/{cases.shop}", f"/cases/{cases.shop}/fix/tobacco"):
        _look(look, address, found)
    assert not found, "\n".join(found)


def _shown(look: Seat, name: str, found: list[str]) -> None:
    """The page that stands there (an answer to a form), in all widths."""
    for width in WIDTHS:
        look.page.set_viewport_size({"width": width, "height": 900})
        _check(look, name, width, found)
    look.page.set_viewport_size({"width": WIDTHS[0], "height": 900})


@pytest.mark.parametrize("theme", ["plain.light.zh", "plain.dark.zh"], ids=["light", "dark"])
def test_pages_of_the_desk(look: Seat, cases: Cases) -> None:
    look.sign_in("周敏")
    found: list[str] = []
    number = cases.running
    desk = ["/desk", "/desk/queue/waiting", "/desk/queue/mine", "/desk/queue/supervised", "/desk/search?q=出生",
            "/desk/cases/WX20261123999991"]  # fmt: skip
    desk += [f"/desk/cases/{cases.shop}", f"/desk/cases/{number}"]
    for address in desk:
        _look(look, address, found)
    look.sign_in("华俊")
    look.open(f"/desk/cases/{cases.shop}")
    for name in ("/desk/queue/cooperating", f"/desk/cases/{cases.shop}/tobacco/refer"):
        _look(look, name, found)
    look.sign_in("沈博文")
    _look(look, f"/desk/corrections/{cases.correction}", found)
    look.sign_in("许蕾")
    _look(look, "/desk/window", found)
    look.page.get_by_role("button", name="核对，开始办").click()
    _shown(look, "window with errors", found)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("theme", ["plain.light.zh", "plain.dark.zh"], ids=["light", "dark"])
@pytest.mark.parametrize("door", ["/centre", "/data"])
def test_pages_of_the_other_doors(look: Seat, cases: Cases, door: str) -> None:
    look.sign_in("沈博文")
    found: list[str] = []
    for address in _addresses(look, door, most=12):
        if address.startswith(door):
            _look(look, address, found)
    assert not found, "\n".join(found)
