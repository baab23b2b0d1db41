"""What may go wrong when golden records are made."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import DizuoError, NotFound


class GoldenUnaccounted(DizuoError):
    """交付批次 {delivery} 有 {missing} 行数据去向不明，没有发布。"""

    fix = "请把这一批的标准行和去向清单交给平台维护人员核对；登记簿没有变。"


class GoldenMissing(NotFound):
    """登记簿 {register} 还没有黄金记录。"""

    fix = "请先运行一次汇聚，再查看血缘或发布。"


class GoldenShrinks(DizuoError):
    """登记簿 {register} 这一次会少掉 {gone} 条记录（共 {before} 条），没有发布。"""

    fix = "请核对各部门这一批是不是只交了变化的部分；确认无误后，由数据管理员放行再发布。"
