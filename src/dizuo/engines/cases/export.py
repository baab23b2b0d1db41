"""The history as event logs for process mining: XES (IEEE 1849-2016) and OCEL 2.0 JSON.

Neither carries names, reasons or answers: who acted is told by post and unit only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import quoteattr

import msgspec

from dizuo.engines.cases.context import READS, Cases
from dizuo.engines.cases.states import Event
from dizuo.foundation.kernel.clock_source import to_shanghai


class LogEvent(msgspec.Struct, frozen=True):
    """One line of history as it is exported."""

    number: str
    matter: str
    place: str
    channel: str
    submitted_at: datetime
    seq: int
    at: datetime
    item: str | None
    step: str | None
    name: str
    from_state: str | None
    to_state: str | None
    actor_kind: str
    post: str | None
    unit: str | None


async def log_of(
    cases: Cases, since: datetime, until: datetime, matter: str | None = None
) -> tuple[LogEvent, ...]:
    """The history of everything submitted in a time (half-open), by application."""
    rows = await cases.pool.fetch(READS["history_between"], since, until, matter)
    return tuple(LogEvent(**{name: row[name] for name in LogEvent.__struct_fields__}) for row in rows)


def _time(at: datetime) -> str:
    return to_shanghai(at).isoformat(timespec="milliseconds")


def _by_case(events: Iterable[LogEvent]) -> Iterator[tuple[str, list[LogEvent]]]:
    number, mine = "", list[LogEvent]()
    for event in events:
        if event.number != number and mine:
            yield number, mine
            mine = []
        number = event.number
        mine.append(event)
    if mine:
        yield number, mine


# --- XES ------------------------------------------------------------------------------------------------------

_XES_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
  <extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
  <global scope="trace">
    <string key="concept:name" value="unknown"/>
  </global>
  <global scope="event">
    <string key="concept:name" value="unknown"/>
    <date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>
    <string key="lifecycle:transition" value="complete"/>
  </global>
  <classifier name="Activity" keys="concept:name lifecycle:transition"/>
"""


def xes(events: Iterable[LogEvent]) -> str:
    """An XES document: one trace for each application."""
    parts = [_XES_HEAD]
    for number, mine in _by_case(events):
        first = mine[0]
        parts.append("  <trace>\n")
        parts.append(_string("concept:name", number, 4))
        parts.append(_string("matter", first.matter, 4))
        parts.append(_string("place", first.place, 4))
        parts.append(_string("channel", first.channel, 4))
        parts += [_xes_event(event) for event in mine]
        parts.append("  </trace>\n")
    parts.append("</log>\n")
    return "".join(parts)


def _xes_event(event: LogEvent) -> str:
    lines = ["    <event>\n", _string("concept:name", event.name, 6)]
    lines.append(f'      <date key="time:timestamp" value={quoteattr(_time(event.at))}/>\n')
    lines.append(_string("lifecycle:transition", "complete", 6))
    lines.append(_string("org:resource", event.post or event.actor_kind, 6))
    for key, value in (
        ("org:group", event.unit),
        ("item", event.item),
        ("step", event.step),
        ("from", event.from_state),
        ("to", event.to_state),
    ):
        if value:
            lines.append(_string(key, value, 6))
    lines.append("    </event>\n")
    return "".join(lines)


def _string(key: str, value: str, indent: int) -> str:
    return f"{' ' * indent}<string key={quoteattr(key)} value={quoteattr(value)}/>\n"


# --- OCEL 2.0 -------------------------------------------------------------------------------------------------

_OBJECT_TYPES: Sequence[Mapping[str, Any]] = (
    {
        "name": "application",
        "attributes": [
            {"name": "matter", "type": "string"},
            {"name": "place", "type": "string"},
            {"name": "channel", "type": "string"},
        ],
    },
    {
        "name": "item",
        "attributes": [{"name": "item", "type": "string"}, {"name": "state", "type": "string"}],
    },
    {"name": "unit", "attributes": []},
)
_EVENT_ATTRIBUTES = [
    {"name": "step", "type": "string"},
    {"name": "actor", "type": "string"},
    {"name": "from", "type": "string"},
    {"name": "to", "type": "string"},
]


def ocel2(events: Iterable[LogEvent]) -> str:
    """An OCEL 2.0 document: applications, their items and the units, and what happened to each when."""
    objects: dict[str, dict[str, Any]] = {}
    made: list[dict[str, Any]] = []
    types: dict[str, None] = {}
    for event in events:
        types[event.name] = None
        _application(objects, event)
        related = [{"objectId": event.number, "qualifier": "of application"}]
        if event.item is not None:
            related.append({"objectId": _item(objects, event), "qualifier": "of item"})
        if event.unit is not None:
            objects.setdefault(
                f"unit:{event.unit}",
                {"id": f"unit:{event.unit}", "type": "unit", "attributes": [], "relationships": []},
            )
            related.append({"objectId": f"unit:{event.unit}", "qualifier": "by unit"})
        made.append(
            {
                "id": f"{event.number}:{event.seq}",
                "type": event.name,
                "time": _time(event.at),
                "attributes": [
                    {"name": name, "value": value}
                    for name, value in (
                        ("step", event.step),
                        ("actor", event.post or event.actor_kind),
                        ("from", event.from_state),
                        ("to", event.to_state),
                    )
                    if value
                ],
                "relationships": related,
            }
        )
    document = {
        "objectTypes": list(_OBJECT_TYPES),
        "eventTypes": [{"name": name, "attributes": _EVENT_ATTRIBUTES} for name in types],
        "objects": list(objects.values()),
        "events": made,
    }
    return json.dumps(document, ensure_ascii=False)


def _application(objects: dict[str, dict[str, Any]], event: LogEvent) -> None:
    if event.number in objects:
        return
    at = _time(event.submitted_at)
    objects[event.number] = {
        "id": event.number,
        "type": "application",
        "attributes": [
            {"name": "matter", "time": at, "value": event.matter},
            {"name": "place", "time": at, "value": event.place},
            {"name": "channel", "time": at, "value": event.channel},
        ],
        "relationships": [],
    }


def _item(objects: dict[str, dict[str, Any]], event: LogEvent) -> str:
    identifier = f"{event.number}/{event.item}"
    if identifier not in objects:
        objects[identifier] = {
            "id": identifier,
            "type": "item",
            "attributes": [{"name": "item", "time": _time(event.at), "value": event.item}],
            "relationships": [{"objectId": event.number, "qualifier": "part of"}],
        }
        objects[event.number]["relationships"].append({"objectId": identifier, "qualifier": "has item"})
    if event.to_state:
        objects[identifier]["attributes"].append(
            {"name": "state", "time": _time(event.at), "value": event.to_state}
        )
    return identifier


def event_words() -> Mapping[str, str]:
    """What the event names mean, for whoever reads an exported log."""
    return {event.value: event.word for event in Event}
