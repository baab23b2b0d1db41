"""What can go wrong in the features interface."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import DizuoError, NotFound


class FeatureQueryInvalid(DizuoError):
    """查询参数有问题：{why}。"""

    http = 400
    fix = "参数见 /open/ogc/api；bbox 是 西,南,东,北，datetime 是时刻或 甲/乙。"


class CollectionUnknown(NotFound):
    """没有这个空间数据集。"""

    fix = "请看 /open/ogc/collections 有哪些。"


class FeatureUnknown(NotFound):
    """这个数据集里没有这一条。"""

    fix = "请从 items 里取编号。"
