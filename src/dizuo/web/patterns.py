"""The patterns page: every component once, with plausible invented content."""

from __future__ import annotations

from starlette.responses import Response

from .request import WebRequest

_OPTIONS = [
    {"value": "father", "label": "跟爸爸，梁溪区", "detail": "户主王建国 · 崇安寺街道 中山路 ×× 号"},
    {"value": "mother", "label": "跟妈妈，滨湖区", "detail": "户主林晓晴 · 蠡湖街道 金城西路 ×× 号"},
]
_ITEMS = [
    {"name": "出生医学证明", "note": "市卫生健康委 · 已签发", "state": "ok"},
    {"name": "户口登记", "note": "市公安局 · 正在办", "state": "now"},
    {"name": "居民医保参保", "note": "等户口登记", "state": "wait"},
    {"name": "生育津贴", "note": "要您补材料", "state": "bad"},
    {"name": "社会保障卡", "note": "还没开始", "state": "none"},
]
_ENTRIES = [
    {
        "when": "11-23 10:14",
        "iso": "2026-11-23T10:14",
        "what": "出生医学证明，6 项",
        "who": "市卫生健康委",
        "href": "",
    },
    {
        "when": "11-23 10:21",
        "iso": "2026-11-23T10:21",
        "what": "不动产登记，仅地址",
        "who": "市公安局",
        "href": "#main",
    },
]
_STAGES = [
    {"name": "受理", "note": "10:14 自动受理，材料齐", "state": "done"},
    {"name": "联合审查", "note": "8 项中 4 项已通过", "state": "now"},
    {"name": "制证", "note": "户口簿、社保卡", "state": "later"},
    {"name": "送达", "note": "邮寄，中山路", "state": "later"},
]
_LEFT = {
    "title": "户籍登记",
    "source": "市公安局，2019-04-12 登记",
    "pieces": [
        {"text": "中山路 158 号 3 幢 ", "differs": False},
        {"text": "402", "differs": True},
        {"text": " 室", "differs": False},
    ],
}
_RIGHT = {
    "title": "不动产登记",
    "source": "市自然资源局，2018-11-03 登记",
    "pieces": [
        {"text": "中山路 158 号 3 幢 ", "differs": False},
        {"text": "420", "differs": True},
        {"text": " 室", "differs": False},
    ],
}


async def patterns_page(request: WebRequest) -> Response:
    """Every component in the reader's view and theme; links on the page switch them."""
    html = request.shell.render(
        request,
        "web/patterns.html",
        {
            "options": _OPTIONS,
            "items": _ITEMS,
            "entries": _ENTRIES,
            "stages": _STAGES,
            "left": _LEFT,
            "right": _RIGHT,
        },
    )
    return Response(html, media_type="text/html")
