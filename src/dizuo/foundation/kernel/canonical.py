"""Canonical JSON: one byte string per value, so that a hash means the value and not its spelling.

Follows RFC 8785 (JSON Canonicalization Scheme): no white space, keys sorted by UTF-16 code units, the shortest
escapes, UTF-8. Narrower on purpose: numbers are integers within ±(2⁵³-1), because a fraction has no spelling
that every language agrees on; write it as text.
"""

from __future__ import annotations

import json
from typing import cast

import msgspec

MAX_SAFE_INTEGER = 2**53 - 1
MAX_DEPTH = 100
_encode = msgspec.json.Encoder().encode


def canonical_json(value: object) -> bytes:
    """The canonical bytes of a JSON value.

    Shapes: None, bool, int, str, list or tuple, dict with str keys, nested at most 100 deep. A float is accepted
    only when it is a whole number. Errors: TypeError for another type, ValueError for a number, text or depth
    that has no canonical form; the message names the place as a path such as ``$.fields[2]``.
    """
    return _encode(_ordered(value, "$", 0))


def _ordered(value: object, path: str, depth: int) -> object:
    kind = type(value)
    if kind is str:
        _check_text(cast(str, value), path)
        return value
    if value is None or kind is bool:
        return value
    if kind is int:
        return _check_integer(cast(int, value), path)
    if kind is float:
        number = cast(float, value)
        if not number.is_integer():
            raise ValueError(f"{path}: {number!r} is a fraction; write it as text")
        return _check_integer(int(number), path)
    if depth >= MAX_DEPTH:
        raise ValueError(f"{path}: nested deeper than {MAX_DEPTH}")
    if kind is dict:
        return _ordered_object(cast("dict[object, object]", value), path, depth)
    if kind is list or kind is tuple:
        items = cast("list[object]", value)
        return [_ordered(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(items)]
    raise TypeError(
        f"{path}: {kind.__name__} has no canonical JSON form; convert it to text or numbers first"
    )


def _ordered_object(value: dict[object, object], path: str, depth: int) -> dict[str, object]:
    for key in value:
        if type(key) is not str:
            raise TypeError(f"{path}: key {key!r} is not text")
        _check_text(key, path)
    texts = cast("dict[str, object]", value)
    # Code-point order equals UTF-16 order except where a key leaves the basic plane (rare characters do).
    keys = (
        sorted(texts, key=_utf16) if any(max(key, default="") > "\uffff" for key in texts) else sorted(texts)
    )
    return {key: _ordered(texts[key], f"{path}.{key}", depth + 1) for key in keys}


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be")


def _check_text(text: str, path: str) -> None:
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError(f"{path}: text holds half of a surrogate pair: {json.dumps(text)}") from None


def _check_integer(number: int, path: str) -> int:
    if not -MAX_SAFE_INTEGER <= number <= MAX_SAFE_INTEGER:
        raise ValueError(f"{path}: {number} does not survive JSON readers; write it as text")
    return number
