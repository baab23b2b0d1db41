"""A cursor over the tokens of a rule, and how the parser reports faults."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import NoReturn

from dizuo.foundation.rules.errors import RuleError, RuleErrors
from dizuo.foundation.rules.lexer import KEYWORDS, Token, tokens
from dizuo.foundation.rules.tree import Span


class Cursor:
    """A place in the tokens of one rule, and the faults found so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.place = 0
        self.depth = 0
        self.faults: list[RuleError] = []

    @property
    def now(self) -> Token:
        return self.tokens[self.place]

    def is_at(self, *texts: str) -> bool:
        return self.now.kind in ("symbol", "keyword") and self.now.text in texts

    def at_end(self) -> bool:
        return self.now.kind == "end"

    def take(self) -> Token:
        token = self.now
        if token.kind != "end":
            self.place += 1
        return token

    def expect(self, text: str, fix: str) -> Token:
        if not self.is_at(text):
            self.unexpected(f"这里应该是“{text}”", fix)
        return self.take()

    def fault(self, message: str, span: Span, fix: str | None = None) -> None:
        self.faults.append(RuleError(message, span.start, span.end, fix))

    def stop(self, message: str, span: Span, fix: str | None = None) -> NoReturn:
        self.fault(message, span, fix)
        raise RuleErrors(self.text, self.faults)

    def unexpected(self, wanted: str, fix: str | None = None) -> NoReturn:
        token = self.now
        if token.kind == "end":
            self.stop(f"规则没有写完：{wanted}。", token.span, fix)
        if token.kind == "name" and token.text.lower() in KEYWORDS:
            self.stop(f"关键字要小写：{token.text}。", token.span, f"写成 {token.text.lower()}")
        self.stop(f"{wanted}，不是“{token.text}”。", token.span, fix)

    def similar(self, word: str, among: Sequence[str]) -> str | None:
        close = difflib.get_close_matches(word.lower(), among, n=1, cutoff=0.6)
        return f"您是不是要写 {close[0]}？" if close else None
