"""`dizuo schema`: JSON Schemas for editors, generated from the same shapes that the checker reads."""

from __future__ import annotations

import argparse
import json

from dizuo.foundation.blueprint import KINDS, json_schema


def run(arguments: argparse.Namespace) -> int:
    """Write one schema per kind of declaration into `--out`, named `<kind>.schema.json`."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    for kind in sorted(KINDS):
        path = arguments.out / f"{kind.replace('/', '-')}.schema.json"
        path.write_text(json.dumps(json_schema(kind), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        print(path)
    return 0
