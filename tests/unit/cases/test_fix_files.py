"""补正 with files: what is taken, what is kept when the rest is wrong, who may open it, what cannot be undone."""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import Any

import asyncpg
import pytest
from family import MOTHER, OWNER, STRANGER, USCC
from test_pause import _restaurant

from dizuo.engines import cases as engine
from dizuo.engines.cases import ByClerk, CaseNotFound, FixAnswered, FixWant, NewFile, UploadGone
from dizuo.engines.cases.file_kinds import JPEG, PDF, PNG, agrees, kind_of, named, wrong_with
from dizuo.engines.cases.rules import check_law
from dizuo.foundation.kernel.canonical import canonical_json
from dizuo.foundation.kernel.errors import Invalid, Refused

PAPER = FixWant("姓名申报表", "看不清", "hukou-1958:7")
NAME = FixWant("宝宝叫什么名字？", "写错了", "hukou-1958:7", question="given_name")


def pdf(text: str = "演示") -> bytes:
    return b"%PDF-1.4\n" + text.encode() + b"\n%%EOF\n"


def jpeg(size: int = 500, seed: bytes = b"a") -> bytes:
    return b"\xff\xd8\xff\xe0" + seed * size + b"\xff\xd9"


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND", b"")
    )


def file(
    want: int = 1, content: bytes | None = None, name: str = "申报表.jpg", declared: str = JPEG
) -> NewFile:
    return NewFile(want, name, declared, jpeg() if content is None else content)


async def asked(bench: Any, *wants: FixWant, **answers: str) -> str:
    receipt = await bench.agreed(**answers)
    await engine.request_fix(
        bench.cases, bench.official(), receipt.number, "household", wants or (PAPER, NAME), "要改"
    )
    return receipt.number


async def answer(bench: Any, number: str, words: str = "", *files: NewFile, **more: Any) -> Any:
    return await engine.answer_fix(
        bench.cases,
        bench.resident(),
        number,
        "household",
        words,
        more.pop("changes", {}),
        files=files,
        **more,
    )


async def form(bench: Any, number: str) -> Any:
    return await engine.fix_form(bench.cases, bench.resident(), number, "household")


def test_what_a_file_is_says_the_file() -> None:
    assert [kind_of(one) for one in (pdf(), jpeg(), png(), b"<html>", b"", b"GIF89a", b"\xff\xd8")] == [
        PDF, JPEG, PNG, "", "", "", ""]  # fmt: skip
    assert agrees(JPEG, "image/png")
    assert agrees(PDF, "")
    assert agrees(PDF, "application/octet-stream")
    assert not agrees(JPEG, "text/html")
    assert not agrees(PDF, "image/png")
    assert named("合同.pdf", PDF) == "合同.pdf"
    assert named("合同.html", PDF) == "合同.html.pdf"
    assert named("照片.JPEG", JPEG) == "照片.JPEG"
    assert len(named("长" * 100 + ".exe", PNG)) <= 120


@pytest.mark.parametrize(
    ("content", "declared", "problem", "says"),
    [
        (pdf(), PDF, "", ""),
        (png(), JPEG, "", ""),
        (b"", PDF, "too_large", "超过了 10 MB"),
        (b"%PDF-" + b"0" * (10 * 1024 * 1024 + 1), PDF, "", "超过了 10 MB"),
        (b"", PDF, "too_many", "太多"),
        (b"", PDF, "", "是空的"),
        (b"<script>alert(1)</script>", PDF, "", "只收 PDF、JPG、PNG"),
        (jpeg(), "text/html", "", "只收 PDF、JPG、PNG"),
        (b"PK\x03\x04zip", "application/zip", "", "只收 PDF、JPG、PNG"),
        (pdf()[:-8], PDF, "", "不完整"),
        (jpeg()[:-2], JPEG, "", "不完整"),
        (png()[:-14], PNG, "", "不完整"),
    ],
)
def test_what_is_not_taken_is_told_with_its_name(
    content: bytes, declared: str, problem: str, says: str
) -> None:
    told = wrong_with("租赁合同", declared, content, problem)
    assert (says in told) if says else (told == "")
    assert not told or "租赁合同" in told


async def test_a_file_alone_is_an_answer_and_stays_as_it_was(bench: Any) -> None:
    number = await asked(bench)
    sent = await answer(bench, number, "", file(), file(1, pdf(), "第二页.pdf", PDF))
    assert (sent.files, sent.again) == (2, False)
    assert (await bench.item(number, "household"))["state"] == "reviewing"
    again = await answer(bench, number, "", file(), file(1, pdf(), "第二页.pdf", PDF))
    assert again.again
    with pytest.raises(FixAnswered):
        await answer(bench, number, "", file(1, pdf("别的"), "别的.pdf", PDF))
    shown = await form(bench, number)
    assert [(one.want, one.name, one.media_type) for one in shown.uploads] == [
        (1, "申报表.jpg", JPEG), (1, "第二页.pdf", PDF)]  # fmt: skip
    async with bench.pg("dizuo_app") as app:
        for statement in (
            "DELETE FROM cases.upload WHERE id = $1",
            "UPDATE cases.upload SET sent_at = NULL WHERE id = $1",
            "UPDATE cases.upload SET name = 'x' WHERE id = $1",
            "DELETE FROM cases.content WHERE sha256 = (SELECT sha256 FROM cases.upload WHERE id = $1)",
            "UPDATE cases.content SET bytes = 'x' WHERE sha256 = (SELECT sha256 FROM cases.upload WHERE id = $1)",
        ):
            with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ForeignKeyViolationError)):
                await app.execute(statement, shown.uploads[0].id)
        application = await app.fetchval("SELECT id FROM cases.application WHERE number = $1", number)
        with pytest.raises(asyncpg.CheckViolationError):  # bytes under another hash
            await app.execute(
                "INSERT INTO cases.content VALUES ($1, $2, $3)",
                application,
                hashlib.sha256(b"a").digest(),
                b"b",
            )


async def test_history_and_ledger_are_bound_to_the_file_without_telling_it(bench: Any) -> None:
    number = await asked(bench)
    await answer(bench, number, "", file(1, jpeg(700), "林晓晴 申报表.jpg"))
    async with bench.pg() as conn:
        row = await conn.fetchrow(
            "SELECT u.*, e.detail FROM cases.upload u JOIN cases.application a ON a.id = u.application"
            " JOIN cases.event e ON e.application = a.id AND e.name = 'fix' WHERE a.number = $1", number
        )  # fmt: skip
        entry = await conn.fetchrow(
            "SELECT body, payload FROM ledger.entry WHERE kind = 'case.fixed' ORDER BY id DESC LIMIT 1"
        )
    digest = hashlib.sha256(jpeg(700)).hexdigest()
    about = canonical_json([number, "household", "1.1", digest])
    assert row["sha256"].hex() == digest
    assert row["detail"]["files"] == {"1.1": hashlib.sha256(row["salt"] + about).hexdigest()}
    assert entry["body"]["files"] == row["detail"]["files"]
    assert entry["payload"]["sha256"] == [digest]
    assert digest not in str(entry["body"]) + str(row["detail"])
    assert "申报表" not in str(entry["body"]) + str(row["detail"])


async def test_good_files_are_kept_whatever_else_is_wrong(bench: Any) -> None:
    number = await asked(bench)
    with pytest.raises(Invalid) as caught:
        await answer(
            bench, number, "写错了", file(), file(1, b"MZ\x90", "表.exe", "application/x-msdownload"),
            file(2, pdf(), "x.pdf", PDF), file(9), changes={"given_name": "<b>"},
        )  # fmt: skip
    assert set(caught.value.fields) == {"given_name", "file-1", "answer"}
    assert "表.exe" in caught.value.fields["file-1"]
    kept = (await form(bench, number)).uploads
    assert [(one.want, one.name, one.sent_at) for one in kept] == [(1, "申报表.jpg", None)]
    # Kept is not handed in: no official sees it, and it may be taken back.
    assert await engine.fix_uploads(bench.cases, bench.official(), number, "household") == ()
    with pytest.raises(UploadGone):
        await engine.open_upload(bench.cases, bench.official(), number, "household", kept[0].id)
    mine = await engine.open_own_upload(bench.cases, bench.resident(), number, "household", kept[0].id)
    assert mine.content == jpeg()
    await engine.keep_files(
        bench.cases, bench.resident(), number, "household", (file(1, png(), "b.png", PNG),), (kept[0].id,)
    )
    assert [one.name for one in (await form(bench, number)).uploads] == ["b.png"]
    async with bench.pg() as conn:
        assert await conn.fetchval("SELECT count(*) FROM cases.content c JOIN cases.application a ON a.id = c.application"
                                   " WHERE a.number = $1", number) == 1  # fmt: skip
    assert (await answer(bench, number)).files == 1


async def test_the_same_file_is_kept_once_and_only_so_many(bench: Any) -> None:
    number = await asked(bench)
    resident = bench.resident()
    await engine.keep_files(bench.cases, resident, number, "household", [file(), file()])
    await engine.keep_files(bench.cases, resident, number, "household", [file()])
    assert len((await form(bench, number)).uploads) == 1
    many = [file(1, jpeg(100 + n), f"{n}.jpg") for n in range(25)]
    with pytest.raises(Invalid) as caught:
        await engine.keep_files(bench.cases, resident, number, "household", many)
    assert "最多 20 个文件" in caught.value.fields["file-1"]
    assert len((await form(bench, number)).uploads) == 20


async def test_a_paper_of_the_item_is_answered_by_a_file_or_by_words(bench: Any) -> None:
    receipt = await _restaurant(bench, tobacco="true")
    await bench.due()
    number, owner = receipt.number, bench.resident(OWNER, "周师傅", acting_for=bench.ids[USCC])
    officer = bench.official(
        "urban.sign.decide", place="320206", unit="urban", post="reviewer", who="o-3", name="华俊"
    )
    choices = await engine.fix_choices(bench.cases, officer, number, "sign")
    assert [material for material, _ in choices.materials] == ["design"]
    paper = FixWant("招牌效果图", "看不清", "", material="design")
    await engine.request_fix(bench.cases, officer, number, "sign", (paper,), "看不清")
    with pytest.raises(Invalid) as caught:
        await engine.answer_fix(bench.cases, owner, number, "sign", "")
    assert "请传“招牌效果图”" in caught.value.fields["file-1"]
    await engine.answer_fix(
        bench.cases, owner, number, "sign", "", files=(file(1, png(), "效果图.png", PNG),)
    )
    opened = (await engine.fix_uploads(bench.cases, officer, number, "sign"))[0]
    assert (await engine.open_upload(bench.cases, officer, number, "sign", opened.id)).content == png()


async def test_whoever_opens_a_file_is_entered_first_and_others_get_nothing(bench: Any) -> None:
    number = await asked(bench)
    await answer(bench, number, "", file())
    one = (await form(bench, number)).uploads[0]
    opened = await engine.open_upload(bench.cases, bench.official(), number, "household", one.id)
    assert (opened.content, opened.media_type, opened.name) == (jpeg(), JPEG, "申报表.jpg")
    async with bench.pg() as conn:
        entry = await conn.fetchrow("SELECT * FROM ledger.entry WHERE id = $1", opened.entry)
    assert entry["kind"] == "case.file"
    assert entry["subject"] == bench.ids[MOTHER]
    assert entry["body"]["items"] == ["household"]
    assert entry["payload"]["name"] == "周敏"
    elsewhere = bench.official("market.food.decide", place="320206", unit="market", post="inspector")
    with pytest.raises(Refused):
        await engine.open_upload(bench.cases, elsewhere, number, "household", one.id)
    with pytest.raises(CaseNotFound):
        await engine.open_own_upload(bench.cases, bench.resident(STRANGER), number, "household", one.id)
    with pytest.raises(UploadGone):
        await engine.open_upload(bench.cases, bench.official(), number, "household", one.id + 1)
    with pytest.raises(UploadGone):
        await engine.open_upload(bench.cases, bench.official(), number, "card", one.id)
    with pytest.raises(CaseNotFound):
        await engine.keep_files(bench.cases, bench.resident(STRANGER), number, "household", [file()])


@pytest.mark.parametrize("way", ["timeout", "given up", "withdrawn"])
async def test_what_was_never_handed_in_goes_when_the_request_ends(bench: Any, way: str) -> None:
    number = await asked(bench)
    await engine.keep_files(bench.cases, bench.resident(), number, "household", [file()])
    if way == "given up":
        await engine.give_up_fix(bench.cases, bench.resident(), number, "household")
    elif way == "withdrawn":
        await engine.withdraw(bench.cases, bench.resident(), number, "household", "不办了")
    else:
        bench.now.advance(days=31)
        await bench.due()
    async with bench.pg() as conn:
        for table in ("upload", "content"):
            left = await conn.fetchval(
                f"SELECT count(*) FROM cases.{table} t JOIN cases.application a ON a.id = t.application"
                " WHERE a.number = $1",
                number,
            )
            assert left == 0, table


async def test_a_clerk_answers_for_a_person_present(bench: Any) -> None:
    number = await asked(bench)
    clerk = bench.official(
        "window.serve", place="320213001", unit="town_service", post="town_clerk", who="o-9", name="许蕾"
    )[0]
    by = ByClerk(clerk, "居民身份证原件")
    there = await engine.fix_form(bench.cases, bench.resident(), number, "household", served_by=by)
    assert [q.id for q in there.questions] == ["given_name"]
    await answer(bench, number, "念给他听过", file(), changes={"given_name": "沐妍"}, served_by=by)
    shown = await form(bench, number)
    assert (shown.served.clerk, shown.served.proof) == ("许蕾", "居民身份证原件")
    assert "为民服务中心" in shown.served.window
    async with bench.pg() as conn:
        event = await conn.fetchrow(
            "SELECT e.* FROM cases.event e JOIN cases.application a ON a.id = e.application"
            " WHERE a.number = $1 AND e.name = 'fix'", number
        )  # fmt: skip
        entry = await conn.fetchrow(
            "SELECT body, payload, subject FROM ledger.entry WHERE kind = 'case.fixed' ORDER BY id DESC LIMIT 1"
        )
        others = await conn.fetch(
            "SELECT e.name, e.actor_kind FROM cases.event e JOIN cases.application a ON a.id = e.application"
            " WHERE a.number = $1 AND e.seq > $2", number, event["seq"]
        )  # fmt: skip
    assert (event["actor_kind"], event["actor"], event["actor_name"]) == ("official", "o-9", "许蕾")
    assert event["reason"] == "窗口代办：许蕾，看过居民身份证原件。念给他听过"
    assert entry["body"]["proof"] == "居民身份证原件"
    assert entry["body"]["actor"] == {
        "kind": "official", "post": "town_clerk", "unit": "town_service", "channel": "window"
    }  # fmt: skip
    assert entry["subject"] == bench.ids[MOTHER]
    # What follows by itself is the department's system's, not the clerk's.
    assert all(row["actor_kind"] == "system" for row in others if row["name"] in ("accept", "ask_consent"))
    page = await engine.case_page(bench.cases, bench.official(), number)
    person = page.items
    assert ("hukou-1958:7", "《中华人民共和国户口登记条例》第7条") in person[0].laws
    assert next(item for item in person if item.id == "household").fix.served["proof"] == "居民身份证原件"


async def test_a_law_is_named_by_its_title(bench: Any) -> None:
    assert check_law(bench.cases.city, "hukou-1958:7") == "《中华人民共和国户口登记条例》第7条"


async def test_who_may_not_serve_answers_for_nobody(bench: Any) -> None:
    number = await asked(bench)
    officer = ByClerk(bench.official()[0], "居民身份证原件")
    for act in (
        lambda: engine.fix_form(bench.cases, bench.resident(), number, "household", served_by=officer),
        lambda: answer(bench, number, "我替他", served_by=officer),
        lambda: engine.keep_files(bench.cases, bench.resident(), number, "household", [file()], (), officer),
        lambda: engine.give_up_fix(bench.cases, bench.resident(), number, "household", officer),
    ):
        with pytest.raises(Refused):
            await act()
    clerk = bench.official(
        "window.serve", place="320213001", unit="town_service", post="town_clerk", who="o-9"
    )[0]
    with pytest.raises(CaseNotFound):  # another person's number, read from a screen
        await engine.answer_fix(
            bench.cases, bench.resident(STRANGER), number, "household", "x", served_by=ByClerk(clerk, "x")
        )
    assert (await bench.item(number, "household"))["state"] == "fix_awaited"
