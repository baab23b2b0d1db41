"""The rules of DCAT-AP (SHACL shapes of SEMIC), where this checkout has them beside it."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pyshacl
import pytest
import rdflib

SHAPES = Path(os.environ.get("DIZUO_SHARED_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")
SHAPES = SHAPES / "schemas" / "dcat_ap_shacl"
SHACL = rdflib.Namespace("http://www.w3.org/ns/shacl#")
SETS = {
    "3.0.1": ("3.0.1_html_shacl_shapes.ttl", "3.0.1_html_shacl_range.ttl"),
    "3.0.1 vocabularies": ("3.0.1_html_shacl_mdr-vocabularies.shape.ttl",),
    "3.0.0 of the standard's own tool": ("3.0.0_shacl_dcat-ap-SHACL.ttl",),
    "HVD": ("3.0.0-hvd_shacl_hvd-SHACL.ttl",),
}


@cache
def shapes(rules: str) -> rdflib.Graph:
    """One set of rules."""
    found = rdflib.Graph()
    for name in SETS[rules]:
        found.parse(SHAPES / name, format="turtle")
    return found


def broken(graph: rdflib.Graph, rules: str) -> str:
    """What of a graph breaks a rule (severity sh:Violation), in words; '' when nothing does."""
    if not SHAPES.is_dir():
        pytest.skip("the DCAT-AP shapes are not here: set DIZUO_SHARED_DATA to the folder that has schemas/")
    _, report, told = pyshacl.validate(graph, shacl_graph=shapes(rules), inference="none")
    # What a warning is made of may be a violation inside it: the results of the report itself count.
    results = list(report.objects(None, SHACL.result))  # type: ignore[union-attr]
    wrong = [one for one in results if (one, SHACL.resultSeverity, SHACL.Violation) in report]  # type: ignore[operator]
    return str(told) if wrong else ""
