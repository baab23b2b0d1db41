"""One question as a field of a page: the same on the form and where an answer is asked for again (补正)."""

from __future__ import annotations

from collections.abc import Mapping

from dizuo.engines.cases import PlannedQuestion
from dizuo.foundation.kernel.saying import said_in
from dizuo.web.words import fill

from .declared import pick
from .form_facts import ANSWER, FieldView, OptionView

_INPUT = {"phone": ("tel", "tel"), "number": ("text", "decimal"), "date": ("date", "")}
_SHORT = 6
"""Options of so few signs, without more to say, stand side by side."""


def question_field(
    question: PlannedQuestion, lang: str, words: Mapping[str, str], *, error: str, value: str
) -> FieldView:
    """The field with its ``value`` and what is wrong with it; ``words`` are the form's."""
    options = [OptionView(o.value, pick(o.label, lang), pick(o.detail, lang)) for o in question.options]
    if question.type == "boolean":
        options = [OptionView("true", words["is_true"], ""), OptionView("false", words["is_false"], "")]
    input_type, input_mode = _INPUT.get(question.type, ("text", ""))
    asks = pick(question.asks, lang)
    return FieldView(
        id=f"q-{question.id}",
        name=ANSWER + question.id,
        number=question.number,
        kind="choice" if question.type in ("choice", "boolean") else "text",
        label=asks,
        small=asks.rstrip("？?"),
        hint=pick(question.hint, lang),
        error=said_in(error, lang),
        value=value,
        options=options,
        short=bool(options) and all(len(o.label) <= _SHORT and not o.detail for o in options),
        more=fill(words["more"], n=question.more) if question.more else "",
        size="s" if 0 < question.max_length <= 30 else "",
        max_length=question.max_length,
        autocomplete=question.autofill or "off",
        input_mode=input_mode,
        input_type=input_type,
    )
