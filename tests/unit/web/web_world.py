"""A small door with one page of each kind, and a gate that knows two people."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.responses import Response

from dizuo.foundation.kernel.errors import Invalid, Refused, Stale, Unavailable
from dizuo.web import Files, Route, Shell, WebRequest, answer, attachment, json, page, redirect

FOLDER = Path(__file__).parent / "door"


@dataclass(frozen=True)
class Account:
    kind: str
    name: str


@dataclass(frozen=True)
class Session:
    account: Account
    csrf_key: bytes
    powers: tuple[str, ...] = ()


class KnownGate:
    """Two sessions: a resident and a clerk with one power."""

    def __init__(self) -> None:
        self.sessions = {
            "resident-token": Session(Account("resident", "演示甲"), b"r" * 32),
            "official-token": Session(Account("official", "演示乙"), b"o" * 32, ("psb.decide",)),
        }

    async def find(self, token: str) -> Session | None:
        return self.sessions.get(token)

    def has_power(self, session: Any, power: str) -> bool:
        return power in session.powers


async def front(request: WebRequest) -> Response:
    return page(request, "form.html", text=request.query_params.get("text", ""))


async def facts(request: WebRequest) -> Response:
    return answer(request, "form.html", {"text": "facts"}) if request.wants_json else await front(request)


async def sent(request: WebRequest) -> Response:
    return json(
        {"text": request.sent.text("text"), "all": request.sent.all("box"), "under": request.sent.under("a.")}
    )


async def files_sent(request: WebRequest) -> Response:
    told = [[f.field, f.name, f.declared, f.size, len(f.content), f.problem] for f in request.sent.files]
    return json({"text": request.sent.text("text"), "files": told, "held": request.shell.upload_space.held})


async def file_page(request: WebRequest) -> Response:
    return attachment(b"\xff\xd8\xff" + b"0" * 4000, "照片 1.jpg", "image/jpeg")


async def private(request: WebRequest) -> Response:
    return redirect("/done")


async def fails(request: WebRequest) -> Response:
    kind = request.path_params["kind"]
    if kind == "invalid":
        raise Invalid({"name": "请填写姓名。"})
    if kind == "stale":
        raise Stale()
    if kind == "refused":
        raise Refused(rule="case.view", law="个人信息保护法:51", message="只有经办岗位能看。")
    if kind == "unavailable":
        raise Unavailable(30)
    raise RuntimeError("secret value 320211199003071026")


ROUTES = (
    Route("GET", "/", front, purpose="Front page of the test.", who="public"),
    Route("GET", "/facts", facts, purpose="A page with a twin.", who="public", json=True),
    Route("GET", "/form", front, purpose="A form.", who="public"),
    Route("POST", "/form", sent, purpose="The form, submitted.", who="public"),
    Route("GET", "/files", front, purpose="A form with files.", who="resident"),
    Route(
        "POST", "/files", files_sent, purpose="Files.", who="resident", max_body=8_000, files=Files(2, 50_000)
    ),
    Route("GET", "/file", file_page, purpose="A file to keep.", who="public"),
    Route("GET", "/mine", private, purpose="For residents.", who="resident"),
    Route("GET", "/desk", private, purpose="For one power.", who="official:psb.decide"),
    Route("GET", "/other", private, purpose="For another power.", who="official:health.decide"),
    Route("GET", "/fails/{kind}", fails, purpose="Each family of errors.", who="public", json=True),
    Route("GET", "/cases/{number}", private, purpose="One case of a resident.", who="resident"),
)


@dataclass
class World:
    """The shell, a client to it, and what it wrote to the log."""

    shell: Shell
    client: httpx.AsyncClient
    log: io.StringIO

    def as_(self, token: str) -> None:
        self.client.cookies.set("dz_session", token)

    async def token(self, path: str = "/form") -> str:
        """The form token that the page carries."""
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.client.get(path)).text)
        assert found is not None
        return found[1]
