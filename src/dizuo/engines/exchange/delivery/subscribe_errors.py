"""What may go wrong with a subscription, in words for whoever runs the consumer's system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dizuo.foundation.kernel.errors import Conflict, Invalid, NotFound, Refused, Unavailable

LAW: Final = "data-sharing-2025:25"
"""Shared data are not used beyond their extent and purpose (政务数据共享条例 §25)."""

SAYS: Final[Mapping[str, str]] = {
    "unknown": "没有这项授权，或它不是您单位的",
    "suspended": "授权已暂停",
    "revoked": "授权已撤销",
    "expired": "授权已到期",
    "ended": "授权或订阅已结束",
    "not_yet": "授权还没有开始",
    "method": "授权里没有这种取用方式",
    "no_register": "这个资源不是登记簿，没有变更流和整体下载",
    "at_node": "这个资源的数据留在提供部门的节点，没有变更流和整体下载",
    "offline": "这个资源已下线",
    "ahead": "订阅的位置比变更流还靠后，多半是数据库恢复过",
    "paused": "您单位暂停了订阅",
    "gone": "您的接收地址答复 410，订阅已停",
    "asked": "您单位自己结束了订阅",
    "key": "打开它的签名密钥已停用或到期",
}
"""Why the database stopped a delivery, by its word (sql/0060_pre_subscription.sql)."""


_AT_NODE: Final = "请按人查询（query）或批量查询（batch，一次最多 1,000 个），由节点逐次答复；要整库使用，请提供部门向底座归集。"


class DeliveryRefused(Refused):
    """不能这样提供数据：{why}。"""

    fix = "请在数据中心查看授权的状态、期限和取用方式；要改变范围，请重新提出需求。"
    reason: str

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"exchange.{reason}",
            LAW,
            why=SAYS.get(reason, reason),
            fix=_AT_NODE if reason == "at_node" else None,
        )


class SubscriptionUnknown(NotFound):
    """没有订阅 {subscription}，或它不是您单位的。"""

    fix = "请用 GET /data/exchange/v1/subscriptions 查看您单位的订阅。"


class FeedPositionInvalid(Conflict):
    """变更流里不能从这个位置开始：{why}。"""

    fix = "请不写位置（从现在起），或写一个已经收到过的位置；整体重取请用批量下载。"


class SubscriptionsTooMany(Conflict):
    """同一项授权下最多同时有十个订阅。"""

    fix = "请先结束不用的订阅。"


class StreamsBusy(Unavailable):
    """这里同时打开的事件流已经太多。"""

    fix = "请稍后再连，并带上 Last-Event-ID；不会漏事件。"


class WebhookAddressRefused(Invalid):
    """不能向这个地址推送：{why}。

    Server-side request forgery: an address that leads into the operator's own network is refused whoever wrote it.
    """

    fix = "请写公开可达的 https 地址；内网地址要由管理员写进 DIZUO_WEBHOOK_HOSTS。"

    def __init__(self, why: str) -> None:
        super().__init__({"target": f"不能向这个地址推送：{why}。"}, why=why)
