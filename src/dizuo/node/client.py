"""Calls to the base: signed, noted before they leave, and no answer believed that is not signed for the very call."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from dizuo.foundation.kernel.clock_source import Now, SystemNow
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.signing import Signed, sign_request, verify_response
from dizuo.node.base_keys import BaseKeys
from dizuo.node.errors import AnswerNotBelieved, BaseSaidNo, BaseUnreachable
from dizuo.node.home import NodeHome
from dizuo.node.journal import Journal

PREFIX: Final = "/data/exchange/v1"
_PATIENCE: Final = 60.0
_encode = msgspec.json.Encoder().encode
Method = Literal["GET", "POST"]


class Answered(msgspec.Struct, frozen=True):
    """An answer that is the base's, to our call: its body as it came. ``key`` signed it."""

    status: int
    body: bytes
    key: str

    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)


class BaseClient:
    """The base as seen from one node. ``close`` when done, or use as a context manager."""

    def __init__(self, home: NodeHome, now: Now | None = None, *, patience: float = _PATIENCE) -> None:
        self.home = home
        self.now: Now = now or SystemNow()
        self.journal = Journal(home.folder, self.now)
        self.keys = BaseKeys(home, self.now, self.journal)
        # Loaded where it is used: a command that calls nobody starts without it.
        self.httpx: Any = importlib.import_module("httpx")
        self.http: Any = self.httpx.Client(
            timeout=patience, trust_env=False, headers={"accept-encoding": "identity"}
        )

    def __enter__(self) -> BaseClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.keys.close()
        self.http.close()

    # ----------------------------------------------------------------------------------------------- what we ask

    def query(
        self,
        resource: str,
        subject: Mapping[str, str],
        fields: Sequence[str],
        *,
        matter: str,
        basis: str,
        case: str,
        purpose: str = "",
        grant: int | None = None,
    ) -> Any:
        """The granted fields about one subject ({citizen_id|uscc|key: value}). Errors: BaseSaidNo, AnswerNotBelieved, BaseUnreachable."""
        cited = self._cited(resource, fields, matter, basis, case, purpose, grant)
        return self._asked("query", {**cited, "subject": dict(subject)}, 1)

    def batch(
        self,
        resource: str,
        subjects: Sequence[Mapping[str, str]],
        fields: Sequence[str],
        *,
        matter: str,
        basis: str,
        case: str,
        purpose: str = "",
        grant: int | None = None,
    ) -> Any:
        """The same about many (at most 1,000 a call). Errors: as for ``query``."""
        cited = self._cited(resource, fields, matter, basis, case, purpose, grant)
        return self._asked("batch", {**cited, "subjects": [dict(one) for one in subjects]}, len(subjects))

    def grants(self) -> Any:
        """What we were ever granted."""
        return self.call("GET", f"{PREFIX}/grants", what="grants").json()

    def _asked(self, method: str, body: Mapping[str, object], subjects: int) -> Any:
        about = {name: body[name] for name in ("resource", "fields", "matter", "basis", "case")}
        return self.call(
            "POST", f"{PREFIX}/{method}", body, what=method, about={**about, "subjects": subjects}
        ).json()

    @staticmethod
    def _cited(
        resource: str,
        fields: Sequence[str],
        matter: str,
        basis: str,
        case: str,
        purpose: str,
        grant: int | None,
    ) -> dict[str, object]:
        cited: dict[str, object] = {
            "resource": resource,
            "matter": matter,
            "basis": basis,
            "case": case,
            "fields": list(fields),
        }
        if purpose:
            cited["purpose"] = purpose
        if grant is not None:
            cited["grant"] = grant
        return cited

    # -------------------------------------------------------------------------------------------------- one call

    def call(
        self,
        method: Method,
        path: str,
        body: object = None,
        *,
        what: str,
        about: Mapping[str, object] | None = None,
    ) -> Answered:
        """One signed call with its verified answer; noted before and after.

        Errors: BaseSaidNo for a signed refusal, AnswerNotBelieved, BaseUnreachable, NodeKeyMissing, BaseNotTrusted.
        """
        self.home.trusted()
        url = self.home.settings.base + path
        content = b"" if body is None else _encode(body)
        signed = sign_request(
            self.home.signing_key(), method, url, now=int(self.now().timestamp()), body=content
        )
        noted = self.journal.note(what, path=path, **(about or {}))
        try:
            response = self.http.request(method, url, content=content or None, headers=dict(signed.headers))
        except self.httpx.HTTPError as error:
            self.journal.note("no_answer", to=noted, why=type(error).__name__)
            raise BaseUnreachable(5, why=f"{type(error).__name__}: {error}"[:200]) from error
        answered = self._believed(
            response.status_code, dict(response.headers), response.content, signed, noted
        )
        self.journal.note("answer", to=noted, status=answered.status, key=answered.key)
        if answered.status >= 300:
            raise BaseSaidNo(answered.status, _told(answered.body))
        return answered

    def _believed(
        self, status: int, headers: Mapping[str, str], body: bytes, sent: Signed, noted: str
    ) -> Answered:
        try:
            now = int(self.now().timestamp())
            key = verify_response(status, headers, body, sent, self.keys.find, now=now).key
        except DizuoError as error:
            self.journal.note("not_believed", to=noted, status=status, code=error.code)
            raise AnswerNotBelieved(status=status, why=error.message.rstrip("。")) from error
        return Answered(status, body, key.id)

    def fetch_keys(self) -> bytes:
        """The base's public keys as it publishes them, believed by nobody yet. Errors: BaseUnreachable, BaseKeysInvalid."""
        return self.keys.fetch()[1]


def _told(body: bytes) -> Mapping[str, object]:
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except msgspec.DecodeError:
        return {}
