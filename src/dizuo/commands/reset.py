"""`dizuo reset`: stop the embedded database and delete this installation's data, to start over."""

from __future__ import annotations

import argparse
import os
import shutil
import sys

from dizuo.foundation.kernel.errors import Conflict
from dizuo.foundation.store import Server
from dizuo.settings import DATABASE_URL


class NotADataFolder(Conflict):
    """{folder} 不像是 dizuo 的数据目录，没有删除任何东西。"""

    fix = "请用 --data 指到 dizuo up 用过的目录。"


class SomebodyElsesDatabase(Conflict):
    """数据在 DIZUO_DATABASE_URL 指的数据库里，dizuo 不会替您删除它。"""

    fix = "请由数据库管理员删除并重建那个数据库，再运行 dizuo up。"


def run(arguments: argparse.Namespace) -> int:
    """Ask (unless --yes), stop the server, delete the data folder."""
    data = arguments.data.absolute()
    if os.environ.get(DATABASE_URL):
        raise SomebodyElsesDatabase()
    if not data.exists():
        print(f"{data} does not exist: nothing to delete.")
        return 0
    if not (data / "secrets").is_dir():
        raise NotADataFolder(folder=str(data))
    if not arguments.yes:
        if not sys.stdin.isatty():
            print("Nobody to ask: run `dizuo reset --yes`.", file=sys.stderr)
            return 2
        if input(f"Delete everything in {data}? Type yes: ").strip() != "yes":
            print("Nothing was deleted.")
            return 1
    Server.start(data).stop()
    Server.remove(data)
    shutil.rmtree(data)
    print(f"Deleted {data}. Next: ./run")
    return 0
