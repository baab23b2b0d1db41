"""The catalogue of data resources (政务数据资源目录): what there is, under which conditions, and whether that is true.

1. ``publish_catalogue``  makes it from the declarations; codes are for ever, nothing vanishes, every change is kept.
2. ``resources``, ``resource``, ``history``  read it.
3. ``uses_of``, ``systems_of``, ``standings`` and the ways back  bind matters, systems, resources, and what is really there.
4. ``audit_catalogue``  the rules A1–A11 at every publication, by the clock and on demand; ``findings``, ``move_finding``  its tickets.
5. ``import_catalogue``  takes a department's sheet, row by row with a report; ``report_csv`` is that report as a file.
6. ``organisation_named``, ``names_of``  who is meant by a name of today or of the past.
"""

from dizuo.engines.exchange.catalogue.audit import (
    AuditRun,
    audit_catalogue,
    audit_due,
    audited_by_the_clock,
    last_audit,
    standings,
)
from dizuo.engines.exchange.catalogue.available import Availability, availability
from dizuo.engines.exchange.catalogue.binding import (
    BindState,
    MatterUse,
    Standing,
    System,
    bind_state,
    matter_uses,
    registers_behind,
    resources_of_matter,
    resources_of_system,
    systems_of,
    uses_of,
)
from dizuo.engines.exchange.catalogue.coding import BASES, CLASSES, THEMES, CodeParts, parts_of
from dizuo.engines.exchange.catalogue.errors import (
    FindingMoved,
    FindingNote,
    FindingStep,
    NoSuchFinding,
    NoSuchImport,
    NoSuchResource,
    NotYours,
    OwnFinding,
    SheetUnreadable,
)
from dizuo.engines.exchange.catalogue.importing import (
    Fault,
    ImportReport,
    ImportRow,
    import_catalogue,
    import_report,
)
from dizuo.engines.exchange.catalogue.model import (
    CYCLES,
    ITEM_TYPES,
    METHODS,
    OPEN_TYPES,
    SHARE_TYPES,
    STATES,
    Resource,
    ResourceField,
)
from dizuo.engines.exchange.catalogue.naming import (
    Named,
    NamePeriod,
    names_of,
    near_organisations,
    organisation_named,
)
from dizuo.engines.exchange.catalogue.publishing import Published, publish_catalogue
from dizuo.engines.exchange.catalogue.reads import (
    ResourceChange,
    history,
    resource,
    resource_lines,
    resources,
)
from dizuo.engines.exchange.catalogue.reporting import VERDICTS, report_csv
from dizuo.engines.exchange.catalogue.rules import RULES, Rule
from dizuo.engines.exchange.catalogue.tickets import (
    FINDING_STATES,
    NOTED,
    STEPS,
    Finding,
    FindingCount,
    FindingMove,
    departments_of,
    finding,
    finding_counts,
    findings,
    may_move,
    move_finding,
)

__all__ = [
    "BASES",
    "CLASSES",
    "CYCLES",
    "FINDING_STATES",
    "ITEM_TYPES",
    "METHODS",
    "NOTED",
    "OPEN_TYPES",
    "RULES",
    "SHARE_TYPES",
    "STATES",
    "STEPS",
    "THEMES",
    "VERDICTS",
    "AuditRun",
    "Availability",
    "BindState",
    "CodeParts",
    "Fault",
    "Finding",
    "FindingCount",
    "FindingMove",
    "FindingMoved",
    "FindingNote",
    "FindingStep",
    "ImportReport",
    "ImportRow",
    "MatterUse",
    "NamePeriod",
    "Named",
    "NoSuchFinding",
    "NoSuchImport",
    "NoSuchResource",
    "NotYours",
    "OwnFinding",
    "Published",
    "Resource",
    "ResourceChange",
    "ResourceField",
    "Rule",
    "SheetUnreadable",
    "Standing",
    "System",
    "audit_catalogue",
    "audit_due",
    "audited_by_the_clock",
    "availability",
    "bind_state",
    "departments_of",
    "finding",
    "finding_counts",
    "findings",
    "history",
    "import_catalogue",
    "import_report",
    "last_audit",
    "matter_uses",
    "may_move",
    "move_finding",
    "names_of",
    "near_organisations",
    "organisation_named",
    "parts_of",
    "publish_catalogue",
    "registers_behind",
    "report_csv",
    "resource",
    "resource_lines",
    "resources",
    "resources_of_matter",
    "resources_of_system",
    "standings",
    "systems_of",
    "uses_of",
]
