"""The syntax tree of a rule: frozen nodes, each with the span of text it came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal as OneOf


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range of characters in the rule's text."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        return Span(self.start, other.end)


@dataclass(frozen=True, slots=True, order=True)
class Months:
    """A years-and-months duration (DMN 1.5, 10.3.2.3.8) as a whole number of months."""

    n: int


Comparison = OneOf["=", "!=", "<", "<=", ">", ">="]
Scalar = None | bool | Decimal | str | date | datetime | time | timedelta | Months
NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Node:
    """What every node has; two nodes are equal when they mean the same, wherever they stand."""

    span: Span = field(compare=False, kw_only=True, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant, dates and durations included."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A fact or a bound variable, by its first name."""

    name: str


@dataclass(frozen=True, slots=True)
class Member(Node):
    """``target.name``; over a list it is the list of its items' members."""

    target: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Negative(Node):
    operand: Expression


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    op: OneOf["+", "-", "*", "/", "**"]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Compare(Node):
    op: Comparison
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """``and`` or ``or`` over two or more operands; chains are flat, so that depth means nesting."""

    op: OneOf["and", "or"]
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not(Node):
    operand: Expression


@dataclass(frozen=True, slots=True)
class Between(Node):
    value: Expression
    low: Expression
    high: Expression


@dataclass(frozen=True, slots=True)
class Range(Node):
    """An interval; only the right side of ``in`` holds one."""

    low: Expression
    high: Expression
    low_closed: bool
    high_closed: bool


@dataclass(frozen=True, slots=True)
class UnaryTest(Node):
    """A comparison without its left side, as in ``x in (< 3, > 10)``."""

    op: Comparison
    right: Expression


@dataclass(frozen=True, slots=True)
class In(Node):
    """``value in tests``: true when any test holds. A test that is a list asks for membership."""

    value: Expression
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class If(Node):
    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Binding(Node):
    name: str
    source: Expression


@dataclass(frozen=True, slots=True)
class Quantified(Node):
    kind: OneOf["some", "every"]
    bindings: tuple[Binding, ...]
    condition: Expression


@dataclass(frozen=True, slots=True)
class For(Node):
    bindings: tuple[Binding, ...]
    body: Expression


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Entry(Node):
    key: str
    value: Expression


@dataclass(frozen=True, slots=True)
class ContextOf(Node):
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """``target[condition]``: the n-th item for a number, else the items for which it holds."""

    target: Expression
    condition: Expression


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A built-in function; named arguments are already in the order of its parameters."""

    function: str
    arguments: tuple[Expression, ...]


Expression = (
    Literal | Name | Member | Negative | Arithmetic | Compare | Logic | Not | Between | In | If | Quantified
    | For | ListOf | ContextOf | Filter | Call
)  # fmt: skip
Test = Expression | Range | UnaryTest
AnyNode = Test | Binding | Entry


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed rule: its text and its root."""

    text: str
    root: Expression


def children(node: AnyNode) -> tuple[AnyNode, ...]:
    """The nodes directly below, in reading order."""
    match node:
        case Literal() | Name():
            return ()
        case Member(target, _):
            return (target,)
        case Negative(operand) | Not(operand):
            return (operand,)
        case Arithmetic(_, left, right) | Compare(_, left, right):
            return (left, right)
        case Logic(_, items) | ListOf(items):
            return items
        case Between(value, low, high):
            return (value, low, high)
        case Range(low, high, _, _):
            return (low, high)
        case UnaryTest(_, right):
            return (right,)
        case In(value, tests):
            return (value, *tests)
        case If(condition, then, otherwise):
            return (condition, then, otherwise)
        case Quantified(_, bindings, body) | For(bindings, body):
            return (*bindings, body)
        case Binding(_, source):
            return (source,)
        case ContextOf(entries):
            return entries
        case Entry(_, value):
            return (value,)
        case Filter(target, condition):
            return (target, condition)
        case Call(_, arguments):
            return arguments


def walk(root: AnyNode) -> Iterator[tuple[AnyNode, int]]:
    """Every node with its depth (the root has 1), without recursion."""
    stack: list[tuple[AnyNode, int]] = [(root, 1)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        stack.extend((child, depth + 1) for child in reversed(children(node)))


def dotted(node: AnyNode) -> str | None:
    """The path that a chain of names writes, as ``child.birth_date``; None for anything else."""
    names: list[str] = []
    while isinstance(node, Member):
        names.append(node.name)
        node = node.target
    if not isinstance(node, Name):
        return None
    names.append(node.name)
    return ".".join(reversed(names))
