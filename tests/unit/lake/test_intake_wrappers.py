"""Landing and wrappers: bytes are kept as they came, archives are looked at before they are believed."""

from __future__ import annotations

import gzip
import io
import os
import stat
import warnings
import zipfile
from pathlib import Path

import pytest
from intake_sources import a_row, a_source, csv_text, take

from dizuo.engines.lake.intake.errors import (
    ArchiveBomb,
    ArchiveRefused,
    FileCut,
    FileTooLarge,
    FileUnsafe,
    FormatDiffers,
    HeaderDiffers,
)
from dizuo.engines.lake.intake.landing import land, sweep
from dizuo.engines.lake.intake.limits import Limits
from dizuo.engines.lake.intake.places import Places

TEXT = csv_text([a_row(n) for n in range(500)]).encode()


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in members:
            archive.writestr(name, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def test_landed_bytes_are_named_by_content_read_only_and_kept_once(tmp_path: Path) -> None:
    places = Places(tmp_path / "lake")
    file = tmp_path / "x.csv"
    file.write_bytes(TEXT)
    first, again = land(file, places), land(io.BytesIO(TEXT), places)
    assert first.path == places.landed(first.sha256) == again.path
    assert first.path.read_bytes() == TEXT
    assert (first.new, again.new) == (True, False)
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o400
    assert sweep(places) == 0


def test_a_damaged_copy_is_replaced_and_a_killed_one_swept(tmp_path: Path) -> None:
    places = Places(tmp_path / "lake")
    landed = land([TEXT], places)
    landed.path.chmod(0o600)
    landed.path.write_bytes(b"x" * len(TEXT))
    assert land([TEXT], places).new
    assert landed.path.read_bytes() == TEXT

    def dies():
        yield TEXT
        (places.root / "landing" / ".incoming" / "left").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        land(dies(), places)
    assert sweep(places) == 1


def test_links_devices_and_too_much_are_not_landed(tmp_path: Path) -> None:
    places = Places(tmp_path / "lake")
    (tmp_path / "link").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "none", "."):
        with pytest.raises(FileUnsafe):
            land(tmp_path / name, places)
    with pytest.raises(FileTooLarge):
        land([TEXT], places, Limits(landed=100))
    assert sweep(places) == 0


@pytest.mark.parametrize(
    "content",
    [gzip.compress(TEXT), gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:]), zipped(("数据.csv", TEXT)), zipped(("a/", b""), ("a/x.txt", TEXT), ("__MACOSX/a/._x.txt", b"?"))],
)  # fmt: skip
def test_wrapped_files_are_read_like_plain_ones(tmp_path: Path, content: bytes) -> None:
    assert take(tmp_path, a_source(), content).outcome.read == 500


@pytest.mark.parametrize("cut", [5, 100, -9, -4])
def test_half_a_gzip_is_refused_and_leaves_nothing(tmp_path: Path, cut: int) -> None:
    with pytest.raises(FileCut):
        take(tmp_path, a_source(), gzip.compress(TEXT)[:cut])
    assert not list((tmp_path / "lake").rglob("*.parquet"))
    assert not list((tmp_path / "lake").rglob("*.part"))


def test_a_damaged_gzip_and_half_a_zip_are_refused(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(TEXT))
    packed[len(packed) // 2] ^= 0xFF
    for content in (bytes(packed), gzip.compress(TEXT) + b"more", zipped(("x.csv", TEXT))[:-30]):
        with pytest.raises(FileCut):
            take(tmp_path, a_source(), content)


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("x.csv")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped(("../x.csv", TEXT)), "目录外面"),
        (zipped(("/etc/x.csv", TEXT)), "目录外面"),
        (zipped(("C:x.csv", TEXT)), "目录外面"),
        (zipped(("a\\..\\x.csv", TEXT)), "目录外面"),
        (zipped(("x.csv", TEXT), ("../../y", b"")), "目录外面"),
        (zipped((link(), b"/etc/passwd")), "链接"),
        (zipped(("x.csv", TEXT), ("y.csv", TEXT)), "只有一个"),
        (zipped(), "却有 0 个"),
        (zipped(("x.zip", zipped(("x.csv", TEXT)))), "里面还是"),
        (gzip.compress(gzip.compress(TEXT)), "里面还是"),
        (gzip.compress(zipped(("x.csv", TEXT))), "里面还是"),
    ],
)
def test_tricks_in_archives_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(ArchiveRefused, match=words):
        take(tmp_path, a_source(), content)


def test_a_zip_with_a_password_says_so(tmp_path: Path) -> None:
    content = bytearray(zipped(("x.csv", TEXT)))
    content[6] |= 1  # the flag in the member's own header
    content[content.rfind(b"PK\x01\x02") + 8] |= 1  # and in the directory
    with pytest.raises(ArchiveRefused, match="密码"):
        take(tmp_path, a_source(), bytes(content))


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped(("x.csv", content))])
def test_a_bomb_is_stopped_while_it_unfolds(tmp_path: Path, pack: object) -> None:
    bomb = pack(TEXT[:400].split(b"\r\n")[0] + b"\r\n" + b"x" * (40 << 20))  # type: ignore[operator]
    assert len(bomb) < 100_000
    with pytest.raises(ArchiveBomb, match="200 倍"):
        take(tmp_path, a_source(), bomb)
    with pytest.raises(ArchiveBomb, match="展开超过"):
        take(tmp_path, a_source(), pack(TEXT), Limits(unpacked=1 << 10))  # type: ignore[operator]


def test_a_workbook_that_unfolds_too_far_is_stopped(tmp_path: Path) -> None:
    bomb = zipped(
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/workbook.xml", b'<workbook><sheets><sheet name="a" r:id="r1"/></sheets></workbook>'),
        ("xl/_rels/workbook.xml.rels", b'<r><Relationship Id="r1" Target="worksheets/sheet1.xml"/></r>'),
        ("xl/worksheets/sheet1.xml", b" " * (40 << 20)),
    )
    with pytest.raises(ArchiveBomb):
        take(tmp_path, a_source(format="xlsx"), bomb)


def test_two_cells_in_opposite_corners_are_a_bomb_too(tmp_path: Path) -> None:
    sheet = b'<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c><c s="1" r = \'XFD1048576\'><v>1</v></c></row></sheetData></worksheet>'
    bomb = zipped(
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/workbook.xml", b'<workbook><sheets><sheet name="a" r:id="r1"/></sheets></workbook>'),
        ("xl/_rels/workbook.xml.rels", b'<r><Relationship Id="r1" Target="worksheets/sheet1.xml"/></r>'),
        ("xl/worksheets/sheet1.xml", sheet),
    )
    with pytest.raises(ArchiveBomb, match="16,384"):
        take(tmp_path, a_source(format="xlsx"), bomb)


def test_xml_made_to_be_slow_is_read_in_time(tmp_path: Path) -> None:
    book = b"<sheet " * 140_000
    slow = zipped(
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", b"<Relationship " * 70_000),
        ("xl/worksheets/sheet1.xml", b'<c r="A1" t="e" ' * 300_000),
    )
    with pytest.raises((FileCut, HeaderDiffers)):
        take(tmp_path, a_source(format="xlsx"), slow)


def test_other_archives_are_named(tmp_path: Path) -> None:
    with pytest.raises(FormatDiffers, match="rar"):
        take(tmp_path, a_source(), b"Rar!\x1a\x07\x00" + b"\0" * 600)
