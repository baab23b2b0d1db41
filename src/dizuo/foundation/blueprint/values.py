"""The values that declarations are made of beyond plain text and numbers: words, lengths, articles, expressions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

from dizuo.foundation.blueprint.findings import Log, nearest
from dizuo.foundation.blueprint.groups import Key, Record, may
from dizuo.foundation.blueprint.model import Expression, LawRef, Length, Place, Words
from dizuo.foundation.blueprint.nodes import Map, Node, Scalar
from dizuo.foundation.blueprint.shape import Bool, Enum, Int, Schema, Shape, Text, words_of, wrong

UNITS: tuple[str, ...] = ("workday", "calendar_day", "work_hour", "hour", "month", "year")
_MAX_EXPRESSION = 4_000


@dataclass(frozen=True)
class WordsShape(Shape[Words]):
    """A short text: plain (Chinese only), or by language."""

    def read(self, node: Node, log: Log) -> Words:
        if isinstance(node, Map):
            return cast(Words, _BY_LANGUAGE.read(node, log))
        return Words(Text().read(node, log))

    def hole(self, place: Place) -> Words:
        return Words("")

    def schema(self) -> Schema:
        return {"anyOf": [Text().schema(), _BY_LANGUAGE.schema()]}


def _words(place: Place, zh: str, en: str) -> Words:
    return Words(zh, en)


_BY_LANGUAGE = Record(_words, {"zh": Key(Text(), "中文"), "en": may(Text(), "英文", "")})


@dataclass(frozen=True)
class LengthShape(Shape[Length]):
    """A length of time: ``3 workday`` or ``{n: 3, unit: workday}``."""

    def read(self, node: Node, log: Log) -> Length:
        if isinstance(node, Map):
            return cast(Length, _LENGTH.read(node, log))
        if not isinstance(node, Scalar) or node.empty:
            wrong(node, log, "一段时间", fix="写成 `3 workday` 这样。")
            return Length(0, "calendar_day")
        found = re.fullmatch(r"([0-9]{1,5}) ([a-z_]+)", node.text)
        if found is None:
            log.add(
                "wrong-form", node.span, f"`{node.text[:40]}` 不是一段时间。", fix="写成 `3 workday` 这样。"
            )
            return Length(0, "calendar_day")
        if found[2] not in UNITS:
            log.add(
                "unknown-word",
                node.span,
                f"没有时间单位 `{found[2]}`。",
                suggest=_unit(found[1], found[2]),
                fix=f"单位只有：{'、'.join(UNITS)}。",
            )
            return Length(0, "calendar_day")
        return Length(int(found[1]), cast(Any, found[2]))

    def hole(self, place: Place) -> Length:
        return Length(0, "calendar_day")

    def schema(self) -> Schema:
        short = {"type": "string", "pattern": f"^[0-9]{{1,5}} (?:{'|'.join(UNITS)})$"}
        return {"anyOf": [short, _LENGTH.schema()]}


def _unit(number: str, written: str) -> str | None:
    known = {
        "day": "calendar_day",
        "days": "calendar_day",
        "natural_day": "calendar_day",
        "weekday": "workday",
    }
    guess = known.get(written) or nearest(written, UNITS)
    return f"{number} {guess}" if guess else None


def _length(place: Place, n: int, unit: str) -> Length:
    return Length(n, cast(Any, unit))


_LENGTH = Record(_length, {"n": Key(Int(0, 99_999), "多少"), "unit": Key(Enum(words_of(UNITS)), "单位")})


@dataclass(frozen=True)
class LawRefShape(Shape[LawRef]):
    """An article of a declared law: ``hukou-1958:7``."""

    def read(self, node: Node, log: Log) -> LawRef:
        place = node.span.place
        if not isinstance(node, Scalar) or node.empty:
            wrong(node, log, "法律依据", fix="写成 `法律:条`，例如 `hukou-1958:7`。")
            return LawRef("", "", place)
        law, colon, article = node.text.partition(":")
        if not colon or not article.strip():
            log.add(
                "law-without-article",
                node.span,
                f"法律依据 `{node.text[:60]}` 没有写到条。",
                fix=f"写成 `{law.strip() or '法律'}:条`，例如 `hukou-1958:7`。",
            )
            return LawRef("", "", place)
        return LawRef(law.strip(), article.strip(), place)

    def hole(self, place: Place) -> LawRef:
        return LawRef("", "", place)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": "^[^:]+:[^:]+$"}


@dataclass(frozen=True)
class ExpressionShape(Shape[Expression]):
    """An expression of the rule language (FEEL), as text; its meaning is checked later."""

    def read(self, node: Node, log: Log) -> Expression:
        place = node.span.place
        if not isinstance(node, Scalar) or node.empty:
            fix = "表达式里有 `{`、`[`、`: ` 或 `#` 时要加引号。" if isinstance(node, Map) else None
            wrong(node, log, "一个表达式", fix=fix)
            return Expression("", place)
        if len(node.text) > _MAX_EXPRESSION:
            log.add(
                "too-large",
                node.span,
                f"表达式有 {len(node.text):,} 个字符，上限是 {_MAX_EXPRESSION:,} 个。",
                fix="用 names 拆成几个有名字的表达式。",
            )
            return Expression("", place)
        return Expression(node.text, place)

    def hole(self, place: Place) -> Expression:
        return Expression("", place)

    def schema(self) -> Schema:
        return {"type": ["string", "boolean", "number"], "description": "表达式"}


WORDS = WordsShape()
LENGTH = LengthShape()
LAW = LawRefShape()
EXPR = ExpressionShape()
TRUTH = Bool()
