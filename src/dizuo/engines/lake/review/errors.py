"""What can go wrong when officials judge a pair of records, and the way out."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import Conflict, Invalid, NotFound, Refused


class PairUnknown(NotFound):
    """没有这一对待核记录。"""

    fix = "它可能已由别人核完，请回到待核清单。"


class PairDecided(Conflict):
    """这一对记录已经核完，不能再改。"""

    fix = "结论有误的，请另行提出纠错，由两人重新核定。"


class SamePerson(Conflict):
    """同一对记录要由两位不同的工作人员核定。"""

    code = "second_reviewer_needed"
    fix = "您已经核过一次，请由另一位同事核第二次。"


class VerdictInvalid(Invalid):
    """核定内容不完整。"""

    fix = "请选择“同一人”“不是同一人”或“看不清”，并写明理由。"


class PurposeMissing(Invalid):
    """还没有说明用途。"""

    fix = "请选一个用途；没有用途不能看个人信息，也不能下载。"


class RowsGone(NotFound):
    """交付 {delivery} 要改的行不在磁盘上，没有下载，也没有记入账本。"""

    fix = "请让运维从备份恢复数据目录里的 lake 文件夹，或请部门重新交付。"


class NotSteward(Refused):
    """这一页由数据专员和数源的质量负责岗位来办。"""

    fix = "请让本单位的质量负责岗位来办；岗位权限由本单位的岗位管理员授予。"

    def __init__(self) -> None:
        super().__init__("lake.steward", "个人信息保护法:51")
