"""From the bytes of a call to a Call, or to the place in it that is wrong. Pure."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec

from dizuo.engines.exchange.delivery.errors import CallInvalid, CallUnreadable
from dizuo.engines.exchange.delivery.model import MOST_SUBJECTS, Call, Scheme, Subject

MOST_FIELDS: Final = 200
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
_Sentence = Annotated[str, msgspec.Meta(max_length=500)]
_Fields = Annotated[list[_Name], msgspec.Meta(min_length=1, max_length=MOST_FIELDS)]
_Number = Annotated[int, msgspec.Meta(ge=1, le=1 << 62)]
# JSON Schema's integer may be written 3.0.
_Whole = Annotated[float, msgspec.Meta(ge=1, le=2.0**62, multiple_of=1)]
_KEY_LONGEST: Final = 200
# The shape of GB 11643 and GB 32100, in capitals. A number whose check character is wrong is nobody's and is answered as such.
_CITIZEN_ID: Final = re.compile(r"[0-9]{17}[0-9X]")
_USCC: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")


class _Subject(msgspec.Struct, forbid_unknown_fields=True):
    citizen_id: str | None = None
    uscc: str | None = None
    key: str | None = None


class _Cited(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    resource: _Name
    matter: Annotated[str, msgspec.Meta(max_length=100)]
    basis: _Name
    case: _Name
    fields: _Fields
    purpose: _Sentence = ""
    grant: _Number | _Whole | None = None


class _Query(_Cited, kw_only=True):
    subject: _Subject


class _Batch(_Cited, kw_only=True):
    subjects: Annotated[list[_Subject], msgspec.Meta(min_length=1, max_length=MOST_SUBJECTS)]


_decode_query = msgspec.json.Decoder(_Query).decode
_decode_batch = msgspec.json.Decoder(_Batch).decode


def read_call(method: Literal["query", "batch"], body: bytes) -> Call:
    """The call in a request's body. Errors: CallUnreadable (no JSON), CallInvalid with the place and why.

    In a batch a subject that is no valid number does not spoil the others: it is left out and answered as refused.
    """
    if b"\\u0000" in body:
        raise CallInvalid({"$": "含有不能使用的字符（U+0000）。"})
    try:
        given = _decode_query(body) if method == "query" else _decode_batch(body)
    except msgspec.ValidationError as error:
        says, _, place = str(error).partition(" - at ")
        raise CallInvalid({place.strip("`") or "$": f"{says}。"}) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise CallUnreadable(why="不是 UTF-8 的 JSON") from None
    subjects = [given.subject] if isinstance(given, _Query) else given.subjects
    read = [_subject(n, one) for n, one in enumerate(subjects)]
    if isinstance(given, _Query) and read[0] is None:
        raise CallInvalid(
            {
                "$.subject": "要且只要写一个：citizen_id（公民身份号码）、uscc（统一社会信用代码）或 key，并且号码有效。"
            }
        )
    if not any(read):
        raise CallInvalid({"$.subjects": "没有一个是有效的号码。"})
    return Call(
        method=method,
        resource=given.resource,
        matter=given.matter,
        basis=given.basis,
        case=given.case.strip(),
        fields=tuple(dict.fromkeys(given.fields)),
        subjects=tuple(one for one in read if one is not None),
        grant=None if given.grant is None else int(given.grant),
        purpose=given.purpose.strip(),
        unread=tuple(n for n, one in enumerate(read) if one is None),
    )


def _subject(n: int, given: _Subject) -> Subject | None:
    named: list[tuple[Scheme, str, bool]] = []
    if given.citizen_id is not None:
        named.append(("citizen_id", given.citizen_id, _CITIZEN_ID.fullmatch(given.citizen_id) is not None))
    if given.uscc is not None:
        named.append(("uscc", given.uscc, _USCC.fullmatch(given.uscc) is not None))
    if given.key is not None:
        named.append(("key", given.key, 0 < len(given.key) <= _KEY_LONGEST))
    if len(named) != 1 or not named[0][2]:
        return None
    return Subject(n, named[0][0], named[0][1])
