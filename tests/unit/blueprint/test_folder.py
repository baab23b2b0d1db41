"""What a repository cannot hold: links, pipes, huge files; and what is left alone beside declarations."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from broken_cities import GOOD

from dizuo.foundation.blueprint import Report, check_city
from dizuo.foundation.blueprint.checks.organisations import cycles


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOOD, tmp_path / "city"))


def only(report: Report) -> tuple[str, str, str]:
    """Code, place and message of the one finding."""
    assert len(report.findings) == 1, report.render()
    finding = report.findings[0]
    return finding.code, str(finding.place), finding.message


def test_no_such_folder(tmp_path: Path) -> None:
    report = check_city(tmp_path / "nowhere")
    assert only(report)[0] == "no-city"
    assert report.city is None


def test_a_link_out_of_the_folder_is_not_followed(city: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret.yaml"
    outside.write_text("kind: law/1\npassword: hunter2\n", encoding="utf-8")
    (city / "laws" / "stolen.yaml").symlink_to(outside)
    report = check_city(city)
    assert only(report) == ("leaves-folder", "laws/stolen.yaml:1:1", "这个链接指向城市文件夹以外。")
    assert "hunter2" not in report.render()


def test_a_linked_folder_out_of_the_city_is_not_walked(city: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "secret.yaml").write_text("kind: law/1\n", encoding="utf-8")
    (city / "matters" / "linked").symlink_to(other)
    assert only(check_city(city))[0] == "leaves-folder"


@pytest.mark.parametrize("target", ["missing.yaml", "self.yaml"])
def test_links_that_lead_nowhere(city: Path, target: str) -> None:
    (city / "laws" / "self.yaml").symlink_to(city / "laws" / target)
    assert only(check_city(city))[0] == "leaves-folder"


def test_a_link_within_the_folder_is_read(city: Path) -> None:
    (city / "laws" / "again.yaml").symlink_to(city / "laws" / "hukou-1958.yaml")
    report = check_city(city)
    assert report.city is not None
    assert "again" in report.city.laws


def test_a_file_of_100_mb_is_refused_without_reading(city: Path) -> None:
    for name in ("laws/huge.yaml", "places/clinics.csv"):
        with open(city / name, "wb") as file:
            file.truncate(100 * 1024 * 1024)  # sparse: nothing is written, and nothing may be read
    report = check_city(city)
    told = {str(finding.place): finding.message for finding in report.findings if finding.code == "too-large"}
    assert told == {
        "laws/huge.yaml:1:1": "文件有 100.0 MB，上限是 2 MB；没有读取。",
        "places/clinics.csv:1:1": "文件有 100.0 MB，上限是 64 MB；没有读取。",
    }


def test_a_pipe_does_not_hang_the_checker(city: Path) -> None:
    os.mkfifo(city / "laws" / "pipe.yaml")
    assert only(check_city(city)) == ("unexpected-file", "laws/pipe.yaml:1:1", "这不是普通文件。")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_file(city: Path) -> None:
    (city / "laws" / "hukou-1958.yaml").chmod(0)
    assert "unreadable" in {finding.code for finding in check_city(city).findings}


def test_too_many_nodes(city: Path) -> None:
    numbers = ", ".join(["1"] * 200_001)
    (city / "laws" / "many.yaml").write_text(f"kind: law/1\ntitle: [{numbers}]\n", encoding="utf-8")
    assert only(check_city(city)) == ("too-large", "laws/many.yaml:2:599994", "内容超过 200,000 个节点。")


def test_long_texts_and_expressions(city: Path) -> None:
    matter = city / "matters" / "shop" / "matter.yaml"
    text = matter.read_text(encoding="utf-8")
    matter.write_text(
        text.replace("开一家店", "店" * 4_001).replace("'area > 0'", f"'area > {'0' * 4_000}'"),
        encoding="utf-8",
    )
    assert [finding.code for finding in check_city(city).findings] == ["too-large", "too-large"]


def test_texts_images_and_hidden_files_are_left_alone(city: Path) -> None:
    for name in ("README.md", "NOTICE", "matters/birth/picture.png", ".gitkeep", "notes.txt"):
        (city / name).write_bytes(b"\xff\x00 not even text")
    (city / ".git").mkdir()
    (city / ".git" / "hook.py").write_text("raise SystemExit", encoding="utf-8")
    before = check_city(GOOD).city
    after = check_city(city).city
    assert before is not None
    assert after is not None
    assert after.version == before.version


def test_the_version_is_the_content(city: Path) -> None:
    first = check_city(city).city
    assert first is not None
    law = city / "laws" / "hukou-1958.yaml"
    law.write_text(law.read_text(encoding="utf-8") + "# one more line\n", encoding="utf-8")
    second = check_city(city).city
    assert second is not None
    assert second.version != first.version
    assert second.matters["birth"].version == first.matters["birth"].version
    words = city / "matters" / "birth" / "words.zh.yaml"
    words.write_text(words.read_text(encoding="utf-8") + "# one more line\n", encoding="utf-8")
    third = check_city(city).city
    assert third is not None
    assert third.matters["birth"].version != first.matters["birth"].version
    assert third.matters["shop"].version == first.matters["shop"].version


def test_bytes_moved_between_files_change_the_version(city: Path) -> None:
    one, other = city / "laws" / "a.csv", city / "laws" / "b.csv"
    one.write_text("12", encoding="utf-8")
    other.write_text("3", encoding="utf-8")
    first = check_city(city).city
    one.write_text("1", encoding="utf-8")
    other.write_text("23", encoding="utf-8")
    second = check_city(city).city
    assert first is not None
    assert second is not None
    assert first.version != second.version


def test_thousands_of_mistakes_end_in_one_sentence(city: Path) -> None:
    keys = "\n".join(f"key_{n}: 1" for n in range(50_000))
    (city / "laws" / "odd.yaml").write_text(f"kind: law/1\n{keys}\n", encoding="utf-8")
    report = check_city(city)
    assert len(report.findings) == 1_001
    assert [finding.code for finding in report.findings].count("too-many") == 1
    assert report.city is None


def test_a_table_of_too_many_rows(city: Path) -> None:
    rows = "".join(f"c{n},x,990101,y,120.1,31.5,z,\n" for n in range(200_002))
    (city / "places" / "clinics.csv").write_text(
        f"id,name,division,address,lon,lat,hours,phone\n{rows}", encoding="utf-8"
    )
    assert only(check_city(city)) == ("too-large", "places/clinics.csv:200002:1", "表格超过 200,000 行。")


def test_brackets_without_end_are_refused_quickly(city: Path) -> None:
    (city / "laws" / "deep.yaml").write_text("kind: law/1\ntitle: " + "[" * 1_000_000, encoding="utf-8")
    assert only(check_city(city))[0] == "too-deep"


def test_a_chain_longer_than_the_stack(city: Path) -> None:
    """Thousands of items that wait for one another in one line, closed to a circle at the end."""
    matter = city / "matters" / "shop" / "matter.yaml"
    text = matter.read_text(encoding="utf-8")
    links = "".join(f"  link_{n}: {{after: [link_{(n + 1) % 2_000}]}}\n" for n in range(2_000))
    matter.write_text(text.replace("items:\n", f"items:\n{links}"), encoding="utf-8")
    codes = {finding.code for finding in check_city(city).findings}
    assert codes >= {"missing-key", "too-many"}


def test_cycles_are_found_without_recursion() -> None:
    ring = {f"n{n:05}": [f"n{(n + 1) % 20_000:05}"] for n in range(20_000)}
    (loop,) = cycles(ring)
    assert loop[0] == loop[-1] == "n00000"
    assert len(loop) == 20_001
    assert cycles({"b": ["c"], "c": ["b", "d"], "d": ["c"], "e": ["b"], "f": ["f"], "g": ["missing"]}) == [
        ["b", "c", "b"],
        ["c", "d", "c"],
        ["f", "f"],
    ]


@pytest.mark.parametrize("name", [b"\xb3\xc7\xca\xd0.yaml", b"a\x1b[31mb.yaml", b"two\nlines.yaml"])
def test_names_that_cannot_be_shown(city: Path, name: bytes) -> None:
    path = os.path.join(os.fsencode(city / "laws"), name)
    try:
        with open(path, "wb") as file:
            file.write(b"kind: law/1\n")
    except OSError:
        pytest.skip("this file system refuses such a name")
    report = check_city(city)
    assert only(report)[2] == "文件名里有不能显示的字符。"
    assert "\x1b" not in report.render()


def test_hidden_links_are_links_too(city: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("x", encoding="utf-8")
    (city / ".hidden").symlink_to(tmp_path / "outside")
    assert only(check_city(city))[0] == "leaves-folder"
