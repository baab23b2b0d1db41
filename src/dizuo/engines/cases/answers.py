"""What the applicant typed, checked and typed: text in, values of the expression language out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

import msgspec

from dizuo.engines.cases.compiled import CompiledMatter
from dizuo.engines.cases.plan_model import Plan, PlannedQuestion, Value, place_context
from dizuo.foundation.blueprint.model import Question
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.kernel.identity import CitizenId
from dizuo.foundation.kernel.names import PersonName
from dizuo.foundation.kernel.saying import Said

LONGEST_TEXT = 200
_NOT_OFFERED = Said("请从列出的里面选一个。", "Please choose one from the list.")
_PHONE = re.compile(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}")


class Checked(msgspec.Struct, frozen=True):
    """Typed values of the answers that can be read, and for each that cannot the sentence beside it (``Said``)."""

    values: Mapping[str, Value]
    errors: Mapping[str, str]


def read_answers(ready: CompiledMatter, given: Mapping[str, str], today: date) -> Checked:
    """Type and check each answer by its question alone; unknown names and empty answers are left out."""
    values: dict[str, Value] = {}
    errors: dict[str, str] = {}
    for question in ready.matter.questions:
        text = given.get(question.id, "")
        if not text.strip():
            continue
        try:
            values[question.id] = _read(ready, question, text, today)
        except Invalid as error:
            errors[question.id] = next(iter(error.fields.values()), error.message)
    return Checked(values, errors)


def complete(plan: Plan, checked: Checked) -> Mapping[str, str]:
    """What keeps this plan from being submitted, by question: errors, unanswered ones, answers not on offer."""
    return unanswered(plan.questions, checked)


def unanswered(questions: Iterable[PlannedQuestion], checked: Checked) -> Mapping[str, str]:
    """Of these questions, what is wrong, missing or not on offer, with the sentence beside each."""
    found: dict[str, str] = {}
    for question in questions:
        if question.id in checked.errors:
            found[question.id] = checked.errors[question.id]
        elif question.value is None:
            found[question.id] = _ask(question)
        elif (
            question.type == "choice"
            and question.more == 0
            and question.value not in {option.value for option in question.options}
        ):
            found[question.id] = _NOT_OFFERED
    return found


def _too_long(limit: int, count: int) -> Said:
    return Said(
        f"最多 {limit} 个字，现在有 {count} 个。", f"At most {limit} characters; there are {count} now."
    )


def _ask(question: PlannedQuestion) -> str:
    verb, english = ("请选择", "Please choose") if question.type == "choice" else ("请填写", "Please answer")
    return Said(f"{verb}：{question.asks.zh}", f"{english}: {question.asks.en or question.asks.zh}")


def _read(ready: CompiledMatter, question: Question, text: str, today: date) -> Value:
    name = question.id
    limit = question.max_length or LONGEST_TEXT
    if len(text) > 4 * limit + 100:  # before anything looks at each character of it
        raise Invalid({name: _too_long(limit, len(text))})
    text = unicodedata.normalize("NFC", text.strip())
    if len(text) > limit:
        raise Invalid({name: _too_long(limit, len(text))})
    match question.type:
        case "choice":
            return _choice(ready, question, text)
        case "boolean":
            if text not in ("true", "false"):
                raise Invalid({name: Said("请选择是或否。", "Please choose yes or no.")})
            return text == "true"
        case "number":
            try:
                number = Decimal(text)
            except InvalidOperation:
                raise Invalid(
                    {
                        name: Said(
                            "请填数字，例如 120 或 85.5。", "Please enter a number, such as 120 or 85.5."
                        )
                    }
                ) from None
            if not number.is_finite() or abs(number) > Decimal("1e12"):
                raise Invalid(
                    {name: Said("这个数字太大，请检查。", "This number is too large; please check it.")}
                )
            return number
        case "date":
            try:
                return date.fromisoformat(text)
            except ValueError:
                raise Invalid(
                    {name: Said("请按 2026-11-16 的样子填日期。", "Please enter the date like 2026-11-16.")}
                ) from None
        case "phone":
            return _phone(name, text)
        case "text" | "address":
            return _text(question, text, today)


def _choice(ready: CompiledMatter, question: Question, text: str) -> Value:
    if question.options_from is not None:
        for place in ready.city.places.get(question.options_from.places, ()):
            if place.id == text:
                return place_context(place)
    if any(option.value == text for option in question.options):
        return text
    raise Invalid({question.id: _NOT_OFFERED})


def _phone(name: str, text: str) -> str:
    digits = text.replace(" ", "")
    if _PHONE.fullmatch(digits) is None:
        raise Invalid(
            {
                name: Said(
                    "电话号码不对，请填 11 位手机号，或带区号的座机。",
                    "This is no telephone number: enter 11 digits of a mobile, or a landline with its area code.",
                )
            }
        )
    return digits


def _text(question: Question, text: str, today: date) -> str:
    for character in text:
        # Control, format (bidi, zero-width), private use and unassigned characters never belong in an answer.
        if unicodedata.category(character) in ("Cc", "Cf", "Co", "Cn", "Cs"):
            code = f"U+{ord(character):04X}"
            raise Invalid(
                {
                    question.id: Said(
                        f"有一个不能用的字符（{code}），请删掉再填。",
                        f"There is a character that cannot be used ({code}); please delete it.",
                    )
                }
            )
    if question.check == "person_name":
        return PersonName.check(text, question.max_length or 30, question.id)
    if question.check == "phone":
        return _phone(question.id, text)
    if question.check == "citizen_id":
        return CitizenId.parse(text, today, field=question.id).value
    if question.check == "address" and len(text) < 4:
        raise Invalid(
            {
                question.id: Said(
                    "地址太短，请写到门牌号。",
                    "The address is too short; please write it down to the house number.",
                )
            }
        )
    return text
