"""What may go wrong with the catalogue and its tickets."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import Conflict, Invalid, NotFound, Refused


class NoSuchResource(NotFound):
    """目录里没有这个资源。"""

    fix = "请从资源目录里选，或按名称搜索。"


class NoSuchFinding(NotFound):
    """没有这张问题单。"""

    fix = "请从目录核查的列表里选。"


class FindingMoved(Conflict):
    """这张问题单刚刚被别人处理过，您的操作没有生效。"""

    fix = "请看过最新状态后再操作。"


class FindingStep(Conflict):
    """问题单现在不能这样流转。"""

    fix = "请按页面上的按钮操作：发现、派发、认领、整改、复核、销号。"


class FindingNote(Invalid):
    """请写明情况，2 到 1000 个字。"""


class OwnFinding(Refused):
    """整改的人不能自己销号，要由另一个人复核。"""

    fix = "请另一位数据专员复核。"


class NotYours(Refused):
    """这张问题单由别的部门处理。"""

    fix = "请联系问题单上写的部门。"


class SheetUnreadable(Invalid):
    """读不出这份目录表：{why}。"""

    fix = "请用 XLSX，或 UTF-8、GBK 的 CSV，第一张表的前 20 行里要有“信息资源名称”等表头。"


class NoSuchImport(NotFound):
    """没有这份导入报告。"""

    fix = "请从导入页重新上传，或向上传的人要报告。"
