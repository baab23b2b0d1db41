"""What the catalogue says of a city's registers and sources: declared where it is declared, derived lawfully where not. Pure.

Sharing is the rule (政务数据共享以共享为原则): whatever holds nothing personal is shared without condition. Personal
information is shared on condition, for declared matters, on 个人信息保护法 34; it is not opened. What was derived is named in
``Resource.derived`` until a person declares it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from dizuo.engines.exchange.catalogue.coding import base_category, department_category
from dizuo.engines.exchange.catalogue.model import LEVELS, Resource, ResourceField
from dizuo.foundation.blueprint.lineage import column_of, sources_of
from dizuo.foundation.blueprint.model import City, Register
from dizuo.foundation.blueprint.model_catalogue import CatalogueTerms
from dizuo.foundation.blueprint.model_source import Source, SourceColumn

_FIELD_TYPES: Final = {"number": "N", "money": "Y", "date": "D", "datetime": "T", "boolean": "L"}
_COLUMN_TYPES: Final = {"integer": "I", "decimal": "N", "date": "D", "datetime": "T", "boolean": "L"}
_FORMATS: Final = {
    "csv": "文件（CSV）", "xlsx": "文件（XLSX）", "jsonl": "文件（JSON Lines）", "parquet": "文件（Parquet）", "table": "库表",
    "push": "接口",
}  # fmt: skip
_ORDER: Final = ("realtime", "daily", "weekly", "monthly", "quarterly", "half_yearly", "yearly")
_NARROW: Final = ("query", "batch", "subscribe")
_ALL: Final = (*_NARROW, "bulk")
# What is more than ordinary even where nobody said so (GB/T 43697-2024 annex B; our levels).
_NUMBERS: Final = {"citizen_id", "phone", "address", "name"}
_CONDITION = "只用于有法律依据的事项，只给办理所需的信息项，每次调用写明事项、依据和办件。"
_PIPL: Final = ("pipl-2021", "34")


class Draft(msgspec.Struct, frozen=True):
    """A resource before it has a code: ``group`` is 类项 of the code to come."""

    group: str
    resource: Resource


def drafts(city: City) -> tuple[Draft, ...]:
    """Every register as a resource of the base catalogue, every source as one of its department's."""
    registers = [of_register(city, one) for one in city.registers.values()]
    return (*registers, *(of_source(city, one) for one in city.sources.values()))


def of_register(city: City, register: Register) -> Draft:
    """A register (基础信息资源)."""
    group, category = base_category(register.base)
    fields = tuple(
        ResourceField(
            field.id, field.name.zh, field.name.en, _FIELD_TYPES.get(field.type, "C"), field.level, field.personal,
            field.datum, field.basis.key,
        )
        for field in register.fields.values()
    )  # fmt: skip
    owner = city.organisations[register.owner]
    fed = {origin.source for origins in sources_of(city, register.id).values() for origin in origins}
    kept = "每个主体一条" if register.entity else "每件一条"
    stated = Resource(
        code="", title=register.name.zh, title_en=register.name.en, provider=register.owner, provider_code=owner.uscc,
        kind="register", register=register.id, fields=fields, category=category, format="库表、接口",
        abstract=f"“{register.name.zh}”的权威记录，{owner.name.zh}主管，{kept}，{len(fields)} 个信息项，{_delivered(len(fed))}",
        abstract_en=f"Authoritative records of {register.name.en or register.id}; answers for it: {owner.name.en}.",
        level=_highest(fields), share_type=1, update_cycle="irregular",
    )  # fmt: skip
    cycle = _fastest(city.sources[name].delivery.cycle for name in fed)
    return Draft(group, _terms(city, stated, register.catalogue, cycle))


def of_source(city: City, source: Source) -> Draft:
    """A source (部门信息资源)."""
    department = city.organisations[source.department]
    group, category = department_category(department.level, department.short.zh)
    fed = _fed_fields(city, source)
    fields = tuple(_column(city, source, column, fed) for column in source.columns.values())
    stated = Resource(
        code="", title=source.name.zh, title_en=source.name.en, provider=source.department, provider_code=department.uscc,
        kind="source", source=source.id, fields=fields, category=category, format=_FORMATS[source.delivery.format],
        abstract=f"{department.name.zh}的{source.system.zh}送来的“{source.name.zh}”，{len(fields)} 个信息项。",
        abstract_en=f"{source.name.en or source.id} from {source.system.en or source.system.zh}, {department.name.en}.",
        level=_highest(fields), share_type=1, update_cycle="irregular",
    )  # fmt: skip
    return Draft(group, _terms(city, stated, source.catalogue, source.delivery.cycle))


def _delivered(sources: int) -> str:
    return f"由 {sources} 个数据源供给。" if sources else "在办件中形成。"


def _fed_fields(city: City, source: Source) -> Mapping[str, tuple[str, str]]:
    """Column → (register, field) that it feeds whole; of several the first."""
    found: dict[str, tuple[str, str]] = {}
    for feed in source.feeds:
        for field, name in feed.fields.items():
            known = column_of(source, name)
            if known is not None and not known[1]:
                found.setdefault(known[0].id, (feed.register, field))
    return found


def _column(
    city: City, source: Source, column: SourceColumn, fed: Mapping[str, tuple[str, str]]
) -> ResourceField:
    goal = fed.get(column.id)
    field = city.registers[goal[0]].fields[goal[1]] if goal else None
    level = field.level if field is not None else "L1"
    if column.personal:
        least = "L3" if column.as_ in _NUMBERS else "L2"
        level = max(level, least)
    basis = column.basis or source.basis
    return ResourceField(
        column.id, column.column, field.name.en if field is not None else "", _COLUMN_TYPES.get(column.as_, "C"), level,
        column.personal, field.datum if field is not None else "", basis.key if basis else "",
    )  # fmt: skip


def _highest(fields: Iterable[ResourceField]) -> str:
    return max((field.level for field in fields), default=LEVELS[0])


def _fastest(cycles: Iterable[str]) -> str | None:
    """The shortest of the cycles of a register's sources, None when no source feeds it."""
    return min(cycles, key=_ORDER.index, default=None)


def _terms(city: City, stated: Resource, said: CatalogueTerms | None, cycle: str | None) -> Resource:
    """Sharing, opening and cycle as declared; what is not is derived, and named so."""
    derived: list[str] = []
    changed: dict[str, object] = {}
    share = said.share if said is not None else None
    if share is not None:
        changed |= {
            "share_type": {"unconditional": 1, "conditional": 2, "none": 3}[share.type],
            "share_condition": share.condition.zh, "share_basis": share.basis.key if share.basis else "",
            "share_methods": share.methods or (() if share.type == "none" else _methods(stated)),
        }  # fmt: skip
    else:
        derived.append("share_type")
        changed |= {"share_methods": _methods(stated)}
        if stated.personal:
            changed |= {
                "share_type": 2,
                "share_condition": _CONDITION,
                "share_basis": _personal_basis(city, stated),
            }
    opening = said.open if said is not None else None
    if opening is not None:
        changed["open_type"] = {"unconditional": 1, "conditional": 2, "none": 3}[opening.type]
        changed["open_condition"] = opening.condition.zh
    else:
        derived.append("open_type")
        # Nothing personal and nothing above L1: free to all; what is neither waits for its department.
        changed["open_type"] = 1 if not stated.personal and stated.level == LEVELS[0] else 3
    declared_cycle = said.cycle if said is not None else ""
    changed["update_cycle"] = declared_cycle or cycle or "irregular"
    if not declared_cycle and cycle is None:
        derived.append("update_cycle")
    if said is not None and said.abstract.zh:
        changed |= {"abstract": said.abstract.zh, "abstract_en": said.abstract.en}
    else:
        derived.append("abstract")
    return msgspec.structs.replace(stated, derived=tuple(derived), **changed)


def _methods(stated: Resource) -> tuple[str, ...]:
    """A whole file of persons is given to nobody who has not asked for it with reasons."""
    return _NARROW if stated.personal else _ALL


def _personal_basis(city: City, stated: Resource) -> str:
    """个人信息保护法 34 where the city declares it, else what the first personal item rests on."""
    law, article = _PIPL
    if law in city.laws and article in city.laws[law].articles:
        return f"{law}:{article}"
    return next((field.basis for field in stated.fields if field.personal), "")
