"""What is wrong with a rule, where, and how to mend it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from dizuo.foundation.kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class RuleError:
    """One fault: a sentence, the half-open range of characters it stands in, and the way out."""

    message: str
    start: int
    end: int
    fix: str | None = None

    def render(self, text: str) -> str:
        """The fault with its line of text and a caret under the place.

        Chinese characters take two columns on a terminal; the carets are counted in columns.
        """
        line_start = text.rfind("\n", 0, self.start) + 1
        line_end = text.find("\n", self.start)
        line = text[line_start : len(text) if line_end < 0 else line_end]
        before = line[: self.start - line_start]
        marked = line[self.start - line_start : max(self.end, self.start + 1) - line_start]
        number = text.count("\n", 0, self.start) + 1
        gutter = f"{number} | "
        carets = " " * (len(gutter) + _columns(before)) + "^" * max(_columns(marked), 1)
        told = f"{self.message}\n{gutter}{_printable(line)}\n{carets}"
        return told if self.fix is None else f"{told}\n改法：{self.fix}"


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


class RuleErrors(Invalid):
    """规则有错。

    ``errors`` holds every fault found, in the order of the text; ``text`` is the rule.
    """

    errors: list[RuleError]
    text: str

    def __init__(self, text: str, errors: Iterable[RuleError], field: str = "rule") -> None:
        self.text = text
        self.errors = sorted(errors, key=lambda error: (error.start, error.end))
        first = self.errors[0]
        super().__init__({field: first.message}, first.message, fix=first.fix)

    def render(self) -> str:
        """All faults, each with its caret."""
        return "\n\n".join(error.render(self.text) for error in self.errors)
