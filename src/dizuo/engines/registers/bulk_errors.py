"""What may go wrong when a whole city is loaded, when the difference of a day is, and when changes are followed."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import Conflict, Invalid, NotFound, Unavailable


class BulkRefused(Invalid):
    """整批数据没有入库：{reason}。

    The database found something wrong in the rows of a bulk load; nothing of it was published.
    """

    code = "bulk_refused"
    fix = "请按提示改正这批黄金记录后重新装载；正在使用的登记簿没有变。"

    def __init__(self, reason: str) -> None:
        super().__init__({}, reason=reason)


class BulkBusy(Conflict):
    """现在不能整批装载：{reason}。"""

    code = "bulk_busy"
    full = False
    """The registers hold too much to be carried over: whoever loads brings the difference instead."""
    fix = "请等另一次装载结束；已经有数据的登记簿请按日增量发布。"


class BulkTooLate(Unavailable):
    """装载期间有人新取得了号码（{reason}），登记簿没有变。"""

    code = "bulk_too_late"
    fix = "请重新开始装载，它会认得这个号码。"


class ChangesGone(NotFound):
    """位置 {position} 之后的变更已经不全了：{reason}。"""

    code = "changes_gone"
    fix = "请整份重新获取登记簿，再从最新位置继续。"


class DayNotOver(Invalid):
    """{day} 还没有过完，不能查那一天的情况。"""

    code = "day_not_over"
    fix = "请选择今天以前的日期；要看现在的情况，不用选日期。"

    def __init__(self, day: str) -> None:
        super().__init__({}, day=day)
