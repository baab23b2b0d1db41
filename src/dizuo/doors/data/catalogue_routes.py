"""The catalogue's rows of the door's table: resources (资源目录), what the audit found, departments' sheets."""

from __future__ import annotations

from typing import Final

from dizuo.web import Files, Route

from . import pages_catalogue, pages_catalogue_audit, pages_catalogue_import

_TICKET = "/data/audit/{finding:int}"
_IMPORT = "/data/import/{id:int}"

ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "/data/catalogue", pages_catalogue.catalogue_list, purpose="Find a data resource of the city's departments.", who="public", json=True),
    Route("GET", "/data/catalogue/{prefix}/{sequence}", pages_catalogue.resource, purpose="See one data resource: terms, items, where it comes from, who uses it.", who="public", json=True),
    Route("GET", "/data/audit", pages_catalogue_audit.audit, purpose="See what the catalogue's audit found, by department and rule.", who="official", json=True),
    Route("GET", _TICKET, pages_catalogue_audit.ticket, purpose="See one ticket of the audit and its steps.", who="official"),
    Route("POST", _TICKET, pages_catalogue_audit.ticket_sent, purpose="Take a ticket of the audit one step on.", who="official"),
    Route("GET", "/data/import", pages_catalogue_import.form, purpose="See what a catalogue sheet must look like and hand one in.", who="official"),
    Route("POST", "/data/import", pages_catalogue_import.form_sent, purpose="Take a department's catalogue sheet into the catalogue.", who="official", files=Files(most=1)),
    Route("GET", _IMPORT, pages_catalogue_import.report, purpose="See what became of each row of a sheet.", who="official"),
    Route("GET", _IMPORT + "/csv", pages_catalogue_import.report_file, purpose="Take the report of an import along as CSV.", who="official"),
)  # fmt: skip
