"""A 补正 at a window: a mother without a telephone brings the paper, and a clerk completes her running case for her."""

from __future__ import annotations

from typing import Any

import pytest
from desk_work import at_desk, pick_up
from newborn import LIN, agree, begin, states, submit
from test_window import number_of
from town import Town
from visitor import Visitor

OWN_NAME = "宝宝叫什么名字"
PAPER = b"%PDF-1.4\n\n%%EOF\n"


@pytest.fixture(scope="module")
async def child(town: Town) -> str:
    """Lin's application with a request to change the name and to bring a form."""
    lin = await begin(town, "林晓晴")
    number = await submit(lin, LIN)
    await agree(town, "王启明", number)
    await agree(town, "王建国", number)
    await town.settle(minutes=1)
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    await officer.follow("告知补正")
    await officer.fill(
        {
            OWN_NAME: True,
            f"“{OWN_NAME}？”为什么要改": "和姓名申报不一样",
            "落户地址在两个系统里不一样": False,
            "第 1 条要补什么": "姓名申报表",
            "理由": "名字要核对",
        },
        "一次告知申请人",
    )
    return number


async def serve(town: Town, name: str = "林晓晴", proof: str = "居民身份证") -> Visitor:
    clerk = await at_desk(town, "许蕾")
    await clerk.open("/desk/window")
    number = await number_of(town, name)
    await clerk.fill(
        {"来办什么": "新生儿", "身份证号码": number, "姓名": name, "您看过什么证件": proof}, "核对，开始办"
    )
    return clerk


async def upload(
    clerk: Visitor, answers: dict[str, str | bool], button: str, field: str, *files: tuple[str, bytes, str]
) -> Any:
    """Send the form with files as a browser does."""
    form = clerk.page.filled(button, answers)
    texts: list[Any] = [(name, (None, value.encode())) for name, value in form.pairs if name != field]
    sent = [(field, file) for file in files]
    answer = await clerk.client.post(
        form.action, files=[*texts, *sent], headers={"sec-fetch-site": "same-origin"}
    )
    await clerk._show(answer)
    return answer


async def test_whoever_is_identified_is_led_to_what_waits_to_be_completed(town: Town, child: str) -> None:
    clerk = await serve(town)
    assert clerk.page.h1 == "要补正的"
    assert "王沐言" in clerk.page.text
    await clerk.follow("办新的")
    assert clerk.here() == "/desk/window/newborn"
    # Somebody with nothing to complete goes straight to the form.
    await clerk.press("办完了，结束服务")
    other = await serve(town, "王启明")
    assert other.here() == "/desk/window/newborn"
    # And a number that is another's opens nothing, also while somebody is served.
    await other.open(f"/desk/window/fix/{child}/household")
    assert other.page.status == 404
    await other.open("/desk/window/fix?matter=newborn")
    assert other.here() == "/desk/window/newborn"
    await other.press("办完了，结束服务")


async def test_read_aloud_agreed_to_and_sent_with_the_paper(town: Town, child: str) -> None:
    clerk = await serve(town)
    await clerk.follow("王沐言")
    page = clerk.page
    assert page.h1 == "替来人补正"
    assert page.says("正在为 林晓晴 办理")
    assert "原来填的：沐言" in page.text
    assert "为什么要改：和姓名申报不一样" in page.text
    typed: dict[str, str | bool] = {OWN_NAME: "沐妍", "他的说明": "收了申报表原件"}
    # Her agreement is not taken for granted; what was typed and scanned stays.
    await upload(clerk, typed, "替他提交补正", "file-2", ("申报表.pdf", PAPER, "application/pdf"))
    assert clerk.page.status == 422
    assert clerk.page.errors() == ["请念给来人听，他同意后再勾选"]
    assert "申报表.pdf" in clerk.page.text
    assert clerk.page.filled("替他提交补正", {}).value("a.given_name") == "沐妍"
    await upload(clerk, {}, "先传文件", "file-2", ("坏的.pdf", b"<html>", "application/pdf"))
    assert clerk.page.status == 422
    assert "坏的.pdf" in clerk.page.errors()[0]
    await clerk.fill({"同意这样提交": True}, "替他提交补正")
    assert clerk.page.h1 == "补正收到了"
    assert clerk.here() == f"/desk/window/fix/{child}/household"
    assert "崇安寺街道为民服务中心，许蕾代办，看过居民身份证原件" in clerk.page.text
    assert "申报表.pdf" in clerk.page.text
    form = await clerk.client.get(f"/desk/window/fix/{child}/household")
    assert form.status_code == 200
    await clerk.press("办完了，结束服务")
    gone = await clerk.client.get(f"/desk/window/fix/{child}/household")
    assert gone.status_code == 409


async def test_it_is_the_same_case_for_her_and_for_the_official(town: Town, child: str) -> None:
    lin = await town.signed_in("林晓晴")
    assert (await states(lin, child))["户口登记"] == "等家人同意"
    await lin.open(f"/cases/{child}/fix/household")
    assert "崇安寺街道为民服务中心代办：许蕾，看过居民身份证原件" in lin.page.text
    assert "申报表.pdf" in lin.page.text
    await lin.open("/me/data")
    assert "补正了材料" in lin.page.text
    assert "为民服务中心 · 综合窗口" in lin.page.text
    officer = await at_desk(town, "周敏")
    await officer.open(f"/desk/cases/{child}?item=household")
    assert "许蕾代办，看过居民身份证原件" in officer.page.text
    assert "申报表.pdf" in officer.page.text


async def test_the_ledger_knows_who_acted_for_whom_where_and_on_which_proof(town: Town, child: str) -> None:
    entry = (await town.entries("case.fixed"))[-1]
    assert entry["body"]["actor"] == {
        "kind": "official", "post": "town_clerk", "unit": "town_service", "channel": "window"
    }  # fmt: skip
    assert entry["body"]["proof"] == "居民身份证原件"
    assert entry["payload"]["name"] == "许蕾"
    subject = await town.owner.fetchval("SELECT applicant FROM cases.application WHERE number = $1", child)
    assert entry["subject"] == subject
    views = await town.entries("case.view")
    assert any(one["body"]["actor"]["channel"] == "window" and one["subject"] == subject for one in views)
    served = await town.owner.fetchval("SELECT served FROM cases.fix WHERE item = 'household'")
    assert (served["name"], served["unit"], served["place"][:6]) == ("许蕾", "town_service", "320213")
    names = await town.owner.fetch(
        "SELECT e.actor_kind, e.actor_name, e.name FROM cases.event e JOIN cases.application a ON a.id = e.application"
        " WHERE a.number = $1 AND e.actor_name = '许蕾'",
        child,
    )
    assert {row["name"] for row in names} == {"fix"}


async def test_an_official_without_a_window_and_a_clerk_without_a_client_do_nothing(
    town: Town, child: str
) -> None:
    officer = await at_desk(town, "周敏")
    await officer.open(f"/desk/window/fix/{child}/household")
    assert officer.page.status == 403
    clerk = await at_desk(town, "许蕾")
    await clerk.open(f"/desk/window/fix/{child}/household")
    assert clerk.page.status == 409
    await clerk.open("/desk/window/fix?matter=newborn")
    assert clerk.page.status == 409
