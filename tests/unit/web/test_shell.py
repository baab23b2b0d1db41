"""The way through the shell: who passes, what is refused, what every answer carries."""

from __future__ import annotations

import gzip
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from web_world import FOLDER, World, front

from dizuo.web import Door, Route, RouteTableError, Shell, Site, build
from dizuo.web.errors import NoSuchPage


async def test_every_answer_carries_the_security_headers(world: World) -> None:
    for path in ("/", "/nowhere", "/fails/broken", "/health", "/fails/refused.json"):
        headers = (await world.client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "script-src 'none'" in policy, path
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


async def test_pages_have_no_inline_style_or_script(world: World) -> None:
    for path in ("/", "/-/patterns", "/fails/invalid", "/nowhere"):
        html = (await world.client.get(path)).text
        assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=", html), path


async def test_the_demonstration_says_so_on_every_page(world: World) -> None:
    for path in ("/", "/-/patterns", "/fails/stale", "/nowhere"):
        html = (await world.client.get(path)).text
        assert "演示环境，非官方服务，数据均为虚构" in html, path
        assert "官方服务 ·" not in html


async def test_who_may_open_a_row(world: World) -> None:
    answer = await world.client.get("/mine?x=1")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/mine%3Fx%3D1"
    world.as_("resident-token")
    assert (await world.client.get("/mine")).status_code == 303
    assert (await world.client.get("/desk")).status_code == 403
    world.as_("official-token")
    assert (await world.client.get("/desk")).headers["location"] == "/done"
    refused = await world.client.get("/other")
    assert refused.status_code == 403
    assert "health.decide" in refused.text
    assert "个人信息保护法:51" in refused.text


async def test_an_unknown_session_is_nobody(world: World) -> None:
    world.as_("forged")
    assert (await world.client.get("/mine")).status_code == 303
    world.as_("x" * 5000)
    assert (await world.client.get("/mine")).status_code == 303


async def test_a_form_needs_its_token(world: World) -> None:
    token = await world.token()
    good = await world.client.post("/form", data={"csrf": token, "text": "王沐言"})
    assert good.json()["text"] == "王沐言"
    for data in (
        {},
        {"csrf": ""},
        {"csrf": "x" * 36},
        {"csrf": token[:-1] + ("A" if token[-1] != "A" else "B")},
    ):
        refused = await world.client.post("/form", data=data)
        assert refused.status_code == 403, data
        assert "没有办理" in refused.text


async def test_a_token_serves_one_session_and_one_address(world: World) -> None:
    token = await world.token()
    world.as_("resident-token")
    assert (await world.client.post("/form", data={"csrf": token})).status_code == 403
    mine = await world.token()
    assert (await world.client.post("/form", data={"csrf": mine})).status_code == 200
    world.as_("official-token")
    assert (await world.client.post("/form", data={"csrf": mine})).status_code == 403


async def test_a_submit_from_another_site_is_refused_even_with_the_token(world: World) -> None:
    token = await world.token()
    for header in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        answer = await world.client.post("/form", data={"csrf": token}, headers=header)
        assert answer.status_code == 403, header
    same = {"origin": "http://dizuo.test", "sec-fetch-site": "same-origin"}
    assert (await world.client.post("/form", data={"csrf": token}, headers=same)).status_code == 200


async def test_a_ten_megabyte_field_gets_a_clear_page(world: World) -> None:
    token = await world.token()
    answer = await world.client.post("/form", data={"csrf": token, "text": "字" * 10_000_000})
    assert answer.status_code == 413
    assert "最多 256 KB" in answer.text
    assert "12345" in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"text=%ff%fe", 400),
        (b"text=a%00b", 400),
        (b"text=\xe5\xad\x97", 400),
        ("&".join(f"a{n}=1" for n in range(500)).encode(), 400),
        (b"%07=1", 400),
    ],
)
async def test_what_cannot_be_read_is_refused_politely(world: World, body: bytes, status: int) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await world.client.post("/form", content=body, headers=headers)
    assert answer.status_code == status
    assert "没有保存" in answer.text


async def test_another_content_type_is_refused(world: World) -> None:
    answer = await world.client.post("/form", json={"text": "x"})
    assert answer.status_code == 415


async def test_methods(world: World) -> None:
    assert (await world.client.head("/")).status_code == 200
    assert (await world.client.head("/")).content == b""
    answer = await world.client.post("/mine")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert (await world.client.delete("/form")).headers["allow"] == "GET, HEAD, POST"
    assert (await world.client.get("/nowhere")).status_code == 404
    assert "没有这一页" in (await world.client.get("/nowhere")).text


async def test_control_characters_in_an_address_lead_nowhere(world: World) -> None:
    world.as_("resident-token")
    for path in ("/cases/%00", "/cases/a%0d%0ab", "/cases/%1b", "/%e2%80%a8"):
        assert (await world.client.get(path)).status_code == 404, path


@pytest.mark.parametrize(
    ("kind", "status", "says"),
    [
        ("invalid", 422, "请填写姓名。"),
        ("stale", 409, "请刷新页面"),
        ("refused", 403, "case.view"),
        ("unavailable", 503, "系统暂时办不了"),
        ("broken", 500, "不是您的操作有误"),
    ],
)
async def test_each_family_of_errors_has_its_page(world: World, kind: str, status: int, says: str) -> None:
    answer = await world.client.get(f"/fails/{kind}")
    assert answer.status_code == status
    assert says in answer.text
    assert "12345" in answer.text
    assert "Traceback" not in answer.text
    assert "320211199003071026" not in answer.text
    if kind == "unavailable":
        assert answer.headers["retry-after"] == "30"
    twin = await world.client.get(f"/fails/{kind}.json")
    assert twin.status_code == status
    assert twin.json()["ok"] is False
    assert set(twin.json()) >= {"code", "message", "fields", "fix", "number"}


async def test_the_error_page_in_english(world: World) -> None:
    world.client.cookies.set("dz_view", "plain.light.en")
    answer = await world.client.get("/fails/stale")
    assert "Reload the page" in answer.text
    assert '<html lang="en"' in answer.text


async def test_the_log_has_no_person_in_it(world: World) -> None:
    world.as_("resident-token")
    await world.client.get("/cases/WX202611230001?name=%E7%8E%8B")
    await world.client.get("/nowhere/320211199003071026")
    text = world.log.getvalue()
    assert "/cases/{number} 303" in text
    assert "WX2026" not in text
    assert "320211199003071026" not in text
    assert "演示甲" not in text
    assert "resident" in text


async def test_a_real_installation_does_not_log_an_error_message() -> None:
    import io

    import httpx
    from web_world import ROUTES

    log = io.StringIO()
    door = Door("test", FOLDER, ROUTES, css=("door.css",), sign_in="/sign-in")
    shell = Shell(
        [door], site=Site("灵锡", "Lingxi", "12345", demonstration=False), secret=b"s" * 32, log=log
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=build(shell)), base_url="http://x"
    ) as client:
        assert (await client.get("/fails/broken")).status_code == 500
    assert "RuntimeError" in log.getvalue()
    assert "320211199003071026" not in log.getvalue()


async def test_static_files_are_hashed_compressed_and_kept_for_ever(world: World) -> None:
    html = (await world.client.get("/")).text
    found = re.findall(r'href="(/static/[^"]+\.css)"', html)
    assert len(found) == 2
    answer = await world.client.get(found[0], headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    plain = await world.client.get(found[0], headers={"accept-encoding": "identity"})
    assert plain.content == answer.content
    assert (await world.client.get("/static/ui.css")).status_code == 404
    assert (await world.client.get("/static/../shell.py")).status_code == 404
    assert (await world.client.post(found[0])).status_code in (404, 405)


async def test_pages_are_compressed_only_when_accepted(world: World) -> None:
    async with world.client.stream("GET", "/-/patterns", headers={"accept-encoding": "gzip"}) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert b"<main" in gzip.decompress(raw)
    plain = await world.client.get("/-/patterns", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers


async def test_json_twin(world: World) -> None:
    answer = await world.client.get("/facts.json")
    assert answer.json() == {"text": "facts"}
    assert (await world.client.get("/form.json")).status_code == 404


async def test_text_from_people_is_always_escaped(world: World) -> None:
    answer = await world.client.get("/", params={"text": '"><script>alert(1)</script>'})
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text


async def test_health(world: World) -> None:
    answer = await world.client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["ok"] is True


def _rows(*rows: Route) -> list[Door]:
    return [Door("test", FOLDER, rows, css=("door.css",), sign_in="/sign-in")]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (Route("GET", "/x", front, purpose="", who="public"), "does not say its purpose"),
        (Route("GET", "/x", front, purpose="A page.", who=""), "who may open it"),
        (Route("GET", "/x", front, purpose="A page.", who="everybody"), "who may open it"),
        (Route("PUT", "/x", front, purpose="A page.", who="any"), "the method is one of"),
        (Route("GET", "/x/", front, purpose="A page.", who="any"), "no slash at the end"),
        (Route("POST", "/x", front, purpose="A page.", who="any", json=True), "only a GET page"),
    ],
)
def test_a_row_that_does_not_say_what_it_is_for_does_not_start(row: Route, says: str) -> None:
    shell = Shell(_rows(row), site=Site("灵锡", "Lingxi", "12345", demonstration=True), secret=b"s" * 32)
    with pytest.raises(RouteTableError, match=says):
        build(shell)


def test_two_rows_for_one_address_do_not_start() -> None:
    rows = (
        Route("GET", "/x/{a}", front, purpose="A page.", who="any"),
        Route("GET", "/x/{b}", front, purpose="A page.", who="any"),
    )
    shell = Shell(_rows(*rows), site=Site("灵锡", "Lingxi", "12345", demonstration=True), secret=b"s" * 32)
    with pytest.raises(RouteTableError, match="the same address"):
        build(shell)


def test_errors_carry_a_way_out() -> None:
    assert NoSuchPage().fix


async def test_letters_sent_as_they_are_are_read_as_letters(world: World) -> None:
    """curl sends a query as it was typed; it is read as what a browser would have made of it."""
    app = world.client._transport.app  # type: ignore[attr-defined]

    async def raw(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "query_string": "x=太湖".encode()}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(raw), base_url="http://127.0.0.1") as client:
        answer = await client.get("/mine")
    wanted = parse_qs(urlsplit(answer.headers["location"]).query)["next"][0]
    assert parse_qs(urlsplit(wanted).query) == {"x": ["太湖"]}
