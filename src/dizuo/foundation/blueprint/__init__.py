"""Reads a city folder into frozen structures, and complains like a good compiler.

1. ``folder``   which files a city may have, how large, in which encoding; never code, never out of the folder.
2. ``nodes``    YAML to a tree with places; anchors, aliases, tags and duplicates are refused.
3. ``shape``    a small language for what declarations look like; decoding and JSON Schema come from it.
4. ``kinds*``   the kinds of declaration, said in that language.
5. ``checks``   references, then behaviour: what no city may declare.
6. ``load``     ``load_city`` and ``check_city``: all findings at once.
7. ``divisions`` questions about administrative divisions of a loaded city; ``lineage`` about which source feeds what.
"""

from dizuo.foundation.blueprint.findings import BlueprintError, Finding, Report, render_all
from dizuo.foundation.blueprint.kinds import KINDS, json_schema
from dizuo.foundation.blueprint.kinds_example import Example
from dizuo.foundation.blueprint.lineage import Origin, sources_of
from dizuo.foundation.blueprint.load import check_city, load_city, load_examples
from dizuo.foundation.blueprint.model import City

__all__ = [
    "KINDS",
    "BlueprintError",
    "City",
    "Example",
    "Finding",
    "Origin",
    "Report",
    "check_city",
    "json_schema",
    "load_city",
    "load_examples",
    "render_all",
    "sources_of",
]
