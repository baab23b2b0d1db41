"""Constants in expressions: what is compared with a coded field must be one of its codes, with a choice one of its
options. A typing mistake there would make a condition quietly false for everyone."""

from __future__ import annotations

from collections.abc import Iterator

from dizuo.foundation.rules import Tree
from dizuo.foundation.rules.tree import Compare, Expression, In, ListOf, Literal, UnaryTest, dotted, walk


def compared(tree: Tree) -> Iterator[tuple[str, Literal]]:
    """Each path of the expression with each text that it is compared with."""
    for node, _ in walk(tree.root):
        if isinstance(node, Compare) and node.op in ("=", "!="):
            yield from _pair(node.left, node.right)
            yield from _pair(node.right, node.left)
        elif isinstance(node, In):
            for test in node.tests:
                if isinstance(test, UnaryTest):
                    yield from _pair(node.value, test.right)
                elif isinstance(test, ListOf):
                    for item in test.items:
                        yield from _pair(node.value, item)
                elif isinstance(test, Literal):
                    yield from _pair(node.value, test)


def _pair(left: Expression, right: Expression) -> Iterator[tuple[str, Literal]]:
    path = dotted(left)
    if path is not None and isinstance(right, Literal) and isinstance(right.value, str):
        yield path, right
