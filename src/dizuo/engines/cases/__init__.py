"""Cases (办件): from a plan to a decision, one application number for everything that a person asked for.

1. ``plan`` works out what applies, what is asked, what is read, and when it will be done; pure.
2. ``open_form``, ``save_draft`` and ``submit`` turn answers into an application, once, durable before it is acknowledged.
3. Items run in parallel, each with its own steps, clock, decision and document; ``jobs.handlers`` do what is due later.
4. Officials see and do what their post, place and the item's power allow; the policy says so (``desk_queue``,
   ``case_page``, ``decide`` and the other desk actions).
5. Decisions can be undone for ten minutes; then they take effect.
6. People follow one number (``progress``), consent, supply what is missing, withdraw, rate, report errors.
7. The history is only ever added to, and exports as XES and OCEL 2.0.
"""

from dizuo.engines.cases.actions_after import RATINGS, rate, report_error
from dizuo.engines.cases.actions_citizen import answer_consent, ask_consent_again, withdraw
from dizuo.engines.cases.actions_decide import accept, decide, undo
from dizuo.engines.cases.actions_fix import FixSent, answer_fix, give_up_fix
from dizuo.engines.cases.actions_longer import (
    answer_referral,
    approve_extension,
    ask_extension,
    hand_over,
    refer,
    site_check,
)
from dizuo.engines.cases.actions_pause import (
    ask_by_choice,
    end_special,
    reject_accept,
    request_fix,
    start_special,
)
from dizuo.engines.cases.actions_submit import submit
from dizuo.engines.cases.case_views import CasePage
from dizuo.engines.cases.compiled import calendar_of, compiled
from dizuo.engines.cases.context import FIXES, QUERIES, READS, Cases
from dizuo.engines.cases.corrections import Correction, correction_page, decide_correction
from dizuo.engines.cases.drafts import DraftSaved, Form, drop_draft, open_draft, open_form, save_draft
from dizuo.engines.cases.endings import ENDINGS, Endings, count_endings, endings_of
from dizuo.engines.cases.errors import (
    AlreadyRated,
    AlreadyRunning,
    CannotSee,
    CaseNotFound,
    ConsentClosed,
    DecidedByOther,
    DraftNotFound,
    ExceptionsOpen,
    FixAnswered,
    FixOnlyOnce,
    FixOverdue,
    FixTooLate,
    ItemChanged,
    MatterNotFound,
    NotEligible,
    NothingLate,
    NotPossibleNow,
    NotYourDecision,
    ReasonMissing,
    StaleDraft,
    StaleFix,
    UndoTooLate,
)
from dizuo.engines.cases.examples import run_examples
from dizuo.engines.cases.export import LogEvent, log_of, ocel2, xes
from dizuo.engines.cases.fixes import FixChange, FixChoices, FixForm, fix_changes, fix_choices, fix_form
from dizuo.engines.cases.jobs import handlers
from dizuo.engines.cases.looks import note_refused_look, note_reveal
from dizuo.engines.cases.model import Decided, FixWant, Receipt
from dizuo.engines.cases.nearest import nearest_places
from dizuo.engines.cases.numbers import read_number
from dizuo.engines.cases.occasion import Occasion, first_look, occasion_of
from dizuo.engines.cases.plan import needs_to_read, plan
from dizuo.engines.cases.plan_model import (
    Counts,
    Known,
    Plan,
    PlannedConsent,
    PlannedItem,
    PlannedLine,
    PlannedMaterial,
    PlannedOption,
    PlannedQuestion,
    PlannedShow,
    Silent,
    Unmet,
)
from dizuo.engines.cases.reads_case import case_page
from dizuo.engines.cases.reads_centre import CENTRE, Asked, DepartmentWork, Figures, Urgent, asked_of, figures
from dizuo.engines.cases.reads_citizen import (
    CaseLine,
    ConsentAsked,
    Delivered,
    DraftView,
    Home,
    Notice,
    answer_label,
    consent_page,
    consents_of,
    corrections_of,
    delivered,
    drafts_of,
    fixes_of,
    mark_read,
    my_cases,
    my_home,
    notices_of,
)
from dizuo.engines.cases.reads_desk import QueuePage, QueueRow, desk_queue
from dizuo.engines.cases.reads_documents import DocumentView, check_document, document_page, documents_of
from dizuo.engines.cases.reads_progress import Progress, ProgressItem, progress
from dizuo.engines.cases.states import ApplicationState, Event, ItemState
from dizuo.engines.cases.supervision import SupervisedCase, SupervisedItem, press, supervised_case

__all__ = [
    "CENTRE",
    "ENDINGS",
    "FIXES",
    "QUERIES",
    "RATINGS",
    "READS",
    "AlreadyRated",
    "AlreadyRunning",
    "ApplicationState",
    "Asked",
    "CannotSee",
    "CaseLine",
    "CaseNotFound",
    "CasePage",
    "Cases",
    "ConsentAsked",
    "ConsentClosed",
    "Correction",
    "Counts",
    "Decided",
    "DecidedByOther",
    "Delivered",
    "DepartmentWork",
    "DocumentView",
    "DraftNotFound",
    "DraftSaved",
    "DraftView",
    "Endings",
    "Event",
    "ExceptionsOpen",
    "Figures",
    "FixAnswered",
    "FixChange",
    "FixChoices",
    "FixForm",
    "FixOnlyOnce",
    "FixOverdue",
    "FixSent",
    "FixTooLate",
    "FixWant",
    "Form",
    "Home",
    "ItemChanged",
    "ItemState",
    "Known",
    "LogEvent",
    "MatterNotFound",
    "NotEligible",
    "NotPossibleNow",
    "NotYourDecision",
    "NothingLate",
    "Notice",
    "Occasion",
    "Plan",
    "PlannedConsent",
    "PlannedItem",
    "PlannedLine",
    "PlannedMaterial",
    "PlannedOption",
    "PlannedQuestion",
    "PlannedShow",
    "Progress",
    "ProgressItem",
    "QueuePage",
    "QueueRow",
    "ReasonMissing",
    "Receipt",
    "Silent",
    "StaleDraft",
    "StaleFix",
    "SupervisedCase",
    "SupervisedItem",
    "UndoTooLate",
    "Unmet",
    "Urgent",
    "accept",
    "answer_consent",
    "answer_fix",
    "answer_label",
    "answer_referral",
    "approve_extension",
    "ask_by_choice",
    "ask_consent_again",
    "ask_extension",
    "asked_of",
    "calendar_of",
    "case_page",
    "check_document",
    "compiled",
    "consent_page",
    "consents_of",
    "correction_page",
    "corrections_of",
    "count_endings",
    "decide",
    "decide_correction",
    "delivered",
    "desk_queue",
    "document_page",
    "documents_of",
    "drafts_of",
    "drop_draft",
    "end_special",
    "endings_of",
    "figures",
    "first_look",
    "fix_changes",
    "fix_choices",
    "fix_form",
    "fixes_of",
    "give_up_fix",
    "hand_over",
    "handlers",
    "log_of",
    "mark_read",
    "my_cases",
    "my_home",
    "nearest_places",
    "needs_to_read",
    "note_refused_look",
    "note_reveal",
    "notices_of",
    "occasion_of",
    "ocel2",
    "open_draft",
    "open_form",
    "plan",
    "press",
    "progress",
    "rate",
    "read_number",
    "refer",
    "reject_accept",
    "report_error",
    "request_fix",
    "run_examples",
    "save_draft",
    "site_check",
    "start_special",
    "submit",
    "supervised_case",
    "undo",
    "withdraw",
    "xes",
]
