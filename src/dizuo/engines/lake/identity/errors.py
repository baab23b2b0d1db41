"""What can go wrong when records are linked, and the way out."""

from __future__ import annotations

from dizuo.engines.lake.review.errors import PairDecided, PairUnknown, SamePerson, VerdictInvalid
from dizuo.foundation.kernel.errors import Conflict, DizuoError

__all__ = [
    "IdentityBusy",
    "IdentityUnfinished",
    "IndexMissing",
    "MentionsUnusable",
    "ModelUnfit",
    "PairDecided",
    "PairUnknown",
    "SamePerson",
    "VerdictInvalid",
]


class ModelUnfit(DizuoError):
    """身份比对模型不能用（{entity}）：{missing}。"""

    http = 422
    fix = "请用本版本重新学习权重（learn），或恢复随程序带的默认模型。"


class MentionsUnusable(DizuoError):
    """提及文件不能用：{why}。"""

    http = 422
    fix = "请重新标准化这一批数据；身份库没有变。"


class IdentityBusy(Conflict):
    """身份库正被另一个进程使用。"""

    fix = "请等那一次比对结束后再运行；两次比对不能同时写。"


class IdentityUnfinished(Conflict):
    """上一次比对（第 {run} 次）还没有做完，这次给的文件却不同。"""

    fix = "请先用原来的文件再运行一次，它会从停下的地方接着做。"


class IndexMissing(DizuoError):
    """还没有可查的身份索引。"""

    http = 503
    fix = "请先完成一次身份比对。"
