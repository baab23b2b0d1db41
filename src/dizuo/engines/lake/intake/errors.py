"""What can be wrong with a whole delivery of a source. Single bad rows are kept in the rejected Parquet."""

from __future__ import annotations

from dizuo.engines.lake.errors import DeliveryRefused
from dizuo.foundation.kernel.errors import Conflict, DizuoError, NotFound, Refused, Unavailable


class SourceUnknown(NotFound):
    """城市没有申报数据源“{source}”。"""

    fix = "请先在城市文件夹的 sources 里申报这个数据源。"


class DeliveryUnknown(NotFound):
    """没有编号为 {delivery} 的交付。"""


class DeliveryStep(Conflict):
    """交付 {delivery} 现在是“{state}”，不能{what}。"""

    fix = "请刷新后看它现在的状态。"


class FileUnsafe(DeliveryRefused):
    """这个文件不能收：{why}。"""

    fix = "请直接交付普通文件，不要用链接、设备或目录。"


class FileTooLarge(DeliveryRefused):
    """文件太大：{why}。"""

    fix = "请分批交付，或与数据管理员商定新的上限。"


class PeriodAhead(DeliveryRefused):
    """数据所属日期在将来：{why}。"""

    fix = "请检查交付方和接收方的时钟与日期，再重新交付。"


class FormatDiffers(DeliveryRefused):
    """文件格式与申报的不同：{why}。"""

    fix = "请按申报的格式导出；确实换了格式的，请先修改申报。"


class ArchiveRefused(DeliveryRefused):
    """压缩包不能用：{why}。"""

    fix = "请只把一个数据文件直接压缩（gzip 或 zip，不加密码），再重新交付。"


class ArchiveBomb(DeliveryRefused):
    """压缩包展开后大得不正常：{why}。"""

    fix = "请直接交付未压缩的文件，或分批压缩。"


class FileCut(DeliveryRefused):
    """文件不完整：{why}。"""

    fix = "多半是传输中断了，请重新交付整个文件。"


class HeaderDiffers(DeliveryRefused):
    """表头与申报的不同：{why}。"""

    fix = "请按申报的栏目交付；栏目确实变了的，请先修改申报。"


class ContentUnreadable(DeliveryRefused):
    """内容读不出来：{why}。"""


class LandedLost(DizuoError):
    """落地的原始文件 {sha256} 不见了或已损坏。"""

    fix = "请从备份恢复，或请数据提供单位把同一个文件再交一次。"


class TableUnreachable(Unavailable):
    """对方的前置库连不上或读不出来：{why}。"""

    fix = "请与对方核对地址、账号和只读权限；上次的水位没有变，恢复后从那里接着取。"


class SourceAddressMissing(DizuoError):
    """没有配置数据源“{source}”的前置库地址。"""

    fix = "把连接串写进数据目录的 secrets/source-{source}（权限 0600），只给只读账号。"


class SourceKeyUnknown(NotFound):
    """没有编号为 {key} 的推送密钥，或者它已经停用。"""


class PushKeyForeign(Refused):
    """这把密钥不是这个数据源的，没有收。"""

    fix = "请用本数据源的密钥；密钥由数据管理员发放。"

    def __init__(self) -> None:
        super().__init__(rule="lake.push_key", law="数据安全法:27")


class PushUnreadable(DeliveryRefused):
    """推送的内容读不出来：{why}。"""

    fix = "请求体应是一个 JSON 对象、一个对象数组，或每行一个对象（application/x-ndjson），UTF-8 编码。"


class PushTooMany(Unavailable):
    """推送太频繁：每分钟最多 {limit} 次。"""

    http = 429
    fix = "请等一会儿再推，或把多条记录合成一批。"


class PushKeyReused(Conflict):
    """幂等键“{once}”已经用在另一批内容上。"""

    fix = "同一批内容重试时用原来的键，新的内容请换一个键。"


class PushNotDeclared(Conflict):
    """数据源“{source}”没有申报为推送方式。"""

    fix = "请按申报的方式交付，或先把申报里的 delivery.format 改为 push。"
