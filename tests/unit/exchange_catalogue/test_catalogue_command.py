"""`dizuo catalogue publish|audit|import`, on the test's own database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from catalogue_records import ROOT

from dizuo import cli
from dizuo.commands import catalogue as command

SHEET = "信息资源名称,信息资源提供方,信息资源摘要,信息资源格式,信息项名称,共享类型,更新周期\n路灯,市城管局,路灯,库表,编号,无条件共享,每月\n坏的,市城馆局,路灯,库表,编号,无条件共享,每月\n"


@pytest.fixture
def here(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command finds this database where it would open the installation's."""

    @contextmanager
    def opened(data: Path) -> Iterator[Any]:
        yield database

    monkeypatch.setattr(command, "opened", opened)


def ran(*words: str) -> int:
    return cli.main(["catalogue", *words, "--city", str(ROOT / "cities" / "wuxi")])


def test_publish_twice_then_audit(here: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("publish") == 0
    first = capsys.readouterr().out
    assert " new" in first
    assert not first.startswith("0 new")
    assert ran("publish") == 0
    assert capsys.readouterr().out.startswith("0 new, 0 changed, 0 offline, 0 online")
    assert ran("audit") == 1
    told = capsys.readouterr().out
    assert "A2" in told
    assert " stand: " in told


def test_import_tells_every_row_and_writes_the_report(
    here: None, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    sheet, report = tmp_path / "目录.csv", tmp_path / "报告.csv"
    sheet.write_text(SHEET, encoding="gbk")
    assert ran("import", str(sheet), "--by", "data-steward", "--report", str(report)) == 1
    told = capsys.readouterr().out
    assert "您是不是要写：无锡市城市管理局" in told
    assert "1 of 2 rows" in told
    assert report.read_bytes().startswith(b"\xef\xbb\xbf")


def test_words_that_are_missing(here: None, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert ran("import") == 2
    assert ran("import", str(tmp_path / "none.csv"), "--by", "x") == 2
    told = capsys.readouterr().err
    assert "dizuo catalogue import" in told
    assert "读不了文件" in told
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.7")
    assert ran("import", str(tmp_path / "x.pdf"), "--by", "x") == 2
    assert "不是表格文件" in capsys.readouterr().err
