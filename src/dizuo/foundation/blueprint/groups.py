"""Shapes that hold other shapes: lists, named groups, and records built into structures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dizuo.foundation.blueprint.findings import Log, nearest
from dizuo.foundation.blueprint.model import Place
from dizuo.foundation.blueprint.nodes import Map, Node, Scalar, Seq
from dizuo.foundation.blueprint.shape import Schema, Shape, wrong


@dataclass(frozen=True)
class ListOf(Shape["tuple[Any, ...]"]):
    """A list of at least ``least`` values of one shape, as a tuple."""

    inner: Shape[Any]
    least: int = 0

    def read(self, node: Node, log: Log) -> tuple[Any, ...]:
        if not isinstance(node, Seq):
            wrong(node, log, "一个列表", fix="用 `- ` 或 `[…]` 写成列表。")
            return ()
        if len(node.items) < self.least:
            log.add("wrong-shape", node.span, f"这里至少要有 {self.least} 项。", fix="补上，或删掉这个键。")
        return tuple(self.inner.read(item, log) for item in node.items)

    def hole(self, place: Place) -> tuple[Any, ...]:
        return ()

    def schema(self) -> Schema:
        return {
            "type": "array",
            "items": self.inner.schema(),
            **({"minItems": self.least} if self.least else {}),
        }


def _named(node: Node, log: Log, key: str, key_form: str, **way: str) -> Iterator[tuple[str, Node]]:
    """The entries whose names have the form ``key``; others are reported, and so is what is no group at all."""
    if not isinstance(node, Map):
        if not (isinstance(node, Seq) and not node.items):  # an empty list is an empty group
            wrong(node, log, "一组键值", **way)
        return
    for name, value in node.entries:
        if re.fullmatch(key, name.text) is None:
            log.add(
                "wrong-form", name.span, f"名称 `{name.text[:60]}` 的写法不对。", fix=f"名称应当{key_form}。"
            )
        else:
            yield name.text, value


@dataclass(frozen=True)
class MapOf(Shape["dict[str, Any]"]):
    """Names of one form to values of one shape, in the order written."""

    inner: Shape[Any]
    key: str = r"[a-z][a-z0-9_]*"
    key_form: str = "小写字母开头，由小写字母、数字和下划线组成"

    def read(self, node: Node, log: Log) -> dict[str, Any]:
        named = _named(node, log, self.key, self.key_form)
        return {name: self.inner.read(value, log) for name, value in named}

    def hole(self, place: Place) -> dict[str, Any]:
        return {}

    def schema(self) -> Schema:
        return {
            "type": "object",
            "patternProperties": {f"^(?:{self.key})$": self.inner.schema()},
            "additionalProperties": False,
        }


@dataclass(frozen=True)
class Key:
    """One key of a record: its shape, what it means (shown by editors), and its value when left out.

    ``to`` is the structure's field when it differs from the key; ``needed`` keys have no default.
    """

    shape: Shape[Any]
    doc: str
    needed: bool = True
    default: Any = None
    to: str = ""
    lack: str = "missing-key"
    why: str = ""


def may(shape: Shape[Any], doc: str, default: Any = None, *, to: str = "") -> Key:
    """A key that may be left out."""
    return Key(shape, doc, needed=False, default=default, to=to)


@dataclass(frozen=True)
class Record(Shape["Any"]):
    """A group of known keys, built into a structure: ``build(place=…, **values)``."""

    build: Callable[..., Any]
    keys: Mapping[str, Key]
    doc: str = ""
    kind: str = ""

    def read(self, node: Node, log: Log) -> Any:
        return self.read_as(node, log)

    def read_as(self, node: Node, log: Log, **given: object) -> Any:
        """Read with values that stand outside the group, such as an id that is the name of a folder or key."""
        if not isinstance(node, Map):
            wrong(node, log, "一组键值")
            return self.hole(node.span.place, **given)
        values: dict[str, object] = dict(given)
        expected = [k for k in self.keys if (self.keys[k].to or k) not in given]
        meant: set[str | None] = set()  # a misspelt key is one mistake, not two
        for key, _ in node.entries:
            if key.text not in expected and not (self.kind and key.text == "kind"):
                meant.add(self._unknown(key, expected, log))
        for name in expected:
            spec = self.keys[name]
            value = node.get(name)
            if value is not None:
                values[spec.to or name] = spec.shape.read(value, log)
            elif spec.needed:
                values[spec.to or name] = spec.shape.hole(node.span.place)
                if name not in meant:
                    self._missing(name, spec, node, log)
            else:
                values[spec.to or name] = spec.default
        return self.build(place=node.span.place, **values)

    def _unknown(self, key: Scalar, expected: list[str], log: Log) -> str | None:
        guess = nearest(key.text, expected)
        log.add(
            "unknown-key",
            key.span,
            f"这里不认识键 `{key.text[:60]}`。",
            suggest=guess,
            fix=f"把 `{key.text[:60]}` 改为 `{guess}`。"
            if guess
            else f"删掉它；这里可以写：{'、'.join(expected)}。",
        )
        return guess

    def _missing(self, name: str, spec: Key, node: Map, log: Log) -> None:
        why = spec.why or f"缺少键 `{name}`（{spec.doc}）。"
        log.add(spec.lack, node.span, why, fix=f"补上 `{name}: …`。")

    def hole(self, place: Place, **given: object) -> Any:
        values = dict(given)
        for name, spec in self.keys.items():
            if (spec.to or name) not in values:
                values[spec.to or name] = spec.shape.hole(place) if spec.needed else spec.default
        return self.build(place=place, **values)

    def schema(self) -> Schema:
        properties = {name: _described(key) for name, key in self.keys.items()}
        needed = [name for name, key in self.keys.items() if key.needed]
        if self.kind:
            properties = {"kind": {"const": self.kind}, **properties}
            needed = ["kind", *needed]
        made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        if needed:
            made["required"] = needed
        if self.doc:
            made["description"] = self.doc
        return made


def sole(place: Place, **values: Any) -> Any:
    """Builds a record of one key: its value."""
    (value,) = values.values()
    return value


def told(place: Place, **values: Any) -> dict[str, Any]:
    """Builds a record as plain data, with what was said and without what was not."""
    return {name: value for name, value in values.items() if value is not None}


def _described(key: Key) -> Schema:
    made = key.shape.schema()
    texts = [text for text in (key.doc, made.get("description", "")) if text]
    return {**made, "description": " ".join(texts)} if texts else made


@dataclass(frozen=True)
class Keyed(Shape["dict[str, Any]"]):
    """Names to records; each name is given to its record as ``name_as``."""

    record: Record
    name_as: str = "id"
    key: str = r"[a-z][a-z0-9_]*"
    key_form: str = "小写字母开头，由小写字母、数字和下划线组成"

    def read(self, node: Node, log: Log) -> dict[str, Any]:
        named = _named(node, log, self.key, self.key_form, fix="写成 `名称: {…}`。")
        return {name: self.record.read_as(value, log, **{self.name_as: name}) for name, value in named}

    def hole(self, place: Place) -> dict[str, Any]:
        return {}

    def schema(self) -> Schema:
        pattern = f"^(?:{self.key})$"
        inner = self.record.schema()
        # The name stands outside the group, so it may not be written again inside it.
        inner["properties"].pop(self.name_as, None)
        inner["required"] = [name for name in inner.get("required", []) if name != self.name_as]
        return {"type": "object", "patternProperties": {pattern: inner}, "additionalProperties": False}


@dataclass(frozen=True)
class Group(Shape["tuple[Any, ...]"]):
    """Named records as a tuple in the order written; the name is the record's ``id``."""

    record: Record

    def read(self, node: Node, log: Log) -> tuple[Any, ...]:
        return tuple(Keyed(self.record).read(node, log).values())

    def hole(self, place: Place) -> tuple[Any, ...]:
        return ()

    def schema(self) -> Schema:
        return Keyed(self.record).schema()
