"""The persons and enterprises that standard rows speak of: what identity links."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from dizuo.engines.lake.standard.cells import Recipe, either, nothing, staged, text
from dizuo.engines.lake.standard.identifiers import CitizenIds, unified_codes
from dizuo.engines.lake.standard.quality import types_of
from dizuo.engines.lake.standard.terms import Rows, Text, Value, ibis
from dizuo.engines.lake.standard.truths import truth
from dizuo.foundation.blueprint.model_source import Mention, Source

SCHEMA: Mapping[str, str] = {
    "record_id": "string", "source": "string", "mention": "string", "entity": "string", "name": "string",
    "name_raw": "string", "former_name": "string", "sex": "string", "birth_date": "date", "citizen_id": "string",
    "id_other": "string", "uscc": "string", "phone": "string", "division": "string", "address_rest": "string",
    "as_of": "date",
}  # fmt: skip


def mentions(standard: Rows, source: Source, ids: CitizenIds, delivered: dt.date) -> Rows:
    """Every mention of every standard row, in the shape of ``SCHEMA``.

    A mention of which neither a name nor a number is known is none. ``delivered`` is `as_of` where the row does not
    tell when it was last changed. Persons' sex is 1 or 2 (GB/T 2261.1), else null.
    """
    tables = [_one(standard, source, mention, ids, delivered) for mention in source.mentions]
    if not tables:
        empty = standard.filter(ibis.literal(False))
        return empty.select(**{name: ibis.null(kind) for name, kind in SCHEMA.items()})
    return ibis.union(*tables) if len(tables) > 1 else tables[0]


def _one(standard: Rows, source: Source, mention: Mention, ids: CitizenIds, delivered: dt.date) -> Rows:
    t = standard
    if mention.when is not None:
        t = t.filter(truth(mention.when.text, t, types_of(source), ids.today).fill_null(False))
    t, numbers = _numbers(t, source, mention, ids)
    values: dict[str, Value] = {name: ibis.null(kind) for name, kind in SCHEMA.items()}
    values |= {
        "record_id": ibis.literal(f"{source.id}:").concat(text(t, "row_key"), f":{mention.id}"),
        "source": ibis.literal(source.id),
        "mention": ibis.literal(mention.id),
        "entity": ibis.literal(mention.entity),
    }
    values |= numbers
    values |= _said(t, source, mention)
    stamp = t[source.as_of].cast("date") if source.as_of else ibis.null("date")
    values["as_of"] = stamp.fill_null(ibis.literal(delivered))
    found = t.select(**{name: values[name].cast(kind) for name, kind in SCHEMA.items()})
    known = found["name"].notnull() | found["citizen_id"].notnull() | found["id_other"].notnull()
    return found.filter(known | found["uscc"].notnull())


def _said(t: Rows, source: Source, mention: Mention) -> dict[str, Value]:
    values: dict[str, Value] = {}
    if mention.name:
        name = text(t, mention.name)
        plain = _closed(name)
        raw = f"{mention.name}_raw"
        values["name"] = plain
        values["name_raw"] = text(t, raw).coalesce(name) if raw in t.columns else name
    if mention.former_name:
        values["former_name"] = _closed(text(t, mention.former_name))
    if mention.sex:
        sex = text(t, mention.sex)
        values["sex"] = either((sex.isin(("1", "2")), sex), other=nothing())
    if mention.birth_date:
        values["birth_date"] = t[mention.birth_date].cast("date")
    if mention.phone:
        values["phone"] = text(t, mention.phone)
    if mention.address:
        values["division"] = text(t, f"{mention.address}_division")
        values["address_rest"] = text(t, f"{mention.address}_rest")
    return values


def _closed(name: Text) -> Text:
    """Without blanks: those of Latin names."""
    return either((name.contains(" "), name.replace(" ", "")), other=name)


def _numbers(t: Rows, source: Source, mention: Mention, ids: CitizenIds) -> tuple[Rows, dict[str, Value]]:
    """The mention's numbers; a text column is read as the kind of number that the mention says it holds."""
    values: dict[str, Value] = {}
    for role in ("citizen_id", "uscc"):
        column: str = getattr(mention, role)
        if not column:
            continue
        standard = source.columns[column].as_
        if standard == "text":
            stages = (
                ids.stages(f"{column}__{role}", lambda t, c=column: text(t, c))
                if role == "citizen_id"
                else unified_codes(f"{column}__{role}", lambda t, c=column: text(t, c)).stages
            )
            t = staged(t, [Recipe(stages)])
            values[role] = t[f"{column}__{role}__value"]
            if role == "citizen_id":
                values["id_other"] = t[f"{column}__{role}_other"]
        else:
            values[role] = t[column]
            if role == "citizen_id":
                values["id_other"] = t[f"{column}_other"]
    return t, values
