"""As much of DER (X.690) as a time stamp needs: reading elements, writing a request. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SEQUENCE, SET, INTEGER, OCTETS, OID, NULL, BOOLEAN, TIME = 0x30, 0x31, 0x02, 0x04, 0x06, 0x05, 0x01, 0x18


class NotDer(ValueError):
    """The bytes are not DER."""


@dataclass(frozen=True)
class Element:
    """One element: its tag, its content, and all its bytes."""

    tag: int
    body: bytes
    whole: bytes

    def parts(self) -> list[Element]:
        """The elements inside. Errors: NotDer."""
        return list(_elements(self.body))

    def part(self, place: int, tag: int) -> Element:
        """The element at a place, which has this tag. Errors: NotDer."""
        parts = self.parts()
        if place >= len(parts) or parts[place].tag != tag:
            raise NotDer(f"no element {tag:#x} at {place}")
        return parts[place]

    @property
    def number(self) -> int:
        return int.from_bytes(self.body, "big", signed=True)


def read(data: bytes) -> Element:
    """The one element that the bytes are. Errors: NotDer."""
    found = list(_elements(data))
    if len(found) != 1:
        raise NotDer("not one element")
    return found[0]


def _elements(data: bytes) -> Iterator[Element]:
    place = 0
    while place < len(data):
        begin = place
        if place + 2 > len(data) or data[place] & 0x1F == 0x1F:
            raise NotDer("cut off, or a long tag")
        tag, length = data[place], data[place + 1]
        place += 2
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4 or place + count > len(data):
                raise NotDer("a length that DER does not have")
            length = int.from_bytes(data[place : place + count], "big")
            place += count
        if place + length > len(data):
            raise NotDer("cut off")
        yield Element(tag, data[place : place + length], data[begin : place + length])
        place += length


def write(tag: int, *parts: bytes) -> bytes:
    """An element of these parts."""
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def integer(value: int) -> bytes:
    """A number that is not negative."""
    return write(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(text: str) -> bytes:
    """An object identifier such as 2.16.840.1."""
    first, second, *rest = map(int, text.split("."))
    body = bytearray()
    for number in (first * 40 + second, *rest):
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.insert(0, number & 0x7F | 0x80)
        body += bytes(septets)
    return write(OID, bytes(body))
