"""Why a signed call was not answered with data, in words for whoever builds the system that calls."""

from __future__ import annotations

from collections.abc import Sequence

from dizuo.foundation.kernel.errors import Conflict, DizuoError, Invalid, NotFound, Refused, Unavailable
from dizuo.foundation.policy import Breach


class CallUnreadable(DizuoError):
    """请求体读不出来：{why}。"""

    http = 400
    fix = "请求体是一个 JSON 对象（UTF-8，application/json），写法见 /data/exchange/v1/openapi。"


class CallInvalid(Invalid):
    """请求里有不符合接口说明的内容。"""

    fix = "写法见 /data/exchange/v1/openapi。"


class CallRefused(Refused):
    """这次调用超出了共享授权的范围，没有任何数据被取出。

    ``breaches`` are all the bounds that were crossed; ``entry`` is the ledger entry of the refusal.
    """

    fix = "请对照 GET /data/exchange/v1/grants 列出的授权修改请求；确有需要的，在供需对接中申请新的授权。"
    breaches: Sequence[Breach]
    entry: int | None

    def __init__(self, breaches: Sequence[Breach], entry: int | None) -> None:
        first = breaches[0]
        super().__init__(first.rule, first.law, "".join(one.zh for one in breaches))
        self.breaches = tuple(breaches)
        self.entry = entry

    def as_json(self) -> dict[str, object]:
        reasons = [{"rule": b.rule, "law": b.law, "zh": b.zh, "en": b.en} for b in self.breaches]
        return {**super().as_json(), "reasons": reasons, "entry": self.entry}


class DailyLimitReached(CallRefused):
    """今天的调用量已经到了授权的上限。"""

    http = 429
    fix = "请明天再调用，或分批；经常不够用的，请申请提高每日上限。"


class TooManyCalls(Unavailable):
    """调用太频繁：{why}。"""

    http = 429
    fix = "请按 Retry-After 等待后再调用；要查很多人，请用批量接口。"


class CallNotReleased(Unavailable):
    """调用没有完成（{reason}），没有任何数据被取出。"""

    fix = "请换一个 nonce 重新签名后重试；反复出现请联系管理员。"


class DepartmentUnknown(NotFound):
    """没有这个部门：{department}。"""

    fix = "请写城市声明里的部门代号；刚加的部门要先运行 dizuo up。"


class SigningKeyTaken(DizuoError):
    """这把公钥已经登记过。"""

    http = 409
    fix = "请重新生成一对密钥；一对密钥只给一个系统用。"


class SigningKeyNotInUse(NotFound):
    """没有在用的签名密钥 {key}。"""

    fix = "运行 dizuo exchange-key list 看有哪些。"


class NotYourConnection(Refused):
    """本部门的数据接口，由办数据共享的岗位看和管。"""

    fix = "请找本部门有申请、审核或答复数据权限的同事；权限由本单位的岗位管理员授予。"

    def __init__(self) -> None:
        super().__init__("exchange.connection", "data-sharing-2025:25")


class KeyWordsNeeded(Invalid):
    """停用一把密钥要写明为什么。"""


class SubscriptionStands(Conflict):
    """订阅 {subscription} 现在不能这样改：它已经暂停、已经恢复，或者已经结束。"""

    fix = "请回到“本部门的数据接口”，看它现在的状态。"
