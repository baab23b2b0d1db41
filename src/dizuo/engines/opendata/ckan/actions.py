"""Every action of CKAN's Action API that is spoken here, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from . import datastore, reading, rows, writing
from .asking import Asked
from .errors import CkanActionUnknown, CkanNotFound
from .portal import Portal

Run = Callable[[Portal, Asked], Awaitable[Any]]


class Action(msgspec.Struct, frozen=True):
    """One action; ``writes`` needs a key and POST; ``takes`` are its arguments."""

    run: Run
    takes: tuple[str, ...] = ()
    writes: bool = False

    @property
    def says(self) -> str:
        """What it does, in one paragraph."""
        return " ".join((self.run.__doc__ or "").split())


def _reads(run: Run, *takes: str) -> Action:
    return Action(run, takes)


def _writes(run: Run, *takes: str) -> Action:
    return Action(run, takes, writes=True)


async def help_show(portal: Portal, asked: Asked) -> str:
    """What an action does and takes. Errors: CkanNotFound."""
    named = asked.needed("name")
    found = ACTIONS.get(named)
    if found is None:
        raise CkanNotFound(what=named[:100])
    return f"{found.says}\n\n{', '.join(found.takes)}".strip()


_PAGE: Final = ("limit", "offset")
_PACKAGE: Final = (
    "name", "title", "notes", "owner_org", "license_id", "author", "author_email", "maintainer", "maintainer_email",
    "url", "version", "private", "state", "tags", "groups", "extras", "resources",
)  # fmt: skip
_RESOURCE: Final = ("url", "name", "description", "format", "mimetype", "size", "hash")

ACTIONS: Final[dict[str, Action]] = {
    "site_read": _reads(reading.site_read),
    "status_show": _reads(reading.status_show),
    "help_show": _reads(help_show, "name"),
    "package_list": _reads(reading.package_list, *_PAGE, "include_drafts"),
    "package_show": _reads(reading.package_show, "id"),
    "package_search": _reads(
        reading.package_search, "q", "fq", "fq_list", "rows", "start", "sort", "facet.field", "facet.limit", "include_drafts",
    ),
    "current_package_list_with_resources": _reads(reading.current_package_list_with_resources, *_PAGE, "page"),
    "organization_list": _reads(reading.organization_list, *_PAGE, "all_fields", "organizations"),
    "organization_show": _reads(reading.organization_show, "id", "include_datasets"),
    "group_list": _reads(reading.group_list, *_PAGE, "all_fields", "groups"),
    "group_show": _reads(reading.group_show, "id", "include_datasets"),
    "tag_list": _reads(reading.tag_list, "query", "all_fields"),
    "tag_show": _reads(reading.tag_show, "id", "include_datasets"),
    "license_list": _reads(reading.license_list),
    "resource_show": _reads(reading.resource_show, "id"),
    "resource_search": _reads(reading.resource_search, "query", *_PAGE),
    "datastore_search": _reads(
        datastore.datastore_search, "resource_id", "filters", "q", "fields", "sort", "distinct", *_PAGE, "include_total",
        "records_format",
    ),
    "datastore_search_sql": _reads(datastore.datastore_search_sql, "sql"),
    "datastore_info": _reads(datastore.datastore_info, "id"),
    "package_create": _writes(writing.package_create, "id", *_PACKAGE),
    "package_update": _writes(writing.package_update, "id", *_PACKAGE),
    "package_patch": _writes(writing.package_patch, "id", *_PACKAGE),
    "package_delete": _writes(writing.package_delete, "id"),
    "resource_create": _writes(writing.resource_create, "package_id", "id", *_RESOURCE),
    "resource_update": _writes(writing.resource_update, "id", *_RESOURCE),
    "resource_patch": _writes(writing.resource_patch, "id", *_RESOURCE),
    "resource_delete": _writes(writing.resource_delete, "id"),
    "organization_create": _writes(writing.organization_create, "id", "name", "title", "description", "image_url", "extras"),
    "organization_update": _writes(writing.organization_update, "id", "name", "title", "description", "image_url", "extras"),
    "organization_delete": _writes(writing.organization_delete, "id"),
    "group_create": _writes(writing.group_create, "id", "name", "title", "description", "image_url", "extras"),
    "group_update": _writes(writing.group_update, "id", "name", "title", "description", "image_url", "extras"),
    "group_delete": _writes(writing.group_delete, "id"),
    "datastore_create": _writes(rows.datastore_create, "resource_id", "fields", "records", "primary_key"),
    "datastore_upsert": _writes(rows.datastore_upsert, "resource_id", "records", "method"),
    "datastore_delete": _writes(rows.datastore_delete, "resource_id", "filters"),
}  # fmt: skip


def action(name: str) -> Action:
    """The action of this name. Errors: CkanActionUnknown."""
    found = ACTIONS.get(name)
    if found is None:
        raise CkanActionUnknown(action=name[:60])
    return found
