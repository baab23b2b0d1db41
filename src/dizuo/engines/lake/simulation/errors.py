"""What can go wrong when a city is simulated."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import Conflict, Invalid


class TooManyPeople(Invalid):
    """要模拟的人口 {people} 人太多，最多 {most} 人。"""

    fix = "请减少 --people；公民身份号码每天每区每性别只有 497 个顺序号。"

    def __init__(self, **params: int) -> None:
        super().__init__({}, None, fix=None, **params)


class FolderInUse(Conflict):
    """目录“{folder}”里已有别的“{room}”，没有覆盖。"""

    fix = "请换一个新目录，或先移走里面的内容；本命令只覆盖自己生成过的目录。"
