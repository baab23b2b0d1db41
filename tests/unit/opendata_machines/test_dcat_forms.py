"""Turtle, JSON-LD and RDF/XML say the same, parse with rdflib, and break no rule of DCAT-AP."""

from __future__ import annotations

import tracemalloc

import pytest
import rdflib
from dcat_rules import SETS, broken
from dcat_samples import BASE, CATALOGUE, awkward, sample
from hypothesis import given, settings
from hypothesis import strategies as st

from dizuo.engines.opendata import dcat
from dizuo.engines.opendata.dcat import Dataset, Said, Teller, address

PARSERS = {"ttl": "turtle", "jsonld": "json-ld", "rdf": "xml"}
DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")
DCT = rdflib.Namespace("http://purl.org/dc/terms/")


def written(kind: str, datasets: list[Dataset]) -> str:
    return "".join(dcat.written(dcat.FORMS[kind], Teller().document(CATALOGUE, datasets)))


def graph(kind: str, datasets: list[Dataset]) -> rdflib.Graph:
    return rdflib.Graph().parse(data=written(kind, datasets), format=PARSERS[kind])


@pytest.mark.parametrize("datasets", [[sample(n) for n in range(4)], awkward()], ids=["plain", "awkward"])
def test_the_three_forms_are_one_graph(datasets: list[Dataset]) -> None:
    ttl, jsonld, rdf = (set(graph(kind, datasets)) for kind in PARSERS)
    assert len(ttl) > 100
    assert ttl == jsonld
    assert ttl == rdf


def test_no_address_breaks_out_of_its_place() -> None:
    for kind in PARSERS:
        found = graph(kind, awkward())
        names = {str(term) for triple in found for term in triple if isinstance(term, rdflib.URIRef)}
        assert not [name for name in names if name.startswith(("evil:", "javascript:"))]
        assert not [name for name in names if any(sign in name for sign in '<>" {}|\\^`')]


def test_an_awkward_title_comes_through_whole() -> None:
    title = graph("ttl", awkward()).value(rdflib.URIRef(f"{BASE}/datasets/set-1"), DCT.title)
    assert str(title) == ('He said "quote" \\ back\\slash <b>&amp; tab\there\nnext line  ]]> 𠮷野家')


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_whatever_text_comes_the_forms_agree(title: str, keyword: str) -> None:
    datasets = [
        sample(1, title=Said("x" + title), keywords=(keyword,), landing="http://x.example/" + keyword)
    ]
    ttl, jsonld, rdf = (set(graph(kind, datasets)) for kind in PARSERS)
    assert ttl == jsonld == rdf


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("http://x.example/停车?a=1", "http://x.example/停车?a=1"),
        ("  http://x.example/a b", "http://x.example/a%20b"),
        ("http://x.example/100%", "http://x.example/100%25"),
        ('http://x.example/"><x', "http://x.example/%22%3E%3Cx"),
        ("javascript:alert(1)", ""),
        ("//x.example/a", ""),
        ("http:///a", ""),
        ("file:///etc/passwd", ""),
        ("http://[bad", ""),
    ],
)
def test_addresses_are_clean_or_none(text: str, clean: str) -> None:
    assert address(text) == clean


@pytest.mark.parametrize("rules", SETS)
def test_no_rule_of_the_application_profile_is_broken(rules: str) -> None:
    datasets = [sample(1), sample(2)]
    if rules != "HVD":  # the rules of high-value datasets are for those only
        datasets += awkward()
    assert broken(graph("ttl", datasets), rules) == ""


def test_the_rules_find_a_catalogue_without_publisher() -> None:
    """The checker itself is awake: the same catalogue with one triple less is refused."""
    found = graph("ttl", [sample(1)])
    found.remove((rdflib.URIRef(CATALOGUE.iri), DCT.publisher, None))
    assert "publisher" in broken(found, "3.0.1")


def test_a_long_catalogue_is_written_in_little_memory() -> None:
    """More than three megabytes of Turtle in little over half a one: nothing of a dataset is kept once it is written."""
    size = 0
    tracemalloc.start()
    try:
        for piece in dcat.written(
            dcat.FORMS["ttl"], Teller().document(CATALOGUE, (sample(n) for n in range(600)))
        ):
            size += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 3_000_000
    assert peak < 600_000
