"""SQL in named files: written by people, read by people, prepared when dizuo starts.

A file holds queries, each under a line ``-- name --``, then one sentence as a comment, then one statement::

    -- case_by_number --
    -- The case with this application number, if the reader's posts reach it.
    SELECT ...
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files

import asyncpg

from dizuo.foundation.store.connection import Connection
from dizuo.foundation.store.errors import QueryFileInvalid, QueryUnknown

_HEADING = re.compile(r"^--\s*([a-z][a-z0-9_]*)\s*--\s*$")


class Queries(Mapping[str, str]):
    """The queries of one file, by name."""

    def __init__(self, file: str, texts: Mapping[str, str], lines: Mapping[str, int]) -> None:
        self._file = file
        self._texts = dict(texts)
        self._lines = dict(lines)

    @classmethod
    def load(cls, package: str, name: str = "queries.sql") -> Queries:
        """Read ``<package>/sql/<name>``. Errors: QueryFileInvalid with file and line."""
        path = files(package) / "sql" / name
        shown = f"{package}/sql/{name}"
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            raise QueryFileInvalid(
                shown, 0, "没有这个文件", "请建立它，每条查询以 -- 名字 -- 开头。"
            ) from None
        return cls.parse(shown, text)

    @classmethod
    def parse(cls, file: str, text: str) -> Queries:
        """Cut a file's text into queries. Errors: QueryFileInvalid."""
        texts: dict[str, str] = {}
        lines: dict[str, int] = {}
        name: str | None = None
        body: list[str] = []
        for number, line in enumerate([*text.splitlines(), "-- end --"], 1):
            heading = _HEADING.match(line)
            if heading is None:
                if name is None and line.strip() and not line.startswith("--"):
                    raise QueryFileInvalid(
                        file, number, "语句在第一个名字之前", "请在它前面加一行 -- 名字 --。"
                    )
                body.append(line)
                continue
            if name is not None:
                texts[name] = _statement(file, lines[name], name, body)
            name, body = heading[1], []
            if heading[1] in lines:
                raise QueryFileInvalid(
                    file, number, f"{name} 在第 {lines[heading[1]]} 行已经有了", "请给其中一个换个名字。"
                )
            lines[heading[1]] = number
        lines.pop("end")
        return cls(file, texts, lines)

    def __getitem__(self, name: str) -> str:
        try:
            return self._texts[name]
        except KeyError:
            near = difflib.get_close_matches(name, self._texts, n=3) or sorted(self._texts)
            raise QueryUnknown(self._file, name, ", ".join(near)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    async def prepare_all(self, connection: Connection) -> None:
        """Have the database read every query, so that a typo fails the boot and not a citizen.

        Errors: QueryFileInvalid with the line of the query and the database's own words.
        """
        for name, text in self._texts.items():
            try:
                await connection.prepare(text)
            except asyncpg.PostgresError as error:
                raise QueryFileInvalid(
                    self._file, self._lines[name], f"{name}: {error}", _hint(error)
                ) from error


def _statement(file: str, line: int, name: str, body: list[str]) -> str:
    text = "\n".join(body).strip().rstrip(";").rstrip()
    if not re.search(r"^(?!--)\s*\S", text, re.MULTILINE):
        raise QueryFileInvalid(file, line, f"{name} 下面没有语句", "请写上语句，或删掉这个名字。")
    return text


def _hint(error: asyncpg.PostgresError) -> str:
    hint = getattr(error, "hint", None)
    return str(hint) if hint else "请对照 sql/schema.sql 修改；若数据库结构旧了，请运行 dizuo migrate。"
