"""Every kind of declaration, where its files stand, and the JSON Schema that editors use."""

from __future__ import annotations

from dizuo.foundation.blueprint.groups import Record
from dizuo.foundation.blueprint.kinds_city import (
    CALENDAR,
    CITY,
    CLOCKS,
    DIVISIONS,
    LAW_KIND,
    ORGANISATION,
    PLACES,
    PURPOSES,
    REGISTER,
)
from dizuo.foundation.blueprint.kinds_dataset import DATASET
from dizuo.foundation.blueprint.kinds_example import EXAMPLES
from dizuo.foundation.blueprint.kinds_matter import MATTER, WORDS_KIND
from dizuo.foundation.blueprint.kinds_seal import SEAL_GROUNDS
from dizuo.foundation.blueprint.kinds_source import SOURCE
from dizuo.foundation.blueprint.shape import Schema

KINDS: dict[str, Record] = {
    record.kind: record
    for record in (
        CITY,
        CALENDAR,
        LAW_KIND,
        CLOCKS,
        PURPOSES,
        SEAL_GROUNDS,
        DIVISIONS,
        PLACES,
        ORGANISATION,
        REGISTER,
        SOURCE,
        DATASET,
        MATTER,
        WORDS_KIND,
        EXAMPLES,
    )
}

# Path patterns; the group ``id`` becomes the declaration's id.
LOCATIONS: tuple[tuple[str, str], ...] = (
    (r"city\.yaml", "city/1"),
    (r"calendar/(?P<id>[0-9]{4})\.yaml", "calendar/1"),
    (r"laws/(?P<id>[a-z][a-z0-9_-]*)\.yaml", "law/1"),
    (r"clocks\.yaml", "clocks/1"),
    (r"purposes\.yaml", "purposes/1"),
    (r"seal_grounds\.yaml", "seal_grounds/1"),
    (r"divisions\.yaml", "divisions/1"),
    (r"places\.yaml", "places/1"),
    (r"organisations/(?P<id>[a-z][a-z0-9_]*)\.yaml", "organisation/1"),
    (r"registers/(?P<id>[a-z][a-z0-9_]*)\.yaml", "register/1"),
    (r"sources/(?P<id>[a-z][a-z0-9_]*)\.yaml", "source/1"),
    (r"datasets/(?P<id>[a-z][a-z0-9_]*)\.yaml", "dataset/1"),
    (r"matters/(?P<id>[a-z][a-z0-9_]*)/matter\.yaml", "matter/1"),
    (r"matters/(?P<id>[a-z][a-z0-9_]*)/words\.(zh|en)\.yaml", "words/1"),
    (r"matters/(?P<id>[a-z][a-z0-9_]*)/tests\.yaml", "examples/1"),
)


def json_schema(kind: str) -> Schema:
    """The JSON Schema (draft 2020-12) of one kind, for editors. ``kind`` is for example ``matter/1``.

    Errors: KeyError for an unknown kind.
    """
    record = KINDS[kind]
    made = record.schema()
    # The id is the name of the file or folder, so it is not written inside.
    if kind != "city/1":
        made["properties"].pop("id", None)
        made["required"] = [name for name in made["required"] if name != "id"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://dizuo.invalid/schema/{kind.replace('/', '-')}.json",
        "title": kind,
        **made,
    }
