"""Requests that no page of ours would make: forged, cut, oversized, mis-encoded. Each gets a page, none gets further."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from html_page import FilledForm, HtmlPage
from newborn import LIN, begin
from town import Town
from visitor import Visitor

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def lin(town: Town) -> Visitor:
    return await begin(town, "林晓晴")


@pytest.fixture
async def form(lin: Visitor) -> FilledForm:
    return lin.page.filled("提交", LIN)


@pytest.fixture(autouse=True)
async def nothing_was_made(town: Town) -> object:
    """Whatever is sent here, no application and no draft comes of it."""
    count = "SELECT (SELECT count(*) FROM cases.application) + (SELECT count(*) FROM cases.draft)"
    before = await town.owner.fetchval(count)
    yield
    assert await town.owner.fetchval(count) == before


def told(html: str) -> None:
    """A page that says what became of the work and what to do, with a number to quote."""
    for part in ("您填的内容", "您可以这样做", "编号", "12345"):
        assert part in html, part
    assert "Traceback" not in html


async def test_without_the_forms_token(lin: Visitor, form: FilledForm) -> None:
    pairs = tuple(pair for pair in form.pairs if pair[0] != "csrf")
    answer = await lin.post(form.action, pairs)
    assert answer.status_code == 403
    told(answer.text)


@pytest.mark.parametrize("token", ["", "x", "A" * 36, "é" * 18, "A" * 5000])
async def test_with_a_forged_token(lin: Visitor, form: FilledForm, token: str) -> None:
    pairs = tuple((n, token if n == "csrf" else v) for n, v in form.pairs)
    assert (await lin.post(form.action, pairs)).status_code == 403


async def test_with_a_token_of_another_form(lin: Visitor, form: FilledForm) -> None:
    await lin.open("/sign-out")
    other = lin.page.filled("退出登录", {})
    pairs = tuple((n, other.value("csrf") if n == "csrf" else v) for n, v in form.pairs)
    assert (await lin.post(form.action, pairs)).status_code == 403


async def test_with_a_token_of_another_person(town: Town, form: FilledForm) -> None:
    other = await town.signed_in("王启明")
    assert (await other.post(form.action, form.pairs)).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"}],
    ids=["another-site", "sibling-site"],
)
async def test_from_another_site(lin: Visitor, form: FilledForm, headers: dict[str, str]) -> None:
    assert (await lin.post(form.action, form.pairs, **headers)).status_code == 403


async def test_from_another_origin_by_an_old_browser(lin: Visitor, form: FilledForm) -> None:
    content = urlencode(form.pairs)
    for origin in ("https://evil.example", "null", "http://dizuo.test.evil.example"):
        answer = await lin.client.post(
            form.action, content=content, headers={"content-type": FORM, "origin": origin}
        )
        assert answer.status_code == 403, origin


async def test_ten_megabytes_in_a_field(lin: Visitor, form: FilledForm) -> None:
    pairs = tuple((n, "言" * 3_500_000 if n == "a.given_name" else v) for n, v in form.pairs)
    body = urlencode(pairs).encode()
    assert len(body) > 10 * 1024 * 1024
    answer = await lin.post(form.action, body)
    assert answer.status_code == 413
    told(answer.text)
    assert "256 KB" in answer.text


async def test_bytes_of_gbk(lin: Visitor, form: FilledForm) -> None:
    pairs = tuple(pair for pair in form.pairs if pair[0] != "a.given_name")
    body = urlencode(pairs) + "&" + urlencode({"a.given_name": "沐言"}, encoding="gbk")
    answer = await lin.post(form.action, body.encode("ascii"))
    assert answer.status_code == 400
    told(answer.text)
    raw = urlencode(pairs).encode() + b"&a.given_name=" + "沐言".encode("gbk")
    assert (await lin.post(form.action, raw)).status_code == 400


@pytest.mark.parametrize(
    "sign", ["%00", "%08", "%1b%5b31m", "%7f"], ids=["nul", "backspace", "escape", "delete"]
)
async def test_control_characters(lin: Visitor, form: FilledForm, sign: str) -> None:
    pairs = tuple(pair for pair in form.pairs if pair[0] != "a.given_name")
    answer = await lin.post(form.action, f"{urlencode(pairs)}&a.given_name=a{sign}b".encode("ascii"))
    assert answer.status_code == 400


async def test_huge_numbers_of_fields(lin: Visitor, form: FilledForm) -> None:
    extra = tuple((f"a.x{i}", "1") for i in range(5000))
    assert (await lin.post(form.action, (*form.pairs, *extra))).status_code in (400, 413)


async def test_a_field_name_as_long_as_a_page(lin: Visitor, form: FilledForm) -> None:
    assert (await lin.post(form.action, (*form.pairs, ("a." + "x" * 5000, "1")))).status_code == 400


async def test_fields_twice_do_not_mean_two_things(lin: Visitor, form: FilledForm) -> None:
    """The last one counts, everywhere; a smuggled consent does not tick the box."""
    pairs = tuple(pair for pair in form.pairs if pair[0] != "agree")
    answer = await lin.post(form.action, (*pairs, ("agree", "yes"), ("agree", "no")))
    assert answer.status_code == 422
    assert "请勾选同意" in answer.text


async def test_another_kind_of_form(lin: Visitor, form: FilledForm) -> None:
    for kind in ("multipart/form-data; boundary=x", "application/json", "text/plain"):
        answer = await lin.client.post(
            form.action, content=b'{"a": 1}', headers={"content-type": kind, "sec-fetch-site": "same-origin"}
        )
        assert answer.status_code == 415, kind
        told(answer.text)


async def test_questions_that_nobody_asked_are_not_answered(lin: Visitor, form: FilledForm) -> None:
    """Extra answers, other people's records, internal names: nothing of it reaches the plan."""
    smuggled = (
        ("a.mother_name", "路人"),
        ("a.__class__", "x"),
        ("g.mother", "1"),
        ("g.applicant", "1"),
        ("a.", "x"),
    )
    pairs = tuple(pair for pair in form.pairs if pair[0] != "agree")
    answer = await lin.post(form.action, (*pairs, *smuggled))
    assert answer.status_code == 422
    assert "妈妈" in answer.text
    assert "林晓晴" in answer.text
    assert "路人" not in answer.text.replace('value="路人"', "")


@pytest.mark.parametrize(
    "path",
    [
        "/%2e%2e/%2e%2e/etc/passwd",
        "/static/../../settings.py",
        "/-/static/..%2f..%2fapp.py",
        "/cases/..%2f..%2fme",
        "/matters/newborn%00/apply",
        "/matters/' OR 1=1 --",
        "/me/documents/%2e%2e%2fsecrets",
        "/" + "a" * 4000,
        "//evil.example/",
    ],
)
async def test_tricks_with_the_address(lin: Visitor, path: str) -> None:
    answer = await lin.client.get("http://dizuo.test" + path)
    assert answer.status_code in (400, 404), (path, answer.status_code)
    assert "root:" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
async def test_no_way_out_through_a_return_address(town: Town, target: str) -> None:
    visitor = town.visitor()
    answer = await visitor.client.get("/-/prefer", params={"view": "elder", "back": target})
    assert answer.headers["location"] == "/"
    await visitor.client.get("/sign-in", params={"next": target})
    page = await visitor.open(f"/sign-in?{urlencode({'next': target})}")
    form = page.filled("林晓晴", {})
    assert (await visitor.post(form.action, form.pairs)).headers["location"] == "/"


async def test_cookies_as_large_as_they_come(town: Town) -> None:
    visitor = town.visitor()
    for cookie in (
        b"dz_session=" + b"x" * 60_000,
        b"dz_view=" + b"\xe9" * 10,
        b"; ; =; a",
        b"dz_session=\xe9",
    ):
        answer = await visitor.client.get("/", headers={b"cookie": cookie})
        assert answer.status_code in (200, 400, 431), cookie[:20]
    assert (await visitor.client.get("/me", headers={"cookie": "dz_session=" + "x" * 43})).status_code == 303


async def test_an_expired_session_asks_to_sign_in_and_comes_back(town: Town) -> None:
    xu = await begin(town, "许曼")
    form = xu.page.filled("先存着", {"宝宝叫什么名字": "安然"})
    await town.settle(days=2)
    answer = await xu.post(form.action, form.pairs)
    assert answer.status_code == 401
    assert "登录已过期" in answer.text
    address = HtmlPage(str(answer.url), 401, answer.text).link("去登录")
    assert address.endswith("/sign-in?next=/matters/newborn/apply")
    page = await xu.open("/me/data")
    assert page.path == "/sign-in"
    await xu.press("许曼")
    assert xu.here() == "/me/data"


async def test_methods(lin: Visitor) -> None:
    for path in ("/", "/matters", "/me", "/me/data"):
        head = await lin.client.head(path)
        get = await lin.client.get(path)
        assert head.status_code == get.status_code == 200
        assert head.content == b""
        assert head.headers["content-type"] == get.headers["content-type"]
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        answer = await lin.client.request(method, "/me")
        assert answer.status_code == 405, method
        assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert (await lin.client.post("/me", content=b"")).status_code == 405


async def test_an_address_that_is_not_there(town: Town) -> None:
    visitor = town.visitor()
    await visitor.open("/nowhere/at/all")
    assert visitor.page.status == 404
    assert visitor.page.h1 == "没有找到"
    assert visitor.page.says("回首页")
    answer = await visitor.client.get("/nowhere.json")
    assert answer.status_code == 404


async def test_every_answer_carries_the_headers(lin: Visitor) -> None:
    for path in ("/", "/nowhere", "/me/data", "/matters/newborn/apply", "/sign-in"):
        headers = (await lin.client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
