"""What may go wrong when a department's node is asked, and when one is bound."""

from __future__ import annotations

from typing import Final

from dizuo.engines.exchange.delivery.errors import CallRefused
from dizuo.foundation.kernel.errors import DizuoError, Invalid
from dizuo.foundation.policy import Breach

_LAW: Final = "data-sharing-2025:25"
WHY: Final = {
    "unreachable": ("连不上", "It cannot be reached."),
    "slow": ("太慢，超过了时限", "It took too long."),
    "too_large": ("答复太大", "Its answer is too large."),
    "not_believed": ("答复的签名没有通过核对，内容已丢弃", "Its answer's signature does not hold."),
    "stale": ("答复已经过期，内容已丢弃", "Its answer is too old."),
    "malformed": ("答复与所问的不一致，内容已丢弃", "Its answer does not fit the question."),
    "declined": ("节点没有答应", "It declined."),
    "address": ("登记的地址不允许连接", "Its address may not be called."),
    "rests": ("连续多次没有答好，暂时不去问它", "It failed again and again and rests."),
}


class NodeNotAnswered(CallRefused):
    """数据所在部门的节点没有给出可以采信的答复，没有任何数据被放出。

    ``why`` is a key of WHY; ``says`` is what the node said itself.
    """

    http = 502
    fix = "请稍后换一个 nonce 重新签名再试；一直这样的话，请联系提供数据的部门。"
    why: str

    def __init__(self, why: str, *, says: str = "", entry: int | None = None) -> None:
        zh, en = WHY[why]
        said = f"（{says.rstrip('。')}）" if says else ""
        breach = Breach(
            "exchange.node",
            _LAW,
            f"数据所在部门的节点：{zh}{said}。没有任何数据被放出。",
            f"The department's node: {en} Nothing was released.",
        )
        super().__init__((breach,), entry)
        self.why = why


class ResourceNotAtNode(Invalid):
    """资源 {resource} 不能登记到节点：目录里没有它，或者它的登记簿就在底座里。"""

    fix = "运行 dizuo catalogue audit 或打开 /data/catalogue 看资源代码；一项数据只有一个来源。"


class NodeKeyNotTheirs(Invalid):
    """密钥 {keys} 不是提供部门在用的签名密钥。"""

    fix = "先用 dizuo exchange-key add 登记节点的公钥；运行 dizuo exchange-key list 看编号。"


class NodeAddressRefused(DizuoError):
    """节点地址不能登记：{why}。"""

    http = 422
    fix = "写法：https://node.example.gov.cn:8381，与节点 dizuo node serve --public 的一致。"
