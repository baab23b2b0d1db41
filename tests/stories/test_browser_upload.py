"""Files with a 补正 in a real browser: on a telephone without scripts, on the official's page, at a window."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from desk_work import at_desk, pick_up
from looks import VIEWS, look_at, look_here
from newborn import LIN, agree, begin, submit
from playwright.sync_api import Browser, Page, expect
from served import Seat, Served, seat
from test_window import number_of
from town import Town

pytestmark = pytest.mark.browser

PHOTO = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 400 + b"\xff\xd9"
SCAN = b"%PDF-1.7\n" + "演示".encode() * 3_000 + b"\n%%EOF\n"


def given(name: str, content: bytes, kind: str) -> Any:
    return {"name": name, "mimeType": kind, "buffer": content}


async def _asked(town: Town) -> str:
    """Lin's application, with a request to change the name and to hand in two papers."""
    lin = await begin(town, "林晓晴")
    number = await submit(lin, LIN)
    for name in ("王启明", "王建国"):
        await agree(town, name, number)
    await town.settle(minutes=1)
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    await officer.follow("告知补正")
    await officer.fill(
        {
            "宝宝叫什么名字": True,
            "第 1 条要补什么": "姓名申报表",
            "第 1 条为什么": "原来那张看不清",
            "第 2 条要补什么": "住址证明",
            "理由": "名字和申报表不一样",
            "落户地址在两个系统里不一样": False,
        },
        "一次告知申请人",
    )
    assert officer.page.status == 200
    return number


@pytest.fixture(scope="module")
def number(served: Served) -> str:
    return served.run(_asked(served.town))


def _send(page: Page, button: str = "send") -> None:
    page.locator(f"button[value={button}]").click()
    page.wait_for_load_state()


def _kept(page: Page) -> list[str]:
    return page.locator(".files li a").all_inner_texts()


@pytest.mark.parametrize("view", [VIEWS[0], VIEWS[3], VIEWS[4]])
def test_the_clerks_pages_look_right(look: Seat, served: Served, number: str) -> None:
    found: list[str] = []
    look.sign_in("许蕾")
    look.open("/desk/window")
    page = look.page
    page.locator("[name=matter][value=newborn]").check(force=True)
    page.locator("#citizen_id").fill(served.run(number_of(served.town, "林晓晴")))
    page.locator("#name").fill("林晓晴")
    page.locator("[name=seen][value=id_card]").check(force=True)
    page.locator("button[data-send]").click()
    page.wait_for_load_state()
    look_here(look, "what waits to be completed", found)
    look_at(look, f"/desk/window/fix/{number}/household", found)
    page.locator("#file-2").set_input_files([given("木马.exe", b"MZ\x90", "text/plain")])
    _send(page, "keep")
    assert page.locator("#file-2-error").count() == 1
    look_here(look, "a clerk's page with errors", found)
    assert not found, "\n".join(found)


def test_on_a_telephone_without_scripts_nothing_that_was_typed_or_sent_is_lost(
    browser: Browser, served: Served, number: str, tmp_path: Path
) -> None:
    lin = seat(browser, served.base, width=390, scripts=False)
    page = lin.sign_in("林晓晴")
    page.goto(f"{served.base}/cases/{number}/fix/household")
    paper, proof = page.get_by_label("姓名申报表"), page.get_by_label("住址证明")
    paper.set_input_files(
        [given("../申报表 第一页.jpg", PHOTO, "image/jpeg"), given("木马.exe", b"MZ\x90", "text/plain")]
    )
    proof.set_input_files([given("住址 证明.pdf", SCAN[:-7], "application/pdf")])
    page.get_by_label("宝宝叫什么名字").fill("沐<b>")
    page.locator("#answer").fill("申报表重新拍了")
    _send(page)
    told = page.locator(".errsum li").all_inner_texts()
    assert len(told) == 3, told
    assert any("木马.exe" in line and "PDF、JPG、PNG" in line for line in told)
    assert any("住址 证明.pdf" in line and "不完整" in line for line in told)
    expect(page.get_by_label("宝宝叫什么名字")).to_have_value("沐<b>")
    expect(page.locator("#answer")).to_have_value("申报表重新拍了")
    assert _kept(page) == ["申报表 第一页.jpg"]
    expect(page.locator("main")).to_contain_text("已传好，还没有提交")
    expect(page.locator("#file-3-error")).to_contain_text("不完整")
    page.locator(".errsum a").last.click()  # the summary leads to the field
    assert page.url.endswith("#file-3")

    # Files alone, on the way; the rest stays as typed. The first one is taken back.
    page.get_by_label("宝宝叫什么名字").fill("沐妍")
    page.get_by_label("不要这个了").check()
    page.get_by_label("住址证明").set_input_files([given("住址 证明.pdf", SCAN, "application/pdf")])
    page.get_by_label("姓名申报表").set_input_files(
        [
            given("第一页.JPG", PHOTO + b"1\xff\xd9", "image/jpeg"),
            given("第二页.jpg", PHOTO + b"2\xff\xd9", "image/jpeg"),
        ]
    )
    _send(page, "keep")
    expect(page.get_by_role("status")).to_contain_text("还没有提交")
    assert _kept(page) == ["第一页.JPG", "第二页.jpg", "住址 证明.pdf"]
    expect(page.get_by_label("宝宝叫什么名字")).to_have_value("沐妍")
    expect(page.locator("#answer")).to_have_value("申报表重新拍了")

    _send(page)
    assert page.url.endswith(f"/cases/{number}")
    page.get_by_role("link", name="看看您补了什么").click()
    expect(page.locator("main")).to_contain_text("您交的文件")
    expect(page.locator("main")).to_contain_text("原来填的：沐言（预防接种建档仍按原来的）")
    with page.expect_download() as one:
        page.get_by_role("link", name="住址 证明.pdf").click()
    one.value.save_as(tmp_path / "kept")
    assert one.value.suggested_filename == "住址 证明.pdf"
    assert (tmp_path / "kept").read_bytes() == SCAN
    assert not lin.wrong
    lin.context.close()


@pytest.mark.parametrize("view", [VIEWS[0], VIEWS[3], VIEWS[4]])
def test_what_was_sent_looks_right_for_both_sides(look: Seat, number: str) -> None:
    found: list[str] = []
    look.sign_in("林晓晴")
    look_at(look, f"/cases/{number}/fix/household", found)
    look.sign_in("周敏")
    look_at(look, f"/desk/cases/{number}?item=household", found)
    assert look.page.locator(".files li a").all_inner_texts() == ["第一页.JPG", "第二页.jpg", "住址 证明.pdf"]
    assert not found, "\n".join(found)


def test_the_official_keeps_the_same_bytes_and_the_mother_sees_who_opened_them(
    browser: Browser, served: Served, number: str, tmp_path: Path
) -> None:
    officer = seat(browser, served.base)
    page = officer.sign_in("周敏")
    page.goto(f"{served.base}/desk/cases/{number}?item=household")
    expect(page.locator("#fixed").locator("xpath=../..")).to_contain_text("只用于审查“户口登记”")
    link = page.get_by_role("link", name="第二页.jpg")
    address = str(link.get_attribute("href"))
    with page.expect_download() as one:
        link.click()
    one.value.save_as(tmp_path / "opened")
    assert (tmp_path / "opened").read_bytes() == PHOTO + b"2\xff\xd9"
    answer = page.request.get(served.base + address)
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "image/jpeg"
    page.goto(served.base + "/sign-out")
    other = seat(browser, served.base)
    assert other.sign_in("华俊").request.get(served.base + address).status in (403, 404)
    nobody = seat(browser, served.base)
    assert "/sign-in" in nobody.page.request.get(served.base + address).url
    lin = seat(browser, served.base, width=390)
    lin.sign_in("林晓晴")
    lin.open("/me/data")
    expect(lin.page.locator("main")).to_contain_text("打开了交来的文件")
    for one_seat in (officer, other, nobody, lin):
        assert not one_seat.wrong
        one_seat.context.close()


def test_a_line_that_breaks_while_a_file_is_sent_leaves_nothing(
    browser: Browser, served: Served, number: str
) -> None:
    """Straight to the port: a telephone in a tunnel. The server forgets it and serves the next."""
    clerk = seat(browser, served.base)
    clerk.sign_in("周立新")
    page = clerk.page
    before = served.run(served.town.owner.fetchval("SELECT count(*) FROM cases.content"))
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in clerk.context.cookies())
    host, port = served.base.removeprefix("http://").split(":")
    for size in (0, 40, 200_000):
        head = (
            f"POST /cases/{number}/fix/household HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookies}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 900000\r\n\r\n"
        )
        part = b'--x\r\nContent-Disposition: form-data; name="file-2"; filename="a.jpg"\r\n\r\n' + PHOTO * 3
        with socket.create_connection((host, int(port)), timeout=10) as line:
            line.sendall(head.encode() + part[:size])
    page.goto(served.base + "/me")
    expect(page.locator("h1")).to_be_visible()
    assert served.run(served.town.owner.fetchval("SELECT count(*) FROM cases.content")) == before
    clerk.context.close()
