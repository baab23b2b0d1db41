"""The catalogue at its addresses: three forms of one graph, no rule broken, pages, conditional requests, one dataset."""

from __future__ import annotations

import httpx
import pytest
import rdflib
from dcat_rules import broken
from machines_world import Portal

from dizuo.doors.open.dcat import negotiated

DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")
TYPES = {"ttl": "text/turtle", "jsonld": "application/ld+json", "rdf": "application/rdf+xml"}
PARSERS = {"ttl": "turtle", "jsonld": "json-ld", "rdf": "xml"}


@pytest.fixture(scope="module")
def listed(machines: Portal) -> Portal:
    machines.arrange("parks", "停车场", 5)
    machines.arrange("limited", "有条件的", 2, open_type="conditional", theme="safety")
    machines.arrange_many({f"set-{n:03}": f"数据 {n}" for n in range(101)})
    return machines


def graph(portal: Portal, path: str, kind: str) -> rdflib.Graph:
    answer = httpx.get(portal.open + path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(TYPES[kind])
    return rdflib.Graph().parse(data=answer.content, format=PARSERS[kind])


def test_the_catalogue_is_one_graph_in_three_forms(listed: Portal) -> None:
    ttl, jsonld, rdf = (graph(listed, f"/catalog.{kind}", kind) for kind in TYPES)
    assert set(ttl) == set(jsonld) == set(rdf)
    assert len(set(ttl.objects(None, DCAT.dataset))) == 103
    assert len(set(ttl.subjects(rdflib.RDF.type, DCAT.Distribution))) == 103 * 6
    assert len(set(ttl.subjects(rdflib.RDF.type, DCAT.DataService))) == 2


def test_the_catalogue_breaks_no_rule(listed: Portal) -> None:
    whole = graph(listed, "/catalog.ttl?page=2", "ttl")
    for rules in ("3.0.1", "3.0.1 vocabularies", "3.0.0 of the standard's own tool"):
        assert broken(whole, rules) == ""


def test_high_value_datasets_keep_their_rules(listed: Portal) -> None:
    """Those rules are for datasets with a category; every spatial set has one."""
    assert broken(graph(listed, "/dcat/parks.ttl", "ttl"), "HVD") == ""


def test_one_dataset_is_told_in_every_form(listed: Portal) -> None:
    forms = [set(graph(listed, f"/dcat/parks.{kind}", kind)) for kind in TYPES]
    assert forms[0] == forms[1] == forms[2]
    home = rdflib.URIRef(f"{listed.open}/data/parks")
    assert (home, rdflib.RDF.type, DCAT.Dataset) in forms[0]
    limited = graph(listed, "/dcat/limited.ttl", "ttl")
    assert not list(limited.objects(None, DCAT.downloadURL))
    for path in ("/dcat/nosuch.ttl", "/dcat/parks.exe", "/dcat/nosuch"):
        assert httpx.get(listed.open + path).status_code == 404


def test_the_reader_chooses_the_form(listed: Portal) -> None:
    for path in ("/catalog", "/dcat/parks"):
        for kind, accept in TYPES.items():
            answer = httpx.get(
                listed.open + path, headers={"accept": f"text/html;q=0.5, {accept};q=0.9, */*;q=0.1"}
            )
            assert answer.headers["content-type"].startswith(accept), (path, kind)
            assert "accept" in answer.headers["vary"]
        assert httpx.get(listed.open + path).headers["content-type"].startswith("text/turtle")


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "ttl"), ("*/*", "ttl"), ("application/ld+json", "jsonld"), ("text/turtle;q=0.1, application/rdf+xml", "rdf"),
        ("application/ld+json;q=0, text/turtle;q=0.2", "ttl"), ("application/ld+json;q=nonsense, text/xml", "rdf"), (",;,=", "ttl"),
    ],
)  # fmt: skip
def test_negotiation(accept: str, form: str) -> None:
    assert negotiated(accept) == form


def test_who_has_it_already_gets_304_until_something_changes(listed: Portal) -> None:
    for path in ("/catalog.ttl", "/dcat/parks.jsonld"):
        first = httpx.get(listed.open + path)
        known = {"if-none-match": first.headers["etag"]}
        assert httpx.get(listed.open + path, headers=known).status_code == 304
    before = httpx.get(f"{listed.open}/catalog.ttl").headers["etag"]
    listed.owner(
        "UPDATE opendata.dataset SET state = 'withdrawn', changed_at = now() WHERE id = 'set-100' RETURNING id"
    )
    answer = httpx.get(f"{listed.open}/catalog.ttl", headers={"if-none-match": before})
    assert answer.status_code == 200
    assert "set-100" not in answer.text
    listed.owner(
        "UPDATE opendata.dataset SET state = 'published', changed_at = now() WHERE id = 'set-100' RETURNING id"
    )


def test_pages_hang_together(listed: Portal) -> None:
    hydra = rdflib.Namespace("http://www.w3.org/ns/hydra/core#")
    address, seen = f"{listed.open}/catalog.ttl?page=1", set()
    for _ in range(5):
        page = rdflib.Graph().parse(data=httpx.get(address).content, format="turtle")
        datasets = set(page.subjects(rdflib.RDF.type, DCAT.Dataset))
        assert not datasets & seen
        seen |= datasets
        address = str(page.value(None, hydra.next) or next(page.objects(None, hydra.next), ""))
        if not address:
            break
    assert len(seen) == 103
    for page in ("0", "99", "x", "-1", "1e3", "٣"):
        assert httpx.get(f"{listed.open}/catalog.ttl", params={"page": page}).status_code == 404
