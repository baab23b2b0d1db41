"""The signature base (RFC 9421 §2.5): which components, in which bytes. One way to write it, so one way to be wrong.

Signature-Input is read in its canonical form by one strict pattern, because that is what its own last line repeats.
Anything else that is a lawful structured field (RFC 9651), several signatures for instance, is parsed by http-sf and
written canonically first; then it goes the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import http_sf
import msgspec

from dizuo.foundation.signing.errors import SignatureIncomplete, SignatureMalformed, SignatureMissing

TAG_CALL: Final = "dizuo-exchange"
"""The application of requests (RFC 9421 §2.3 ``tag``): a signature made for anything else counts for nothing here."""
TAG_ANSWER: Final = "dizuo-exchange-answer"
BINDING: Final = "signature"
"""The component of an answer that repeats the request's signature (§2.4)."""
_LONGEST_FIELD: Final = 4096
_LONGEST_LIST: Final = 32 * 1024
_ONE_ONLY: Final = "带这个标签（tag）的签名要有且只有一个"

_LABEL: Final = r"[a-z*][a-z0-9_\-.*]{0,63}"
_NAME: Final = r"[a-z*][a-z0-9_\-.*]*"
_STRING: Final = r'"[ !#-\[\]-~]*"'
# A covered component: its name, then flags and strings (;req, ;key="dizuo").
_ITEM: Final = rf'"[!#-\[\]-~]+"(?:;{_NAME}(?:={_STRING})?)*'
_PARAMETER: Final = rf";({_NAME})=(0|[1-9][0-9]{{0,14}}|{_STRING})"
_PARAMETERS: Final = rf"(?:;{_NAME}=(?:0|[1-9][0-9]{{0,14}}|{_STRING}))*"
_INPUT: Final = re.compile(rf"({_LABEL})=(\(({_ITEM}(?: {_ITEM})*)?\)({_PARAMETERS}))")
_ONE_COMPONENT: Final = re.compile(rf'"([!#-\[\]-~]+)"((?:;{_NAME}(?:={_STRING})?)*)(?: |$)')
_ONE_PARAMETER: Final = re.compile(_PARAMETER)
_SIGNATURE: Final = re.compile(rf"({_LABEL})=(:[A-Za-z0-9+/]+={{0,2}}:)")


class Input(msgspec.Struct, frozen=True):
    """One signature's metadata: ``text`` is its canonical form, which the base ends with; ``signature`` is ``:base64:``."""

    label: str
    text: str
    components: tuple[tuple[str, str], ...]
    parameters: Mapping[str, str | int]
    signature: str


class Context(msgspec.Struct, frozen=True):
    """What components are taken from: a request, or a response with its request's signature."""

    headers: Mapping[str, str]
    derived: Mapping[str, str]
    bound: Mapping[str, str] = {}


def read_input(headers: Mapping[str, str], tag: str) -> Input:
    """The one signature of a message that carries our tag. Errors: SignatureMissing, SignatureMalformed."""
    given, signed = headers.get("signature-input", ""), headers.get("signature", "")
    if not given or not signed:
        raise SignatureMissing(tag=tag)
    if len(given) > _LONGEST_FIELD or len(signed) > _LONGEST_FIELD:
        raise SignatureMalformed(why="签名头太长")
    found, value = _INPUT.fullmatch(given), _SIGNATURE.fullmatch(signed)
    if found is None or value is None:
        return _read_other(given, signed, tag)
    if found[1] != value[1]:
        raise SignatureMalformed(why="两个签名头的标签不一样")
    made = _made(found[1], found[2], found[3] or "", found[4], value[2])
    if made is None:
        return _read_other(given, signed, tag)
    if made.parameters.get("tag") != tag:
        raise SignatureMissing(tag=tag)
    return made


def base_of(given: Input, context: Context) -> bytes:
    """The bytes that are signed. Errors: SignatureIncomplete for a covered component that the message does not have."""
    lines: list[str] = []
    for name, parameters in given.components:
        if not parameters:
            value = context.derived.get(name) if name[0] == "@" else context.headers.get(name)
        else:
            value = context.bound.get(name + parameters)
        if value is None:
            raise SignatureIncomplete(what=f"{name}{parameters}（请求里没有）")
        lines.append(f'"{name}"{parameters}: {value}')
    lines.append(f'"@signature-params": {given.text}')
    text = "\n".join(lines)
    # A line end inside a value would let one component speak for another.
    if not text.isascii() or text.count("\n") != len(lines) - 1 or "\r" in text:
        raise SignatureMalformed(why="被签的内容里有不能用的字符")
    return text.encode("ascii")


def write_input(components: tuple[tuple[str, str], ...], parameters: Mapping[str, str | int]) -> str:
    """The canonical form, to be signed and sent."""
    inner = " ".join(f'"{name}"{more}' for name, more in components)
    outer = "".join(f";{k}={v}" if isinstance(v, int) else f';{k}="{v}"' for k, v in parameters.items())
    return f"({inner}){outer}"


def _made(label: str, text: str, inner: str, outer: str, signature: str) -> Input | None:
    """The parts of a canonical member, or None when it is not quite canonical."""
    components: list[tuple[str, str]] = []
    at = 0
    while at < len(inner):
        one = _ONE_COMPONENT.match(inner, at)
        if one is None:
            return None
        components.append((one[1], one[2]))
        at = one.end()
    parameters: dict[str, str | int] = {}
    at = 0
    while at < len(outer):
        one = _ONE_PARAMETER.match(outer, at)
        if one is None or one[1] in parameters:
            return None
        parameters[one[1]] = one[2][1:-1] if one[2][0] == '"' else int(one[2])
        at = one.end()
    if len(set(components)) != len(components):
        raise SignatureMalformed(why="同一项内容被签了两次")
    if any(name != name.lower() for name, _ in components):
        raise SignatureMalformed(why="被签内容的名称要小写")
    return Input(label, text, tuple(components), parameters, signature)


def read_inputs(headers: Mapping[str, str], tag: str) -> list[Input]:
    """Every signature of a message that carries a tag. Errors: SignatureMissing, SignatureMalformed."""
    given, signed = headers.get("signature-input", ""), headers.get("signature", "")
    if not given or not signed:
        raise SignatureMissing(tag=tag)
    if len(given) > _LONGEST_LIST or len(signed) > _LONGEST_LIST:
        raise SignatureMalformed(why="签名头太长")
    inputs, values = _dictionaries(given, signed)
    ours = _tagged(inputs, tag)
    if not ours:
        raise SignatureMissing(tag=tag)
    return [_canonical(label, inputs, values) for label in ours]


def _read_other(given: str, signed: str, tag: str) -> Input:
    inputs, values = _dictionaries(given, signed)
    ours = _tagged(inputs, tag)
    if not ours:
        raise SignatureMissing(tag=tag)
    if len(ours) > 1:
        raise SignatureMalformed(why=_ONE_ONLY)
    return _canonical(ours[0], inputs, values)


def _dictionaries(given: str, signed: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        return (
            cast("dict[str, Any]", http_sf.parse(given.encode(), tltype="dictionary")),
            cast("dict[str, Any]", http_sf.parse(signed.encode(), tltype="dictionary")),
        )
    except (ValueError, UnicodeError):
        raise SignatureMalformed(why="不是 RFC 9651 的字典") from None


def _tagged(inputs: Mapping[str, Any], tag: str) -> list[str]:
    return [
        label
        for label, member in inputs.items()
        if isinstance(member, tuple) and cast("dict[str, Any]", member[1]).get("tag") == tag
    ]


def _canonical(label: str, inputs: Mapping[str, Any], values: Mapping[str, Any]) -> Input:
    value = values.get(label)
    if not isinstance(value, tuple) or not isinstance(value[0], bytes):
        raise SignatureMalformed(why=_ONE_ONLY)
    try:
        text = http_sf.ser({label: inputs[label]}).partition("=")[2]
        signature = http_sf.ser({label: (value[0], {})}).partition("=")[2]
    except (ValueError, TypeError):
        raise SignatureMalformed(why="不是 RFC 9651 的字典") from None
    found = _INPUT.fullmatch(f"{label}={text}")
    made = _made(label, text, found[3] or "", found[4], signature) if found else None
    if made is None:
        raise SignatureMalformed(why="签名参数里有这里不用的写法")
    return made
