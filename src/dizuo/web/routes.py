"""The route table: what each address is for and who may open it. A row that does not say so does not start."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.responses import Response

from .forms import MAX_BODY
from .request import WebRequest
from .uploads import Files

Handler = Callable[[WebRequest], Awaitable[Response]]
DoorContext = Callable[[WebRequest], Mapping[str, object]]
SayLaw = Callable[[WebRequest, str], str]
AdmitKey = Callable[[WebRequest, str], Awaitable[object | None]]
_WHO = re.compile(r"public|any|resident|key|official(:[a-z][a-z0-9_.]*)?")
KEY = "key"
"""``who`` of a row for machines: no session, no cookie, no form; a bearer key that the door knows."""
_PATH = re.compile(r"/([a-z0-9_\-./]|\{[a-z_]+(:(int|path))?\})*")
METHODS = ("GET", "POST")


@dataclass(frozen=True)
class Route:
    """One row: ``purpose`` says in words why the page exists; ``who`` is public, any (signed in), resident,
    official, ``official:<power>``, or key (a machine that shows a bearer key; see ``Door.admit_key``). ``json`` adds the
    same address with ``.json``. ``max_body`` is in bytes, without files; ``files`` says that the row takes files, how many
    and how large."""

    method: str
    path: str
    handler: Handler
    purpose: str
    who: str
    json: bool = False
    max_body: int = MAX_BODY
    files: Files | None = None


@dataclass(frozen=True)
class Door:
    """A group of pages for the people who stand there.

    ``folder`` holds templates/ (with layout.html), static/ and the words; ``css`` are static file names;
    ``sign_in`` is where somebody unknown is sent; ``context`` adds what every page of the door shows;
    ``say_law`` writes `law:article` as people read it, on error pages; ``admit_key`` tells whose a bearer key is (None:
    nobody's) and is needed where a row is for keys.
    """

    name: str
    folder: Path
    routes: tuple[Route, ...]
    css: tuple[str, ...]
    sign_in: str
    prefix: str = "/"
    scripts: bool = False
    context: DoorContext | None = None
    say_law: SayLaw | None = None
    admit_key: AdmitKey | None = None
    globals: Mapping[str, object] = field(default_factory=dict[str, object])


class RouteTableError(ValueError):
    """The route table is incomplete; the message lists every row that is wrong."""


def check_routes(doors: Iterable[Door]) -> None:
    """Refuse a table in which a row lacks purpose or who, or two rows answer the same address.

    Errors: RouteTableError with all findings at once.
    """
    wrong: list[str] = []
    seen: dict[tuple[str, str], str] = {}
    for door in doors:
        for route in door.routes:
            name = f"{door.name}: {route.method} {route.path}"
            wrong += [f"{name}: {finding}" for finding in _findings(route)]
            if route.who == KEY and door.admit_key is None:
                wrong.append(f"{name}: it is for keys, but the door says of no key whose it is (admit_key)")
            key = (route.method, re.sub(r"\{[^}]*\}", "{}", route.path))
            if key in seen:
                wrong.append(f"{name}: the same address as {seen[key]}")
            seen[key] = name
    if wrong:
        raise RouteTableError("routes that cannot start:\n" + "\n".join(wrong))


def _findings(route: Route) -> list[str]:
    findings: list[str] = []
    if route.method not in METHODS:
        findings.append(f"the method is one of {', '.join(METHODS)} (HEAD comes with GET)")
    if not _PATH.fullmatch(route.path) or (route.path != "/" and route.path.endswith("/")):
        findings.append("a path begins with / , has no slash at the end, and is lower case")
    if len(route.purpose.strip()) < 4:
        findings.append("it does not say its purpose")
    if not _WHO.fullmatch(route.who):
        findings.append(
            "it does not say who may open it: public, any, resident, key, official or official:<power>"
        )
    if route.json and route.method != "GET":
        findings.append("only a GET page has a .json twin")
    if route.files and (route.method != "POST" or route.who == "public"):
        findings.append("files are taken only by POST and only from somebody who has signed in")
    return findings
