"""灵锡 in a real browser: nothing needs scripts, the keyboard is enough, axe finds nothing, little is sent."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from browser import CHROMIUM, Screen, screen_up
from newborn import answers, begin, submit
from town import Town

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
async def screen(town: Town) -> AsyncIterator[Screen]:
    async with screen_up(town) as up:
        yield up


@pytest.fixture(scope="module")
async def case(town: Town) -> str:
    """Lin's case, submitted, so that there is something to look at."""
    lin = await begin(town, "林晓晴")
    number = await submit(lin, answers())
    await town.settle()
    return number


def paths(case: str) -> dict[str, str]:
    """Every kind of page: path → who looks ('' is nobody)."""
    mine = [
        "/",
        "/cases",
        f"/cases/{case}",
        f"/cases/{case}/receipt",
        f"/cases/{case}/withdraw",
        "/me",
        "/me/data",
    ]
    mine += ["/me/data/correct", "/me/documents", "/acting", "/sign-out"]
    found = dict.fromkeys(mine, "林晓晴")
    found |= {f"/cases/{case}/consents/other_parent": "王启明", "/matters/newborn/apply": "许曼"}
    found |= {"/matters/senior/apply": "赵玉珍", f"/cases/{case}?other": "许曼"}
    anybody = ["/search?q=宝宝", "/search?q=xyzzy", "/matters", "/matters/newborn", "/help", "/accessibility"]
    anybody += ["/how-to-tell", "/check?number=x&code=y", "/sign-in", "/no-such-page", "/-/patterns"]
    return found | dict.fromkeys(anybody, "")


async def check(screen: Screen, case: str, prefer: str, width: int) -> None:
    sessions = {name: await screen.session(name) for name in ("林晓晴", "王启明", "许曼", "赵玉珍")}
    sessions[""] = ""
    wrong: list[str] = []
    for path, who in paths(case).items():
        page = await screen.page(session=sessions[who], prefer=prefer, width=width, scripts=True)
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


@pytest.mark.parametrize(
    ("prefer", "width"), [("plain.light.zh", 1440), ("elder.light.zh", 390), ("plain.dark.zh", 320)]
)
async def test_axe_finds_nothing(screen: Screen, case: str, prefer: str, width: int) -> None:
    await check(screen, case, prefer, width)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1440, 390, 320])
@pytest.mark.parametrize(
    "prefer", ["plain.light.zh", "plain.dark.zh", "elder.light.zh", "elder.dark.zh", "plain.light.en"]
)
async def test_axe_finds_nothing_at_any_width_in_any_view(
    screen: Screen, case: str, prefer: str, width: int
) -> None:
    await check(screen, case, prefer, width)


async def test_the_form_is_answered_and_submitted_by_keyboard_alone(screen: Screen) -> None:
    page = await screen.page(session=await screen.session("许曼"))
    await page.goto(f"{screen.base}/matters/newborn/apply")
    await page.keyboard.press("Tab")
    assert await page.locator(":focus").inner_text() == "跳到主要内容"
    await page.keyboard.press("Enter")
    for _ in range(120):
        await page.keyboard.press("Tab")
        focus = page.locator(":focus")
        name = await focus.get_attribute("name") or ""
        kind = await focus.get_attribute("type") or ""
        if name == "a.given_name":
            await page.keyboard.type("安然")
        elif kind in ("radio", "checkbox"):
            await page.keyboard.press("Space")
        elif name == "do":
            await page.keyboard.press("Enter")
            break
    await page.wait_for_url(re.compile(r"/cases/WX\d+/receipt"))
    assert await page.locator("h1").inner_text() == "提交好了"
    await page.context.close()


async def test_the_first_error_is_one_key_away(screen: Screen) -> None:
    page = await screen.page(session=await screen.session("周婷婷"))
    await page.goto(f"{screen.base}/matters/newborn/apply")
    await page.locator("button[value=submit]").click()
    summary = page.locator(".errsum")
    assert await summary.get_attribute("role") == "alert"
    first = summary.locator("a").first
    said = await first.inner_text()
    await first.click()
    target = (await first.get_attribute("href") or "").removeprefix("#")
    assert await page.locator(f"[id='{target}']").count() == 1
    assert said in await page.locator("form").inner_text()
    assert (await page.title()).startswith("错误")
    await page.context.close()


async def test_little_is_sent_and_nothing_from_elsewhere(screen: Screen) -> None:
    page = await screen.page(session=await screen.session("林晓晴"), scripts=False)
    client = await page.context.new_cdp_session(page)
    await client.send("Network.enable")
    sizes: list[int] = []
    hosts: set[str] = set()
    client.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    client.on(
        "Network.requestWillBeSent", lambda event: hosts.add(event["request"]["url"].split("/")[2] or "data")
    )
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text))
    for path in ("/", "/matters/newborn"):
        sizes.clear()
        await page.goto(screen.base + path, wait_until="networkidle")
        assert sum(sizes) <= 40_000, (path, sizes)
    assert {host for host in hosts if not host.startswith("image")} == {screen.base.split("/")[2]}
    assert not [text for text in blocked if "Content Security Policy" in text]
    await page.context.close()


async def test_the_focus_can_be_seen(screen: Screen) -> None:
    page = await screen.page(scripts=True)
    await page.goto(screen.base)
    for _ in range(6):
        await page.keyboard.press("Tab")
        width = await page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        shadow = await page.evaluate("getComputedStyle(document.activeElement.parentElement).boxShadow")
        assert width == "3px" or shadow != "none"
    await page.context.close()
