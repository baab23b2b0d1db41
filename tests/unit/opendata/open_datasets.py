"""Wuxi's folder and day, and datasets made up for a test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dizuo.foundation.blueprint.model import Place, Words
from dizuo.foundation.blueprint.model_dataset import Dataset, DatasetField, Gate, Made

CITY = Path(__file__).resolve().parents[3] / "cities" / "wuxi"
DAY = dt.date(2026, 11, 23)
AT = Place("datasets/x.yaml", 1, 1)


async def _nothing() -> Sequence[Mapping[str, object]]:
    return []


STATISTICS = {"work": _nothing, "data_quality": _nothing, "ledger": _nothing}


def made_up(id: str, columns: Mapping[str, str], **more: Any) -> Dataset:
    """A dataset with these columns (id → type), made from a statistic that the test supplies."""
    fields = {
        name: DatasetField(name, Words(name, name), kind, Words(""), "", "none", Words(""), False, True, AT)  # type: ignore[arg-type]
        for name, kind in columns.items()
    }
    whole: dict[str, Any] = {
        "id": id, "title": Words(f"数据 {id}", id), "abstract": Words("为测试编的"), "provider": "data", "theme": "business",
        "open_type": "unconditional", "condition": Words(""), "cycle": "daily", "licence": "", "spatial": Words(""),
        "temporal": Words(""), "also": (), "fields": fields, "made": Made(None, "", "work", None, "", AT),
        "gate": Gate(0, "refuse", 0.0, 0.0, (), AT), "shapes": False, "place": AT, **more,
    }  # fmt: skip
    return Dataset(**whole)
