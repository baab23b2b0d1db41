"""What can go wrong when catalogues of others are harvested."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import Conflict, DizuoError, Invalid, NotFound


class AddressRefused(DizuoError):
    """这个地址不能去取：{why}。"""

    http = 403
    fix = "只取公网上的 http、https 地址；确要取政务内网的来源，由管理员用 --allow 写明网段。"


class FetchFailed(DizuoError):
    """没有取到：{why}。"""

    http = 502
    fix = "请确认对方网站正常，稍后再运行 dizuo harvest run。"


class TooMuch(DizuoError):
    """取到一半停下了：{why}。"""

    http = 502
    fix = "请对方分页提供，或缩小来源的范围。"


class CatalogueUnreadable(DizuoError):
    """目录读不懂：{why}。"""

    http = 502
    fix = "请确认来源的种类（ckan、dcat、csv）和地址对得上。"


class SourceInvalid(Invalid):
    """来源写得不对。"""

    fix = "dizuo harvest add 代号 --kind ckan --url https://… --title 名称 --by 经办人。"


class HarvestSourceUnknown(NotFound):
    """没有来源 {source}。"""

    fix = "运行 dizuo harvest list 看有哪些。"


class HarvestBusy(Conflict):
    """来源 {source} 正在采集。"""

    fix = "请等它做完。"
