"""What can go wrong around open data, and the way out."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import Conflict, Invalid, NotFound, Refused, Unavailable


class DatasetUnknown(NotFound):
    """没有开放这个数据集。"""

    fix = "请在“找数据”里查找；没有的数据可以提出需求。"


class RowsQueryInvalid(Invalid):
    """查询条件有问题。"""

    fix = "条件写成 字段__方式=值，例如 district=320213 或 people__gt=100；字段见这一页的“字段”。"


class RowsQuerySlow(Unavailable):
    """这个查询太费时间，已经停下。"""

    fix = "请减少条件里的模糊查找，或下载整份数据自己查。"

    def __init__(self) -> None:
        super().__init__(30)


class TooManyForSheet(Invalid):
    """Excel 一张表最多 1,048,576 行，这份数据放不下。"""

    fix = "请下载 CSV 或 Parquet。"

    def __init__(self) -> None:
        super().__init__({"format": "Excel 一张表最多 1,048,576 行，这份数据放不下。"})


class ReleaseBusy(Unavailable):
    """正在为别人生成文件，请稍等。"""

    fix = "请过几秒再试；CSV 和 JSON 不用等。"

    def __init__(self) -> None:
        super().__init__(5)


class BudgetSpent(Conflict):
    """数据集 {dataset} 的隐私预算不够再发布一次。"""

    fix = "这份数据停在上一版；要再发布，请由数据主管部门评估后调高声明里的 budget。"


class GateNotPassed(Conflict):
    """数据集 {dataset} 没有通过开放前审查，没有发布。"""

    fix = "请按审查报告里的建议改声明（归并年龄段、放大地域、去掉列），再发布。"


class ConditionalOnly(Refused):
    """这份数据有条件开放，要先申请，批准后才能取用。"""

    fix = "请在数据集页面填写申请；审核结果会写在申请里。"

    def __init__(self) -> None:
        super().__init__("opendata.conditional", "无锡市公共数据管理办法")


class DomainUnknown(Conflict):
    """数据集 {dataset} 加噪声，可是 {column} 有哪些取值没有声明。"""

    fix = "加噪声的计数只能按区县、年龄段或有代码表的字段来数；其余用 guard: suppress。"


class MakeFailed(Conflict):
    """数据集 {dataset} 做不成：{why}。"""

    fix = "请按声明核对列名和来源；声明有哪些列见 docs/do/publish-a-dataset.md。"


class ApplicationRunning(Conflict):
    """您对这份数据的申请正在办，不用再提一次。"""

    fix = "进度在“我的申请和反馈”里看。"


class StepNotOpen(Conflict):
    """现在不能这样办：它已经由别人办过，或者不归您办。"""

    fix = "请刷新页面，看过现在的情况再办。"


class AskInvalid(Invalid):
    """填写的内容不完整。"""

    fix = "请按提示补上再提交，写过的都还在。"


class TooFast(Unavailable):
    """您这边一分钟里问得太多了，请慢一点。"""

    http = 429
    fix = "整份数据请直接下载；程序请按 Retry-After 等待，并用 ETag 避免重复下载。"

    def __init__(self) -> None:
        super().__init__(10)
