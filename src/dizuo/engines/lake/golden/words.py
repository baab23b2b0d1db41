"""Golden records as the registers take them: JSON of values, JSON of sources, whom they are about; all as DuckDB SQL."""

# ruff: noqa: S608 - statements are put together from declared identifiers, never from what rows say
from __future__ import annotations

from collections.abc import Sequence

from dizuo.engines.lake.golden.plan import FieldPlan, RegisterPlan
from dizuo.engines.registers import BulkRows


def bulk_rows(register: RegisterPlan, relation: str) -> BulkRows:
    """The records of a relation (columns of ``gold_<register>``) for the registers' first load."""
    columns, subjects = _subjects(register)
    return BulkRows(
        register.id,
        f"SELECT key, {data_of(register.fields)} AS data, {sources_of(register)} AS sources, valid_from, valid_to{columns}"
        f" FROM {relation}",
        subjects,
    )


def _subjects(register: RegisterPlan) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Columns with the numbers of whom a record is about; a temporary key is a number of its own kind."""
    columns = ""
    subjects: list[tuple[str, str]] = []
    for i, field in enumerate(register.subjects):
        if register.entity and field.id == register.key:
            columns += ", CASE WHEN key[1] = 'T' THEN key END AS st"
            subjects.append(("st", "temp"))
        columns += f', "v_{field.id}" AS s{i}'
        subjects.append((f"s{i}", field.subject))
    return columns, tuple(subjects)


def value_text(field: FieldPlan, of: str) -> str:
    """The field's value in the relation ``of`` ('' or 'n.') as JSON text; null stays null."""
    column = f'{of}"v_{field.id}"'
    if field.type == "boolean":
        return f"{column}::VARCHAR"
    if field.type == "number":
        return (
            f"CASE WHEN {column} = trunc({column}) AND abs({column}) < 1e15 THEN {column}::BIGINT::VARCHAR"
            f" ELSE {column}::VARCHAR END"
        )
    return f"CASE WHEN {column} IS NOT NULL THEN to_json({column})::VARCHAR END"


def data_of(fields: Sequence[FieldPlan], of: str = "") -> str:
    """All values that are there, as a JSON object."""
    parts = ", ".join(f"'\"{field.id}\":' || {value_text(field, of)}" for field in fields)
    return f"'{{' || concat_ws(',', {parts}) || '}}'"


def sources_of(register: RegisterPlan, prefix: str = "") -> str:
    """{organisation: date} of the fields' own organisations; ".field": [organisation, date] only where a fallback spoke."""
    parts: list[str] = []
    for owner in dict.fromkeys(field.owner for field in register.fields):
        said: list[str] = []
        for i, source in enumerate(register.sources):
            if register.organisation[source] == owner:
                spoke = [f for f in register.fields if f.owner == owner and source in f.order]
                if spoke:
                    any_of = " OR ".join(f'{prefix}"s_{f.id}" = {i}' for f in spoke)
                    said.append(f"CASE WHEN {any_of} THEN {prefix}a_{source}::DATE END")
        if said:
            latest = said[0] if len(said) == 1 else f"greatest({', '.join(said)})"
            parts.append(f"'\"{owner}\":\"' || ({latest})::VARCHAR || '\"'")
    for field in register.fields:
        for source in field.order:
            org = register.organisation[source]
            if org != field.owner:
                i = register.sources.index(source)
                parts.append(
                    f'CASE WHEN {prefix}"s_{field.id}" = {i} THEN \'".{field.id}":["{org}","\' || {prefix}a_{source}::DATE || \'"]\' END'
                )
    return f"'{{' || concat_ws(',', {', '.join(parts)}) || '}}'"


def patch_of(register: RegisterPlan) -> str:
    """The fields of n that differ from o, as a JSON object; null where n is silent."""
    parts = ", ".join(
        f'CASE WHEN n."v_{f.id}" IS DISTINCT FROM o."v_{f.id}"'
        f" THEN '\"{f.id}\":' || coalesce({value_text(f, 'n.')}, 'null') END"
        for f in register.fields
    )
    return f"'{{' || concat_ws(',', {parts}) || '}}'"
