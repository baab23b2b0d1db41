"""A small language that says what a declaration looks like, once: decoding and the editors' JSON Schema both come
from it.

A shape reads a node into a value. When the node is wrong it reports a finding and returns a *hole*, an empty value of
the right type, so that the passes after it still find every other mistake; a city with a finding is never run, so a
hole never leaves the checker.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from dizuo.foundation.blueprint.findings import Log, nearest
from dizuo.foundation.blueprint.model import Place
from dizuo.foundation.blueprint.nodes import Map, Node, Scalar, Seq

T = TypeVar("T")
Schema = dict[str, Any]


class Shape(Generic[T]):
    """What one value looks like. Subclasses say how to read it and how to describe it to an editor."""

    def read(self, node: Node, log: Log) -> T:
        raise TypeError(type(self).__name__)

    def hole(self, place: Place) -> T:
        raise TypeError(type(self).__name__)

    def schema(self) -> Schema:
        raise TypeError(type(self).__name__)


def wrong(node: Node, log: Log, wanted: str, *, fix: str | None = None, suggest: str | None = None) -> None:
    """Report that another kind of value was expected here."""
    log.add("wrong-shape", node.span, f"这里应当是{wanted}，写的是{_said(node)}。", fix=fix, suggest=suggest)


def _said(node: Node) -> str:
    if isinstance(node, Map):
        return "一组键值"
    if isinstance(node, Seq):
        return "一个列表"
    if node.empty:
        return "空值"
    return f" `{node.text[:40]}`"


@dataclass(frozen=True)
class Text(Shape[str]):
    """A text of at most ``longest`` characters, optionally of one form (``pattern``, described by ``form``)."""

    pattern: str | None = None
    form: str = ""
    longest: int = 4_000

    def read(self, node: Node, log: Log) -> str:
        if not isinstance(node, Scalar) or node.empty:
            wrong(node, log, "文字")
            return ""
        if len(node.text) > self.longest:
            log.add(
                "too-large",
                node.span,
                f"文字有 {len(node.text):,} 个字符，上限是 {self.longest:,} 个。",
                fix="缩短它。",
            )
            return ""
        if self.pattern is not None and re.fullmatch(self.pattern, node.text) is None:
            log.add("wrong-form", node.span, f"`{node.text[:60]}` 的写法不对。", fix=f"应当写成{self.form}。")
            return ""
        return node.text

    def hole(self, place: Place) -> str:
        return ""

    def schema(self) -> Schema:
        # An unquoted number is text here (codes, article numbers); an editor must not underline it.
        made: Schema = {"type": ["string", "number"], "maxLength": self.longest}
        if self.pattern is not None:
            made["pattern"] = f"^(?:{self.pattern})$"
        return made


@dataclass(frozen=True)
class Optional(Shape["Any"]):
    """The inner shape, or an explicit null."""

    inner: Shape[Any]

    def read(self, node: Node, log: Log) -> Any:
        if isinstance(node, Scalar) and node.empty:
            return None
        return self.inner.read(node, log)

    def hole(self, place: Place) -> Any:
        return None

    def schema(self) -> Schema:
        return {"anyOf": [self.inner.schema(), {"type": "null"}]}


@dataclass(frozen=True)
class Int(Shape[int]):
    low: int = 0
    high: int = 10**9

    def read(self, node: Node, log: Log) -> int:
        if not isinstance(node, Scalar) or not re.fullmatch(r"-?[0-9]{1,12}", node.text):
            wrong(node, log, "整数")
            return self.low
        number = int(node.text)
        if not self.low <= number <= self.high:
            log.add(
                "wrong-form",
                node.span,
                f"{number} 不在 {self.low} 到 {self.high:,} 之间。",
                fix="改成范围内的数。",
            )
            return self.low
        return number

    def hole(self, place: Place) -> int:
        return self.low

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Share(Shape[float]):
    """A share from 0 to 1, written 0.99; percentages are refused so that nobody promises 99 times everything."""

    def read(self, node: Node, log: Log) -> float:
        if not isinstance(node, Scalar) or not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})?%?", node.text):
            wrong(node, log, " 0 到 1 之间的小数", fix="写成 0.99 这样。")
            return 0.0
        number = float(node.text.removesuffix("%"))
        if node.text.endswith("%") or number > 1:
            meant = f"{number / 100:g}" if number <= 100 else None
            fix = "写成 0 到 1 之间的小数。"
            log.add("wrong-form", node.span, f"{node.text} 不在 0 到 1 之间。", suggest=meant, fix=fix)
            return 0.0
        return number

    def hole(self, place: Place) -> float:
        return 0.0

    def schema(self) -> Schema:
        return {"type": "number", "minimum": 0, "maximum": 1}


@dataclass(frozen=True)
class Bool(Shape[bool]):
    def read(self, node: Node, log: Log) -> bool:
        if isinstance(node, Scalar) and node.plain and node.text in ("true", "false"):
            return node.text == "true"
        meant = {"yes": "true", "on": "true", "是": "true", "no": "false", "off": "false", "否": "false"}
        said = meant.get(node.text.lower()) if isinstance(node, Scalar) else None
        wrong(node, log, " true 或 false", suggest=said, fix="写 true 或 false。")
        return False

    def hole(self, place: Place) -> bool:
        return False

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Date(Shape[dt.date]):
    """A calendar date, written 2026-11-23."""

    def read(self, node: Node, log: Log) -> dt.date:
        if isinstance(node, Scalar) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", node.text):
            try:
                return dt.date.fromisoformat(node.text)
            except ValueError:
                log.add("wrong-form", node.span, f"没有 {node.text} 这一天。", fix="改成真实的日期。")
                return dt.date.min
        wrong(node, log, "日期", fix="写成 2026-11-23 这样。")
        return dt.date.min

    def hole(self, place: Place) -> dt.date:
        return dt.date.min

    def schema(self) -> Schema:
        return {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}


@dataclass(frozen=True)
class Enum(Shape[str]):
    """One of a few words, each with what it means."""

    words: Mapping[str, str]

    def read(self, node: Node, log: Log) -> str:
        if isinstance(node, Scalar) and node.text in self.words:
            return node.text
        first = next(iter(self.words))
        if not isinstance(node, Scalar):
            wrong(node, log, f"{'、'.join(self.words)} 之一")
            return first
        guess = nearest(node.text, self.words)
        log.add(
            "unknown-word",
            node.span,
            f"`{node.text[:40]}` 不在可选的词里：{'、'.join(self.words)}。",
            suggest=guess,
            fix="从这几个词里选一个。",
        )
        # What was probably meant, so that one misspelling does not make other findings.
        return guess or first

    def hole(self, place: Place) -> str:
        return next(iter(self.words))

    def schema(self) -> Schema:
        told = "；".join(f"{word}：{said}" for word, said in self.words.items() if said)
        return {"enum": list(self.words), **({"description": told} if told else {})}


def words_of(names: Iterable[str]) -> dict[str, str]:
    """An enumeration whose words need no further explanation."""
    return dict.fromkeys(names, "")
