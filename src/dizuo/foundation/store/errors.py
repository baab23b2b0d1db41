"""What can go wrong between dizuo and its database, each with the way out."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import Conflict, DizuoError, Unavailable


class DatabaseUnavailable(Unavailable):
    """数据库暂时连不上：{why}"""

    fix = "请稍后再试；若一直不行，请运行 dizuo doctor 查看原因。"

    def __init__(self, why: str, *, fix: str | None = None, retry_after: int = 5) -> None:
        super().__init__(retry_after, fix=fix, why=why)


class ServerNotStarted(DizuoError):
    """内置数据库没有启动：{why}"""

    fix = "完整日志在 {log}。"

    def __init__(self, why: str, log: str, *, fix: str | None = None) -> None:
        super().__init__(fix=fix, why=why, log=log)


class ServerBinariesMissing(DizuoError):
    """没有找到 PostgreSQL 程序：{why}"""

    fix = (
        "请运行 ./run --setup-only 重新安装，或设置 DIZUO_DATABASE_URL 使用已有的 PostgreSQL 15 以上数据库。"
    )

    def __init__(self, why: str) -> None:
        super().__init__(why=why)


class DataFolderUnusable(DizuoError):
    """数据目录 {path} 不能用：{why}"""

    def __init__(self, path: str, why: str, fix: str) -> None:
        super().__init__(fix=fix, path=path, why=why)


class DatabaseTooOld(DizuoError):
    """数据库版本是 {found}，dizuo 需要 PostgreSQL 15 或更新。"""

    fix = "请升级数据库，或去掉 DIZUO_DATABASE_URL 使用内置数据库。"

    def __init__(self, found: str) -> None:
        super().__init__(found=found)


class DatabaseRights(DizuoError):
    """数据库账号 {role} 的权限不够：{why}"""

    fix = "请用能建角色的账号（CREATEROLE）并让它拥有这个数据库，例如：ALTER ROLE {role} CREATEROLE。"

    def __init__(self, role: str, why: str, *, fix: str | None = None) -> None:
        super().__init__(fix=fix, role=role, why=why)


class DatabaseAddressInvalid(DizuoError):
    """DIZUO_DATABASE_URL 写得不对：{why}"""

    fix = "格式是 postgresql://用户:口令@主机:端口/数据库。"

    def __init__(self, why: str) -> None:
        super().__init__(why=why)


class UnknownRole(DizuoError):
    """没有数据库角色 {role}。"""

    fix = "可用的角色：{known}。"

    def __init__(self, role: str, known: str) -> None:
        super().__init__(role=role, known=known)


class QueryFileInvalid(DizuoError):
    """查询文件 {file} 第 {line} 行有问题：{why}"""

    def __init__(self, file: str, line: int, why: str, fix: str) -> None:
        super().__init__(fix=fix, file=file, line=line, why=why)


class QueryUnknown(DizuoError):
    """查询文件 {file} 里没有 {name}。"""

    fix = "最接近的名字：{near}。"

    def __init__(self, file: str, name: str, near: str) -> None:
        super().__init__(file=file, name=name, near=near)


class MigrationInvalid(DizuoError):
    """数据库结构文件 {file} 有问题：{why}"""

    def __init__(self, file: str, why: str, fix: str) -> None:
        super().__init__(fix=fix, file=file, why=why)


class MigrationFailed(DizuoError):
    """数据库结构没有更新，停在 {file}：{why}"""

    fix = "这一个文件已全部回滚，前面的已生效；修正后再运行 dizuo migrate，会从这里继续。"

    def __init__(self, file: str, why: str, *, fix: str | None = None) -> None:
        super().__init__(fix=fix, file=file, why=why)


class SchemaDrift(DizuoError):
    """数据库里的 {schema} 是用另一版 {file} 建的，而没有写明怎么从旧变新。"""

    fix = "请在同一目录加一个 NNNN_pre_说明.sql；演示数据可以用 dizuo reset 重新开始。"

    def __init__(self, schema: str, file: str) -> None:
        super().__init__(schema=schema, file=file)


class JobUnknown(Conflict):
    """任务类型 {kind} 没有处理程序。"""

    fix = "请先升级运行任务的程序，再放入这类任务。"

    def __init__(self, kind: str) -> None:
        super().__init__(kind=kind)
