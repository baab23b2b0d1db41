"""The declared adapter (接入声明): which table or file, which key, which fields of which types; nothing else can be asked."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Hashable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, cast

import msgspec

from dizuo.node.errors import AdapterInvalid

KIND: Final = "node-adapter/1"
FieldType = Literal["text", "date", "number", "boolean", "citizen_id", "uscc", "code"]
Scheme = Literal["citizen_id", "uscc", "key"]
Value = str | int | float | bool | None
_ID = re.compile(r"[a-z][a-z0-9_]{0,62}")
_RESOURCE = re.compile(r"[A-Za-z0-9_./-]{1,100}")
# A schema and a table, or a table alone: identifiers as they are, quoted when used.
_TABLE = re.compile(r"[^\W\d]\w{0,62}(\.[^\W\d]\w{0,62})?")
_SUBJECT: Final[Mapping[Scheme, re.Pattern[str]]] = {
    "citizen_id": re.compile(r"[0-9]{17}[0-9X]"),
    "uscc": re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}"),
    "key": re.compile(r"[^\x00-\x1f\x7f]{1,200}"),
}


class AdapterField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field that may be asked: its id, the source's column, its type."""

    id: str
    column: str
    type: FieldType = "text"


class AdapterKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By what a subject is found: the source's column, and which kind of number it holds."""

    column: str
    type: Scheme


class AdapterSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where records are: ``csv`` a file beside the declaration, or ``postgres`` a table or view.

    ``dsn_file`` holds the database's address, beside the declaration, readable by its owner only.
    """

    csv: str = ""
    postgres: str = ""
    dsn_file: str = ""
    encoding: Literal["utf-8", "gb18030"] = "utf-8"


class Adapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One declared resource. ``most`` bounds the subjects of one question; ``rows`` the records about one subject."""

    kind: Literal["node-adapter/1"]
    resource: str
    source: AdapterSource
    key: AdapterKey
    fields: tuple[AdapterField, ...]
    most: int = 1000
    rows: int = 20
    folder: str = ""

    def field(self, id: str) -> AdapterField | None:
        """The declared field with that id."""
        return next((field for field in self.fields if field.id == id), None)


def read_adapter(path: Path) -> Adapter:
    """The declaration in a YAML file, whole and checked. Errors: AdapterInvalid with every place that is wrong."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AdapterInvalid(path.name, {"$": f"读不出来（{type(error).__name__}）"}) from None
    told = _loaded(path.name, text)
    try:
        adapter = msgspec.convert({**told, "folder": str(path.parent.absolute())}, Adapter)
    except msgspec.ValidationError as error:
        says, _, place = str(error).partition(" - at ")
        raise AdapterInvalid(path.name, {place.strip("`") or "$": says}) from None
    wrong = dict(_wrong(adapter))
    if wrong:
        raise AdapterInvalid(path.name, wrong)
    return adapter


def _wrong(adapter: Adapter) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if not _RESOURCE.fullmatch(adapter.resource):
        found.append(("resource", "要写资源代码"))
    source = adapter.source
    if bool(source.csv) == bool(source.postgres):
        found.append(("source", "csv 和 postgres 要且只要写一个"))
    if source.csv and (Path(source.csv).is_absolute() or ".." in Path(source.csv).parts):
        found.append(("source.csv", "要写声明旁边的文件，不能往上走"))
    if source.postgres and not _TABLE.fullmatch(source.postgres):
        found.append(("source.postgres", "要写一张表或视图的名字"))
    if source.postgres and not source.dsn_file:
        found.append(("source.dsn_file", "要写存数据库地址的文件"))
    if not adapter.fields:
        found.append(("fields", "至少要有一个字段"))
    ids = [field.id for field in adapter.fields]
    columns = [adapter.key.column, *(field.column for field in adapter.fields)]
    found += [(f"fields.{id}", "编号要是小写字母、数字和下划线") for id in ids if not _ID.fullmatch(id)]
    found += [(f"fields.{id}", "写了两次") for id in {id for id in ids if ids.count(id) > 1}]
    found += [(f"column {name}", "列名不能有引号和控制字符") for name in columns if not _column_ok(name)]
    if not 1 <= adapter.most <= 1000:
        found.append(("most", "在 1 到 1000 之间"))
    if not 1 <= adapter.rows <= 100:
        found.append(("rows", "在 1 到 100 之间"))
    return found


def _column_ok(name: str) -> bool:
    return 0 < len(name) <= 63 and name.isprintable() and not set(name) & set("\"'`;\\")


def _loaded(file: str, text: str) -> dict[str, Any]:
    yaml: Any = importlib.import_module("yaml")

    class Strict(yaml.SafeLoader):  # type: ignore[misc, name-defined]
        """A key written twice is a mistake, never the last one's word."""

    def mapping(loader: Any, node: Any) -> dict[Hashable, Any]:
        keys = [loader.construct_object(key) for key, _ in node.value]
        twice = [str(key) for key in keys if keys.count(key) > 1]
        if twice:
            raise AdapterInvalid(file, {twice[0]: "写了两次"})
        return {
            key: loader.construct_object(value, deep=True)
            for key, (_, value) in zip(keys, node.value, strict=True)
        }

    Strict.add_constructor("tag:yaml.org,2002:map", mapping)
    try:
        told: object = yaml.load(text, Loader=Strict)
    except yaml.YAMLError as error:
        raise AdapterInvalid(file, {"$": f"不是 YAML：{error}"}) from None
    if not isinstance(told, dict):
        raise AdapterInvalid(file, {"$": "要是一组 键: 值"})
    return cast("dict[str, Any]", told)


def subject_ok(scheme: Scheme, value: str) -> bool:
    """Whether a subject is named by a possible number of that kind."""
    return _SUBJECT[scheme].fullmatch(value) is not None


def _number(text: str) -> Value:
    number = float(text)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _boolean(text: str) -> Value:
    return {
        "true": True,
        "t": True,
        "1": True,
        "是": True,
        "false": False,
        "f": False,
        "0": False,
        "否": False,
    }[text.lower()]


def _shaped(scheme: Scheme) -> Callable[[str], Value]:
    def read(text: str) -> Value:
        if not subject_ok(scheme, text):
            raise ValueError(text)
        return text

    return read


_READ: Final[Mapping[FieldType, Callable[[str], Value]]] = {
    "text": str,
    "code": str,
    "date": lambda text: date.fromisoformat(text[:10]).isoformat(),
    "number": _number,
    "boolean": _boolean,
    "citizen_id": _shaped("citizen_id"),
    "uscc": _shaped("uscc"),
}


def typed(field: AdapterField, value: object) -> tuple[Value, bool]:
    """A source's value as its declared type, and whether it was that: a value of another type is not passed on."""
    if value is None or value == "":
        return None, True
    text = str(value).lower() if isinstance(value, bool) else str(value).strip()
    try:
        return _READ[field.type](text), True
    except (ValueError, KeyError, OverflowError):
        return None, False
