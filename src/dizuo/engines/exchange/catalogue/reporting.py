"""The report of an import as a file that a spreadsheet may open without running anything (CSV, UTF-8 with its mark)."""

from __future__ import annotations

import csv
import io
from typing import Final

from dizuo.engines.exchange.catalogue.importing import ImportReport
from dizuo.foundation.kernel.cells import harmless

VERDICTS: Final = {"new": "已收下", "changed": "已更新", "unchanged": "没有变化", "rejected": "退回"}
_HEAD: Final = ("行", "信息资源名称", "结果", "信息资源代码", "原因", "怎么改", "说明")


def report_csv(report: ImportReport) -> bytes:
    """One line per row of the sheet; what a spreadsheet would compute is shown as text."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(_HEAD)
    for row in report.rows:
        why = "；".join(fault.why for fault in row.faults)
        fix = "；".join(fault.fix for fault in row.faults)
        writer.writerow([harmless(text) for text in (str(row.line), row.title, VERDICTS[row.verdict], row.code, why, fix, "；".join(row.notes))])  # fmt: skip
    return out.getvalue().encode("utf-8-sig")
