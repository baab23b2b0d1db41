"""Which facts a rule reads: what a planner must know before it reads anything."""

from __future__ import annotations

from collections.abc import Collection

from dizuo.foundation.rules.tree import (
    AnyNode,
    Binding,
    Expression,
    Filter,
    For,
    Member,
    Name,
    Quantified,
    Tree,
    children,
)


def paths(tree: Tree, known: Collection[str] | None = None) -> set[str]:
    """The dotted paths of the facts that a rule may read, short-circuits not considered.

    A variable bound over a list counts as the list: ``some c in children satisfies c.age < 1`` reads
    ``children.age``. ``child.birth_date.year`` is a part of a fact, not a fact; with ``known`` paths given, a path
    is cut to its longest known prefix.
    """
    found: set[str] = set()
    _collect(tree.root, {}, found)
    if known is None:
        return found
    return {_longest(path, known) for path in found}


def _longest(path: str, known: Collection[str]) -> str:
    prefix = path
    while prefix not in known and "." in prefix:
        prefix = prefix.rpartition(".")[0]
    return prefix if prefix in known else path


def _collect(node: AnyNode, bound: dict[str, str | None], found: set[str]) -> None:
    """Add what ``node`` reads; ``bound`` maps variables to the path of their list, or None for computed ones."""
    match node:
        case Name() | Member():
            path = _path(node, bound)
            if path is not None:
                found.add(path)
            _collect_filters(node, bound, found)
        case Filter(target, condition):
            _collect(target, bound, found)
            _collect(condition, {**bound, "item": _path(target, bound)}, found)
        case Quantified(_, bindings, body) | For(bindings, body):
            _scoped(bindings, body, bound, found)
        case _:
            for child in children(node):
                _collect(child, bound, found)


def _scoped(
    bindings: tuple[Binding, ...], body: Expression, bound: dict[str, str | None], found: set[str]
) -> None:
    inner = dict(bound)
    used: set[str] = set()
    for binding in bindings:
        sources: set[str] = set()
        _collect(binding.source, inner, sources)
        inner[binding.name] = _path(binding.source, inner)
        used |= sources
    _collect(body, inner, found)
    for path in used:
        # The list itself is read only through its items' fields when the body names them.
        if not any(other.startswith(f"{path}.") for other in found):
            found.add(path)


def _path(node: AnyNode, bound: dict[str, str | None]) -> str | None:
    match node:
        case Name(name):
            return bound.get(name, name)
        case Member(target, name):
            path = _path(target, bound)
            return None if path is None else f"{path}.{name}"
        case Filter(target, _):
            return _path(target, bound)
        case _:
            return None


def _collect_filters(node: AnyNode, bound: dict[str, str | None], found: set[str]) -> None:
    """What conditions inside a path read, as in ``children[item.age < 1].name``."""
    while isinstance(node, Member):
        node = node.target
        if isinstance(node, Filter):
            _collect(node.condition, {**bound, "item": _path(node.target, bound)}, found)
            node = node.target
        elif not isinstance(node, (Member, Name)):
            _collect(node, bound, found)
