"""Chinese in an English page: every run of it says so (WCAG 2.2, 3.1.2 Language of Parts).

Names, addresses, documents and laws stay as they are written, wherever they come from: a register, a declaration,
an official. So they are marked on the way out of the door, by one rule, and no template can forget it. A screen
reader then speaks them as Chinese, and a browser picks the right shapes of characters.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable

from starlette.responses import Response

from dizuo.web import WebRequest

Handler = Callable[[WebRequest], Awaitable[Response]]

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_BETWEEN = "0-9０-９ ·•，。、；：？！（）()《》“”「」—–…/.\\-" + _HAN
# From the first Chinese character to the last, over digits and marks between them, with the marks around the run.
_RUN = re.compile(f"[《“「（]*[{_HAN}](?:[{_BETWEEN}]*[{_HAN}])?[0-9]*[，。、；：？！）》”」]*")
_TAG = re.compile(r"(<[^>]*>)")
# Elements whose content is text and cannot hold another element.
_TEXT_ONLY = ("<title", "<textarea", "<option", "<script", "<style", "<svg")


def marked(html: str) -> str:
    """The page with ``lang="zh-CN"`` around each run of Chinese text; attributes and text-only elements stay."""
    parts = _TAG.split(html)
    inside = ""
    for at in range(0, len(parts), 2):
        tag = parts[at - 1] if at else ""
        if inside:
            inside = "" if tag.startswith(inside) else inside
        elif tag.startswith(_TEXT_ONLY):
            inside = "</" + re.split(r"[\s>]", tag[1:], maxsplit=1)[0]
        if not inside and not parts[at].isascii() and 'lang="zh' not in tag:
            parts[at] = _RUN.sub(_mark, parts[at])
    return "".join(parts)


def _mark(found: re.Match[str]) -> str:
    return f'<span lang="zh-CN">{found[0]}</span>'


def in_readers_language(handler: Handler) -> Handler:
    """The handler, its page marked for readers of English."""

    @functools.wraps(handler)
    async def answered(request: WebRequest) -> Response:
        response = await handler(request)
        if request.lang != "zh" and response.media_type == "text/html":
            page = marked(bytes(response.body).decode("utf-8"))
            # Made anew, because the length is among the headers; those of the handler are kept.
            kept = [pair for pair in response.raw_headers if pair[0] != b"content-length"]
            response = Response(page, status_code=response.status_code, media_type="text/html")
            length = [pair for pair in response.raw_headers if pair[0] == b"content-length"]
            response.raw_headers = [*kept, *length]
        return response

    return answered
