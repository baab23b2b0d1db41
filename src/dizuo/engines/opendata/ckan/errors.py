"""What can go wrong in the CKAN interface; the door tells it in CKAN's own shape."""

from __future__ import annotations

from collections.abc import Mapping

from dizuo.foundation.kernel.errors import Conflict, DizuoError, Invalid, NotFound, Refused


class CkanNotFound(NotFound):
    """没有这个对象：{what}。"""

    fix = "请用 package_list、organization_list 看有哪些名字。"


class CkanActionUnknown(DizuoError):
    """没有这个动作：{action}。"""

    http = 400
    fix = "请用 help_show 或接口说明看支持哪些动作。"


class CkanInvalid(Invalid):
    """参数有问题，请按提示修改。"""

    fix = "请对照 CKAN Action API v3 和接口说明改参数。"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(fields, "；".join(f"{name}: {says}" for name, says in fields.items()))


class CkanQueryInvalid(DizuoError):
    """检索式读不懂：{why}。"""

    http = 400
    fix = (
        '支持：词、"短语"、字段:值、字段:[甲 TO 乙]、AND OR NOT、+ -、括号、词尾的 *；不支持函数和本地参数。'
    )


class CkanKeyNeeded(Refused):
    """这个动作要用密钥。"""

    fix = "请在请求头写 Authorization: 密钥；密钥由数据主管部门用 dizuo open-key make 发放。"

    def __init__(self) -> None:
        super().__init__("opendata.key", "数据安全法:38")


class CkanNotYours(Refused):
    """这把密钥只能改 {organisation} 的数据集。"""

    fix = "请换这个单位的密钥。"

    def __init__(self, organisation: str) -> None:
        super().__init__("opendata.key_scope", "数据安全法:38", organisation=organisation)


class CkanDeclared(Conflict):
    """{name} 由本市的声明产生，不能从接口改。"""

    fix = "请改城市文件夹里的声明，再发布。"


class CkanTaken(Conflict):
    """名字 {name} 已经有了。"""

    fix = "请换一个名字，或用 package_update 改原来的。"


class SqlRefused(DizuoError):
    """datastore_search_sql 不开放。"""

    http = 400
    fix = "请用 datastore_search 的 filters、q、sort、fields、distinct；要算统计，请下载整份数据。"
