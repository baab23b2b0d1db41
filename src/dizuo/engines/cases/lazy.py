"""Expressions that stop reading when they have their answer.

``coalesce(a, b)`` is a function, so its arguments would all be read; but a plan must not read or ask ``b`` when
``a`` is known. It is planned as ``if a != null then a else b``, which means the same.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from dizuo.foundation.rules.tree import Call, Compare, Expression, If, Literal, Node, Tree


def lazy(tree: Tree) -> Tree:
    """The same rule with every ``coalesce`` as a chain of conditions."""
    return Tree(tree.text, _rewrite(tree.root))


def _rewrite(node: Any) -> Any:
    if isinstance(node, tuple):
        return tuple(_rewrite(part) for part in node)  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(node, Node):
        return node
    changed = {
        field.name: _rewrite(getattr(node, field.name))
        for field in dataclasses.fields(node)
        if field.name != "span"
    }
    rebuilt = dataclasses.replace(node, **changed)
    if isinstance(rebuilt, Call) and rebuilt.function == "coalesce" and rebuilt.arguments:
        return _chain(rebuilt.arguments, node)
    return rebuilt


def _chain(arguments: tuple[Expression, ...], at: Node) -> Expression:
    *firsts, last = arguments
    chain: Expression = last
    for first in reversed(firsts):
        missing = Compare("!=", first, Literal(None, span=at.span), span=at.span)
        chain = If(missing, first, chain, span=at.span)
    return chain
