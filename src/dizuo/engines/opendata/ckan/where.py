"""From the tree of a query to a condition on opendata.dataset: columns from a list, every value a parameter."""

from __future__ import annotations

import datetime as dt
from typing import Final

from .errors import CkanQueryInvalid
from .query import All, Everything, Not, Part, Range, Some, Term

_TEXT: Final = (
    "concat_ws(' ', d.id, d.title, d.title_en, d.abstract, d.abstract_en, d.provider, d.theme,"
    " array_to_string(d.also, ' '), d.extras->'ckan'->>'search')"
)
_ONE: Final = {
    "id": "coalesce(d.extras->'ckan'->>'id', d.id)",
    "name": "d.id",
    "organization": "coalesce(d.extras->'ckan'->>'organization', d.provider)",
    "owner_org": "coalesce(d.extras->'ckan'->>'owner_org', d.provider)",
    "license_id": "coalesce(d.extras->'ckan'->'package'->>'license_id', d.licence)",
    "author": "d.extras->'ckan'->'package'->>'author'",
    "maintainer": "d.extras->'ckan'->'package'->>'maintainer'",
    "version": "d.extras->'ckan'->'package'->>'version'",
    "type": "'dataset'",
    "dataset_type": "'dataset'",
    "state": "CASE d.state WHEN 'published' THEN 'active' WHEN 'refused' THEN 'draft' ELSE 'deleted' END",
    "private": "'false'",
    "capacity": "'public'",
    "origin": "d.origin",
    "open_type": "d.open_type",
    "theme": "d.theme",
    "update_cycle": "d.cycle",
}
_SAID: Final = {
    "title": "concat_ws(' ', d.title, d.title_en)",
    "notes": "concat_ws(' ', d.abstract, d.abstract_en)",
}
_MANY: Final = {
    "tags": "d.also",
    "groups": "ARRAY(SELECT jsonb_array_elements_text(coalesce(d.extras->'ckan'->'groups', '[]')))",
    "res_format": "d.formats",
}
_WHEN: Final = {
    "metadata_modified": "coalesce((d.extras->'ckan'->>'modified')::timestamptz, d.updated_at, d.changed_at)",
    "metadata_created": "coalesce((d.extras->'ckan'->>'created')::timestamptz, d.first_published, d.changed_at)",
}
FACETS: Final = {
    "organization": _ONE["organization"],
    "license_id": _ONE["license_id"],
    "theme": "d.theme",
    "open_type": "d.open_type",
    "update_cycle": "d.cycle",
    "origin": "d.origin",
    "tags": "unnest(d.also)",
    "groups": f"unnest({_MANY['groups']})",
    "res_format": "unnest(ARRAY(SELECT upper(f) FROM unnest(d.formats) f))",
}
"""What may be counted by: field of CKAN → expression over a dataset ``d``."""
SORTS: Final = {
    "name": "d.id",
    "id": _ONE["id"],
    "title": "d.title",
    "title_string": "d.title",
    **_WHEN,
}


class Condition:
    """SQL text and its parameters, numbered from ``$1``."""

    def __init__(self) -> None:
        self.values: list[object] = []

    def value(self, value: object) -> str:
        """The place of a value."""
        self.values.append(value)
        return f"${len(self.values)}"

    def of(self, part: Part) -> str:
        """A condition as SQL; made of this file's own words and places of values, nothing else. Errors: CkanQueryInvalid."""
        if isinstance(part, Everything):
            return "true" if not part.field else self._has(part.field)
        if isinstance(part, Not):
            return f"NOT coalesce({self.of(part.part)}, false)"
        if isinstance(part, All):
            return "(" + " AND ".join(self.of(one) for one in part.parts) + ")"
        if isinstance(part, Some):
            return "(" + " OR ".join(self.of(one) for one in part.parts) + ")"
        if isinstance(part, Range):
            return self._range(part)
        return self._term(part)

    def _term(self, term: Term) -> str:
        field, text = term.field, term.text
        if field in ("", "text"):
            return self._contains(_TEXT, text)
        if field in _SAID:
            return self._contains(_SAID[field], text)
        if field in _ONE:
            return self._equal(_ONE[field], term)
        if field in _MANY:
            inner = self._equal("one", term)
            return f"EXISTS (SELECT FROM unnest({_MANY[field]}) one WHERE {inner})"
        if field in _WHEN:
            return self._range(Range(field, text, text))
        if field.startswith("extras_"):
            return self._extra(field.removeprefix("extras_"), term)
        raise CkanQueryInvalid(why=f"没有字段“{field[:40]}”")

    def _extra(self, name: str, term: Term) -> str:
        key = self.value(name)
        inner = self._equal("one->>'value'", term)
        extras = "coalesce(d.extras->'ckan'->'package'->'extras', '[]')"
        return f"EXISTS (SELECT FROM jsonb_array_elements({extras}) one WHERE one->>'key' = {key}::text AND {inner})"

    def _equal(self, expression: str, term: Term) -> str:
        if term.prefix:
            return f"starts_with(lower({expression}), lower({self.value(term.text)}::text))"
        return f"lower({expression}) = lower({self.value(term.text)}::text)"

    def _contains(self, expression: str, text: str) -> str:
        """A substring, whatever the script: no word is lost to a tokeniser. ``strpos`` knows no wildcards."""
        return f"strpos(lower({expression}), lower({self.value(text)}::text)) > 0"

    def _has(self, field: str) -> str:
        if field in _MANY:
            return f"cardinality({_MANY[field]}) > 0"
        expression = _ONE.get(field) or _SAID.get(field) or ("''" if field not in _WHEN else "'x'")
        return f"coalesce({expression}, '') <> ''"

    def _range(self, part: Range) -> str:
        expression = _WHEN.get(part.field)
        if expression is None:
            raise CkanQueryInvalid(why=f"“{part.field[:40]}”不能按范围查；可用：{'、'.join(_WHEN)}")
        ends: list[str] = []
        if part.low is not None:
            sign = ">=" if part.inclusive else ">"
            ends.append(f"{expression} {sign} {self.value(_moment(part.low))}::timestamptz")
        if part.high is not None:
            sign = "<=" if part.inclusive else "<"
            last = _moment(part.high, end=len(part.high) <= 10)
            ends.append(f"{expression} {sign} {self.value(last)}::timestamptz")
        return "(" + " AND ".join(ends or ["true"]) + ")"


def _moment(text: str, *, end: bool = False) -> dt.datetime:
    """A day or an instant, in UTC where no zone is told; with ``end`` the last instant of the day. NOW is refused."""
    try:
        found = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
        if found.tzinfo is None:
            found = found.replace(tzinfo=dt.UTC)
        found = found.astimezone(dt.UTC)
        return found + dt.timedelta(days=1, microseconds=-1) if end else found
    except (ValueError, OverflowError):
        raise CkanQueryInvalid(why=f"时间“{text[:40]}”写成 2026-01-01 或 2026-01-01T00:00:00Z") from None
