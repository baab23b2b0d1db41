"""What the checker says: findings with a place, a caret, a guess at what was meant, and a way out."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from typing import Literal

import msgspec

from dizuo.foundation.blueprint.codes import CODES
from dizuo.foundation.blueprint.model import City, Place
from dizuo.foundation.kernel.errors import DizuoError

Severity = Literal["error", "warning"]
MAX_FINDINGS = 1_000
_LONGEST_WORD = 80  # no name is longer; comparing long texts letter by letter is slow
_MAX_LINE = 160  # columns of a source line that are shown; longer lines are cut around the caret


class Span(msgspec.Struct, frozen=True, order=True):
    """A place and how many characters of its line are meant."""

    place: Place
    width: int = 1


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One complaint about a declaration.

    ``code`` is public and has a heading in docs/know/check-errors.md. ``source`` is the line as written,
    ``span`` the number of characters under the caret, ``suggestion`` what was probably meant.
    """

    code: str
    place: Place
    message: str
    source: str = ""
    span: int = 1
    suggestion: str | None = None
    fix: str | None = None
    severity: Severity = "error"

    def render(self, *, colour: bool = False) -> str:
        """The finding as a compiler prints it: file:line:col, message, the line, a caret, the way out."""
        paint = _paint if colour else _plain
        tint = "31" if self.severity == "error" else "33"
        head = f"{self.place}: {self.severity}[{self.code}]"
        lines = [f"{paint(head, f'1;{tint}')}: {self.message}"]
        if self.source.strip():
            shown, column = _window(self.source, self.place.col - 1)
            number = str(self.place.line)
            gap = " " * len(number)
            lead = " " * _columns(shown[:column])
            carets = "^" * max(1, _columns(shown[column : column + self.span]))
            lines.append(f"  {paint(number + ' |', '34')} {shown}")
            lines.append(f"  {paint(gap + ' |', '34')} {lead}{paint(carets, tint)}")
        if self.suggestion is not None:
            lines.append(f"  did you mean: {paint(self.suggestion, '32')}")
        if self.fix is not None:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)


class Report(msgspec.Struct, frozen=True):
    """The result of checking a folder: every finding in order of place, the city when there is no error, and
    how many of each kind were read (``counts``, for example ``{"law": 12, "matter": 3}``)."""

    findings: tuple[Finding, ...]
    city: City | None
    counts: dict[str, int]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity == "warning")

    def render(self, *, colour: bool = False) -> str:
        return render_all(self.findings, colour=colour)


class BlueprintError(DizuoError):
    """城市声明有 {count} 处错误。"""

    http = 500
    fix = "请按每一处的 fix 修改，然后重新运行 dizuo check。"
    findings: tuple[Finding, ...]

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(count=sum(f.severity == "error" for f in self.findings))

    def render(self, *, colour: bool = False) -> str:
        return render_all(self.findings, colour=colour)

    def __str__(self) -> str:
        return f"{self.message}\n{self.render()}"


def render_all(findings: Iterable[Finding], *, colour: bool = False) -> str:
    """All findings, one blank line between two."""
    return "\n\n".join(finding.render(colour=colour) for finding in findings)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None when none is near."""
    if not word or len(word) > _LONGEST_WORD:
        return None
    lowered = {name.lower(): name for name in sorted(known)}
    found = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


class TooMany(Exception):
    """The log is full: whoever reads the first thousand findings will check again anyway, and a hostile folder must
    not keep the checker busy."""


class Log:
    """Collects findings during one check; the only mutable thing that the passes share."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self._seen: set[tuple[str, Place, str]] = set()
        self._lines: dict[str, list[str]] = {}

    def lines_of(self, file: str, lines: list[str]) -> None:
        """Remember a file's lines so that findings can show them."""
        self._lines[file] = lines

    def add(
        self,
        code: str,
        at: Span | Place,
        message: str,
        *,
        suggest: str | None = None,
        fix: str | None = None,
        severity: Severity = "error",
    ) -> None:
        if code not in CODES:
            raise LookupError(f"{code} is not among the codes of findings")
        span = at if isinstance(at, Span) else Span(at)
        key = (code, span.place, message)
        if key in self._seen:
            return
        if len(self._findings) >= MAX_FINDINGS:
            raise TooMany
        self._seen.add(key)
        lines = self._lines.get(span.place.file, [])
        source = lines[span.place.line - 1] if 0 < span.place.line <= len(lines) else ""
        self._findings.append(
            Finding(
                code=code,
                place=span.place,
                message=message,
                source=source,
                span=span.width,
                suggestion=suggest,
                fix=fix,
                severity=severity,
            )
        )

    def close(self) -> None:
        """Say that there were too many, at the last place that was reached."""
        last = self._findings[-1].place
        self._findings.append(
            Finding(
                code="too-many",
                place=last,
                message=f"错误超过 {MAX_FINDINGS:,} 处，没有再往下检查。",
                fix="先改前面的，再检查一次。",
            )
        )

    def sorted(self) -> tuple[Finding, ...]:
        return tuple(sorted(self._findings, key=lambda f: (f.place, f.code, f.message)))

    @property
    def failed(self) -> bool:
        return any(f.severity == "error" for f in self._findings)


def _plain(text: str, _code: str) -> str:
    return text


def _paint(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"


def _columns(text: str) -> int:
    """How many terminal columns a text takes; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _window(line: str, column: int) -> tuple[str, int]:
    """A part of a long line around a column, and where the column is within it; control characters blanked."""
    clean = "".join(c if c.isprintable() else " " for c in line)
    if len(clean) <= _MAX_LINE:
        return clean, min(column, len(clean))
    start = max(0, min(column - _MAX_LINE // 2, len(clean) - _MAX_LINE))
    cut = clean[start : start + _MAX_LINE]
    head, tail = "…" if start else "", "…" if start + _MAX_LINE < len(clean) else ""
    return f"{head}{cut}{tail}", min(column, len(clean)) - start + len(head)
