"""Everything under a grant, in parts on disk: goes on where it stopped, and keeps no part that is not what the base signed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from dizuo.node.client import PREFIX, BaseClient
from dizuo.node.errors import PartDamaged
from dizuo.node.home import write_private

_STATE: Final = "download.json"
_ENDINGS: Final = {"csv": "csv", "parquet": "parquet", "arrow": "arrows"}
Tell = Callable[[int, int], None]


class _Started(msgspec.Struct):
    id: str
    format: str


def download(
    client: BaseClient,
    grant: int,
    folder: Path,
    *,
    format: str = "parquet",
    fields: Sequence[str] = (),
    part_size: int | None = None,
    tell: Tell = lambda part, rows: None,
) -> Any:
    """Fetch all parts into ``folder``; gives the manifest, also kept there as download.json. Run again, it goes on.

    ``tell(part, rows)`` is called for each. Errors: BaseSaidNo, AnswerNotBelieved, BaseUnreachable, PartDamaged.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    state = folder / _STATE
    if state.exists():
        begun = msgspec.json.decode(state.read_bytes(), type=_Started)
        manifest = _manifest(client, begun.id)
    else:
        wanted: dict[str, object] = {"grant": grant, "format": format, "fields": list(fields)}
        if part_size is not None:
            wanted["part_size"] = part_size
        manifest = client.call("POST", f"{PREFIX}/bulk", wanted, what="bulk", about=wanted).json()
        write_private(state, msgspec.json.encode(manifest))
    part = 0
    final = False
    while not final:
        part += 1
        path = folder / f"part-{part:05d}.{_ENDINGS[manifest['format']]}"
        known = _known(manifest, part)
        if known is None or not path.exists() or _sha256(path) != known["sha256"]:
            answered = client.call(
                "GET", f"{PREFIX}/bulk/{manifest['id']}/parts/{part}", what="bulk_part", about={"part": part}
            )
            write_private(path, answered.body)
            manifest = _manifest(client, manifest["id"])
            known = _known(manifest, part)
            if known is None or _sha256(path) != known["sha256"]:
                path.unlink()
                raise PartDamaged(part=part)
            write_private(state, msgspec.json.encode(manifest))
        tell(part, int(known["rows"] or 0))
        final = bool(known["final"])
    return manifest


def _manifest(client: BaseClient, bulk: str) -> Any:
    return client.call("GET", f"{PREFIX}/bulk/{bulk}", what="bulk_manifest").json()


def _known(manifest: Any, part: int) -> Any:
    return next((one for one in manifest["parts"] if one["part"] == part and one["sha256"]), None)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
