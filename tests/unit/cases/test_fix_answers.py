"""补正 with changed answers: what may be marked and changed, whom it concerns, what stays, what is kept of it."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest
from family import FATHER, GRANDFATHER, OWNER, STRANGER, USCC
from test_pause import _restaurant

from dizuo.engines import cases as engine
from dizuo.engines.cases import (
    CaseNotFound,
    FixAnswered,
    FixOverdue,
    FixWant,
    NotPossibleNow,
    StaleFix,
)
from dizuo.foundation.kernel.canonical import canonical_json
from dizuo.foundation.kernel.errors import Invalid, Refused

NAME = FixWant("宝宝叫什么名字？", "名字里有一个字写错了", "hukou-1958:7", question="given_name")
WHERE = FixWant("户口落在谁那里？", "请再选一次", "hukou-1958:7", question="household_with")


async def _ask(bench: Any, number: str, *wants: FixWant, item: str = "household", who: Any = None) -> Any:
    return await engine.request_fix(
        bench.cases, who or bench.official(), number, item, wants or (WHERE,), "要改"
    )


async def _answer(bench: Any, number: str, words: str = "", item: str = "household", **changes: str) -> Any:
    return await engine.answer_fix(bench.cases, bench.resident(), number, item, words, changes)


async def _form(bench: Any, number: str, item: str = "household", typed: Any = None) -> Any:
    return await engine.fix_form(bench.cases, bench.resident(), number, item, typed)


async def _value(bench: Any, number: str, question: str) -> str | None:
    async with bench.pg() as conn:
        return await conn.fetchval(
            "SELECT w.value FROM cases.answer w JOIN cases.application a ON a.id = w.application"
            " WHERE a.number = $1 AND w.question = $2",
            number,
            question,
        )


async def _agree(bench: Any, number: str, *consents: tuple[str, str]) -> None:
    for who, consent in consents:
        await engine.answer_consent(bench.cases, bench.resident(who), number, consent, agrees=True)


async def test_an_official_marks_what_the_item_itself_asks(bench: Any) -> None:
    receipt = await bench.agreed()
    choices = await engine.fix_choices(bench.cases, bench.official(), receipt.number, "household")
    marked = {question: present.zh for question, _, present in choices.questions}
    assert marked["given_name"] == "沐言"
    assert marked["household_with"] == "跟爸爸"
    assert "clinic" not in marked  # another item's
    for odd in (FixWant("x", "", "", question="clinic"), FixWant("x", "", "", question="no_such"),
                FixWant("x", "", "", material="layout"), FixWant("x", "", "no-law:1")):  # fmt: skip
        with pytest.raises(Invalid):
            await _ask(bench, receipt.number, odd)
    stranger = bench.official("market.food.decide", place="320206", unit="market", post="inspector")
    with pytest.raises(Refused):
        await engine.fix_choices(bench.cases, stranger, receipt.number, "household")


async def test_exactly_the_marked_questions_come_back_filled_as_answered(bench: Any) -> None:
    receipt = await bench.agreed()
    await _ask(bench, receipt.number, NAME, WHERE)
    form = await _form(bench, receipt.number)
    assert [(q.id, q.value) for q in form.questions] == [("given_name", "沐言"), ("household_with", "father")]
    assert {q: said.zh for q, said in form.present.items()} == {
        "given_name": "沐言",
        "household_with": "跟爸爸",
    }
    assert set(form.agreed) == {"given_name", "household_with"}
    assert {o.value for o in form.questions[1].options} == {"father", "mother"}
    with pytest.raises(CaseNotFound):
        await engine.fix_form(bench.cases, bench.resident(STRANGER), receipt.number, "household")
    with pytest.raises(CaseNotFound):
        await engine.answer_fix(
            bench.cases, bench.resident(STRANGER), receipt.number, "household", "我来补", {}
        )
    with pytest.raises(CaseNotFound):
        await engine.fix_form(bench.cases, bench.resident(), receipt.number, "card")


async def test_the_new_answer_is_checked_as_on_the_form(bench: Any) -> None:
    receipt = await bench.agreed()
    await _ask(bench, receipt.number, NAME, WHERE)
    for bad in ("", "😀", "<b>", "字" * 31):
        with pytest.raises(Invalid) as caught:
            await _answer(bench, receipt.number, "改好了", given_name=bad, household_with="mother")
        assert set(caught.value.fields) == {"given_name"}
        assert "given_name" in (await _form(bench, receipt.number, typed={"given_name": bad})).errors
    with pytest.raises(Invalid) as caught:
        await _answer(bench, receipt.number, "", given_name="沐言", household_with="uncle")
    assert "household_with" in caught.value.fields
    with pytest.raises(Invalid) as caught:  # nobody asked to change this one
        await _answer(bench, receipt.number, "", given_name="沐妍", surname="mother")
    assert set(caught.value.fields) == {"surname"}
    with pytest.raises(Invalid):  # nothing changed and nothing said
        await _answer(bench, receipt.number, "", given_name="沐言", household_with="father")
    assert (await bench.item(receipt.number, "household"))["state"] == "fix_awaited"
    assert await _value(bench, receipt.number, "given_name") == "沐言"
    await _answer(bench, receipt.number, "名字没有写错", given_name="沐言", household_with="father")
    assert (await bench.item(receipt.number, "household"))["state"] == "reviewing"


async def test_who_agreed_to_the_old_answer_is_asked_again_and_the_clock_waits(bench: Any) -> None:
    receipt = await bench.agreed()
    before = await bench.item(receipt.number, "household")
    await _ask(bench, receipt.number, NAME)
    sent = await _answer(bench, receipt.number, "", given_name="沐妍")
    assert sent.changed == ("given_name",)
    assert set(sent.consents) == {"other_parent", "father_side_head"}
    item = await bench.item(receipt.number, "household")
    assert (item["state"], item["paused"]) == ("consent", True)
    asked = await engine.consent_page(bench.cases, bench.resident(FATHER), receipt.number, "other_parent")
    assert asked.state == "pending"
    assert "沐妍" in {value for _, value in asked.shows}
    queue = await engine.desk_queue(bench.cases, bench.official(), limit=500)
    assert receipt.number not in {row.number for row in queue.rows}
    bench.now.advance(days=1)
    await _agree(bench, receipt.number, (FATHER, "other_parent"), (GRANDFATHER, "father_side_head"))
    item = await bench.item(receipt.number, "household")
    assert (item["state"], item["paused"], item["before"]) == ("reviewing", False, None)
    assert item["started_at"] == before["started_at"]  # the same clock goes on, no new one begins
    assert (item["due_promise"] - before["due_promise"]).days == 1
    queue = await engine.desk_queue(bench.cases, bench.official(), limit=500)
    row = next(row for row in queue.rows if row.number == receipt.number)
    assert row.title.startswith("王沐妍")


async def test_the_other_parent_may_say_no_to_the_new_answer(bench: Any) -> None:
    receipt = await bench.agreed()
    await _ask(bench, receipt.number, NAME)
    await _answer(bench, receipt.number, "", given_name="沐妍")
    await engine.answer_consent(
        bench.cases, bench.resident(FATHER), receipt.number, "other_parent", agrees=False
    )
    assert (await bench.item(receipt.number, "household"))["state"] == "returned"
    await engine.ask_consent_again(bench.cases, bench.resident(), receipt.number, "other_parent")
    await _agree(bench, receipt.number, (FATHER, "other_parent"), (GRANDFATHER, "father_side_head"))
    item = await bench.item(receipt.number, "household")
    assert (item["state"], item["paused"]) == ("reviewing", False)


async def test_another_household_is_another_district_and_its_checks_run_again(bench: Any) -> None:
    receipt = await bench.agreed()
    assert "father_address" in (await bench.item(receipt.number, "household"))["exceptions"]
    await _ask(bench, receipt.number)
    await _answer(bench, receipt.number, "", household_with="mother")
    item = await bench.item(receipt.number, "household")
    assert "father_address" not in item["exceptions"]
    assert item["unit"].startswith("320211")
    await _agree(bench, receipt.number, (FATHER, "other_parent"))
    here = await engine.desk_queue(bench.cases, bench.official(place="320211"), limit=500)
    there = await engine.desk_queue(bench.cases, bench.official(), limit=500)
    assert receipt.number in {row.number for row in here.rows}
    assert receipt.number not in {row.number for row in there.rows}


async def test_an_item_that_is_done_stays_with_the_old_answer_and_one_that_waits_follows(bench: Any) -> None:
    receipt = await bench.agreed()
    assert (await bench.states(receipt.number))["vaccination"] == "done"
    await _ask(bench, receipt.number, NAME)
    form = await _form(bench, receipt.number)
    assert "预防接种建档" in {words.zh for words in form.shared}
    sent = await _answer(bench, receipt.number, "", given_name="沐妍")
    assert "vaccination" in sent.kept
    notices = await engine.notices_of(bench.cases, bench.resident())
    assert any(n.kind == "fixed" and n.number == receipt.number and "预防接种建档" in n.says for n in notices)
    changes = await engine.fix_changes(bench.cases, bench.official(), receipt.number, "household")
    assert [(c.question, c.was.zh, c.now.zh) for c in changes] == [("given_name", "沐言", "沐妍")]
    assert "预防接种建档" in {words.zh for words in changes[0].kept}
    await _agree(bench, receipt.number, (FATHER, "other_parent"), (GRANDFATHER, "father_side_head"))
    await engine.decide(
        bench.cases,
        bench.official(),
        receipt.number,
        "household",
        "grant",
        "以户籍登记为准",
        choices={"father_address": "keep"},
    )
    bench.now.advance(minutes=11)
    await bench.due()
    await bench.due()
    async with bench.pg() as conn:
        papers = await conn.fetch(
            "SELECT d.item, d.fields FROM cases.document d JOIN cases.application a ON a.id = d.application"
            " WHERE a.number = $1",
            receipt.number,
        )
    texts = {row["item"]: str(row["fields"]) for row in papers}
    assert "沐妍" in texts["household"]
    assert all("沐妍" not in text for item, text in texts.items() if item == "vaccination")


async def test_a_decided_item_takes_effect_on_the_answers_it_was_decided_on(bench: Any) -> None:
    """Sign and tobacco share the shop's address; one is decided, the other corrected within its ten minutes."""
    owner = bench.resident(OWNER, "周师傅", acting_for=bench.ids[USCC])
    receipt = await _restaurant(
        bench, same_place="other", shop_district="320206", shop_address="人民路 1 号", tobacco="true"
    )
    await bench.due()
    sign = _post(bench, "urban.sign.decide", "urban", "sign_officer")
    tobacco = _post(bench, "tobacco.licence.decide", "tobacco", "tobacco_officer")
    decided = await engine.decide(bench.cases, sign, receipt.number, "sign", "grant", "可以")
    where = FixWant("店开在哪里？", "门牌不清楚", "", question="shop_address")
    await _ask(bench, receipt.number, where, item="tobacco", who=tobacco)
    form = await engine.fix_form(bench.cases, owner, receipt.number, "tobacco")
    assert [q.id for q in form.questions] == ["shop_address"]
    # The sign is decided too, but a decision that may still be taken back is told to nobody.
    assert {words.zh for words in form.shared} == {"营业执照信息核验"}
    before = await bench.item(receipt.number, "visit")
    sent = await engine.answer_fix(
        bench.cases, owner, receipt.number, "tobacco", "", {"shop_address": "人民路 1 号 2 幢"}
    )
    assert "sign" in sent.kept
    assert sent.consents == ()
    case = await engine.records.load_case(bench.cases, bench.cases.pool, receipt.number, lock=False)
    used = await engine.corrected.answers_of(bench.cases.pool, case, "sign")
    assert used["shop_address"] == "人民路 1 号"
    assert case.answers["shop_address"] == "人民路 1 号 2 幢"
    told = await engine.fix_form(bench.cases, owner, receipt.number, "tobacco")
    known = await engine.fix_changes(bench.cases, tobacco, receipt.number, "tobacco")
    assert "户外招牌设施" not in {words.zh for words in told.changes[0].kept}
    assert "户外招牌设施" in {words.zh for words in known[0].kept}
    # Whoever works on another item that shares the answer is told to look again.
    after = await bench.item(receipt.number, "visit")
    assert after["version"] > before["version"]
    page = await engine.case_page(
        bench.cases,
        bench.official("market.visit.decide", place="320206", unit="market", post="inspector"),
        receipt.number,
    )
    assert any(line.name == "answers_changed" for line in page.history)
    # Taken back, it is decided anew on what is true now.
    await engine.undo(bench.cases, sign, decided.id)
    case = await engine.records.load_case(bench.cases, bench.cases.pool, receipt.number, lock=False)
    used = await engine.corrected.answers_of(bench.cases.pool, case, "sign")
    assert used["shop_address"] == "人民路 1 号 2 幢"
    page = await engine.case_page(bench.cases, sign, receipt.number)
    assert any(line.name == "answers_changed" and line.item is not None and line.item.zh == "户外招牌设施"
               for line in page.history)  # fmt: skip


def _post(bench: Any, power: str, unit: str, post: str) -> Any:
    return bench.official(power, place="320206", unit=unit, post=post, who=f"o-{unit}")


async def test_what_would_add_or_drop_an_item_is_no_correction(bench: Any) -> None:
    owner = bench.resident(OWNER, "周师傅", acting_for=bench.ids[USCC])
    receipt = await _restaurant(bench, tobacco="true")
    await bench.due()
    tobacco = _post(bench, "tobacco.licence.decide", "tobacco", "tobacco_officer")
    want = FixWant("店里卖烟吗？", "请确认", "", question="tobacco")
    await _ask(bench, receipt.number, want, item="tobacco", who=tobacco)
    with pytest.raises(Invalid) as caught:
        await engine.answer_fix(bench.cases, owner, receipt.number, "tobacco", "", {"tobacco": "false"})
    assert "增减" in caught.value.fields["tobacco"]
    assert (await bench.item(receipt.number, "tobacco"))["state"] == "fix_awaited"


async def test_a_changed_answer_may_lead_to_a_new_question_and_away_from_an_old_one(bench: Any) -> None:
    receipt = await bench.agreed()
    want = FixWant("证件怎么给您？", "这个地址寄不到", "", question="delivery")
    await _ask(bench, receipt.number, want)
    with pytest.raises(Invalid) as caught:
        await _answer(bench, receipt.number, "", delivery="other")
    assert set(caught.value.fields) == {"mail_address"}
    form = await _form(bench, receipt.number, typed={"delivery": "other"})
    assert [q.id for q in form.questions] == ["delivery", "mail_address"]
    await _answer(bench, receipt.number, "", delivery="other", mail_address="江苏省无锡市中山路 1 号 林晓晴")
    assert await _value(bench, receipt.number, "mail_address") == "江苏省无锡市中山路 1 号 林晓晴"
    # How papers are sent was nobody else's to agree to.
    assert (await bench.item(receipt.number, "household"))["state"] == "reviewing"


async def test_an_answer_that_is_not_asked_for_any_more_goes(bench: Any) -> None:
    receipt = await bench.agreed(delivery="other", mail_address="江苏省无锡市中山路 1 号 林晓晴")
    want = FixWant("证件怎么给您？", "这个地址寄不到", "", question="delivery")
    await _ask(bench, receipt.number, want)
    await _answer(bench, receipt.number, "", delivery="pickup")
    assert await _value(bench, receipt.number, "mail_address") is None
    changes = await engine.fix_changes(bench.cases, bench.official(), receipt.number, "household")
    assert {(c.question, c.now.zh) for c in changes} == {("delivery", "自己去拿"), ("mail_address", "")}


async def test_the_history_is_bound_to_old_and_new_without_telling_them(bench: Any) -> None:
    receipt = await bench.agreed()
    await _ask(bench, receipt.number)
    await _answer(bench, receipt.number, "", household_with="mother")
    async with bench.pg() as conn:
        row = await conn.fetchrow(
            "SELECT c.*, e.detail FROM cases.fix_change c JOIN cases.application a ON a.id = c.application"
            " JOIN cases.event e ON e.application = a.id AND e.name = 'fix' WHERE a.number = $1",
            receipt.number,
        )
        body = await conn.fetchval(
            "SELECT body FROM ledger.entry WHERE kind = 'case.fixed' ORDER BY id DESC LIMIT 1"
        )
    assert "mother" not in str(row["detail"])
    about = [receipt.number, "household", "household_with"]
    expected = [
        hashlib.sha256(row["salt"] + canonical_json([*about, value])).hexdigest()
        for value in ("father", "mother")
    ]
    assert row["detail"]["changed"]["household_with"] == expected
    assert body["changed"]["household_with"] == expected


async def test_sent_twice_stale_or_too_late(bench: Any) -> None:
    receipt = await bench.agreed()
    await _ask(bench, receipt.number)
    seen = (await _form(bench, receipt.number)).seen
    with pytest.raises(StaleFix):
        await engine.answer_fix(
            bench.cases,
            bench.resident(),
            receipt.number,
            "household",
            "",
            {"household_with": "mother"},
            seen="0" * 24,
        )
    given = {"household_with": "mother"}
    first = await engine.answer_fix(
        bench.cases, bench.resident(), receipt.number, "household", "", given, seen=seen
    )
    second = await engine.answer_fix(
        bench.cases, bench.resident(), receipt.number, "household", "", given, seen=seen
    )
    assert (first.again, second.again) == (False, True)
    with pytest.raises(FixAnswered):
        await _answer(bench, receipt.number, "再说一次")
    form = await _form(bench, receipt.number)
    assert not form.open
    assert [(c.was.zh, c.now.zh) for c in form.changes] == [("跟爸爸", "跟妈妈")]

    late = await bench.agreed()
    await _ask(bench, late.number)
    bench.now.advance(days=30, seconds=1)
    assert not (await _form(bench, late.number)).open
    with pytest.raises(FixOverdue):
        await _answer(bench, late.number, "来晚了", household_with="mother")
    assert await _value(bench, late.number, "household_with") == "father"


async def test_giving_up_ends_the_item_and_what_waits_for_it_only(bench: Any) -> None:
    receipt = await bench.agreed()
    with pytest.raises(CaseNotFound):
        await engine.give_up_fix(bench.cases, bench.resident(), receipt.number, "household")
    await _ask(bench, receipt.number)
    with pytest.raises(CaseNotFound):
        await engine.give_up_fix(bench.cases, bench.resident(STRANGER), receipt.number, "household")
    await engine.give_up_fix(bench.cases, bench.resident(), receipt.number, "household")
    await engine.give_up_fix(bench.cases, bench.resident(), receipt.number, "household")
    states = await bench.states(receipt.number)
    assert states["household"] == states["card"] == "sent_back"
    assert states["vaccination"] == "done"
    with pytest.raises(NotPossibleNow):
        await _answer(bench, receipt.number, "还是补吧")
    home = await engine.my_home(bench.cases, bench.resident())
    assert receipt.number not in {fix.number for fix in home.fixes}  # nothing is asked any more
    bench.now.advance(days=31)
    await bench.due()  # the time-out finds nothing to do
    notices = await engine.notices_of(bench.cases, bench.resident())
    kinds = [n.kind for n in notices if n.number == receipt.number]
    assert kinds.count("fix_given_up") == 1
    assert "fix_timeout" not in kinds


async def test_ways_out_that_ask_the_applicant_are_asked_together_with_the_answers_they_rest_on(
    bench: Any,
) -> None:
    receipt = await bench.agreed()
    with pytest.raises(Invalid):
        await engine.ask_by_choice(
            bench.cases, bench.official(), receipt.number, "household", {"father_address": "keep"}, ""
        )
    await engine.ask_by_choice(
        bench.cases,
        bench.official(),
        receipt.number,
        "household",
        {"father_address": "ask", "marriage": "ask"},
        "",
    )
    form = await _form(bench, receipt.number)
    assert [want["what"] for want in form.wants if not want["question"]] == [
        "没有查到爸爸妈妈在本市的婚姻登记",
        "落户地址在两个系统里不一样",
    ]
    assert [q.id for q in form.questions] == ["household_with"]
    assert {want["law"] for want in form.wants} == {"civil-code-2020:1071", "hukou-1958:6"}


async def test_two_answers_at_the_same_moment_are_one(bench: Any) -> None:
    receipt = await bench.agreed()
    await _ask(bench, receipt.number)
    both = await asyncio.gather(
        _answer(bench, receipt.number, "", household_with="mother"),
        _answer(bench, receipt.number, "", household_with="mother"),
        return_exceptions=True,
    )
    good = [one for one in both if isinstance(one, engine.FixSent)]
    assert 1 <= len(good) <= 2
    assert all(isinstance(one, (engine.FixSent, FixAnswered, StaleFix)) for one in both)
    async with bench.pg() as conn:
        fixed = await conn.fetchval(
            "SELECT count(*) FROM cases.event e JOIN cases.application a ON a.id = e.application"
            " WHERE a.number = $1 AND e.name = 'fix'",
            receipt.number,
        )
    assert fixed == 1


async def test_putting_a_question_again_reads_no_more_than_the_question_needs(bench: Any) -> None:
    async def read(*wants: FixWant) -> set[str]:
        receipt = await bench.agreed()
        await _ask(bench, receipt.number, *wants)
        async with bench.pg() as conn:
            last = await conn.fetchval("SELECT max(id) FROM ledger.entry")
            form = await _form(bench, receipt.number)
            assert all(question.options for question in form.questions if question.type == "choice")
            rows = await conn.fetch(
                "SELECT body FROM ledger.entry WHERE id > $1 AND kind NOT LIKE 'case.%'", last
            )
        bodies = [row["body"] for row in rows if row["body"].get("fields")]
        return {f"{body['register']}.{name}" for body in bodies for name in body["fields"]}

    assert await read(NAME) == set()
    # The two households to choose from, and nothing else of the forty facts that the item itself may use.
    assert await read(WHERE) == {"household.household_no", "household.head_name", "household.address"}
