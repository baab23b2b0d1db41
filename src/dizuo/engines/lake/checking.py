"""Checks every cell of a delivery against the city's declaration, and says in one code and one sentence what is wrong.

Pure: no file, no database. A row that fails is kept with its reason; it never stops the rows around it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from dizuo.engines.lake.delivery import AS_OF
from dizuo.engines.lake.errors import DeliveryHeader, DeliveryUndeclared
from dizuo.foundation.blueprint.divisions import PROVINCES, find, validity
from dizuo.foundation.blueprint.model import City, Field, Register
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.kernel.identity import CitizenId, UnifiedCode

MAX_CELL = 4_000
_MEMO = 500_000
_MEMO_COLUMN = 50_000

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row was rejected: a stable code, the column, and a sentence for the department."""

    code: str
    column: str
    says: str


class _Bad(Exception):
    def __init__(self, code: str, says: str) -> None:
        self.code = code
        self.says = says
        super().__init__(says)


Parser = Callable[[str], Scalar]

_CONTROL = "\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff"
_PRIVATE_USE = "\ue000-\uf8ff\U000f0000-\U0010fffd"
_NO_CHARACTER = "\ud800-\udfff\ufffd"
_SUSPECT = re.compile(f"[{_CONTROL}{_PRIVATE_USE}{_NO_CHARACTER}]")
_PRIVATE = re.compile(f"[{_PRIVATE_USE}]")
_BROKEN = re.compile(f"[{_NO_CHARACTER}]")
_FORMULA = re.compile(r"^(?:[=@]|[+\-](?![0-9.]))")
_DATE = re.compile(r"^(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?$")
_YES = {
    "1": True,
    "true": True,
    "是": True,
    "有": True,
    "y": True,
    "0": False,
    "false": False,
    "否": False,
    "无": False,
    "n": False,
}


class Numbers:
    """Checks numbers once: the same person stands in many registers. Share one among the files of a load."""

    def __init__(self, city: City, today: date) -> None:
        self._today = today
        self._valid_code = validity(city)
        self._citizens: dict[str, str] = {}
        self._codes: dict[str, str] = {}

    def citizen(self, text: str) -> Scalar:
        known = self._citizens.get(text)
        if known is None:
            try:
                known = CitizenId.parse(text, self._today, self._valid_code).value
            except Invalid as error:
                raise _Bad("citizen_id", error.message) from None
            _remember(self._citizens, text, known)
        return known

    def unified(self, text: str) -> Scalar:
        known = self._codes.get(text)
        if known is None:
            try:
                known = UnifiedCode.parse(text).value
            except Invalid as error:
                raise _Bad("uscc", error.message) from None
            _remember(self._codes, text, known)
        return known


def _remember(known: dict[str, str], text: str, value: str) -> None:
    if len(known) >= _MEMO:
        known.clear()
    known[text] = value


class RowCheck:
    """Turns the cells of one file into values. Made from the header; errors: DeliveryHeader, DeliveryUndeclared."""

    def __init__(
        self,
        city: City,
        register: Register,
        department: str,
        header: Sequence[str],
        today: date,
        numbers: Numbers | None = None,
    ) -> None:
        self.register = register
        self._today = today
        self._numbers = numbers or Numbers(city, today)
        self._city = city
        names = [name.strip().lstrip("\ufeff") for name in header]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise DeliveryHeader(f"“{'”“'.join(doubled)}”出现了两次")
        self.columns = [self._field(register, name) for name in names]
        self.width = len(names)
        self._cells = [
            (None if f is None else f.id, _as_date_text if f is None else self._parser(f), self._memory(f))
            for f in self.columns
        ]
        keys = [i for i, f in enumerate(self.columns) if f is not None and f.id == register.key]
        if not keys:
            raise DeliveryHeader(f"缺少主键“{register.fields[register.key].name.zh}”")
        foreign = [
            f.name.zh
            for f in self.columns
            if f is not None and f.id != register.key and f.source != department
        ]
        if foreign:
            raise DeliveryUndeclared(f"“{'”“'.join(foreign)}”的数源不是 {department}")
        self._own_key = register.fields[register.key].source == department
        self._birth = next(
            (i for i, f in enumerate(self.columns) if f is not None and f.id in ("birth_date", "born_on")),
            None,
        )

    @staticmethod
    def _memory(field: Field | None) -> dict[str, Scalar] | None:
        """Columns of few values (codes, days, places) remember what they were read as; texts and numbers do not."""
        return {} if field is None or field.type in ("code", "date", "division", "boolean") else None

    @staticmethod
    def _field(register: Register, name: str) -> Field | None:
        if name in (AS_OF, "as_of"):
            return None
        if name in register.fields:
            return register.fields[name]
        for field in register.fields.values():
            if field.name.zh == name:
                return field
        raise DeliveryUndeclared(f"登记簿“{register.name.zh}”没有“{name[:40]}”这一栏")

    def row(self, cells: Sequence[str]) -> tuple[str, dict[str, Scalar], str | None] | Fault:
        """(key, values by field, source date or None), or the first fault found."""
        if len(cells) != self.width:
            return Fault("columns", "", f"应有 {self.width} 栏，这一行有 {len(cells)} 栏")
        values: dict[str, Scalar] = {}
        as_of: str | None = None
        for index, cell in enumerate(cells):
            name, parse, memory = self._cells[index]
            text = cell.strip()
            if not text:
                value = None
            elif memory is not None and text in memory:
                value = memory[text]
            else:
                try:
                    value = parse(_clean(text))
                except _Bad as bad:
                    field = self.columns[index]
                    return Fault(bad.code, AS_OF if field is None else field.name.zh, bad.says)
                if memory is not None and len(memory) < _MEMO_COLUMN:
                    memory[text] = value
            if name is None:
                as_of = value if isinstance(value, str) else None
            else:
                values[name] = value
        key = values.get(self.register.key)
        if not isinstance(key, str) or not key:
            return Fault("required", self.register.fields[self.register.key].name.zh, "主键是空的")
        fault = self._same_birth(key, values)
        if fault is not None:
            return fault
        if as_of is not None and as_of > self._today.isoformat():
            return Fault("future", AS_OF, f"日期 {as_of} 在今天之后")
        if not self._own_key:
            del values[self.register.key]
        return key, values, as_of

    def _same_birth(self, key: str, values: Mapping[str, Scalar]) -> Fault | None:
        """A citizen number carries the birth date; two that differ mean that one of them is wrong."""
        field = self.columns[self._birth] if self._birth is not None else None
        if (
            field is None
            or not self.register.entity
            or self.register.fields[self.register.key].type != "citizen_id"
        ):
            return None
        said = values.get(field.id)
        if isinstance(said, str) and said.replace("-", "") != key[6:14]:
            return Fault("contradiction", field.name.zh, "与公民身份号码里的出生日期不一致")
        return None

    def _parser(self, field: Field) -> Parser:
        match field.type:
            case "text":
                return _as_text
            case "citizen_id":
                return self._numbers.citizen
            case "uscc":
                return self._numbers.unified
            case "date":
                return _as_date_text
            case "datetime":
                return _as_moment_text
            case "number":
                return _as_number
            case "money":
                return _as_money
            case "boolean":
                return _as_boolean
            case "division":
                return self._division
            case "code":
                return _code_parser(field)

    def _division(self, text: str) -> Scalar:
        found = find(self._city, text)
        if found is not None:
            return found.code
        if (
            len(text) in (6, 9, 12)
            and text.isdigit()
            and text[:4] != self._city.code[:4]
            and text[:2] in PROVINCES
        ):
            return text
        raise _Bad("division", f"“{text[:20]}”不是申报过的区划代码")


def _clean(text: str) -> str:
    if len(text) > MAX_CELL:
        raise _Bad("too_long", f"这一格有 {len(text):,} 个字符，最多 {MAX_CELL:,} 个")
    if text.isascii():
        if not text.isprintable():
            raise _Bad("control_character", "含有看不见的控制字符")
    else:
        if _SUSPECT.search(text):
            raise _suspicion(text)
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
    if text[0] in "=@+-" and _FORMULA.match(text):
        raise _Bad("formula", "以公式符号开头，可能是表格软件的公式")
    return text


def _suspicion(text: str) -> _Bad:
    if _BROKEN.search(text):
        return _Bad("encoding", "有字节不能按所用编码读出来")
    if _PRIVATE.search(text):
        return _Bad("private_use", "含有自造字（私用区字符），请改用 GB 18030 里的正式编码")
    return _Bad("control_character", "含有看不见的控制字符")


def _as_text(text: str) -> Scalar:
    return text


def _day(text: str) -> date:
    match = _DATE.match(text)
    if match is None:
        raise _Bad("date", f"“{text[:20]}”不是日期，应写成 2026-11-23")
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise _Bad("date", f"没有 {text[:20]} 这一天") from None


def _as_date_text(text: str) -> Scalar:
    # The usual form is checked in C; everything else takes the tolerant way.
    try:
        if len(text) == 10:
            date.fromisoformat(text)
            return text
    except ValueError:
        pass
    return _day(text).isoformat()


def _as_moment_text(text: str) -> Scalar:
    try:
        moment = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise _Bad("date", f"“{text[:25]}”不是时间，应写成 2026-11-23 08:30") from None
    return (
        moment.replace(tzinfo=SHANGHAI) if moment.tzinfo is None else moment.astimezone(SHANGHAI)
    ).isoformat()


def _as_number(text: str) -> Scalar:
    try:
        value = Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise _Bad("number", f"“{text[:20]}”不是数") from None
    if not value.is_finite() or abs(value) >= 10**15:
        raise _Bad("number", f"“{text[:20]}”超出范围")
    return int(value) if value == value.to_integral_value() else float(value)


def _as_money(text: str) -> Scalar:
    try:
        value = Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise _Bad("number", f"“{text[:20]}”不是金额") from None
    if not value.is_finite() or abs(value) >= 10**15:
        raise _Bad("number", f"“{text[:20]}”超出范围")
    return f"{value:.2f}"


def _as_boolean(text: str) -> Scalar:
    value = _YES.get(text.lower())
    if value is None:
        raise _Bad("boolean", f"“{text[:20]}”不是“是”或“否”")
    return value


def _code_parser(field: Field) -> Parser:
    codes = field.codes
    by_name = {words.zh: code for code, words in codes.items()}

    def parse(text: str) -> Scalar:
        if not codes or text in codes:
            return text
        if text in by_name:
            return by_name[text]
        raise _Bad("code", f"“{text[:20]}”不在“{field.name.zh}”的代码表里")

    return parse
