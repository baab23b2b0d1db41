"""The prefilled form's view: what is shown, asked, masked, carried and left out."""

from __future__ import annotations

from planned import FATHER, HEAD, MOTHER, made, view

from dizuo.doors.citizen.form_facts import FormState

ANSWERED = {"surname": "father", "given_name": "沐言", "household_with": "father", "delivery": "mail"}


def test_facts_have_one_source_for_a_group_and_dates() -> None:
    baby = view().groups[0]
    assert baby.name == "宝宝"
    assert "出生医学证明" in baby.source
    assert "市卫生健康委 2026-11-18" in baby.source
    assert [line.value for line in baby.lines] == ["女", "2026 年 11 月 16 日 08:42", "无锡市妇幼保健院"]
    assert baby.wrong.startswith("/me/data/correct?entry=7")
    assert not any(line.source for line in baby.lines)


def test_everything_that_is_used_is_shown_once() -> None:
    found, _ = made()
    page = view()
    shown = [line for group in page.groups for line in group.lines] + page.rest
    distinct = {
        (f.register, f.field, str(f.value)) for f in found.facts.values() if f.value not in (None, "")
    }
    assert len(shown) >= len(distinct) - 1
    assert page.known == found.counts.known


def test_identity_numbers_are_masked_everywhere() -> None:
    page = view(ANSWERED)
    text = str(page)
    for number in (MOTHER, FATHER, HEAD):
        assert number not in text
    assert "320211********1026" in text


def test_what_was_not_read_is_said() -> None:
    page = view()
    assert "出生体重" in page.not_read + page.not_read_more
    assert len(page.not_read.split("、")) <= 6


def test_questions_are_numbered_in_groups_and_never_preselected() -> None:
    page = view()
    assert [question.number for question in page.questions] == [1, 2, 3, 4]
    name = page.questions[0]
    assert name.label == "宝宝叫什么名字？"
    assert [field.name for field in name.fields] == ["a.surname", "a.given_name"]
    assert all(field.value == "" for question in page.questions for field in question.fields)


def test_an_answer_stays_and_an_error_stands_beside_its_field() -> None:
    page = view(
        {"given_name": "沐言"}, FormState(errors={"clinic": "请选一家"}, answers={"given_name": "沐言"})
    )
    given = page.questions[0].fields[1]
    assert given.value == "沐言"
    assert page.errors == [("q-clinic", "请选一家")]
    clinic = next(f for q in page.questions for f in q.fields if f.name == "a.clinic")
    assert (clinic.id, clinic.error) == ("q-clinic", "请选一家")


def test_consent_names_departments_and_what_for() -> None:
    page = view(ANSWERED)
    assert "6 个部门" in page.consent.sentence
    assert "市公安局：户口登记" in page.consent.points
    assert page.submit == "提交 6 项申请"
    assert "2026 年 11 月 30 日" in page.after


def test_items_say_why_they_do_not_apply() -> None:
    items = {item.name: item for item in view(ANSWERED).items}
    assert items["出生医学证明"].state == "ok"
    assert items["生育津贴"].state == "no"
    assert items["生育津贴"].note.startswith("不用办：")
    assert "等户口登记" in items["社会保障卡"].note


def test_the_window_is_near_the_applicant() -> None:
    window = view().window
    assert window is not None
    assert "崇安寺" in window.name


def test_twins_choose_first_and_nothing_else_is_asked() -> None:
    page = view(twins=True)
    assert page.questions == []
    assert not page.show_facts
    assert not page.last
    assert [option.value for option in page.choose[0].options] == ["Q1", "Q2"]
    assert "2026 年 11 月 16 日 08:50" in page.choose[0].options[1].label
    assert page.choose[0].value == ""


def test_elder_view_puts_one_question_on_a_page() -> None:
    first = view(stepwise=True)
    assert first.show_facts
    assert first.questions == []
    assert not first.last
    second = view(ANSWERED, FormState(step=2, answers=ANSWERED), stepwise=True)
    assert [question.number for question in second.questions] == [2]
    assert not second.show_facts
    carried = dict(second.carried)
    assert carried["a.given_name"] == "沐言"
    assert "a.household_with" not in carried
    last = view(ANSWERED, FormState(step=99, answers=ANSWERED), stepwise=True)
    assert last.last
    assert last.questions == []
    assert {name for name, _ in last.carried} == {f"a.{name}" for name in ANSWERED}


def test_the_chosen_record_is_carried_but_never_the_applicant() -> None:
    state = FormState(given={"certificate": "Q1", "applicant": "42"}, answers={})
    assert ("g.certificate", "Q1") in view(state=state).carried
    assert not any(name == "g.applicant" for name, _ in view(state=state).carried)


def test_english_has_no_chinese_of_ours() -> None:
    page = view(ANSWERED, lang="en")
    ours = [page.intro, page.submit, page.after, page.items_title, page.consent.sentence, *page.steps]
    ours += [question.label for question in page.questions]
    ours += [option.label for q in page.questions[1:2] for f in q.fields for option in f.options]
    for text in ours:
        assert text.isascii() or "“" in text, text
