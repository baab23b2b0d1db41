"""Downloads in bulk as facts, and what may go wrong with them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Literal

import msgspec

from dizuo.foundation.kernel.errors import Conflict, Invalid, NotFound, Unavailable

BulkFormat = Literal["csv", "parquet", "arrow"]


class BulkPart(msgspec.Struct, frozen=True):
    """One part: the records ``first_ref`` to ``last_ref`` by number. ``rows``, ``bytes`` and ``sha256`` (hex) once it was made.

    ``entries`` is how many ledger entries its people have; ``unreadable`` counts values that do not fit their declared type
    and are empty in Parquet and Arrow (CSV has them as text).
    """

    part: int
    first_ref: int | None
    last_ref: int | None
    final: bool
    entries: int
    rows: int | None
    bytes: int | None
    sha256: str | None
    unreadable: int | None


class Bulk(msgspec.Struct, frozen=True):
    """One download: what it holds, how far it got. ``feed_position`` is where a subscription goes on from."""

    id: uuid.UUID
    grant: int
    consumer: str
    resource: str
    register: str
    fields: tuple[str, ...]
    types: tuple[str, ...]
    format: BulkFormat
    part_size: int
    feed_position: int
    state: Literal["open", "complete", "stopped"]
    why: str
    started_at: dt.datetime
    expires_at: dt.datetime
    parts: tuple[BulkPart, ...] = ()


class BulkUnknown(NotFound):
    """没有下载 {bulk}，或它不是您单位的，或已过七天。"""

    fix = "请用 POST /data/exchange/v1/bulk 重新开始。"


class BulkPartMissing(Conflict):
    """下载的各部分按次序生成，现在该要第 {part} 部分。"""

    fix = "请从那一部分起继续。"


class BulkPartUnknown(NotFound):
    """这次下载没有第 {part} 部分：前一部分已经是最后一部分。"""

    fix = "请看下载清单（manifest）里各部分的行数和摘要。"


class BulkFieldsNotGranted(Invalid):
    """授权里没有这些字段：{given}。"""

    fix = "请只写授权内的字段，或不写（取授权内的全部）。"

    def __init__(self, given: str) -> None:
        super().__init__({"fields": f"授权里没有这些字段：{given}。"}, given=given)


class BulkTooOften(Conflict):
    """这项授权今天的下载次数已经用完。"""

    http = 429
    fix = "请明天再下载；已开始的下载可以继续取，不另计次。"


class BulkBusy(Unavailable):
    """这里正在生成的下载已经太多。"""

    fix = "请稍后再要这一部分；已经取到的不用重取。"


class BulkChanged(Conflict):
    """第 {part} 部分里的记录已经不在了（整库重新装载过），内容和清单上的摘要对不上。"""

    fix = "请重新开始一次下载；已经取到的部分仍然有效，并已登记。"
