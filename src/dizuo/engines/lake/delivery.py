"""Deliveries on disk: a folder with one CSV per department and register, and manifest.json that vouches for them."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import msgspec

from dizuo.engines.lake.characters import DemoPerson
from dizuo.engines.lake.errors import DeliveryFolderUnusable

MANIFEST = "manifest.json"
NOTICE = "演示数据：全部为虚构，与任何真实个人和单位无关。"
AS_OF = "数据日期"


class DeliveryFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a delivery: who delivers which register, in which encoding, how many rows, which bytes."""

    path: str
    department: str
    department_name: str
    register: str
    register_name: str
    period_from: date
    period_to: date
    encoding: str
    delimiter: str = ","
    rows: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder of deliveries holds. `demo` are the characters that the demonstration sign-in offers."""

    kind: str = "delivery/1"
    notice: str
    city: str
    today: date
    people: int
    seed: int
    files: tuple[DeliveryFile, ...]
    demo: tuple[DemoPerson, ...] = ()


def read_manifest(folder: Path) -> Manifest:
    """The folder's manifest. Errors: DeliveryFolderUnusable when it is absent, broken or leads out of the folder."""
    path = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise DeliveryFolderUnusable(folder=folder.name, why="没有 manifest.json") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DeliveryFolderUnusable(folder=folder.name, why=f"manifest.json 读不懂（{error}）") from None
    root = folder.resolve()
    for file in manifest.files:
        if not (folder / file.path).resolve().is_relative_to(root):
            raise DeliveryFolderUnusable(folder=folder.name, why=f"清单里的 {file.path} 指到目录外面")
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest last, so that an interrupted folder is never taken for a whole one."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    beside = folder / (MANIFEST + ".part")
    beside.write_bytes(text)
    beside.replace(folder / MANIFEST)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in lower-case hexadecimal, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
