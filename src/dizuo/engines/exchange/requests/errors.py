"""What can go wrong between asking for data and using it, and the way out of each."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import Conflict, Invalid, NotFound, Refused, Stale


class GrantUnknown(NotFound):
    """没有编号为 {grant} 的共享授权。"""

    fix = "请在数据中心的“谁能用什么”里核对授权编号。"


class GrantOver(Conflict):
    """授权 {grant} 现在是“{state}”，不能这样办。"""

    fix = "授权结束后不再恢复；还要用的，请重新申请。"


class GrantFixed(Conflict):
    """授权定下后，数据项、用途、期限都不能改。"""

    fix = "要多用一项、多用一段时间，请另提申请；不再用的，请终止授权。"


class ResourceNotOffered(Conflict):
    """资源 {resource} 没有在目录里发布，不能申请，也不能授权。"""

    code = "resource_not_offered"
    fix = "请在资源目录里选一个已发布的资源。"


class BeyondResource(Invalid):
    """申请的数据项超出了资源本身的数据项。"""

    fix = "请只选这个资源目录里列出的数据项。"


class NotShared(Conflict):
    """这个资源不予共享，不能直接授权。"""

    fix = "确需使用的，请说明依据提出申请，由两个部门协商；协商不成，由主管部门裁定。"


class NoSayForProvider(Conflict):
    """这个资源不是有条件共享，不能交提供部门审批。"""

    fix = "无条件共享的，只做符合性审查，通过后直接开通；不予共享的，走协商和裁定。"


class NotDrafter(Refused):
    """草稿只能由起草的人删除，而且没有送出过。"""

    fix = "不再需要的申请，请撤回；撤回的申请留有经过。"

    def __init__(self) -> None:
        super().__init__("share.discard", "data-sharing-2025:reply")


class NotADepartment(Invalid):
    """{consumer} 不是本市声明的部门，不能取得共享授权。"""

    fix = "共享数据只给政府部门和法律法规授权的组织用，不能提供给第三方；部门还没声明的，请先在 organisations/ 里声明。"


class OwnData(Conflict):
    """这是本部门自己的数据，不用申请。"""

    fix = "请直接在本部门的系统里用。"


class WordsNeeded(Invalid):
    """还没有写明理由。"""

    fix = "请写清楚事情和理由，至少 5 个字；对方会看到。"


class RequestUnknown(NotFound):
    """没有这份数据申请，或者它不归您的部门看。"""

    fix = "请在“数据共享”的清单里核对申请单号。"


class RequestInvalid(Invalid):
    """申请还没填完整。"""

    fix = "请按提示补齐；已填的内容已经保存。"


class RequestMoved(Stale):
    """{name}已经在 {time} 把这份申请办到了“{state}”，您这一步没有办。"""

    fix = "请看过最新的经过，再决定要不要办。"


class NoSuchStep(Conflict):
    """申请现在是“{state}”，不能这样办。"""

    fix = "请回到申请页，按现在可办的步骤办。"


class OnceOnly(Conflict):
    """这一步只能办一次，已经办过了。"""

    fix = "补充材料一次性告知；答复期限只能延长一次。请在现有材料和期限内办。"


class AnotherOfficial(Conflict):
    """起草和部门审核要由两位工作人员办，这份申请是您起草的。"""

    fix = "请本部门另一位有审核权限的同事来审核。"


class NoLawfulReason(Invalid):
    """不同意必须选一个法定理由，并写明具体情况。"""

    fix = "请选一个列出的理由，再用至少 5 个字说明；两样缺一不可。"


class DateGone(Conflict):
    """申请的使用期限已经过了，不能开通。"""

    fix = "请需求部门撤回后重新申请，写一个今天以后的期限。"


class NotYours(Refused):
    """这一步不由您的岗位来办。"""

    fix = "请有这项权限的岗位来办；权限由本单位的岗位管理员授予。"

    def __init__(self, power: str) -> None:
        super().__init__(power, "政务数据共享条例")


class RightExists(Conflict):
    """您的部门已经有这些数据项、同一用途的授权（编号 {grant}，到 {until}），不用再申请。"""

    fix = "请直接使用这项授权；确有必要再申请的，请写明为什么。"

    def __init__(self, grant: int, until: str) -> None:
        self.grant = grant
        super().__init__(grant=grant, until=until)
