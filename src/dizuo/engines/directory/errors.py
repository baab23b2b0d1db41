"""What the directory refuses, and the way out."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import Conflict, Invalid, NotFound, Refused, SignInNeeded


class AccountClosed(SignInNeeded):
    """这个账号已经停用。"""

    fix = "请到窗口或打 12345 询问。"


class AccountUnknown(NotFound):
    """没有这个账号。"""

    fix = "请重新登录。"


class MandateInvalid(Invalid):
    """授权没有办成，请按提示修改。"""


class MandateUnknown(NotFound):
    """没有找到这份授权，它可能已经撤回或到期。"""

    fix = "请委托人在“代办授权”里重新授权。"


class MandateEnded(Conflict):
    """这份授权已经撤回或到期。"""

    fix = "请委托人在“代办授权”里重新授权。"


class NotRepresented(Refused):
    """您不是这家单位登记的法定代表人，不能替它办事。"""

    fix = "请由法定代表人登录办理，或由他授权给您。"

    def __init__(self) -> None:
        super().__init__("directory.represent", "市场主体登记管理条例第八条")


class WindowRefused(Refused):
    """您的岗位不能在窗口替人办事。"""

    fix = "这件事由有“窗口服务”职责的岗位办理。"

    def __init__(self) -> None:
        super().__init__("directory.window.serve", "个人信息保护法第五十一条")
