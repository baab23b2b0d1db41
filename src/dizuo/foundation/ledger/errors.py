"""What can go wrong with the ledger and its proofs, each with the way out."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import Conflict, DizuoError, Invalid, NotFound, Refused, Unavailable


class KeyInvalid(DizuoError):
    """账本的钥匙不能用：{why}。"""

    fix = "公钥用 dizuo doctor 显示的那一行；私钥文件损坏时请从备份恢复，不要新建。"

    def __init__(self, why: str) -> None:
        super().__init__(why=why)


class CheckpointInvalid(DizuoError):
    """账本的签名清单不能相信：{why}。"""

    fix = "请重新取得一份；若账本自己的清单也这样，请保留现场并运行 dizuo verify。"

    def __init__(self, why: str) -> None:
        super().__init__(why=why)


class ProofInvalid(DizuoError):
    """这份证明不成立：{why}。"""

    fix = "请重新下载证明；若仍不成立，请把这份文件交给账本的管理部门核查。"

    def __init__(self, why: str) -> None:
        super().__init__(why=why)


class EntryUnknown(NotFound):
    """账本里没有第 {entry} 条。"""

    def __init__(self, entry: int) -> None:
        super().__init__(entry=entry)


class EntryNotSealed(Unavailable):
    """第 {entry} 条刚刚记下，还没有编入签名清单。"""

    fix = "请过几秒再取证明。"

    def __init__(self, entry: int) -> None:
        super().__init__(2, entry=entry)


class NothingAbout(NotFound):
    """账本里还没有编入签名清单的、关于您的记录。"""

    fix = "刚刚记下的请过几秒再取；没有人用过您的数据时，本来就没有。"


class ObjectionUnknown(NotFound):
    """没有找到这件异议。"""

    fix = "请从异议的列表里打开；只有被提异议的部门能看到。"


class ObjectionAnswered(Conflict):
    """这件异议已经答复过了。"""

    fix = "请打开列表看答复；当事人不服的，可以再提。"


class ObjectionInvalid(Invalid):
    """请按提示修改。"""


class LedgerBroken(DizuoError):
    """账本和它的签名清单对不上：{why}。"""

    fix = "已停止编号，条目仍在记录。请保留现场，运行 dizuo verify 找出位置。"

    def __init__(self, why: str) -> None:
        super().__init__(why=why)


class NothingSealed(NotFound):
    """账本里还没有签过名的清单。"""

    fix = "第一条记录编号之后就有，请过几秒再看。"


class TileUnknown(NotFound):
    """公开日志里没有这一块。"""

    fix = "请先取 checkpoint，按它写的条数计算有哪些块（C2SP tlog-tiles）。"


class EntryTooLong(DizuoError):
    """第 {entry} 条超过 65535 字节，公开日志的格式装不下。"""

    fix = "这一条仍可用 dizuo verify 核验，也可单独下载证明。"

    def __init__(self, entry: int) -> None:
        super().__init__(entry=entry)


class WitnessStateBroken(DizuoError):
    """见证人的状态不能用：{why}。"""

    fix = "在查清之前见证人不签名。请勿删除状态目录：没有它，见证人分不出被倒回的日志。"

    def __init__(self, why: str) -> None:
        super().__init__(why=why)


class WitnessesInvalid(DizuoError):
    """见证人名单 {path} 不能用：{why}。"""

    fix = "每行写一个：witness 名字 公钥 网址。公钥由见证人用 dizuo witness --key-only 显示。"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path=path, why=why)


class StampInvalid(DizuoError):
    """这个时间戳不成立：{why}。"""

    fix = "请核对时间戳机构的证书（DIZUO_TSA_CERT）；账本不受影响，会另盖一个。"

    def __init__(self, why: str) -> None:
        super().__init__(why=why)


class StampingUnset(DizuoError):
    """时间戳机构没有配置好：{why}。"""

    fix = "DIZUO_TSA_URL 是网址，DIZUO_TSA_CERT 是机构证书（PEM）的文件，DIZUO_TSA_EVERY 是正整数。"

    def __init__(self, why: str) -> None:
        super().__init__(why=why)


class SealKept(Refused):
    """这次封存不能这样延长或提前公开。"""

    fix = "延长、提前公开要由批准封存的岗位写明理由，延长不能超过最长期限；监督机关可以提前公开。已经公开的不能再改。"

    def __init__(self) -> None:
        super().__init__("ledger.seal", "个人信息保护法第十八条、第三十五条")
