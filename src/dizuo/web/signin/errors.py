"""What can go wrong while signing in: what happened, and what the person or the operator does next."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import Conflict, DizuoError, Invalid, Refused, Unavailable

_AGAIN = "请回到登录页，再登录一次。"
_LAW = "国务院关于在线政务服务的若干规定第五条"  # 统一身份认证


class DemoNotAllowed(Refused):
    """这里不是演示环境，不能用演示人物登录。"""

    fix = "请用正式的身份认证登录。"

    def __init__(self) -> None:
        super().__init__("signin.demo", _LAW)


class DemoPersonUnknown(Invalid):
    """没有这个演示人物。"""

    fix = "请从名单里选一位。"

    def __init__(self) -> None:
        super().__init__({"who": "没有这个演示人物。"})


class SignInMisconfigured(DizuoError):
    """登录没有配置好：{why}。"""

    fix = "请管理员对照 docs/do/sign-in-with-oidc.md 检查配置。"

    def __init__(self, why: str) -> None:
        super().__init__(why=why)


class SignInFailed(Conflict):
    """这次登录没有成功。

    Not a SignInNeeded: that would send the browser to the sign-in page without a word about what happened.
    """

    fix = _AGAIN


class SignInLost(SignInFailed):
    """这次登录对不上了：登录页放得太久，或者换了浏览器。"""

    fix = _AGAIN


class SignInForged(Refused):
    """这个登录结果不是您刚才在这里发起的，已经拒绝。"""

    fix = "如果不是您自己点开的链接，请关掉这一页；要登录，请从登录页开始。"

    def __init__(self) -> None:
        super().__init__("signin.state", _LAW)


class SignInReplayed(SignInFailed):
    """这个登录结果已经用过一次。"""

    fix = _AGAIN


class SignInDeclined(SignInFailed):
    """您在身份认证页取消了登录，没有登录成功。"""

    fix = _AGAIN


class SignInRejected(SignInFailed):
    """身份认证平台没有认可这次登录（{reason}）。"""

    fix = _AGAIN

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)


class IdentityNotProven(Refused):
    """身份认证平台的证明没有通过核验：{why}。"""

    fix = "请再登录一次；还是不行，请打 12345，告诉他们这句话。"

    def __init__(self, why: str) -> None:
        super().__init__("signin.proof", _LAW, why=why)


class IdentityIncomplete(Refused):
    """身份认证平台没有给出您的实名信息（缺少 {claim}）。"""

    fix = "请先在身份认证平台完成实名认证，再回来登录；也可以带身份证到窗口办。"

    def __init__(self, claim: str) -> None:
        super().__init__("signin.real_name", _LAW, claim=claim)


class ProviderUnavailable(Unavailable):
    """身份认证平台暂时连不上（{why}）。"""

    fix = "请过一会儿再登录；急着办，请带身份证到窗口。"

    def __init__(self, why: str) -> None:
        super().__init__(30, why=why)
