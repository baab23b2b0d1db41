"""How an article of a declared law is named to people."""

from __future__ import annotations

from dizuo.foundation.blueprint.model import City


def law_text(city: City, key: str) -> str:
    """《户口登记条例》第 7 条, from ``law:article``; what is not declared is shown as written."""
    law_id, _, article = key.partition(":")
    law = city.laws.get(law_id)
    title = law.title.removeprefix("中华人民共和国") if law else law_id
    return f"《{title}》第 {article} 条" if article[:1].isdigit() else f"《{title}》"
