"""What a checked city looks like in memory: frozen structures, one per kind, each with `place`, where it was written.

Expressions are kept as text with their place; `dizuo.foundation.rules` parses them.
A reference to an article of law is written `law-id:article`, for instance `hukou-1958:7`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal

import msgspec

from dizuo.foundation.blueprint.atoms import Expression as Expression
from dizuo.foundation.blueprint.atoms import LawRef as LawRef
from dizuo.foundation.blueprint.atoms import Length as Length
from dizuo.foundation.blueprint.atoms import Place as Place
from dizuo.foundation.blueprint.atoms import Words as Words
from dizuo.foundation.blueprint.model_dataset import Dataset
from dizuo.foundation.blueprint.model_register import Field as Field
from dizuo.foundation.blueprint.model_register import FieldType as FieldType
from dizuo.foundation.blueprint.model_register import Register as Register
from dizuo.foundation.blueprint.model_seal import SealGround
from dizuo.foundation.blueprint.model_source import Source


class Article(msgspec.Struct, frozen=True):
    """One article: its gist in our own words, and whether someone held it against the official text."""

    number: str
    gist: str
    verified: bool
    place: Place


class Law(msgspec.Struct, frozen=True):
    """A law, regulation or rule (法律法规规章) that declarations cite. File: laws/<id>.yaml, `kind: law/1`."""

    id: str
    title: Words
    number: str
    issuer: str
    effective_from: dt.date
    effective_to: dt.date | None
    articles: Mapping[str, Article]
    place: Place
    source: str = ""


class ClockDef(msgspec.Struct, frozen=True):
    """A statutory time limit (法定时限). File: clocks.yaml, `kind: clocks/1`."""

    id: str
    name: Words
    starts_on: str
    length: Length
    extension: Length | None
    extension_approver: str | None
    law: LawRef
    verified: bool
    place: Place


class BadRating(msgspec.Struct, frozen=True):
    """What a bad rating (差评) sets in motion: by when the rater is contacted, by when it is mended. In city.yaml."""

    contact_clock: str
    mend_clock: str
    place: Place


class Purpose(msgspec.Struct, frozen=True):
    """A purpose of processing (处理目的). Dots narrow: `birth.household` is within `birth`. File: purposes.yaml."""

    id: str
    name: Words
    basis: LawRef
    place: Place


class FormerName(msgspec.Struct, frozen=True):
    """A name that an organisation bore in a period (组织历史名), or the name of one that was merged into it (`how`).

    `uscc` is the credit code that went with the name, where it was another one.
    """

    name: str
    from_: dt.date | None
    to: dt.date
    how: Literal["renamed", "merged"] = "renamed"
    uscc: str = ""


class Post(msgspec.Struct, frozen=True):
    """A post (岗位): what whoever holds it may do. Powers are named by matters' steps."""

    id: str
    name: Words
    powers: tuple[str, ...]
    place: Place


class Organisation(msgspec.Struct, frozen=True):
    """A department and its units (部门). File: organisations/<id>.yaml, `kind: organisation/1`.

    `level` is where it stands; `units_at` says that one unit of it exists per division of that level
    (for example a police station per town), named by `unit_name` with `{division}` in it.
    """

    id: str
    name: Words
    short: Words
    level: Literal["city", "district", "town", "village"]
    parent: str | None
    uscc: str
    units_at: Literal["city", "district", "town", "village"]
    unit_name: Words
    former: tuple[FormerName, ...]
    posts: tuple[Post, ...]
    contact: str
    review_body: Words
    court: Words
    place: Place


class Party(msgspec.Struct, frozen=True):
    """Someone or something that a matter reads about, and how it is found.

    Exactly one way: `given` (the signed-in person, or the enterprise acted for), or `match`: pairs of
    (fields of this register, `party.field` of an earlier party); several fields in one pair mean "either".
    `where` keeps records whose field has the value. `pick`: one = at most one expected, latest = newest by
    `order_by`, choose = the applicant chooses, shown by `label` fields.
    """

    id: str
    name: Words
    register: str
    given: bool
    match: tuple[tuple[tuple[str, ...], str], ...]
    where: Mapping[str, str]
    pick: Literal["one", "latest", "choose"]
    order_by: str | None
    label: tuple[str, ...]
    required: bool
    place: Place


class Option(msgspec.Struct, frozen=True):
    """One answer that may be chosen; label and detail are FEEL expressions that give text, or plain words."""

    value: str
    label: Words | None
    label_from: Expression | None
    detail: Words | None
    detail_from: Expression | None
    when: Expression | None
    place: Place


class OptionsFrom(msgspec.Struct, frozen=True):
    """Options taken from a declared list of places (for example vaccination clinics), nearest first."""

    places: str
    near: Expression
    take: int
    place: Place


class Question(msgspec.Struct, frozen=True):
    """Something that nobody can know but the applicant, or (if_silent) that a register failed to say.

    `datum` is the concept asked for. Asking for a register's datum without `if_silent` is an error.
    `check`: person_name | phone | address | none: which kernel check a text must pass.
    """

    id: str
    asks: Words
    hint: Words
    reason: Words
    datum: str
    type: Literal["text", "choice", "date", "boolean", "number", "address", "phone"]
    options: tuple[Option, ...]
    options_from: OptionsFrom | None
    ask_when: Expression | None
    if_silent: str | None
    check: str
    max_length: int
    group: str
    autofill: str
    place: Place


class Need(msgspec.Struct, frozen=True):
    """What an item needs to know: register facts (`party.field`) for one purpose on one legal basis."""

    facts: tuple[str, ...]
    purpose: str
    basis: LawRef
    when: Expression | None
    place: Place


class Material(msgspec.Struct, frozen=True):
    """A paper or file that the applicant must still bring (申请材料)."""

    id: str
    name: Words
    licence: str | None
    issuer: str | None
    basis: LawRef
    when: Expression | None
    place: Place


class Choice(msgspec.Struct, frozen=True):
    """A way out that an official has at an exception, with what it costs in time."""

    id: str
    name: Words
    detail: Words
    effect: Literal["continue", "ask_applicant", "refer"]
    place: Place


class Check(msgspec.Struct, frozen=True):
    """A rule that the system checks by itself; when it fails, it is the one thing an official must judge.

    `compare` are two `party.field` shown side by side with the difference marked.
    """

    id: str
    rule: Expression
    says: Words
    exception: Words
    compare: tuple[str, str] | None
    basis: LawRef | None
    choices: tuple[Choice, ...]
    place: Place


class Step(msgspec.Struct, frozen=True):
    """One step of an item. auto: the system decides when every check holds. judge: an official with the power
    decides. issue: a document is made. deliver: it is handed over."""

    id: str
    name: Words
    kind: Literal["auto", "judge", "issue", "deliver"]
    power: str | None
    after: tuple[str, ...]
    checks: tuple[Check, ...]
    promise: Length | None
    place: Place


class Write(msgspec.Struct, frozen=True):
    """A change in a register that granting an item causes: (field, FEEL expression) pairs.

    `party` names the party whose record gets a new version; without it a new record is made.
    """

    register: str
    party: str | None
    fields: tuple[tuple[str, Expression], ...]
    when: Expression | None
    place: Place


class Item(msgspec.Struct, frozen=True):
    """One service item (事项) inside a one-thing, done by one department on its own clock.

    `place_of`: FEEL expression giving the division code whose unit does it. `after`: items it waits for.
    `writes`: register changes that granting it causes. `code_verified` says whether the item code was held
    against the national list of items.
    """

    id: str
    code: str
    name: Words
    department: str
    task_type: str
    project_type: Literal["instant", "promised"]
    basis: tuple[LawRef, ...]
    applies: Expression | None
    not_applicable: Words
    needs: tuple[Need, ...]
    answers: tuple[str, ...]
    materials: tuple[Material, ...]
    after: tuple[str, ...]
    clock: str
    promise: Length
    place_of: Expression | None
    steps: tuple[Step, ...]
    document: str | None
    granted: Words
    refused: Words
    done_already: Expression | None
    visits: int
    place: Place
    writes: tuple[Write, ...] = ()
    code_verified: bool = False


class Document(msgspec.Struct, frozen=True):
    """A result document (结果证照) that an item issues; `fields` are (label, FEEL expression giving text)."""

    id: str
    name: Words
    issuer: str
    licence_type: str
    fields: tuple[tuple[Words, Expression], ...]
    trust_level: Literal["A", "B", "C", "D"]
    place: Place


class Show(msgspec.Struct, frozen=True):
    """A group of prefilled facts on the form page. Lines are (label, facts or FEEL text)."""

    id: str
    name: Words
    lines: tuple[tuple[Words, Expression], ...]
    folded: bool
    place: Place


class Consent(msgspec.Struct, frozen=True):
    """Another party's consent that some items wait for (共同同意); never the applicant's own."""

    id: str
    parties: tuple[str, ...]
    items: tuple[str, ...]
    asks: Words
    when: Expression | None
    basis: LawRef
    expires: Length
    place: Place


class Baseline(msgspec.Struct, frozen=True):
    """What the same thing cost people before, with its source; shown only with that source."""

    asked: int
    materials: int
    visits: int
    links: int
    days: int
    source: Words
    verified: bool
    place: Place


class Matter(msgspec.Struct, frozen=True):
    """A one-thing (一件事) or a single matter (事项). File: matters/<id>/matter.yaml, `kind: matter/1`.

    `words` are the page's sentences by key, zh and en, from words.zh.yaml and words.en.yaml beside it.
    `names`: (id, expression) pairs evaluated in order and usable in later expressions.
    """

    id: str
    name: Words
    summary: Words
    audience: Literal["person", "enterprise"]
    theme: str
    icon: str
    lead: str
    purpose: str
    basis: tuple[LawRef, ...]
    search: tuple[str, ...]
    parties: tuple[Party, ...]
    names: tuple[tuple[str, Expression], ...]
    eligible: tuple[tuple[Expression, Words], ...]
    questions: tuple[Question, ...]
    items: tuple[Item, ...]
    documents: tuple[Document, ...]
    shows: tuple[Show, ...]
    consents: tuple[Consent, ...]
    title_of: Expression
    place_of: Expression
    baseline: Baseline
    words: Mapping[str, Words]
    version: str
    place: Place


class Division(msgspec.Struct, frozen=True):
    """An administrative division (行政区划). `mca_code` is the civil-affairs code, `nbs_code` the statistics code;
    either may be empty, they differ for most towns. `en` is the English name, empty where the city gave none. District codes have 6 digits, towns 9, villages 12.
    `successor` is the code that the larger part of an abolished one went to, empty otherwise."""

    code: str
    mca_code: str
    nbs_code: str
    name: str
    level: Literal["city", "district", "town", "village"]
    parent: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    centre: tuple[float, float] | None
    en: str = ""
    successor: str = ""

    def called(self, lang: str) -> str:
        """The name in the reader's language; Chinese where the city gave no other."""
        return self.en if lang == "en" and self.en else self.name


class ServicePlace(msgspec.Struct, frozen=True):
    """A place of service, such as a vaccination clinic or a window (服务网点). File: places/<list>.csv."""

    id: str
    list: str
    name: str
    division: str
    address: str
    lon: float
    lat: float
    hours: str
    phone: str


class Geography(msgspec.Struct, frozen=True):
    """Where the divisions come from: source and licence in words, the shapes' file, and every validity that a
    code of the city ever had (历史区划), one `Division` per period, so a code may occur more than once.
    `crosswalk` leads from a code that only the other system uses to the key in `City.divisions`."""

    source: str
    licence: str
    shapes: str
    history: tuple[Division, ...]
    crosswalk: Mapping[str, str] = {}


class City(msgspec.Struct, frozen=True):
    """A whole checked city: what every engine runs from. `version` is the SHA-256 of all declarations."""

    id: str
    name: Words
    code: str
    timezone: str
    working_hours: tuple[tuple[str, str], ...]
    after_hours: Literal["next_workday", "same_day"]
    hotline: str
    languages: tuple[str, ...]
    demonstration: bool
    number_prefix: str
    calendar_overrides: Mapping[int, tuple[tuple[dt.date, ...], tuple[dt.date, ...]]]
    laws: Mapping[str, Law]
    clocks: Mapping[str, ClockDef]
    purposes: Mapping[str, Purpose]
    divisions: Mapping[str, Division]
    organisations: Mapping[str, Organisation]
    registers: Mapping[str, Register]
    places: Mapping[str, tuple[ServicePlace, ...]]
    matters: Mapping[str, Matter]
    version: str
    geography: Geography = Geography("", "", "", ())
    place_sources: Mapping[str, str] = {}
    bad_rating: BadRating | None = None
    sources: Mapping[str, Source] = {}
    datasets: Mapping[str, Dataset] = {}
    seal_grounds: Mapping[str, SealGround] = {}
