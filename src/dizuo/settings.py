"""Where an installation keeps its things, and what the serving processes must know."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]
DATABASE_URL = "DIZUO_DATABASE_URL"
RUNTIME = "DIZUO_RUNTIME"


class Settings(msgspec.Struct, frozen=True):
    """One installation: its city folder, its data folder, its port.

    `city` holds declarations; `data` holds the embedded database, secrets (0700/0600), deliveries and the
    runtime file; `public_url` is what browsers use and decides whether cookies are Secure.
    """

    city: Path
    data: Path
    host: str = "127.0.0.1"
    port: int = 8000
    people: int = 20_000
    seed: int = 20_261_123
    workers: int = 2
    public_url: str = ""

    @property
    def secrets(self) -> Path:
        return self.data / "secrets"

    @property
    def deliveries(self) -> Path:
        return self.data / "deliveries"

    @property
    def runtime(self) -> Path:
        return self.data / "runtime.json"

    @property
    def url(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner can enter."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def secret(settings: Settings, name: str, length: int = 32) -> bytes:
    """A random secret kept in `<data>/secrets/<name>`, made on first use with mode 0600."""
    private_folder(settings.secrets)
    path = settings.secrets / name
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(length))
    return bytes.fromhex(path.read_text().strip())


class Runtime(msgspec.Struct, frozen=True):
    """What the web workers and the clerk need to know; written by `dizuo up`, holds passwords, hence mode 0600.

    `ledger_key` is the public verifier key as text; `oidc` is the folder-independent OpenID Connect configuration.
    """

    city: str
    data: str
    app_dsn: str
    sealer_dsn: str
    web_secret: str
    ledger_key: str
    ledger_origin: str
    public_url: str
    pool_size: int = 16
    oidc: dict[str, str] = {}


def write_runtime(settings: Settings, runtime: Runtime) -> Path:
    """Write the runtime file in one step, readable by its owner alone."""
    part = settings.runtime.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(runtime), indent=1))
    part.replace(settings.runtime)
    return settings.runtime


def read_runtime(path: str | None = None) -> Runtime:
    """The runtime file named by the argument, or by the environment variable `DIZUO_RUNTIME`."""
    return msgspec.json.decode(Path(path or os.environ[RUNTIME]).read_bytes(), type=Runtime)
