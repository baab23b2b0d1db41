"""Opening hours as a city writes them, said in English: 周二、四、六 8:00–11:30 is Tue, Thu, Sat 8:00–11:30."""

from __future__ import annotations

import re
from functools import lru_cache

_DAYS = dict(zip("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
_WORDS = {"工作日": "Workdays", "每天": "Daily"}
_SPAN = re.compile(r"周([一二三四五六日])至周([一二三四五六日])")
_LIST = re.compile(r"周([一二三四五六日](?:、周?[一二三四五六日])*)")


@lru_cache(maxsize=4096)
def hours_said(hours: str, lang: str) -> str:
    """The hours in the reader's language. What is written in another way stays as it is."""
    if lang == "zh":
        return hours
    said = _SPAN.sub(lambda found: f"{_DAYS[found[1]]}–{_DAYS[found[2]]}", hours)
    said = _LIST.sub(lambda found: ", ".join(_DAYS[day] for day in found[1] if day in _DAYS), said)
    for word, english in _WORDS.items():
        said = said.replace(word, english)
    return said.replace("、", ", ")
