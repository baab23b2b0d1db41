"""What can go wrong when a city is simulated."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import Conflict, Invalid


class SimulationTooLarge(Invalid):
    """{what} {count} 不行，只能是 {least} 到 {most}。"""

    fix = "请换一个数；公民身份号码每天每区每性别只有 497 个顺序号，所以人口有上限。"

    def __init__(self, field: str, **params: int | str) -> None:
        super().__init__({}, None, fix=None, **params)
        self.fields = {field: self.message}


class NothingToSimulate(Invalid):
    """城市“{city}”没有声明模拟程序认识的数据来源。"""

    fix = (
        "请在城市目录的 sources 下声明来源，例如常住户口登记 hukou；能模拟的来源见 docs/know/simulation.md。"
    )

    def __init__(self, **params: str) -> None:
        super().__init__({}, None, fix=None, **params)


class FolderInUse(Conflict):
    """目录“{folder}”里已有别的“{room}”，没有覆盖。"""

    fix = "请换一个新目录，或先移走里面的内容；本命令只覆盖自己生成过的目录。"
