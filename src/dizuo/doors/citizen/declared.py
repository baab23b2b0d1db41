"""Saying declarations to people: words in the reader's language, lengths of time, names."""

from __future__ import annotations

from dizuo.foundation.blueprint.model import City, Length, Matter, Words

_UNITS = {
    "workday": ("个工作日", "workday"),
    "calendar_day": ("天", "day"),
    "work_hour": ("个工作小时", "working hour"),
    "hour": ("小时", "hour"),
    "month": ("个月", "month"),
    "year": ("年", "year"),
}

# How the engine words an option that is named after a fact, and a yes or no.
_PLAIN = {"爸爸": "father", "妈妈": "mother", "是": "is_true", "否": "is_false"}


def pick(words: Words, lang: str) -> str:
    """The words in the reader's language; Chinese when the city gave no other."""
    return words.en if lang == "en" and words.en else words.zh


def length(value: Length, lang: str) -> str:
    """3 个工作日 / 3 workdays."""
    zh, en = _UNITS[value.unit]
    if lang == "en":
        return f"{value.n} {en}" if value.n == 1 else f"{value.n} {en}s"
    return f"{value.n} {zh}"


def article_order(number: str) -> tuple[int, str]:
    """Articles in the order of the law: 9 before 13."""
    digits = "".join(sign for sign in number if sign.isdigit())
    return (int(digits) if digits else 0, number)


def department(city: City, organisation: str, lang: str) -> str:
    """A department's short name; an unknown id as written."""
    known = city.organisations.get(organisation)
    return pick(known.short, lang) if known else organisation


def said(matter: Matter, key: str, lang: str, otherwise: str) -> str:
    """A sentence the matter brings for a page, or the door's own."""
    words = matter.words.get(key)
    return pick(words, lang) if words is not None else otherwise


def division_name(city: City, code: str | None, lang: str = "zh") -> str:
    """A division by its name, '' when the city does not know the code."""
    known = city.divisions.get(code or "")
    return known.called(lang) if known else ""


def title_said(city: City, title: str, lang: str) -> str:
    """An application's title: the matter, then whose it is. The engine keeps it in Chinese, 王沐言，新生儿出生一件事."""
    if lang == "zh":
        return title
    for matter in city.matters.values():
        if title.endswith(matter.name.zh):
            whose = title.removesuffix(matter.name.zh).rstrip("，")
            return " · ".join(part for part in (pick(matter.name, lang), whose) if part)
    return title


def answer_said(city: City, asks: Words, text: str, lang: str, plain: dict[str, str]) -> str:
    """An answer that the engine worded in Chinese, in the reader's language.

    The city's own option of the question gives the words; ``plain`` those of options named after a fact (father,
    mother) and of yes and no. What a person typed stays as typed.
    """
    questions = [q for matter in city.matters.values() for q in matter.questions if q.asks == asks]
    for question in questions:
        for option in question.options:
            if option.label is not None and option.label.zh == text:
                return pick(option.label, lang)
    if not any(question.options or question.type == "boolean" for question in questions):
        return text
    return plain.get(_PLAIN.get(text, ""), text)


def document_said(city: City, name: str, lang: str) -> str:
    """A document's name: in English what it is, then the name it bears."""
    if lang == "zh":
        return name
    for matter in city.matters.values():
        for document in matter.documents:
            if document.name.zh == name and document.name.en:
                return f"{document.name.en} ({name})"
    return name


def listed(parts: list[str], lang: str) -> str:
    """A short list in one sentence."""
    return ("、" if lang == "zh" else ", ").join(parts)
