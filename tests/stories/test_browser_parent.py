"""The newborn's whole way in a real browser: without scripts, and with nothing but a keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from served import Served, seat

pytestmark = pytest.mark.browser


def answer(page: Page, legend: str, option: str) -> None:
    """Choose an option of the group that asks so, by clicking its words."""
    group = page.get_by_role("group", name=re.compile(legend)).or_(
        page.get_by_role("radiogroup", name=re.compile(legend))
    )
    group.last.get_by_text(option, exact=False).first.click()


def number_of(page: Page) -> str:
    return page.locator(".big-no").inner_text().strip()


def consents(browser: Browser, served: Served, name: str) -> None:
    one = seat(browser, served.base, scripts=False)
    one.sign_in(name)
    one.page.get_by_role("link", name=re.compile("请您确认")).first.click()
    one.page.get_by_text("我同意", exact=True).click()
    one.page.get_by_role("button", name="提交答复").click()
    expect(one.page.get_by_text("您已经同意了")).to_be_visible()
    assert not one.wrong
    one.context.close()


def test_the_whole_way_without_scripts(browser: Browser, served: Served) -> None:
    lin = seat(browser, served.base, scripts=False, width=390)
    page = lin.sign_in("林晓晴")
    page.get_by_role("link", name="开始确认").click()
    page.get_by_role("button", name=re.compile("^提交 ")).click()
    expect(page.get_by_role("alert")).to_contain_text("处要改一下")
    # The summary's links lead to the fields.
    page.get_by_role("alert").get_by_role("link").first.click()
    assert "#q-" in page.url
    answer(page, "宝宝姓什么", "王")
    page.get_by_label("宝宝叫什么名字").fill("沐言")
    answer(page, "户口落在谁那里", "跟爸爸")
    answer(page, "在哪里打预防针", "崇安寺街道社区卫生服务中心")
    answer(page, "证件怎么给您", "寄到家")
    page.get_by_label(re.compile("我确认信息属实")).check()
    page.get_by_role("button", name=re.compile("^提交 ")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("提交好了")
    number = number_of(page)
    consents(browser, served, "王启明")
    consents(browser, served, "王建国")
    served.run(served.town.settle(minutes=1))

    officer = seat(browser, served.base, scripts=False)
    desk = officer.sign_in("周敏")
    desk.get_by_role("link", name=re.compile("待我办")).first.click()
    desk.get_by_role("link", name=re.compile("王沐言")).first.click()
    expect(desk.locator("mark").first).to_have_text("402")
    desk.get_by_text("以户籍登记为准，继续办").click()
    desk.get_by_text(re.compile("^准予：")).first.click()
    desk.get_by_label("理由（会存档）").fill("以户籍登记为准")
    desk.get_by_role("button", name="确定，下一件").click()
    expect(desk.get_by_role("status")).to_contain_text("10 分钟内可以撤回")
    served.run(served.town.settle(minutes=11))
    desk.get_by_role("link", name=re.compile("待我办")).first.click()

    lin.open("/me")
    page.get_by_role("link", name=re.compile("我的证件")).click()
    page.get_by_role("link", name="户口簿内页").click()
    expect(page.get_by_role("main")).to_contain_text("王沐言")
    lin.open(f"/cases/{number}")
    expect(page.get_by_role("main")).to_contain_text("户口登记")
    assert not lin.wrong
    assert not officer.wrong
    lin.context.close()
    officer.context.close()


# What the focused element is called, and whether it or what stands around it looks different for being focused.
_FOCUSED = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return ['', true];
  const own = e.labels && e.labels.length ? e.labels[0].innerText : '';
  const group = e.closest('fieldset');
  const legend = group && group.querySelector('legend');
  const title = legend ? legend.innerText : '';
  const faces = [e, e.nextElementSibling, e.parentElement].filter(Boolean);
  const looks = () => faces.map(f => { const s = getComputedStyle(f); return s.outline + s.boxShadow; }).join();
  const focused = looks();
  e.blur();
  const plain = looks();
  e.focus({focusVisible: true, preventScroll: true});
  return [[own, title, e.innerText || '', e.getAttribute('aria-label') || ''].join('|'), focused !== plain];
}"""


class Keys:
    """Somebody who has nothing but a keyboard."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def to(self, words: str, most: int = 120) -> None:
        """Press Tab until the focus is on what says so; the focus is visible all the way."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            found = self.page.evaluate(_FOCUSED)
            text, seen = found
            assert seen, f"the focus cannot be seen on {text!r}"
            if words in text:
                return
        raise AssertionError(f"Tab never came to {words!r}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def go(self) -> None:
        """Press Enter and wait for the page that comes."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def write(self, text: str) -> None:
        self.page.keyboard.insert_text(text)


def test_with_nothing_but_a_keyboard(browser: Browser, served: Served) -> None:
    xu = seat(browser, served.base, scripts=False)
    xu.open("/")
    keys = Keys(xu.page)
    keys.to("跳到主要内容", 1)
    keys.to("登录")
    keys.go()
    keys.to("许曼")
    keys.go()
    keys.to("开始确认")
    keys.go()
    keys.to("跳到主要内容", 1)
    keys.press("Enter")
    # A radio group without a choice is entered by Tab and chosen by Space; an arrow moves on.
    keys.to("宝宝叫什么名字")
    keys.write("安然")
    keys.to("在哪里打预防针")
    keys.press("Space", "ArrowDown", "ArrowUp")
    keys.to("证件怎么给您")
    keys.press("Space")
    keys.to("我确认信息属实")
    keys.press("Space")
    keys.to("提交 8 项申请")
    keys.go()
    expect(xu.page).to_have_url(re.compile(r"/cases/WX\d+/receipt"))
    expect(xu.page.get_by_role("heading", level=1)).to_contain_text("提交好了")
    assert not xu.wrong
    xu.context.close()


def test_the_focus_ring_is_wide(browser: Browser, served: Served) -> None:
    """Three pixels around what has the focus, or a shadow around the field that it stands in."""
    someone = seat(browser, served.base)
    page = someone.open("/")
    for _ in range(6):
        page.keyboard.press("Tab")
        width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        shadow = page.evaluate("getComputedStyle(document.activeElement.parentElement).boxShadow")
        assert width == "3px" or shadow != "none"
    someone.context.close()


def test_the_first_error_is_one_key_away(browser: Browser, served: Served) -> None:
    zhou = seat(browser, served.base, scripts=False)
    zhou.sign_in("周婷婷")
    page = zhou.open("/matters/newborn/apply")
    page.locator("button[value=submit]").click()
    summary = page.locator(".errsum")
    assert summary.get_attribute("role") == "alert"
    first = summary.locator("a").first
    said = first.inner_text()
    first.click()
    target = (first.get_attribute("href") or "").removeprefix("#")
    assert page.locator(f"[id='{target}']").count() == 1
    assert said in page.locator("form").inner_text()
    assert page.title().startswith("错误")
    zhou.context.close()


def test_the_receipt_prints_on_one_page_without_the_frame(browser: Browser, served: Served) -> None:
    xu = seat(browser, served.base)
    xu.sign_in("许曼")
    xu.open("/cases")
    address = xu.page.get_by_role("link", name=re.compile("许安然")).first.get_attribute("href")
    xu.open(f"{address}/receipt")
    xu.page.emulate_media(media="print")
    for hidden in ("header.top nav", "footer", ".go"):
        assert not xu.page.locator(hidden).first.is_visible(), hidden
    expect(xu.page.locator(".big-no")).to_be_visible()
    # Where it comes from, and that it is a demonstration, stay on paper.
    assert "演示" in xu.page.locator("body").inner_text()
    pages = len(re.findall(rb"/Type\s*/Page[^s]", xu.page.pdf(format="A4")))
    assert pages == 1
    xu.context.close()
