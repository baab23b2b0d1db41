"""The contract of a source: how and when it arrives, without contradicting itself."""

from __future__ import annotations

from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.findings import Span
from dizuo.foundation.blueprint.model import Length
from dizuo.foundation.blueprint.model_source import Source, SourceColumn

# A promise is not a statute: nominal lengths in days are enough to see that it outlasts its cycle.
_DAYS = {
    "hour": 1 / 24,
    "work_hour": 1 / 8,
    "workday": 1.4,
    "calendar_day": 1.0,
    "month": 30.0,
    "year": 365.0,
}
_UNITS = {
    "hour": "小时",
    "work_hour": "个工作小时",
    "workday": "个工作日",
    "calendar_day": "天",
    "month": "个月",
    "year": "年",
}
_CYCLES = {
    "realtime": ("实时", 1.0),
    "daily": ("每日", 1.4),
    "weekly": ("每周", 7.0),
    "monthly": ("每月", 31.0),
    "quarterly": ("每季度", 92.0),
    "yearly": ("每年", 366.0),
}


def check(draft: Draft, source: Source, file: str) -> None:
    delivery = source.delivery

    def contradicts(key: str, message: str, fix: str) -> None:
        draft.log.add("delivery-contradicts", draft.at(file, "delivery", key), message, fix=fix)

    for key, formats in (("encoding", ("csv",)), ("delimiter", ("csv",)), ("table", ("table",))):
        if draft.has(file, "delivery", key) and delivery.format not in formats:
            contradicts(key, f"格式是 {delivery.format}，不该写 {key}。", "删掉它，或改 format。")
    if delivery.format == "table" and delivery.table is None and not draft.has(file, "delivery", "table"):
        contradicts(
            "format", "没有写从哪个库表取（table）。", "补上 `table: {schema: …, name: …, watermark: …}`。"
        )
    if delivery.format == "push" and delivery.mode == "full":
        contradicts("mode", "接口一次推送几条，不会是全部。", "改为 `mode: changes`。")
    if delivery.mode == "changes" and draft.has(file, "delivery", "largest_drop"):
        contradicts("largest_drop", "增量本来就有多有少，少了说明不了什么。", "删掉它；只有全量才写。")
    if delivery.cycle == "realtime" and delivery.format not in ("push", "table"):
        contradicts(
            "cycle", f"{delivery.format} 文件做不到实时。", "改为 `format: push` 或 `table`，或改更新周期。"
        )
    elif delivery.cycle == "realtime" and delivery.mode == "full":
        contradicts("cycle", "每次送全部，做不到实时。", "改为 `mode: changes`，或改更新周期。")
    if delivery.table is not None:
        at = draft.at(file, "delivery", "table", "watermark")
        name = delivery.table.watermark
        if draft.refer("column", "列", name, source.columns, at):
            column = source.columns[name]
            if column.as_ not in ("date", "datetime", "integer"):
                unfit(draft, at, column, "取数的水位", ("datetime", "date", "integer"))
    said, longest = _CYCLES[delivery.cycle]
    if delivery.due.n and _days(delivery.due) > longest:
        draft.log.add(
            "due-too-long",
            draft.at(file, "delivery", "due"),
            f"{said}更新，却允许晚 {delivery.due.n} {_UNITS[delivery.due.unit]}：这一期还没到期，下一期就结束了。",
            fix="缩短 due，或改更新周期。",
        )


def _days(length: Length) -> float:
    return length.n * _DAYS[length.unit]


def unfit(draft: Draft, at: Span, column: SourceColumn, role: str, wanted: tuple[str, ...]) -> None:
    """Report that a column is standardised as something that cannot serve as ``role``."""
    draft.log.add(
        "column-type",
        at,
        f"列 `{column.id}` 按 {column.as_} 标准化，不能用作{role}。",
        fix=f"换一列，或把它改为 `as: {wanted[0]}`。",
    )
