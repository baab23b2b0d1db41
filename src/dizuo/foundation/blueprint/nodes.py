"""YAML text to a tree in which every key and value knows its place.

Built from parser events, not from PyYAML's composer: anchors, aliases and tags are refused as they pass by, so a
"YAML bomb" never grows, and depth and size are bounded while reading. Nothing is ever constructed from a tag.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import yaml

from dizuo.foundation.blueprint.findings import Log, Span
from dizuo.foundation.blueprint.model import Place

MAX_DEPTH = 32
MAX_NODES = 200_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as written. ``plain`` is False when it was quoted or a block; ``inline`` when it is on one line."""

    text: str
    plain: bool
    inline: bool
    span: Span

    @property
    def empty(self) -> bool:
        return self.plain and self.text in ("", "~", "null")


@dataclass(frozen=True, slots=True)
class Seq:
    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Map:
    index: dict[str, tuple[Scalar, Node]]
    span: Span

    @property
    def entries(self) -> tuple[tuple[Scalar, Node], ...]:
        return tuple(self.index.values())

    def get(self, key: str) -> Node | None:
        found = self.index.get(key)
        return found[1] if found is not None else None

    def key(self, key: str) -> Scalar | None:
        found = self.index.get(key)
        return found[0] if found is not None else None


Node: TypeAlias = Scalar | Seq | Map


class _Stop(Exception):
    """Reading stopped; the finding is already in the log."""


class _Reader:
    def __init__(self, file: str, text: str, log: Log) -> None:
        self.file = file
        self.log = log
        self.count = 0
        self.events: Iterator[Any] = cast("Iterator[Any]", yaml.parse(text, Loader=_LOADER))  # pyright: ignore[reportUnknownMemberType]

    def span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        width = end.column - start.column if end.line == start.line else 1
        return Span(Place(self.file, start.line + 1, start.column + 1), max(1, width))

    def refuse(self, code: str, event: Any, message: str, fix: str) -> None:
        self.log.add(code, self.span(event), message, fix=fix)
        raise _Stop

    def next(self) -> Any:
        return next(self.events)

    def document(self) -> Node | None:
        self.next()  # stream start
        event = self.next()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        if event.version or event.tags:
            self.refuse("yaml-feature", event, "不接受 % 指令。", "删掉以 % 开头的行。")
        root = self.node(self.next(), 1)
        self.next()  # document end
        after = self.next()
        if isinstance(after, yaml.DocumentStartEvent):
            self.refuse(
                "yaml-feature", after, "一个文件只能写一份声明。", "把后面的内容放进另一个文件，并删掉 ---。"
            )
        return root

    def node(self, event: Any, depth: int) -> Node:
        self.count += 1
        if self.count > MAX_NODES:
            self.refuse("too-large", event, f"内容超过 {MAX_NODES:,} 个节点。", "把这个文件拆成几个文件。")
        if depth > MAX_DEPTH:
            self.refuse("too-deep", event, f"嵌套超过 {MAX_DEPTH} 层。", "减少嵌套。")
        if _is_alias(event):
            self.refuse("yaml-feature", event, "不接受引用（*）。", "把内容写全，不用 & 和 *。")
        if event.anchor is not None:
            self.refuse(
                "yaml-feature", event, f"不接受锚点（&{event.anchor}）。", "把内容写全，不用 & 和 *。"
            )
        if event.tag is not None:
            self.refuse("yaml-feature", event, f"不接受类型标记（{event.tag}）。", "删掉以 ! 开头的标记。")
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(event, depth)
        return self.mapping(event, depth)

    def scalar(self, event: Any) -> Scalar:
        inline = event.start_mark.line == event.end_mark.line
        plain = not event.style
        return Scalar(cast(str, event.value), plain, inline, self.span(event))

    def sequence(self, event: Any, depth: int) -> Seq:
        items: list[Node] = []
        while not isinstance(inner := self.next(), yaml.SequenceEndEvent):
            items.append(self.node(inner, depth + 1))
        return Seq(tuple(items), self.span(event))

    def mapping(self, event: Any, depth: int) -> Map:
        index: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(inner := self.next(), yaml.MappingEndEvent):
            key = self.node(inner, depth + 1)
            value = self.node(self.next(), depth + 1)
            if not isinstance(key, Scalar):
                self.log.add("wrong-shape", key.span, "键必须是文字。", fix="把键写成一个词。")
                continue
            if key.text == "<<" and key.plain:
                self.refuse("yaml-feature", inner, "不接受合并键（<<）。", "把内容写全。")
            if key.text in index:
                first = index[key.text][0].span.place.line
                self.log.add(
                    "duplicate-key",
                    key.span,
                    f"键 `{key.text}` 写了两次，第一次在第 {first} 行。",
                    fix="删掉其中一个，或改成另一个名称。",
                )
                continue
            index[key.text] = (key, value)
        return Map(index, self.span(event))


def _is_alias(event: Any) -> bool:
    return isinstance(event, yaml.AliasEvent)


def read_yaml(file: str, text: str, log: Log) -> Node | None:
    """The tree of one YAML file, or None when it could not be read (the log then says why)."""
    log.lines_of(file, text.splitlines())
    tab = text.find("\t")
    if tab >= 0:
        line = text.count("\n", 0, tab) + 1
        col = tab - (text.rfind("\n", 0, tab) + 1) + 1
        log.add("tab", Place(file, line, col), "这里有制表符（Tab）。", fix="用两个空格代替每个制表符。")
        return None
    try:
        root = _Reader(file, text, log).document()
    except _Stop:
        return None
    except yaml.YAMLError as error:
        log.add("yaml-syntax", _mark(file, error), f"YAML 写法不对：{_problem(error)}。", fix=_YAML_FIX)
        return None
    if root is None or (isinstance(root, Scalar) and root.empty):
        log.add("empty-file", Place(file, 1, 1), "文件是空的。", fix="第一行写 `kind: …`，或删掉这个文件。")
        return None
    return root


_YAML_FIX = "检查缩进、冒号后的空格和引号；含 `: `、`#`、`{`、`[` 的文字要加引号。"


def _mark(file: str, error: yaml.YAMLError) -> Place:
    mark: Any = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return Place(file, 1, 1)
    return Place(file, mark.line + 1, mark.column + 1)


# What the parser says, in the words of someone who writes declarations; other messages are shown as they are.
_PROBLEMS = {
    "mapping values are not allowed in this context": "这里不能再有冒号",
    "did not find expected ',' or '}'": "前面缺少逗号或右花括号 }",
    "did not find expected ',' or ']'": "前面缺少逗号或右方括号 ]",
    "did not find expected key": "缩进不对，或前面的值没有写完",
    "did not find expected '-' indicator": "列表的缩进不对",
    "could not find expected ':'": "前面的键后面缺少冒号",
    "found unexpected end of stream": "引号没有结束",
    "found character that cannot start any token": "这个字符不能写在开头",
    "control characters are not allowed": "有不可见的控制字符",
    "block sequence entries are not allowed in this context": "这里不能写列表项",
}


def _problem(error: yaml.YAMLError) -> str:
    problem: Any = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    said = str(problem).splitlines()[0]
    return _PROBLEMS.get(said, said)


def node_at(node: Node | None, path: tuple[str | int, ...]) -> Node | None:
    """The node at exactly this path, or None."""
    for step in path:
        if isinstance(node, Map) and isinstance(step, str):
            node = node.get(step)
        elif isinstance(node, Seq) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return None
    return node


def find(node: Node | None, path: tuple[str | int, ...], *, key: bool = False) -> Span | None:
    """The span of the value (or of its key) at a path; of its nearest ancestor when the path ends early."""
    found: Span | None = node.span if node is not None else None
    for index, step in enumerate(path):
        last = index == len(path) - 1
        if isinstance(node, Map) and isinstance(step, str):
            name, value = node.key(step), node.get(step)
            if name is None or value is None:
                return found
            node = value
            # A whole block says little under a caret: its key says more.
            found = name.span if (key and last) or not isinstance(value, Scalar) else value.span
        elif isinstance(node, Seq) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            found = node.span
        else:
            return found
    return found


def plain_value(node: Node) -> object:
    """The node as plain data by the YAML 1.2 core rules (dates stay text): dict, list, str, int, float, bool, None."""
    if isinstance(node, Map):
        return {k.text: plain_value(v) for k, v in node.entries}
    if isinstance(node, Seq):
        return [plain_value(item) for item in node.items]
    if not node.plain:
        return node.text
    if node.empty:
        return None
    if node.text in ("true", "false"):
        return node.text == "true"
    return _number(node.text)


def _number(text: str) -> object:
    digits = text[1:] if text[:1] in "+-" else text
    if digits.isascii() and digits.isdigit():
        # Zero-led digits are codes in this trade (division codes, sequence numbers), never octal.
        return text if len(digits) > 1 and digits[0] == "0" else int(text) if len(digits) < 16 else text
    whole, dot, part = digits.partition(".")
    if dot and whole.isascii() and whole.isdigit() and part.isascii() and part.isdigit():
        return float(text)
    return text
