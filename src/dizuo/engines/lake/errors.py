"""What can be wrong with a whole delivery, or with a folder of them. Single bad rows are kept with their reasons."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import DizuoError, Invalid


class NoTowns(DizuoError):
    """{city}没有申报镇街，无法生成演示居民。"""

    fix = "请在 divisions.yaml 里写上镇街清单。"


class DeliveryFolderUnusable(DizuoError):
    """交付目录 {folder} 不能用：{why}。"""

    http = 422
    fix = "目录里要有 manifest.json 和它列出的文件；演示数据可用 dizuo simulate 重新生成。"


class DeliveryRefused(Invalid):
    """这一批数据没有入库：{why}。

    A department's file that cannot be taken as a whole; nothing of it was published. Subclasses say which fault.
    """

    fix = "请数据提供单位改好后重新交付；库里原有的数据没有变。"

    def __init__(self, why: str, fix: str | None = None) -> None:
        super().__init__({}, None, fix=fix, why=why)
