"""Bytes → blocks of whole lines in UTF-8; a line that is no text costs that line and never the rest of the file.

A line that cannot be used (no text of the encoding, NUL, longer than a block) is reported and left empty in its block,
so that line numbers stay those of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dizuo.engines.lake.intake.arrow import np
from dizuo.engines.lake.intake.errors import ContentUnreadable
from dizuo.engines.lake.intake.faults import Fault
from dizuo.engines.lake.intake.limits import BLOCK, RAW
from dizuo.engines.lake.intake.wrapping import Stream

BOM: Final = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
SAID = {"utf-8": "UTF-8", "gb18030": "GB 18030"}


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of a file: the number of the first, their text in UTF-8, and what could not be used of them."""

    first: int
    text: bytes
    faults: tuple[Fault, ...]
    blanked: int


class Lines:
    """Walks a stream block by block. ``head`` is its beginning (up to one block), not yet taken away."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._ended = False
        self._carry = self._more()
        if self._carry.startswith(_UTF16):
            raise ContentUnreadable("是 UTF-16 编码，请另存为 UTF-8")
        self._carry = self._carry.removeprefix(BOM)
        self._next = 1

    @property
    def head(self) -> bytes:
        return self._carry

    def first_line(self) -> bytes:
        """Take the first line away (a header), without its line end. Errors: ContentUnreadable when it is no header."""
        line, found, rest = self._carry.partition(b"\n")
        if not found and not self._ended:
            raise ContentUnreadable("第一行太长，不像表头")
        if b"\0" in line:
            wide = any(_reads_wide(self._carry[:4096], order) for order in ("utf-16-le", "utf-16-be"))
            raise ContentUnreadable(
                "是 UTF-16 编码，请另存为 UTF-8" if wide else "表头里有空字节，文件可能损坏"
            )
        self._carry = rest
        self._next += 1
        return line.rstrip(b"\r")

    def blocks(self, encoding: str) -> Iterator[Block]:
        """The lines that are left, in blocks; every block ends with a line feed."""
        data = self._carry
        self._carry = b""
        while True:
            while not self._ended and b"\n" not in data and len(data) <= BLOCK:
                data += self._more()
            cut = data.rfind(b"\n") + 1
            if self._ended and cut < len(data):
                data += b"\n"
                cut = len(data)
            long: list[Fault] = []
            if cut == 0 and data:
                data, fault = self._skip(data, encoding)
                long.append(fault)
                cut = data.rfind(b"\n") + 1
            if cut:
                yield self._clean(data[:cut], encoding, long)
            data = data[cut:]
            if self._ended and not data:
                return
            data += self._more()

    def _more(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        while size < BLOCK and not self._ended:
            piece = self._stream.read(BLOCK - size)
            self._ended = not piece
            parts.append(piece)
            size += len(piece)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _skip(self, data: bytes, encoding: str) -> tuple[bytes, Fault]:
        """Pass over a line that fills more than a block; what follows it stays."""
        head, size = data[: RAW * 4], len(data)
        while b"\n" not in data and not self._ended:
            data = self._more()
            size += len(data)
        _, _, rest = data.partition(b"\n")
        size -= len(rest)
        says = f"这一行有 {size:,} 个字节以上，没有换行"
        return b"\n" + rest, Fault(self._next, "", "too_long", says, head.decode(encoding, "surrogateescape"))

    def _clean(self, data: bytes, encoding: str, faults: list[Fault]) -> Block:
        first = self._next
        self._next += data.count(b"\n")
        bad: dict[int, Fault] = {fault.line: fault for fault in faults}
        skipped = len(bad)
        if b"\0" in data:
            data = _blank_nul(data, encoding, first, bad)
        if encoding == "gb18030":
            data = _blank_foreign(data, first, bad)
        text = _decoded(data, encoding, first, bad)
        return Block(first, text, tuple(bad.values()), len(bad) - skipped + len(faults))


def _reads_wide(head: bytes, order: str) -> bool:
    """Whether bytes without a byte order mark are lines of separated text in UTF-16."""
    text = head[: len(head) & ~1].decode(order, "ignore")
    return "\n" in text and any(sign in text for sign in ",;|\t")


def _span(data: bytes, at: int) -> tuple[int, int]:
    """Where the line around a position begins and where its line feed is."""
    return data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)


def _blank_nul(data: bytes, encoding: str, first: int, bad: dict[int, Fault]) -> bytes:
    out: list[bytes] = []
    done = 0
    while (at := data.find(b"\0", done)) >= 0:
        start, end = _span(data, at)
        number = first + data.count(b"\n", 0, start)
        raw = data[start:end].decode(encoding, "surrogateescape").rstrip("\r")
        bad[number] = Fault(number, "", "nul", "这一行里有空字节（NUL），不是文本", raw)
        out.append(data[done:start])
        done = end
    out.append(data[done:])
    return b"".join(out)


def _blank_foreign(data: bytes, first: int, bad: dict[int, Fault]) -> bytes:
    """Lines of UTF-8 in a file of GB 18030: they decode, all legal and all wrong.

    GB 2312 text has no byte in 0x80–0xA0, UTF-8 text of Chinese is full of them: only such lines are looked at.
    """
    raw = np.frombuffer(data, np.uint8)
    suspects = np.flatnonzero((raw >= 0x80) & (raw <= 0xA0))
    if not suspects.size:
        return data
    ends = np.flatnonzero(raw == 10)
    out: list[bytes] = []
    done = 0
    for index in np.unique(np.searchsorted(ends, suspects)).tolist():
        start = int(ends[index - 1]) + 1 if index else 0
        end = int(ends[index])
        line = data[start:end]
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            continue
        # Some pairs of GB 18030 read as one letter of a European script; two Chinese characters by chance do not occur.
        if sum(1 for sign in text if sign >= "\u3000") < 2:
            continue
        number = first + index
        says = "这一行是 UTF-8 编码，文件其他部分是 GB 18030"
        bad[number] = Fault(number, "", "encoding", says, text.rstrip("\r"))
        out.append(data[done:start])
        done = end
    out.append(data[done:])
    return b"".join(out)


def _decoded(data: bytes, encoding: str, first: int, bad: dict[int, Fault]) -> bytes:
    """The block in UTF-8; lines that are not of the encoding are left empty."""
    pieces: list[bytes] = []
    done = 0
    view = data
    while True:
        try:
            pieces.append(_utf8(view, encoding))
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        except UnicodeDecodeError as error:
            start, end = _span(data, done + error.start)
        start = max(start, done)
        pieces.append(_utf8(data[done:start], encoding))
        number = first + data.count(b"\n", 0, start)
        line = data[start:end]
        raw, maybe = _shown(line, encoding)
        says = f"这一行不是 {SAID[encoding]} 编码的文本{maybe}"
        bad.setdefault(number, Fault(number, "", "encoding", says, raw.rstrip("\r")))
        done = end
        view = data[done:]


def _utf8(data: bytes, encoding: str) -> bytes:
    text = data.decode(encoding)
    return data if encoding == "utf-8" else text.encode("utf-8", "replace")


def _shown(line: bytes, encoding: str) -> tuple[str, str]:
    """The line as the other encoding reads it, when it does."""
    other = "gb18030" if encoding == "utf-8" else "utf-8"
    try:
        return line.decode(other), f"，像是 {SAID[other]}"
    except UnicodeDecodeError:
        return line.decode(encoding, "surrogateescape"), ""
