"""How an article of a declared law is named to people, in their language: the one place for all doors."""

from __future__ import annotations

from collections.abc import Sequence

from dizuo.foundation.blueprint.model import City


def law_text(city: City, key: str, lang: str = "zh") -> str:
    """《户口登记条例》第 7 条, from ``law:article``; what is not declared, and what is no citation, is shown as written."""
    law_id, colon, number = key.partition(":")
    if not colon and law_id not in city.laws:
        return key
    return articles_text(city, law_id, (number,) if number else (), lang)


def articles_text(city: City, law_id: str, numbers: Sequence[str], lang: str = "zh") -> str:
    """《社会保险法》第 25、54 条: several articles of one law; an article that is no number (a list's entry) is left out.

    In English by the law's English name where the city gave one: Social Insurance Law, art. 25, 54.
    """
    law = city.laws.get(law_id)
    if lang == "en" and law is not None and law.title.en:
        title = law.title.en
    else:
        title = f"《{law.title.zh.removeprefix('中华人民共和国') if law else law_id}》"
    counted = [number for number in numbers if number[:1].isdigit()]
    if not counted:
        return title
    return f"{title}, art. {', '.join(counted)}" if lang == "en" else f"{title}第 {'、'.join(counted)} 条"
