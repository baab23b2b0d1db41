"""Identifiers of persons and organisations, and what a name may hold.

Each check says which rule failed and what to do about it. A number is personal data: ``str()`` and ``repr()``
show the masked form, so that a log line or a traceback does not carry it; ask for ``.value`` on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import ClassVar

import msgspec

from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.kernel.saying import Said

KnownDivision = Callable[[str, date], bool]
"""Answers whether a six-digit division code (GB/T 2260) was in force on a day."""

_WIDE = (
    {0xFF10 + n: ord("0") + n for n in range(10)}
    | {0xFF21 + n: ord("A") + n for n in range(26)}
    | {0xFF41 + n: ord("a") + n for n in range(26)}
    | {0x3000: 0x20}
)
_SPACES = str.maketrans("", "", " \t-\u00a0")


def _typed(text: str) -> str:
    """What a person meant to type: half-width, upper case, without the spaces and hyphens of a printed form."""
    return text.translate(_WIDE).translate(_SPACES).strip().upper()


class Sex(StrEnum):
    """Sex as registered; ``code`` is that of GB/T 2261.1."""

    MALE = "male"
    FEMALE = "female"

    @property
    def code(self) -> str:
        return "1" if self is Sex.MALE else "2"

    @property
    def word(self) -> str:
        return "男" if self is Sex.MALE else "女"


class InvalidCitizenId(Invalid):
    """公民身份号码不正确。

    The sentence of the kind is shown beside ``field``; ``params`` fill its places. ``english`` says the same.
    """

    english: ClassVar[str] = "The identity number is not right."

    def __init__(self, field: str, **params: str | int) -> None:
        super().__init__({}, None, fix=None, **params)
        self.fields = {field: Said(self.message, self.english.format_map(params))}


class CitizenIdLength(InvalidCitizenId):
    """公民身份号码应为 18 位，您填了 {count} 位。"""

    english = "An identity number has 18 characters; you entered {count}."
    fix = "请对照身份证或户口簿逐位核对。"


class CitizenIdCharacter(InvalidCitizenId):
    """公民身份号码第 {position} 位“{character}”不对，只能是数字，最后一位可以是 X。"""

    english = (
        "Character {position} of the identity number, “{character}”, is wrong: digits only, or X at the end."
    )
    fix = "请对照身份证或户口簿逐位核对。"


class CitizenIdBirthDate(InvalidCitizenId):
    """公民身份号码第 7 至 14 位“{text}”不是有效的出生日期。"""

    english = "Characters 7 to 14 of the identity number, “{text}”, are no date of birth."
    fix = "请核对号码中的出生年月日。"


class CitizenIdFuture(InvalidCitizenId):
    """公民身份号码中的出生日期 {birth} 晚于 {on}。"""

    english = "The date of birth in the identity number, {birth}, is after {on}."
    fix = "请核对号码中的出生年月日。"


class CitizenIdRegion(InvalidCitizenId):
    """公民身份号码前 6 位“{region}”在出生当时不是有效的行政区划代码。"""

    english = "The first 6 digits of the identity number, “{region}”, were no division at the time of birth."
    fix = "请核对前 6 位；核对无误的，请到派出所窗口办理。"


class CitizenIdCheckDigit(InvalidCitizenId):
    """公民身份号码的校验码不对，号码中可能有一位写错了，或者两位写颠倒了。"""

    english = "The check character of the identity number is wrong: one character may be mistyped, or two exchanged."
    fix = "请对照身份证或户口簿逐位核对。"


_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def citizen_check_digit(body: str) -> str:
    """The 18th character for the first 17 digits (ISO 7064 MOD 11-2, GB 11643-1999)."""
    return "10X98765432"[
        sum(int(digit) * weight for digit, weight in zip(body, _CITIZEN_WEIGHTS, strict=True)) % 11
    ]


class CitizenId(msgspec.Struct, frozen=True):
    """公民身份号码 (GB 11643-1999): region, date of birth, sequence, check character.

    ``value`` is the full 18 characters; ``from_fifteen`` tells that a number of the first generation (15 digits,
    retired in 2013) was brought to 18.
    """

    value: str
    from_fifteen: bool = False

    @classmethod
    def parse(
        cls, text: str, on: date, divisions: KnownDivision | None = None, field: str = "citizen_id"
    ) -> CitizenId:
        """The number that ``text`` writes.

        Shapes: 18 characters or 15 digits; full-width characters, spaces and hyphens are accepted. ``on`` is the
        day of checking: birth may not be later. ``divisions`` answers whether a code was in force on the day of
        birth (abolished codes are right for those born before). Errors: a kind of InvalidCitizenId, with the
        message under ``field``.
        """
        raw = _typed(text) if len(text) <= 64 else text
        if len(raw) not in (15, 18):
            raise CitizenIdLength(field, count=len(raw))
        last = len(raw) - 1
        for position, character in enumerate(raw):
            if character not in "0123456789" and not (position == last == 17 and character == "X"):
                raise CitizenIdCharacter(field, position=position + 1, character=character)
        body = raw[:17] if len(raw) == 18 else raw[:6] + _century(raw) + raw[6:]
        try:
            birth = date(int(body[6:10]), int(body[10:12]), int(body[12:14]))
        except ValueError:
            raise CitizenIdBirthDate(field, text=body[6:14]) from None
        if birth > on:
            raise CitizenIdFuture(field, birth=birth.isoformat(), on=on.isoformat())
        # The check digit comes before the region: one mistyped digit must not be reported as an unknown region.
        check = citizen_check_digit(body)
        if len(raw) == 18 and raw[17] != check:
            raise CitizenIdCheckDigit(field)
        if divisions is not None and not divisions(body[:6], birth):
            raise CitizenIdRegion(field, region=body[:6])
        return cls(body + check, len(raw) == 15)

    @property
    def region(self) -> str:
        """The six-digit division code of first registration (GB/T 2260)."""
        return self.value[:6]

    @property
    def birth(self) -> date:
        return date(int(self.value[6:10]), int(self.value[10:12]), int(self.value[12:14]))

    @property
    def sex(self) -> Sex:
        return Sex.MALE if int(self.value[16]) % 2 else Sex.FEMALE

    def mask(self) -> str:
        """The form for pages: 320211********1026."""
        return mask(self.value)

    def __str__(self) -> str:
        return self.mask()

    def __repr__(self) -> str:
        return f"CitizenId({self.mask()!r})"


def _century(fifteen: str) -> str:
    # Sequence numbers 996 to 999 were kept for people who were a hundred years old when numbers were given out.
    return "18" if fifteen[12:] in ("996", "997", "998", "999") else "19"


def mask(number: str) -> str:
    """A number with its first six and last four characters left: 320211********1026; shorter ones are hidden more."""
    if len(number) < 12:
        return number[:1] + "*" * max(len(number) - 1, 0)
    return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}"


class InvalidUnifiedCode(Invalid):
    """统一社会信用代码不正确。"""

    fix = "请对照营业执照或登记证书逐位核对。"


_USCC_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = tuple(pow(3, n, 31) for n in range(17))
_ORG_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def uscc_check_character(body: str) -> str:
    """The 18th character for the first 17 (GB 32100-2015)."""
    total = sum(
        _USCC_CHARACTERS.index(character) * weight
        for character, weight in zip(body, _USCC_WEIGHTS, strict=True)
    )
    return _USCC_CHARACTERS[(31 - total % 31) % 31]


def org_check_character(body: str) -> str:
    """The 9th character for the first 8 of an organisation code (GB 11714-1997)."""
    total = sum(
        _ORG_CHARACTERS.index(character) * weight
        for character, weight in zip(body, _ORG_WEIGHTS, strict=True)
    )
    return "0123456789X0"[11 - total % 11]


class UnifiedCode(msgspec.Struct, frozen=True):
    """统一社会信用代码 (GB 32100-2015): registering authority, kind, region, organisation code, check character.

    It is public, so it is never masked.
    """

    value: str

    @classmethod
    def parse(cls, text: str, field: str = "uscc") -> UnifiedCode:
        """The code that ``text`` writes; full-width characters, spaces and hyphens are accepted.

        Errors: InvalidUnifiedCode, with the message under ``field``.
        """
        raw = _typed(text) if len(text) <= 64 else text
        if len(raw) != 18:
            raise InvalidUnifiedCode({field: f"统一社会信用代码应为 18 位，您填了 {len(raw)} 位。"})
        for position, character in enumerate(raw):
            allowed = "0123456789" if 2 <= position < 8 else _USCC_CHARACTERS
            if character not in allowed:
                why = "不使用字母 I、O、S、V、Z" if character in "IOSVZ" else "这里不能用这个字符"
                raise InvalidUnifiedCode(
                    {field: f"统一社会信用代码第 {position + 1} 位“{character}”不对：{why}。"}
                )
        if raw[17] != uscc_check_character(raw[:17]):
            raise InvalidUnifiedCode({field: "统一社会信用代码的校验码不对，可能有一位写错了。"})
        if raw[16] != org_check_character(raw[8:16]):
            raise InvalidUnifiedCode({field: "统一社会信用代码第 9 至 17 位（组织机构代码）的校验码不对。"})
        return cls(raw)

    @property
    def authority(self) -> str:
        """登记管理部门代码, the first character."""
        return self.value[0]

    @property
    def kind(self) -> str:
        """机构类别代码, the second character; its meaning depends on ``authority``."""
        return self.value[1]

    @property
    def region(self) -> str:
        """登记管理机关行政区划码 (GB/T 2260)."""
        return self.value[2:8]

    @property
    def org_code(self) -> str:
        """组织机构代码 (GB 11714) in its printed form, such as D2143569-X."""
        return f"{self.value[8:16]}-{self.value[16]}"

    def __str__(self) -> str:
        return self.value
