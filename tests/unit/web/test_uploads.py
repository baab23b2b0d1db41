"""Forms with files: what a row allows, what a browser sends, what somebody with a grudge sends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from web_world import World

from dizuo.web import BadForm, Door, Files, Route, RouteTableError, check_routes, uploads
from dizuo.web.errors import TooManyUploads, TooSlow
from dizuo.web.tokens import csrf_token
from dizuo.web.uploads import UploadSpace, read_form_with_files, safe_name

MARK = "----dizuo7MA4"
KIND = f"multipart/form-data; boundary={MARK}"


def part(name: str, content: bytes, file: str | None = None, kind: str = "", more: str = "") -> bytes:
    """One part as Chromium writes it: names in UTF-8, quotes as %22."""
    named = f'; filename="{file}"' if file is not None else ""
    head = f'--{MARK}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n'
    head += f"Content-Type: {kind}\r\n" if kind else ""
    return (head + more + "\r\n").encode() + content + b"\r\n"


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{MARK}--\r\n".encode()


def receiver(*chunks: bytes, ends: bool = True) -> Any:
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b""} if ends else {"type": "http.disconnect"})

    async def receive() -> Any:
        return messages.pop(0)

    return receive


async def read(*chunks: bytes, ends: bool = True, space: UploadSpace | None = None, **limits: int) -> Any:
    form, held = await read_form_with_files(
        receiver(*chunks, ends=ends), KIND, Files(**limits), 4_000, space or UploadSpace()
    )
    return form, held


async def post(world: World, content: bytes, path: str = "/files", **headers: str) -> Any:
    named = {"content-type": KIND, "sec-fetch-site": "same-origin", **headers}
    return await world.client.post(path, content=content, headers=named)


async def test_a_form_with_two_files_arrives_whole_in_any_pieces() -> None:
    photo = bytes(range(256)) * 90 + b"\r\n--" + MARK.encode()[:-1] + b"\r\n"
    whole = body(part("csrf", b"t"), part("file-1", photo, "租赁 合同·1.jpg", "image/jpeg"),
                 part("a.name", " 沐言 ".encode()), part("file-1", b"%PDF-1.7", "b.pdf", "application/pdf"))  # fmt: skip
    for size in (1, 7, 1024, len(whole)):
        form, held = await read(*[whole[i : i + size] for i in range(0, len(whole), size)])
        assert (form.text("csrf"), form.text("a.name")) == ("t", "沐言")
        assert [(f.field, f.name, f.declared) for f in form.files] == [
            ("file-1", "租赁 合同·1.jpg", "image/jpeg"), ("file-1", "b.pdf", "application/pdf")]  # fmt: skip
        assert form.files[0].content == photo
        assert held == len(photo) + 8


async def test_a_file_field_left_alone_is_no_file() -> None:
    form, held = await read(body(part("file-1", b"", "", "application/octet-stream"), part("do", b"send")))
    assert form.files == ()
    assert (form.text("do"), held) == ("send", 0)
    form, _ = await read(body(part("file-1", b"", "空.pdf", "application/pdf")))
    assert form.files[0].problem == "empty"


async def test_what_is_too_large_or_too_many_is_told_and_the_rest_is_kept() -> None:
    space = UploadSpace()
    sent = [part("f", b"x" * n, f"{n}.png", "image/png") for n in (100, 101, 99, 50, 10)]
    form, held = await read(body(*sent, part("text", b"kept")), space=space, most=3, each=100)
    assert [(f.size, len(f.content), f.problem) for f in form.files] == [
        (100, 100, ""), (101, 0, "too_large"), (99, 99, ""), (50, 50, ""), (10, 0, "too_many")]  # fmt: skip
    assert form.text("text") == "kept"
    assert held == space.held == 249


@pytest.mark.parametrize(
    "content",
    [
        body(part("a", b"x"))[:-20],
        body(part("a", b"x")).replace(MARK.encode(), b"other"),
        b"",
        b"a=1&b=2",
        body(*[part(f"a{n}", b"1") for n in range(401)]),
        body(part("a\x07", b"1")),
        body(part("n" * 130, b"1")),
        body(part("a", b"\xff\xfe")),
        body(part("a", b"x\x00y")),
        body(part("a", b"x", more="Content-Disposition: form-data; name=\"csrf\"\r\n")),
        body(part("a", b"eA==", more="Content-Transfer-Encoding: base64\r\n")),
        body(part("a", b"x")).replace(b"form-data", b"attachment"),
        body(part("a", b"x")).replace(b"; name=", b"; nam="),
        body(part("a", b"x", more="".join(f"X-{n}: 1\r\n" for n in range(200)))),
        body(part("a", b"x", more=f"X: {'y' * 70_000}\r\n")),
    ],
)  # fmt: skip
async def test_what_is_no_form_is_refused_and_holds_nothing(content: bytes) -> None:
    space = UploadSpace()
    with pytest.raises(BadForm):
        await read(content, space=space)
    assert space.held == 0


async def test_a_body_that_breaks_off_or_stalls_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    space = UploadSpace()
    half = body(part("f", b"z" * 5_000, "a.pdf", "application/pdf"))[:3_000]
    with pytest.raises(BadForm):
        await read(half, ends=False, space=space)
    with pytest.raises(BadForm):  # an honest end in the middle of a file
        await read(half, space=space)
    monkeypatch.setattr(uploads, "STALL", 0.02)
    first = [{"type": "http.request", "body": half, "more_body": True}]

    async def stalls() -> Any:
        if first:
            return first.pop()
        return await asyncio.sleep(5)

    with pytest.raises(TooSlow):
        await read_form_with_files(stalls, KIND, Files(), 4_000, space)
    assert space.held == 0


async def test_a_process_holds_only_so_much_at_once() -> None:
    space = UploadSpace(1_000)
    one = body(part("f", b"z" * 600, "a.pdf"))
    _, held = await read(one, space=space)
    with pytest.raises(TooManyUploads):
        await read(one, space=space)
    assert space.held == held == 600
    space.give(held)
    await read(one, space=space)


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_form_or_a_clear_refusal(raw: bytes) -> None:
    space = UploadSpace()
    content = body(part("a", b"1"))[:60] + raw

    async def once() -> int:
        try:
            return (await read(content, space=space))[1]
        except BadForm:
            return 0

    assert asyncio.new_event_loop().run_until_complete(once()) == space.held


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("租赁合同.pdf", "租赁合同.pdf"),
        ("../../etc/租赁合同.pdf", "租赁合同.pdf"),
        ("C:\\事\\租赁合同.pdf", "租赁合同.pdf"),
        ("..", "文件"),
        ("", "文件"),
        ("/", "文件"),
        ("合同\u202efdp.exe", "合同fdp.exe"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie_ x.pdf"),
        ('一"二.pdf', "一_二.pdf"),
        (".htaccess", "htaccess"),
        ("  空 格 .jpg ", "空 格.jpg"),
        ("𠮷野家·菜单.png", "𠮷野家·菜单.png"),
        ("e\u0301.png", "é.png"),
        ("长" * 300 + ".pdf", "长" * 96 + ".pdf"),
        ("CON", "CON"),
    ],
)
def test_names_are_harmless_and_still_say_what_they_said(raw: str, name: str) -> None:
    assert safe_name(raw) == name


@given(st.text(max_size=300))
def test_no_name_leads_anywhere(raw: str) -> None:
    name = safe_name(raw)
    assert 0 < len(name) <= 100
    assert not set(name) & set('/\\<>:"|?*')
    assert name.isprintable()
    assert name not in (".", "..")
    assert safe_name(name) == name


async def test_a_row_takes_files_only_when_it_says_so(world: World) -> None:
    world.as_("resident-token")
    token = csrf_token(b"r" * 32, "/files").encode()
    sent = body(
        part("csrf", token), part("text", "改好了".encode()), part("f", b"z" * 99, "a.pdf", "application/pdf")
    )
    told = (await post(world, sent)).json()
    assert told["text"] == "改好了"
    assert told["files"] == [["f", "a.pdf", "application/pdf", 99, 99, ""]]
    assert told["held"] == 99
    assert world.shell.upload_space.held == 0
    assert (await post(world, sent, "/form")).status_code == 415
    plain = {"csrf": token.decode(), "text": "也行"}
    assert (await world.client.post("/files", data=plain)).json()["text"] == "也行"


async def test_the_token_is_checked_and_texts_are_bounded_with_files_too(world: World) -> None:
    world.as_("resident-token")
    token = csrf_token(b"r" * 32, "/files").encode()
    file = part("f", b"z" * 99, "a.pdf", "application/pdf")
    assert (await post(world, body(part("csrf", b"x" * 36), file))).status_code == 403
    assert (await post(world, body(file))).status_code == 403
    assert (await post(world, body(part("csrf", token), file), origin="https://evil.example",
                       **{"sec-fetch-site": "cross-site"})).status_code == 403  # fmt: skip
    long = await post(world, body(part("csrf", token), part("text", b"x" * 9_000), file))
    assert long.status_code == 413
    assert "没有保存" in long.text
    cut = await post(world, body(part("csrf", token), file)[:-30])
    assert cut.status_code == 400
    world.client.cookies.clear()
    assert (await post(world, body(part("csrf", token), file))).status_code in (303, 401)
    assert world.shell.upload_space.held == 0


async def test_a_picture_is_sent_as_it_is_to_be_kept(world: World) -> None:
    answer = await world.client.get("/file", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-type"] == "image/jpeg"
    assert "content-encoding" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"1.jpg\"; filename*=UTF-8''%E7%85%A7%E7%89%87%201.jpg"
    )


def test_nobody_unknown_sends_files() -> None:
    async def handler(request: Any) -> Any:
        return request

    for method, who in (("GET", "resident"), ("POST", "public")):
        row = Route(method, "/x", handler, purpose="Take files.", who=who, files=Files())
        with pytest.raises(RouteTableError, match="files are taken"):
            check_routes([Door("d", Path(), (row,), css=(), sign_in="/s")])
