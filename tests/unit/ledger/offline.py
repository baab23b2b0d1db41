"""The verifier that needs no dizuo, as a module, and the published vectors."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
TOOL = ROOT / "tools" / "verify_ledger.py"
VECTORS = Path(os.environ.get("DIZUO_SHARED_DATA", ROOT.parent / "shared" / "data")) / "vectors"


def load_tool() -> Any:
    """tools/verify_ledger.py, imported from its file."""
    if "verify_ledger" not in sys.modules:
        spec = importlib.util.spec_from_file_location("verify_ledger", TOOL)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["verify_ledger"] = module
        spec.loader.exec_module(module)
    return sys.modules["verify_ledger"]


def vectors(archive: str, folder: str) -> Iterator[tuple[str, Any]]:
    """(name, content) of the JSON files below a folder of an archive of published vectors."""
    with tarfile.open(VECTORS / archive) as opened:
        for member in opened:
            if member.name.removeprefix("./").startswith(folder) and member.name.endswith(".json"):
                file = opened.extractfile(member)
                assert isinstance(file, io.BufferedIOBase)
                yield member.name, json.load(file)
