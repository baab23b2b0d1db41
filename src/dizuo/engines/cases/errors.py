"""What can go wrong with a case, each with its message and its way out."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import Conflict, Invalid, NotFound, Refused, Stale


class CaseNotFound(NotFound):
    """没有找到这个办件号。"""

    fix = "请核对办件号。号码在短信和“我的办件”里。"


class DraftNotFound(NotFound):
    """没有找到这份暂存的申请。"""

    fix = "它可能已经提交或被删除，请到“我的办件”里看看。"


class MatterNotFound(NotFound):
    """没有这件事的办理入口。"""

    fix = "请从“办事”里重新查找。"


class NotPossibleNow(Conflict):
    """这一项现在是“{state}”，不能{event}。"""

    fix = "请刷新页面，看看现在到哪一步了。"


class NotEligible(Conflict):
    """{why}"""

    code = "not_eligible"
    fix = "如果您认为记录有误，可以在“我的数据”里报告错误，或到窗口办理。"


class AlreadyRunning(Conflict):
    """这件事已经提交过申请，正在办{number}。"""

    fix = "请到“我的办件”里看进度。要改内容，可以先撤回，再重新提交。"


class FactsChanged(Stale):
    """您填写期间，政府记录有更新，这一页的内容已经重新核对。"""

    fix = "您填的内容都留着，请看一遍再提交。"


class StaleDraft(Stale):
    """这份申请在另一个页面里改过（{when}）。"""

    fix = "已留着较新的一份，您这一页的修改没有覆盖它。请刷新后再改。"


class DecidedByOther(Stale):
    """{who}在 {when} 已经对这一项作了决定，您的决定没有提交。"""

    fix = "请刷新页面看结果。您写的理由没有保存，可以先复制。"


class ItemChanged(Stale):
    """这一项在您打开后有了变化：{what}（{when}）。"""

    fix = "请刷新页面，看过最新情况再决定。"


class UndoTooLate(Conflict):
    """决定作出已超过 10 分钟，已经生效，不能撤回。"""

    fix = "如果决定有误，请按更正或撤销程序办理。"


class NotYourDecision(Refused):
    """只有作出决定的人可以撤回这个决定。"""

    fix = "请联系作出决定的同事。"


class FixOnlyOnce(Conflict):
    """这一项已经告知过补正。依法应当一次告知全部内容，不能再次要求。"""

    fix = "请就已有材料审查并作出决定。（行政许可法第三十二条）"


class FixTooLate(Conflict):
    """收件已满 5 个工作日，逾期没有告知补正，视为已经受理。"""

    fix = "请直接审查并作出决定。（行政许可法第三十二条）"


class FixAnswered(Conflict):
    """这一项已经补正过了（{when}），您这次填的没有保存。"""

    fix = "请到“我的办件”里看进度。还有要说的，可以拨打 12345。"


class FixOverdue(Conflict):
    """补正的期限（{until}）已经过了，这一项会退回给您。"""

    fix = "准备好后可以再申请这一项，资料不用重填。"


class StaleFix(Stale):
    """您打开这一页以后，申请的内容有了变化，所以没有提交。"""

    fix = "您填的都留着。请看一遍现在的内容，再提交。"


class UploadGone(NotFound):
    """没有这个文件。"""

    fix = "它可能已经被去掉了。请回到上一页，看看现在有哪些文件。"


class AboutToIssue(Conflict):
    """“{item}”正在出证，也用到您要改的内容，现在不能改。"""

    fix = "请过几分钟再提交，您填的都留着。"


class NothingLate(Conflict):
    """这一件现在没有超过承诺时间的事项，不用督办。"""

    fix = "请回到督办列表，看还有哪些超时。"


class SameApprover(Refused):
    """延长时限要由另一位负责人批准，不能自己批准自己。"""

    fix = "请把延期申请转给本单位有批准权的负责人。"


class ExceptionsOpen(Invalid):
    """还有需要您判断的地方没有选。"""


class ReasonMissing(Invalid):
    """请写明理由。"""


class ConsentClosed(Conflict):
    """这次同意已经有结果或已经过期。"""

    fix = "如仍要办理，请申请人重新发起。"


class AlreadyRated(Conflict):
    """这次办事您已经评价过了，一次办件只评一次。"""

    fix = "想补充意见，可以拨打 12345。"


class FollowUpChanged(Stale):
    """这条差评在您打开后有了变化：{who}在 {when} 办过，现在是“{state}”。"""

    fix = "请刷新页面，看过最新情况再办。您写的还在下面，可以先复制。"


class FollowUpRecused(Refused):
    """您经办过这件事，要回避，不能核实对它的评价。"""

    fix = "请由没有经办过的督办人员核实。"


class FollowUpSameReviewer(Refused):
    """复核要由另一位负责人办理，不能复核自己的认定。"""

    fix = "请转给另一位督办人员。"


class NotFinished(Conflict):
    """还没有全部办结，办结后再评价。"""


class CorrectionClosed(Conflict):
    """这条更正已经有结果。"""


class CannotSee(Refused):
    """您的岗位不能查看这个办件。"""

    code = "cannot_see"
