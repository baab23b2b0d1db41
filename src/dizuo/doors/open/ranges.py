"""A part of a file: a download that broke off goes on where it stopped (Range and If-Range, RFC 9110 § 13–14).

Files are made as they are read and their length is not known before the end; so a part is cut from a copy on disk. A release never
changes and is made alike each time: the strong ETag says that the part fits to what one has.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from typing import IO, Final

from starlette.responses import Response, StreamingResponse

from dizuo.engines.opendata import ReleaseBusy

_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")
_IN_MEMORY: Final = 4 * 1024 * 1024
_PIECE: Final = 256 * 1024
_CUTTING: Final = asyncio.Semaphore(2)


def part_of(asked: str, size: int) -> tuple[int, int] | None:
    """First and last byte that a Range header wants of ``size`` bytes; None when there are none such (416).

    Only one part: several at once, and what is no range of bytes, are not understood and never get here (``understood``).
    """
    match = _RANGE.fullmatch(asked.strip())
    assert match is not None
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        return (size - length, size - 1) if length else None
    end = min(int(last), size - 1) if last else size - 1
    return (int(first), end) if int(first) <= end else None


def understood(asked: str | None, condition: str | None, mark: str) -> bool:
    """Whether a part is to be sent: one range of bytes, and of the file that the client has the beginning of."""
    if asked is None or (condition is not None and condition != mark):
        return False
    match = _RANGE.fullmatch(asked.strip())
    if match is None or match.groups() == ("", ""):
        return False
    first, last = match.groups()
    return not (first and last) or int(first) <= int(last)


async def part(body: AsyncIterator[bytes], asked: str, media: str, headers: dict[str, str]) -> Response:
    """The part of the file that was asked for (206), or that it has no such part (416). Errors: ReleaseBusy, the body's."""
    if _CUTTING.locked():
        raise ReleaseBusy()
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, prefix="dizuo-open-")  # noqa: SIM115 - closed when it was sent
    try:
        async with _CUTTING:
            async for piece in body:
                await asyncio.to_thread(file.write, piece)
        size = file.tell()
        span = part_of(asked, size)
        if span is None:
            file.close()
            return Response(status_code=416, headers={**headers, "content-range": f"bytes */{size}"})
    except BaseException:
        file.close()
        raise
    first, last = span
    headers = {
        **headers,
        "content-range": f"bytes {first}-{last}/{size}",
        "content-length": str(last + 1 - first),
    }
    return StreamingResponse(_sent(file, first, last), 206, headers, media)


async def _sent(file: IO[bytes], first: int, last: int) -> AsyncIterator[bytes]:
    with file:
        await asyncio.to_thread(file.seek, first)
        left = last + 1 - first
        while left > 0 and (piece := await asyncio.to_thread(file.read, min(_PIECE, left))):
            left -= len(piece)
            yield piece
