"""How well Chinese addresses are taken apart, against real ones that people cut by hand (NAACL 2019, 14,927 addresses).

    python bench/addresses.py [--split test] [--wrong town --show 40]

The addresses are read from ``DIZUO_SHARED_DATA``/addresses (or ../shared/data/addresses) and never copied. Per kind of
part: how many the annotators marked, how many of them are cut exactly alike (recall), how many of ours are theirs
(precision), F1; then what share of addresses is wholly right in a group of parts. Rules were looked at with `train` and
`dev`; `test` only measures.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from pathlib import Path

import ibis

from dizuo.engines.lake.standard import cut, open_engine, stages_kept
from dizuo.engines.lake.standard.cutting import LEVELS

ROOT = Path(__file__).resolve().parents[1]
OURS = {
    "prov": "province", "city": "city", "district": "district", "town": "town", "community": "community",
    "devZone": "zone", "road": "road", "roadno": "number", "poi": "place", "subpoi": "inner_place",
    "houseno": "building", "cellno": "unit", "floorno": "floor", "roomno": "room",
}  # fmt: skip
ENDINGS = {"town": ("街道", "镇", "乡"), "community": ("社区", "村", "委会")}
GROUPS = {
    "province, city, district": ("province", "city", "district"),
    "town, community": ("town", "community"),
    "road, number": ("road", "number"),
    "building, unit, floor, room": ("building", "unit", "floor", "room"),
}


def addresses() -> Path:
    shared = os.environ.get("DIZUO_SHARED_DATA")
    return (
        (Path(shared) if shared else ROOT.parent / "shared" / "data")
        / "addresses"
        / "addresses_annotated.jsonl"
    )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--split", default="test", choices=["train", "dev", "test"])
    asked.add_argument("--wrong", choices=LEVELS, help="show addresses whose part of this kind differs")
    asked.add_argument("--show", type=int, default=30)
    asked.add_argument("--json", type=Path, help="write the figures here too")
    options = asked.parse_args()
    if not addresses().is_file():
        raise SystemExit("the annotated addresses are not here; set DIZUO_SHARED_DATA")
    given = [json.loads(line) for line in addresses().read_text(encoding="utf-8").splitlines()]
    given = [row for row in given if row["split"] == options.split]
    theirs = [_parts(row["parts"]) for row in given]
    ours, seconds = _cut([row["text"] for row in given])
    figures = {level: _figures(level, theirs, ours) for level in LEVELS}
    if options.wrong:
        _show(options.wrong, given, theirs, ours, options.show)
    print(f"{len(given):,} addresses of `{options.split}`, cut in {seconds:.2f} s")
    print(f"{'part':14} {'marked':>7} {'recall':>7} {'precision':>9} {'F1':>6}")
    for level, (marked, recall, precision, f1) in figures.items():
        print(f"{level:14} {marked:7,} {recall:7.3f} {precision:9.3f} {f1:6.3f}")
    for level, endings in ENDINGS.items():
        ended = [(a, b) for a, b in zip(theirs, ours, strict=True) if a.get(level, "").endswith(endings)]
        right = sum(a[level] == b.get(level) for a, b in ended)
        print(
            f"{level} written with its ending ({'、'.join(endings)}): {right / max(len(ended), 1):.3f} of {len(ended):,}"
        )
    whole = {name: _whole(levels, theirs, ours) for name, levels in GROUPS.items()}
    print("addresses wholly right in:")
    for name, (share, of) in whole.items():
        print(f"  {name:30} {share:6.3f} of {of:,} that have such a part")
    if options.json:
        told = {
            "split": options.split,
            "addresses": len(given),
            "seconds": round(seconds, 3),
            "parts": figures,
            "whole": whole,
        }
        options.json.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _parts(marked: list[list[str]]) -> dict[str, str]:
    """The first part of each kind that we speak of; `subRoad` and the like have no place of their own in ours."""
    found: dict[str, str] = {}
    for kind, text in marked:
        if kind in OURS:
            found.setdefault(OURS[kind], text)
    return found


def _cut(texts: list[str]) -> tuple[list[dict[str, str]], float]:
    engine = open_engine("1GB", 2)
    table = ibis.memtable({"n": list(range(len(texts))), "text": texts})
    started = time.perf_counter()
    with stages_kept():
        rows = engine.to_pyarrow(cut(table, "text").order_by("n")).to_pylist()
    seconds = time.perf_counter() - started
    return [
        {level: row[f"text_{level}"] for level in LEVELS if row[f"text_{level}"]} for row in rows
    ], seconds


def _figures(
    level: str, theirs: list[dict[str, str]], ours: list[dict[str, str]]
) -> tuple[int, float, float, float]:
    marked = sum(level in row for row in theirs)
    said = sum(level in row for row in ours)
    same = sum(level in a and a[level] == b.get(level) for a, b in zip(theirs, ours, strict=True))
    recall, precision = same / max(marked, 1), same / max(said, 1)
    return (
        marked,
        round(recall, 4),
        round(precision, 4),
        round(2 * recall * precision / max(recall + precision, 1e-9), 4),
    )


def _whole(
    levels: tuple[str, ...], theirs: list[dict[str, str]], ours: list[dict[str, str]]
) -> tuple[float, int]:
    having = [(a, b) for a, b in zip(theirs, ours, strict=True) if any(level in a for level in levels)]
    right = sum(all(a.get(level) == b.get(level) for level in levels) for a, b in having)
    return round(right / max(len(having), 1), 4), len(having)


def _show(
    level: str,
    given: list[dict[str, object]],
    theirs: list[dict[str, str]],
    ours: list[dict[str, str]],
    count: int,
) -> None:
    pairs: Counter[tuple[str, str]] = Counter()
    shown = 0
    for row, a, b in zip(given, theirs, ours, strict=True):
        if a.get(level) != b.get(level):
            pairs["missed" if level in a else "", "invented" if level in b else ""] += 1
            if shown < count:
                shown += 1
                print(
                    f"{a.get(level)!s:14} ours {b.get(level)!s:14} | {' '.join(f'{v}/{k}' for k, v in row['parts'])}"
                )
    print(dict(pairs))


if __name__ == "__main__":
    main()
