"""What may go wrong at a department's node, in words for whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping

from dizuo.foundation.kernel.errors import Conflict, DizuoError, Invalid, NotFound, Refused, Unavailable


class NodeNotSetUp(NotFound):
    """{folder} 里还没有节点：{why}。"""

    fix = "请先运行 dizuo node init --department 部门代号 --base 底座地址。"


class NodeSetUpAlready(Conflict):
    """{folder} 里已经有节点（{department}）。"""

    fix = "换一个文件夹（--home），或直接使用它。"


class NodeKeyMissing(NotFound):
    """这个节点没有可以用的签名密钥。"""

    fix = "运行 dizuo node key make，把打印出的公钥交给底座登记，再用 dizuo node key adopt 写上编号。"


class NodeKeyUnknown(NotFound):
    """没有密钥 {key}。"""

    fix = "运行 dizuo node key list 看有哪些。"


class BaseNotTrusted(NotFound):
    """还没有底座的公钥，不能核对它的签名。"""

    fix = "运行 dizuo node trust --fetch，并与底座公布的指纹逐位核对；或 dizuo node trust 文件。"


class BaseKeysInvalid(DizuoError):
    """这不是一份公钥集（JWK Set）：{why}。"""

    fix = "请向底座重新索取（GET /data/exchange/v1/keys）。"


class BaseUnreachable(Unavailable):
    """连不上底座：{why}。"""

    fix = "请检查网络和地址；没有收到的答复不会漏记，重试即可。"


class AnswerNotBelieved(DizuoError):
    """底座的答复（{status}）没有通过签名核对：{why}。内容已丢弃。"""

    fix = "请先核对底座的公钥（dizuo node trust）；还不行的话，请把本节点的日志交给底座管理员。"


class BaseSaidNo(Refused):
    """底座没有答应：{says}"""

    status: int
    told: Mapping[str, object]

    def __init__(self, status: int, told: Mapping[str, object]) -> None:
        self.status = status
        self.told = told
        super().__init__(
            str(told.get("rule", told.get("code", ""))),
            str(told.get("law", "")),
            says=str(told.get("message", status)),
            fix=str(told["fix"]) if told.get("fix") else None,
        )


class EventNotBelieved(DizuoError):
    """事件 {event} 没有通过签名核对，已停在它前面。"""

    fix = "请核对底座的公钥（dizuo node trust）后继续；位置没有前移，不会漏事件。"


class FeedEnded(Conflict):
    """订阅已经停了：{why}。"""

    fix = "请在底座查看授权的状态。"


class PartDamaged(DizuoError):
    """第 {part} 部分与清单上的摘要对不上，已删除。"""

    fix = "再运行一次同样的命令，会从这一部分继续。"


class JournalBroken(DizuoError):
    """本地日志第 {line} 行与前一行接不上：有人改过、删过，或写到一半断了电。"""

    fix = "请保留原文件交审计；换一个新的日志文件继续（移走 journal.jsonl）。"


class AdapterInvalid(Invalid):
    """接入声明 {file} 有问题：{why}"""

    fix = "写法见 docs/do/install-a-node.md。"

    def __init__(self, file: str, fields: Mapping[str, str]) -> None:
        why = "；".join(f"{place}：{says}" for place, says in fields.items())
        super().__init__(fields, f"接入声明 {file} 有问题：{why}", file=file, why=why)


class AskedOutside(Refused):
    """问的内容超出了接入声明：{what}。"""

    fix = "只能问声明里写明的资源和字段；要增加，请修改接入声明并重启节点。"

    def __init__(self, what: str) -> None:
        super().__init__("node.adapter", "data-sharing-2025:25", what=what)


class AskedWrongly(Invalid):
    """请求的写法不对：{why}。"""

    fix = "写法见 docs/do/install-a-node.md。"

    def __init__(self, place: str, why: str) -> None:
        super().__init__({place: why}, f"请求的写法不对：{why}。", why=why)


class SourceUnreadable(Unavailable):
    """节点现在读不到自己的数据：{why}。"""

    fix = "请由部门的管理员检查数据库或文件；没有任何数据被取出。"
