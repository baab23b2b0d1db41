"""What can go wrong when policies are made from declarations."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import DizuoError


class PolicyInvalid(DizuoError):
    """由城市声明生成的授权规则没有通过校验：{problems}"""

    code = "policy_invalid"
    fix = "请运行 dizuo check 检查部门、岗位和事项的写法；如检查无误，这是程序的问题，请附上这段文字报告。"


class AuthzenInvalid(DizuoError):
    """授权问题写得不对：{place} {why}。"""

    http = 400
    fix = "请按 OpenID AuthZEN Authorization API 1.0 的写法，参见 docs/know/policy.md。"
