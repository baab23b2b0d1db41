"""Text to tokens. It knows the slips of people who write Chinese and other languages, and says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from dizuo.foundation.rules.errors import RuleError, RuleErrors
from dizuo.foundation.rules.tree import Span

MAX_TEXT = 4_000

KEYWORDS = frozenset(
    [
        "and",
        "or",
        "in",
        "between",
        "if",
        "then",
        "else",
        "some",
        "every",
        "satisfies",
        "for",
        "return",
        "true",
        "false",
        "null",
    ]
)
_SYMBOL = re.compile(r"\*\*|<=|>=|!=|\.\.|[-+*/=<>()\[\]{},:.@]")
_NUMBER = re.compile(r"[0-9]+(?:\.(?=[0-9])[0-9]+)?|\.[0-9]+", re.ASCII)
_BLANK = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_MAX_DIGITS = 34  # decimal128, the number format of FEEL

# What people type instead, and what they mean. The longest come first.
_SLIPS: tuple[tuple[str, str, str], ...] = (
    ("===", "等于", "="),
    ("!==", "不等于", "!="),
    ("==", "等于", "="),
    ("<>", "不等于", "!="),
    ("&&", "并且", "and"),
    ("||", "或者", "or"),
    ("=>", "大于等于", ">="),
    ("=<", "小于等于", "<="),
    ("≤", "小于等于", "<="),
    ("≥", "大于等于", ">="),
    ("≠", "不等于", "!="),
    ("×", "乘", "*"),
    ("÷", "除", "/"),
    ("（", "左括号", "("),
    ("）", "右括号", ")"),
    ("，", "逗号", ","),
    ("、", "顿号", ","),
    ("：", "冒号", ":"),
    ("＝", "等于", "="),
    ("＜", "小于", "<"),
    ("＞", "大于", ">"),
    ("【", "左方括号", "["),
    ("】", "右方括号", "]"),
    ("!", "不是", "not(…)"),
    ("%", "取余", "x - floor(x / n) * n"),
)
_QUOTES = "“”‘’＂'"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "/": "/"}

Kind = Literal["number", "text", "name", "keyword", "symbol", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    text: str
    span: Span


def tokens(text: str) -> list[Token]:
    """The tokens of a rule, ending in one of kind ``end``.

    Errors: RuleErrors with every lexical fault; text longer than 4,000 characters is refused unread.
    """
    if len(text) > MAX_TEXT:
        fault = RuleError(f"规则太长：{len(text)} 个字符，最多 {MAX_TEXT} 个。", 0, 1, "请拆成几条规则。")
        raise RuleErrors(text[:MAX_TEXT], [fault])
    found: list[Token] = []
    faults: list[RuleError] = []
    place = 0
    while place < len(text):
        blank = _BLANK.match(text, place)
        if blank:
            place = blank.end()
            continue
        token, fault, place = _next(text, place)
        if token is not None:
            found.append(token)
        if fault is not None:
            faults.append(fault)
    if faults:
        raise RuleErrors(text, faults)
    found.append(Token("end", "", Span(len(text), len(text))))
    return found


def _next(text: str, place: int) -> tuple[Token | None, RuleError | None, int]:
    character = text[place]
    if character == '"':
        return _string(text, place)
    if character.isidentifier():
        end = place + 1
        while end < len(text) and text[place : end + 1].isidentifier():
            end += 1
        word = text[place:end]
        return Token("keyword" if word in KEYWORDS else "name", word, Span(place, end)), None, end
    number = _NUMBER.match(text, place)
    if number and not (character == "." and text[place - 1 : place].isidentifier()):
        return _number(text, place, number.end())
    if text.startswith("/*", place):
        return None, RuleError("注释没有结束。", place, place + 2, "在注释末尾写 */"), len(text)
    slip = _slip(text, place, longer=True)
    symbol = None if slip else _SYMBOL.match(text, place)
    if symbol:
        return Token("symbol", symbol.group(), Span(place, symbol.end())), None, symbol.end()
    slip = slip or _slip(text, place, longer=False)
    if slip is not None:
        return None, slip, slip.end
    if character in _QUOTES:
        fault = RuleError(f"文本要用英文双引号，不能用 {character}。", place, place + 1, '写成 "…"')
        closing = "”’" if character in "“‘" else character
        stops = [i for i in (text.find(c, place + 1) for c in closing) if i >= 0]
        return None, fault, min(stops) + 1 if stops else len(text)
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    return None, RuleError(f"不认识的字符“{shown}”。", place, place + 1, "请删去它。"), place + 1


def _slip(text: str, place: int, *, longer: bool) -> RuleError | None:
    for slip, meaning, right in _SLIPS:
        if (len(slip) > 1) is longer and text.startswith(slip, place):
            return RuleError(f"这里不能用“{slip}”。", place, place + len(slip), f"{meaning}请写 {right}")
    return None


def _number(text: str, place: int, end: int) -> tuple[Token | None, RuleError | None, int]:
    after = end
    while after < len(text) and text[after].isidentifier():
        after += 1
    if after > end:
        fault = RuleError(
            f"“{text[place:after]}”既不是数字也不是名称。", place, after, "名称不能以数字开头。"
        )
        return None, fault, after
    if len(text[place:end].replace(".", "")) > _MAX_DIGITS:
        return None, RuleError(f"数字最多 {_MAX_DIGITS} 位。", place, end, "请缩短。"), end
    return Token("number", text[place:end], Span(place, end)), None, end


def _string(text: str, place: int) -> tuple[Token | None, RuleError | None, int]:
    parts: list[str] = []
    at = place + 1
    while at < len(text) and text[at] not in '"\n':
        if text[at] != "\\":
            if text[at] == "\x00":
                return None, RuleError("文本里不能有空字符。", at, at + 1, "请删去它。"), at + 1
            parts.append(text[at])
            at += 1
            continue
        escape = text[at + 1 : at + 2]
        if escape == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", text[at + 2 : at + 6]):
            code = int(text[at + 2 : at + 6], 16)
            if code == 0 or 0xD800 <= code <= 0xDFFF:
                return None, RuleError("文本里不能有这个字符。", at, at + 6, "生僻字请直接写出来。"), at + 6
            parts.append(chr(code))
            at += 6
        elif escape and escape in _ESCAPES:
            parts.append(_ESCAPES[escape])
            at += 2
        else:
            fault = RuleError("不认识的转义。", at, at + 2, r"可用 \" \\ \n \t \r \uXXXX；反斜杠本身写 \\")
            end = text.find('"', at + 2)
            return None, fault, len(text) if end < 0 else end + 1
    if at >= len(text) or text[at] == "\n":
        return None, RuleError("文本没有结束。", place, at, '在末尾补上 "'), at
    return Token("text", "".join(parts), Span(place, at + 1)), None, at + 1
