"""What may go wrong when golden records are made."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import DizuoError, NotFound


class GoldenUnaccounted(DizuoError):
    """交付批次 {delivery} 有 {missing} 行数据去向不明，没有发布。"""

    fix = "请把这一批的标准行和去向清单交给平台维护人员核对；登记簿没有变。"


class GoldenMissing(NotFound):
    """登记簿 {register} 还没有黄金记录。"""

    fix = "请先运行一次汇聚，再查看血缘或发布。"
