"""锡心办, 城市运行 and 数据中心 in a real browser: axe at every width and theme, keys that only press what is there."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import pytest
from browser import CHROMIUM, Screen, screen_up
from newborn import agree, answers, begin, submit
from town import Town

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
async def number(town: Town) -> str:
    lin = await begin(town, "林晓晴")
    number = await submit(lin, answers())
    for name in ("王启明", "王建国"):
        await agree(town, name, number)
    await town.settle(minutes=1)
    return number


@pytest.fixture(scope="module")
async def screen(town: Town, number: str) -> AsyncIterator[Screen]:
    async with screen_up(town) as up:
        yield up


def pages(number: str) -> dict[str, str]:
    """Every kind of page: path → who looks ('' is nobody)."""
    case = f"/desk/cases/{number}"
    mine = [
        "/desk",
        "/desk/queue/waiting",
        "/desk/queue/mine",
        "/desk/search?q=户口",
        f"{case}?item=household",
    ]
    mine += [f"{case}?item=subsidy", f"{case}/household/fix", f"{case}/household/special", "/centre"]
    found = dict.fromkeys(mine, "周敏") | {"/desk/window": "许蕾", f"{case}?refused": "华俊"}
    return found | dict.fromkeys(
        ("/data", "/data/registers/person", "/data/matters/newborn", "/data/ledger"), ""
    )


@pytest.mark.parametrize(
    ("prefer", "width"), [("plain.light.zh", 1440), ("plain.dark.zh", 390), ("elder.light.en", 320)]
)
async def test_axe_finds_nothing_and_nothing_is_too_wide(
    screen: Screen, number: str, prefer: str, width: int
) -> None:
    wrong: list[str] = []
    for path, who in pages(number).items():
        session = await screen.session(who) if who else ""
        page = await screen.page(session=session, prefer=prefer, width=width, scripts=True)
        answer = await page.goto(screen.base + path)
        assert answer is not None
        assert answer.status < 500, path
        wide = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        wrong += [f"{path}: {one}" for one in await screen.violations(page)]
        wrong += [f"{path}: {wide} px too wide"] if wide > 0 else []
        await page.context.close()
    assert not wrong, f"{prefer} at {width}: {wrong}"


async def test_a_case_is_decided_with_scripts_off(screen: Screen, number: str) -> None:
    page = await screen.page(session=await screen.session("周敏"))
    await page.goto(f"{screen.base}/desk/cases/{number}?item=household")
    assert await page.locator("input:checked").count() == 0
    await page.get_by_text("以户籍登记为准，继续办").click()
    await page.get_by_text("准予：户口登记").click()
    await page.get_by_label("理由（会存档）").fill("以户籍登记为准")
    await page.get_by_role("button", name="确定，下一件").click()
    await page.get_by_role("button", name="撤回这个决定").first.click()
    assert "有 1 处要您判断" in await page.content()
    await page.context.close()


async def test_keys_press_what_is_on_the_page(screen: Screen, number: str) -> None:
    page = await screen.page(session=await screen.session("周敏"), scripts=True)
    await page.goto(f"{screen.base}/desk/queue/waiting")
    await page.keyboard.press("j")
    assert await page.evaluate("document.activeElement.hasAttribute('data-job')")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/desk/cases/**")
    await page.keyboard.press("1")
    assert await page.evaluate("document.querySelector('[name=verdict]:checked').value") == "grant"
    await page.keyboard.press("3")
    assert await page.evaluate("document.querySelector('[name=verdict]:checked').value") == "refuse"
    await page.keyboard.press("/")
    assert await page.evaluate("document.activeElement.id") == "find"
    # Off in text fields: what is typed is typed.
    await page.keyboard.type("j1k?")
    assert await page.input_value("#find") == "/j1k?".lstrip("/")
    await page.locator("#reason").fill("理由还没有写法律依据")
    await page.locator("#reason").press("Control+Enter")
    await page.wait_for_selector("#errsum")
    assert await page.evaluate("document.activeElement.id") == "errsum"
    await page.context.close()


async def test_keys_can_be_turned_off_and_stay_off(screen: Screen, number: str) -> None:
    page = await screen.page(session=await screen.session("周敏"), scripts=True)
    address = f"{screen.base}/desk/cases/{number}?item=household"
    await page.goto(address)
    await page.get_by_role("button", name="关闭快捷键").click()
    await page.goto(address)
    await page.keyboard.press("1")
    assert await page.locator("[name=verdict]:checked").count() == 0
    await page.get_by_role("button", name="打开快捷键").click()
    await page.locator("h1").click()
    await page.keyboard.press("1")
    assert await page.locator("[name=verdict]:checked").count() == 1
    await page.context.close()


async def test_little_is_sent(screen: Screen, town: Town, number: str) -> None:
    """charter 3.10: desk HTML ≤ 40 kB, CSS ≤ 12 kB, JS ≤ 15 kB; data 30, 10, 0; all gzipped."""
    officer = await town.signed_in("周敏")
    limits = {
        f"/desk/cases/{number}?item=household": (40, 12),
        "/centre": (40, 12),
        "/data/matters/newborn": (30, 10),
    }
    for path, (html, css) in limits.items():
        answer = await officer.client.get(path)
        assert len(gzip.compress(answer.content, 6)) <= html * 1024, path
        styles = [part.split('"')[0] for part in answer.text.split('rel="stylesheet" href="')[1:]]
        sent = [await officer.client.get(url.replace("&#x2f;", "/")) for url in styles]
        assert sum(len(gzip.compress(one.content, 9)) for one in sent) <= css * 1024, path
    script = town.app.routes and next(
        (
            p
            for p in (await officer.client.get("/desk")).text.replace("&#x2f;", "/").split('"')
            if "desk." in p and p.endswith(".js")
        ),
        "",
    )
    assert script
    assert len(gzip.compress((await officer.client.get(script)).content, 9)) <= 15 * 1024
