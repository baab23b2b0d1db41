"""The exchange behind its door, in this process: real routes, real shell, real database; and callers that sign."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
from exchange_town import BASE, ExchangeTown
from starlette.applications import Starlette

from dizuo.doors import data
from dizuo.foundation.kernel.clock_source import Now, SystemNow
from dizuo.foundation.signing import PublicKey, Signed, verify_response
from dizuo.web import Shell, Site, build


@dataclass
class Behind:
    """What the door sees of the installation."""

    city: Any
    pool: Any
    data: Path
    now: Now


def make_app(city: Any, pool: Any, folder: Path) -> Starlette:
    """The application with the data door alone."""
    site = Site("小城", "Small", "12345", demonstration=True, secure=False, version="1")
    app = build(Shell((data.DOOR,), site=site, secret=b"s" * 32, log=io.StringIO()))
    app.state.dizuo = Behind(city, pool, folder, SystemNow())
    return app


class ExchangeWeb:
    """Signed requests to the application and their answers, each answer's signature checked."""

    def __init__(self, town: ExchangeTown, app: Starlette) -> None:
        self.town = town
        self.app = app
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE)
        self._keys: dict[str, PublicKey] = {}

    async def keys(self) -> dict[str, PublicKey]:
        if not self._keys:
            told = (await self.client.get("/data/exchange/v1/keys")).json()
            self._keys = {one["kid"]: PublicKey.from_jwk(one) for one in told["keys"]}
        return self._keys

    async def send(
        self, sent: Signed, path: str, body: bytes, method: str = "POST", **headers: str
    ) -> httpx.Response:
        """As signed; ``headers`` replace. The answer must be the server's and to this call."""
        answer = await self.client.request(method, path, content=body, headers={**sent.headers, **headers})
        if "signature" in answer.headers and not headers:
            await self.check(answer, sent)
        return answer

    async def check(self, answer: httpx.Response, sent: Signed) -> None:
        known = await self.keys()
        fields = {name.lower(): value for name, value in answer.headers.items()}
        verify_response(
            answer.status_code, fields, answer.content, sent, known.__getitem__, now=self.town.now()
        )

    async def post(self, path: str, body: dict[str, Any] | bytes, **more: Any) -> httpx.Response:
        """One signed call."""
        sent, content = self.town.signed(path, body, **more)
        return await self.send(sent, path, content)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        sent, _ = self.town.signed(path, b"", method="GET", **more)
        return await self.send(sent, path, b"", "GET")


def question(*who: str, **more: Any) -> dict[str, Any]:
    """A body that fits the town's grant."""
    cited = {
        "resource": "R/person",
        "matter": "newborn",
        "basis": "social:58",
        "case": "X2026-1",
        "fields": ["name"],
    }
    subjects = [{"citizen_id": one} for one in who]
    return {**cited, **({"subject": subjects[0]} if len(subjects) == 1 else {"subjects": subjects}), **more}


def as_json(answer: httpx.Response) -> dict[str, Any]:
    return msgspec.json.decode(answer.content)
