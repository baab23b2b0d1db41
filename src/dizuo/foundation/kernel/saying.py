"""A sentence for whoever typed something: Chinese wherever text is wanted, and English for a page in English."""

from __future__ import annotations

from typing import Self


class Said(str):
    """The Chinese sentence, with its English beside it in ``en``.

    Logs, ledgers and every reader that knows no languages see the Chinese one.
    """

    en: str

    def __new__(cls, zh: str, en: str) -> Self:
        made = super().__new__(cls, zh)
        made.en = en
        return made


def said_in(text: str, lang: str) -> str:
    """The sentence in the reader's language as plain text; what has no English stays Chinese."""
    return text.en if lang == "en" and isinstance(text, Said) and text.en else str(text)
