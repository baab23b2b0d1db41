"""What may go wrong at the registers' door, in words for whoever stands there."""

from __future__ import annotations

from collections.abc import Mapping

from dizuo.foundation.kernel.errors import Conflict, DizuoError, NotFound, Refused, Unavailable


class ReadNotReleased(Unavailable):
    """资料调取没有完成（{reason}），没有任何数据被取出。"""

    code = "read_not_released"
    fix = "请重试；如果反复出现，请联系管理员查看数据库。"


class MatterUnknown(NotFound):
    """没有声明过事项 {matter}。"""

    code = "matter_unknown"
    fix = "请检查事项编号，或运行 dizuo check 和 dizuo up。"


class QuestionInvalid(DizuoError):
    """要调取的内容写得太长，或含有不能使用的字符。"""

    code = "question_invalid"
    http = 422
    fix = "请返回上一页重新选择。"


class WriteRefused(Refused):
    """登记簿没有接受这次修改：{reason}"""

    code = "write_refused"
    fix = "请由该字段的数源部门办理，或检查事项声明中的 writes。"


class RecordGone(Conflict):
    """登记簿里没有要修改的这条记录，它可能已经被合并或注销。"""

    code = "record_gone"
    fix = "请重新调取资料后再办。"


class SealedReadRefused(Refused):
    """没有封存调取：{reason}"""

    code = "sealed_read_refused"
    fix = "请核对文号、依据、登记簿、字段和公开日期；批准要由另一位有批准岗位的人员办理。"


SEALED_SAYS: Mapping[str, str] = {
    "ground": "没有声明过这样的封存依据，或这个岗位不能依据它提出。",
    "order": "没有写清文号或理由。",
    "fields": "要调取的字段超出了封存依据声明的范围。",
    "whom": "没有写明调取谁的资料，或号码不对。",
    "term": "公开日期要在今天之后，且不超过最长期限。",
    "own": "不能批准自己提出的调取。",
    "post": "这个岗位不能办这件事。",
    "state": "已经批准、退回或到期，不能再改。",
    "lapsed": "批准已经过期，请重新提出。",
}
"""Why a sealed read was refused, by the database's reason."""

SAYS: Mapping[str, str] = {
    "policy": "授权规则不允许这次调取。",
    "no_access": "城市声明已经更新，请刷新页面后再试。",
    "no_grant": "事项没有声明过这项办理内容。",
    "outside": "要调取的资料超出了事项声明的范围。",
    "no_case": "没有写明是为哪一件办件。",
    "no_actor": "没有写明是谁在调取。",
    "not_candidate": "选择的记录不在可以选择的范围里。",
    "not_yours": "这不是您本人或您代办的人的资料。",
    "malformed": "请求的写法有问题，没有调取任何资料。",
}
"""Why a read was refused, by the database's reason code."""
