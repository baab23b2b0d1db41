"""HTML forms → what the engines take. Nothing here decides; the engines check."""

from __future__ import annotations

import re

import msgspec

from dizuo.engines.cases import NewFile
from dizuo.web import ONCE_FIELD, Form

from .form_facts import ANSWER, GIVEN
from .views_fix import FILE

_DRAFT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BUTTONS = ("submit", "next", "back", "save", "choose")
LONGEST = 4000


class FormSent(msgspec.Struct, frozen=True):
    """What was sent from the prefilled form: answers, chosen records, and which button."""

    do: str
    answers: dict[str, str]
    given: dict[str, str]
    agreed: bool
    draft: str
    version: int
    step: int
    once: str


class FixSent(msgspec.Struct, frozen=True):
    """What was sent from the page of a 补正: which button, answers, words, files, and kept files to take back."""

    do: str
    answers: dict[str, str]
    words: str
    seen: str
    sure: bool
    files: list[NewFile]
    drop: list[int]


def number(text: str, largest: int = 10**9) -> int:
    """A whole number from a hidden field or a query; 0 when it is none."""
    return min(int(text), largest) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def draft_id(text: str) -> str:
    """A draft's id, '' when it is not shaped like one."""
    return text if _DRAFT.fullmatch(text) else ""


def form_sent(form: Form) -> FormSent:
    """The prefilled form as it was sent. Unknown buttons count as saving: the careful thing to do."""
    do = form.text("do")
    return FormSent(
        do=do if do in _BUTTONS else "save",
        answers={name: value[:LONGEST] for name, value in form.under(ANSWER).items()},
        given={name: value[:200] for name, value in form.under(GIVEN).items()},
        agreed=form.text("agree") == "yes",
        draft=draft_id(form.text("draft")),
        version=number(form.text("version")),
        step=number(form.text("step"), 99),
        once=form.text(ONCE_FIELD)[:60],
    )


def fix_sent(form: Form) -> FixSent:
    """The page of a 补正 as it was sent. Enter in a field counts as the first button: to send."""
    return FixSent(
        do=form.text("do") or "send",
        answers={name: value[:LONGEST] for name, value in form.under(ANSWER).items()},
        words=form.text("answer"),
        seen=form.text("seen")[:60],
        sure=form.text("sure") == "yes",
        files=[
            NewFile(
                number(file.field.removeprefix(FILE), 99),
                file.name,
                file.declared,
                file.content,
                file.problem,
            )
            for file in form.files
        ],
        drop=[number(one, 2**62) for one in form.all("drop")][:99],
    )
