"""What can go wrong before a page's own work begins, each with the way out."""

from __future__ import annotations

from collections.abc import Iterable

from dizuo.foundation.kernel.errors import DizuoError, NotFound, Refused, Unavailable


class BadForm(DizuoError):
    """提交的内容读不出来，没有保存。"""

    http = 400
    fix = "请返回上一页，检查有没有复制进来的特殊符号，再提交一次。"


class TooLarge(DizuoError):
    """提交的内容太大，最多 {limit}，没有保存。"""

    http = 413
    fix = "请返回上一页，把内容改短再提交；您之前存过的内容都还在。"


class TooSlow(DizuoError):
    """文件传到一半停住了，没有保存。

    The body of a form stopped arriving for a minute, or took longer than a quarter of an hour.
    """

    http = 408
    fix = "请换一个信号好的地方再传；照片太大时，可以分几次传。"


class TooManyUploads(Unavailable):
    """现在传文件的人太多，这次没有收下。"""

    fix = "请过一分钟再传；别的内容不用重填，按浏览器的返回就能看到。"


class UnsupportedForm(DizuoError):
    """这种提交方式我们读不了，没有保存。"""

    http = 415
    fix = "请用网页上的按钮提交。"


class NoSuchPage(NotFound):
    """没有这一页。"""

    fix = "请检查网址是否完整，或者回首页重新找。"


class MethodNotAllowed(DizuoError):
    """这个网址不能这样打开。"""

    http = 405
    fix = "请回到上一页，用页面上的按钮操作。"
    allowed: str

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(allowed))
        super().__init__()


class ForgedForm(Refused):
    """这次提交不是从我们的页面发出的，或者页面放得太久了，所以没有办理。

    A form without the token that its page carried (CSRF). Nothing was written.
    """

    fix = "请刷新页面，再提交一次。"

    def __init__(self) -> None:
        super().__init__(rule="web.form_token", law="网络安全法:21")


class WrongDoor(Refused):
    """您现在登录的身份不能打开这一页。"""

    fix = "请换一个身份登录，或者拨打 12345。"


class KeyNeeded(DizuoError):
    """这个接口要用密钥；请求里没有密钥，或者密钥不对、已停用、已过期。"""

    http = 401
    fix = "请在请求头写 Authorization: Bearer 密钥；密钥由数据管理员发放。"


class Broken(DizuoError):
    """我们这边出了问题，不是您的操作有误。

    The page of last resort: anything that no room of the house foresaw. The log has the details under the number.
    """

    fix = "请过几分钟再试。一直不行，请拨打 12345，报上面的编号。"
