"""Patterns for ``matches``: a regular language only, so that no text can make matching slow.

The syntax is the part that Python, PostgreSQL and XPath write alike: characters, ``.``, classes, ``\\d \\w \\s``
(ASCII), groups, ``|``, ``^``, ``$`` and ``* + ? {m,n}``. No back-references and no look-around. Matching runs a
Thompson automaton: time grows with text times pattern, never exponentially.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

MAX_PATTERN = 200
MAX_STATES = 2_000
MAX_SUBJECT = 1_000
MAX_REPEAT = 100

_CLASSES: dict[str, tuple[tuple[int, int], ...]] = {
    "d": ((48, 57),),
    "w": ((65, 90), (97, 122), (48, 57), (95, 95)),
    "s": ((9, 13), (32, 32)),
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}


class BadPattern(ValueError):
    """A pattern outside the syntax; the message says what, ``at`` where."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


@dataclass(frozen=True, slots=True)
class _Set:
    """A set of characters as ranges of code points, perhaps negated."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool = False

    def holds(self, code: int) -> bool:
        return any(low <= code <= high for low, high in self.ranges) is not self.negated


@dataclass(frozen=True, slots=True)
class _Sequence:
    items: tuple[_Part, ...]


@dataclass(frozen=True, slots=True)
class _Choice:
    items: tuple[_Part, ...]


@dataclass(frozen=True, slots=True)
class _Repeat:
    item: _Part
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class _Anchor:
    at_end: bool


_Part = _Set | _Sequence | _Choice | _Repeat | _Anchor
_EVERYTHING = _Set(((0, 0x10FFFF),))


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern: ``matches`` for Python, ``sql`` as an advanced regular expression of PostgreSQL."""

    source: str
    sql: str
    matches: Callable[[str], bool | None]


@lru_cache(maxsize=512)
def compile_pattern(source: str) -> Pattern:
    """The pattern that ``source`` writes. Errors: BadPattern."""
    if len(source) > MAX_PATTERN:
        raise BadPattern(f"模式太长，最多 {MAX_PATTERN} 个字符", 0)
    part = _Reader(source).read()
    program = _Program()
    program.emit(part)
    program.done()
    return Pattern(source, _as_sql(part), program.matches)


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.depth = 0

    def read(self) -> _Part:
        part = self._choice()
        if self.at < len(self.source):
            raise BadPattern("多了一个右括号", self.at)
        return part

    def _peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def _take(self) -> str:
        self.at += 1
        return self.source[self.at - 1]

    def _choice(self) -> _Part:
        self.depth += 1
        if self.depth > 20:
            raise BadPattern("括号嵌套太深", self.at)
        items = [self._sequence()]
        while self._peek() == "|":
            self._take()
            items.append(self._sequence())
        self.depth -= 1
        return items[0] if len(items) == 1 else _Choice(tuple(items))

    def _sequence(self) -> _Part:
        items: list[_Part] = []
        while self._peek() and self._peek() not in "|)":
            items.append(self._repeated())
        return items[0] if len(items) == 1 else _Sequence(tuple(items))

    def _repeated(self) -> _Part:
        start = self.at
        item = self._atom()
        mark = self._peek()
        if not mark or mark not in "*+?{":
            return item
        if isinstance(item, _Anchor):
            raise BadPattern("^ 和 $ 不能重复", start)
        self._take()
        low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(mark) or self._bounds()
        following = self._peek()
        if following and following in "*+?{":
            raise BadPattern("重复符号不能连写", self.at)
        return _Repeat(item, low, high)

    def _bounds(self) -> tuple[int, int | None]:
        start = self.at
        end = self.source.find("}", start)
        body = self.source[start:end] if end >= 0 else ""
        low, comma, high = body.partition(",")
        if not (low.isascii() and low.isdigit()) or (high and not (high.isascii() and high.isdigit())):
            raise BadPattern("重复次数写成 {2}、{2,} 或 {2,4}", start)
        self.at = end + 1
        most = int(high) if high else (None if comma else int(low))
        if int(low) > MAX_REPEAT or (most is not None and (most > MAX_REPEAT or most < int(low))):
            raise BadPattern(f"重复次数要从小到大，最多 {MAX_REPEAT}", start)
        return int(low), most

    def _atom(self) -> _Part:
        start = self.at
        character = self._take()
        match character:
            case "(":
                if self._peek() == "?":
                    raise BadPattern("不支持 (?…) 写法，只用普通括号", start)
                part = self._choice()
                if self._peek() != ")":
                    raise BadPattern("括号没有关上", start)
                self._take()
                return part
            case "[":
                return self._class(start)
            case "\\":
                return self._escape(start)
            case ".":
                return _EVERYTHING
            case "^" | "$":
                return _Anchor(character == "$")
            case "*" | "+" | "?" | "{" | "}" | "]":
                raise BadPattern(f"“{character}”前面没有可重复的内容；要表示它本身写 \\{character}", start)
            case _:
                return _Set(((ord(character), ord(character)),))

    def _escape(self, start: int) -> _Set:
        if not self._peek():
            raise BadPattern("末尾的反斜杠没有写完", start)
        character = self._take()
        if character.lower() in _CLASSES:
            return _Set(_CLASSES[character.lower()], character.isupper())
        if character in _CONTROLS:
            code = ord(_CONTROLS[character])
            return _Set(((code, code),))
        if character.isalnum():
            raise BadPattern(f"不支持 \\{character}", start)
        return _Set(((ord(character), ord(character)),))

    def _class(self, start: int) -> _Set:
        negated = self._peek() == "^"
        if negated:
            self._take()
        ranges: list[tuple[int, int]] = []
        while self._peek() and self._peek() != "]":
            low = self._class_item()
            if self._peek() == "-" and self.source[self.at + 1 : self.at + 2] not in ("]", ""):
                at = self.at
                self._take()
                high = self._class_item()
                if len(low) != 1 or len(high) != 1 or low[0][0] > high[0][0] or low[0][0] != low[0][1]:
                    raise BadPattern("范围要从小到大，如 a-z", at)
                ranges.append((low[0][0], high[0][1]))
            else:
                ranges.extend(low)
        if not self._peek() or not ranges:
            raise BadPattern("方括号没有写完", start)
        self._take()
        return _Set(tuple(ranges), negated)

    def _class_item(self) -> tuple[tuple[int, int], ...]:
        start = self.at
        character = self._take()
        if character == "[":
            raise BadPattern("方括号里的 [ 要写成 \\[", start)
        if character == "\\":
            found = self._escape(start)
            if found.negated:
                raise BadPattern("方括号里不能用 \\D \\W \\S", start)
            return found.ranges
        return ((ord(character), ord(character)),)


class _Program:
    """States of the automaton: a set to consume, an anchor, or jumps that consume nothing."""

    def __init__(self) -> None:
        self.steps: list[_Set | _Anchor | None] = []
        self.next: list[tuple[int, ...]] = []

    def _state(self, step: _Set | _Anchor | None) -> int:
        if len(self.steps) >= MAX_STATES:
            raise BadPattern("模式展开后太大，请减少重复次数", 0)
        self.steps.append(step)
        self.next.append((len(self.steps),))
        return len(self.steps) - 1

    def emit(self, part: _Part) -> None:
        match part:
            case _Set() | _Anchor():
                self._state(part)
            case _Sequence(items):
                for item in items:
                    self.emit(item)
            case _Choice(items):
                ends: list[int] = []
                for index, item in enumerate(items):
                    last = index == len(items) - 1
                    fork = None if last else self._state(None)
                    self.emit(item)
                    if not last:
                        ends.append(self._state(None))
                    if fork is not None:
                        self.next[fork] = (fork + 1, len(self.steps))
                for end in ends:
                    self.next[end] = (len(self.steps),)
            case _Repeat(item, low, high):
                for _ in range(low):
                    self.emit(item)
                if high is None:
                    fork = self._state(None)
                    self.emit(item)
                    back = self._state(None)
                    self.next[back] = (fork,)
                    self.next[fork] = (fork + 1, len(self.steps))
                else:
                    forks: list[int] = []
                    for _ in range(high - low):
                        forks.append(self._state(None))
                        self.emit(item)
                    for fork in forks:
                        self.next[fork] = (fork + 1, len(self.steps))

    def done(self) -> None:
        self.accept = len(self.steps)

    def _close(self, states: set[int], first: bool, last: bool) -> set[int]:
        """All states reachable without consuming a character."""
        seen: set[int] = set()
        stack = list(states)
        while stack:
            state = stack.pop()
            if state in seen:
                continue
            seen.add(state)
            if state == self.accept:
                continue
            step = self.steps[state]
            if step is None or (isinstance(step, _Anchor) and (last if step.at_end else first)):
                stack.extend(self.next[state])
        return seen

    def matches(self, text: str) -> bool | None:
        """Whether the pattern occurs in the text; null for a text longer than 1,000 characters."""
        if len(text) > MAX_SUBJECT:
            return None
        states: set[int] = set()
        for index in range(len(text) + 1):
            states = self._close(states | {0}, index == 0, index == len(text))
            if self.accept in states:
                return True
            if index < len(text):
                states = self._step(states, ord(text[index]))
        return False

    def _step(self, states: set[int], code: int) -> set[int]:
        return {
            state + 1
            for state in states
            if state != self.accept and isinstance(step := self.steps[state], _Set) and step.holds(code)
        }


def _as_sql(part: _Part) -> str:
    """The pattern in PostgreSQL's syntax, spelled out so that no locale or option changes its meaning."""
    match part:
        case _Set(ranges, negated):
            body = "".join(
                _code(low) if low == high else f"{_code(low)}-{_code(high)}" for low, high in ranges
            )
            return "." if part == _EVERYTHING else f"[{'^' if negated else ''}{body}]"
        case _Anchor(at_end):
            return "\\Z" if at_end else "\\A"
        case _Sequence(items):
            return "".join(_as_sql(item) for item in items)
        case _Choice(items):
            return "(?:" + "|".join(_as_sql(item) for item in items) + ")"
        case _Repeat(item, low, high):
            bounds = f"{{{low},}}" if high is None else f"{{{low},{high}}}"
            return f"(?:{_as_sql(item)}){bounds}"


def _code(code: int) -> str:
    character = chr(code)
    if code > 127 or character.isalnum():
        return character
    return f"\\u{code:04x}" if code < 32 or code == 127 else f"\\{character}"
