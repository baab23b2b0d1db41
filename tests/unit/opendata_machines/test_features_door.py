"""Spatial sets as OGC API – Features: OWSLib reads them, the rules of the standard hold, and the answers fit the OpenAPI."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from machines_world import Portal, park
from owslib.ogcapi.features import Features

from dizuo.engines.opendata.features.asking import read_box, read_span
from dizuo.engines.opendata.features.errors import FeatureQueryInvalid

N = 60


@pytest.fixture(scope="module")
def spatial(machines: Portal) -> Portal:
    machines.arrange("parks", "停车场", N)
    machines.arrange("closed-parks", "内部停车场", 2, open_type="conditional")
    return machines


def get(portal: Portal, path: str, **query: Any) -> httpx.Response:
    return httpx.get(f"{portal.open}/ogc{path}", params=query)


def found(portal: Portal, **query: Any) -> list[int]:
    answer = get(portal, "/collections/parks/items", limit=1000, **query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/geo+json"
    told = answer.json()
    assert told["numberMatched"] == told["numberReturned"] == len(told["features"])
    return [one["id"] for one in told["features"]]


def test_owslib_reads_it(spatial: Portal) -> None:
    client = Features(f"{spatial.open}/ogc")
    assert any("geojson" in one for one in client.conformance()["conformsTo"])
    assert client.feature_collections() == ["parks"]
    box = client.collection("parks")["extent"]["spatial"]["bbox"][0]
    assert box == pytest.approx([120.0, 31.4, 120.475, 31.475])
    page = client.collection_items("parks", limit=7)
    assert [one["properties"] for one in page["features"]] == [park(n)[0] for n in range(1, 8)]
    assert page["numberMatched"] == N
    assert client.collection_item("parks", "3")["geometry"] == park(3)[1]
    assert client.collection_items("parks", bbox=[120.1, 31.4, 120.2, 31.41])["numberMatched"] > 0
    assert client.api()["openapi"].startswith("3.0")


def test_pages_lead_on_until_the_end(spatial: Portal) -> None:
    address, seen, pages = f"{spatial.open}/ogc/collections/parks/items?limit=25&district=滨湖区", [], 0
    while address:
        told = httpx.get(address).json()
        seen += [one["id"] for one in told["features"]]
        pages += 1
        address = next((one["href"] for one in told["links"] if one["rel"] == "next"), "")
    assert seen == [n for n in range(1, N + 1) if park(n)[0]["district"] == "滨湖区"]
    assert pages == 1
    told = httpx.get(f"{spatial.open}/ogc/collections/parks/items?limit=25").json()
    following = httpx.get(next(one["href"] for one in told["links"] if one["rel"] == "next")).json()
    assert [one["id"] for one in following["features"]] == list(range(26, 51))
    assert any(one["rel"] == "prev" for one in following["links"])


def inside(n: int, west: float, south: float, east: float, north: float) -> bool:
    lon, lat = park(n)[1]["coordinates"]
    return west <= lon <= east and south <= lat <= north


def test_boxes_times_and_properties_sift(spatial: Portal) -> None:
    every = range(1, N + 1)
    box = (120.05, 31.4, 120.2, 31.43)
    assert found(spatial, bbox=",".join(map(str, box))) == [n for n in every if inside(n, *box)]
    assert found(spatial, bbox="120.05,31.4,0,120.2,31.43,99") == [n for n in every if inside(n, *box)]
    assert found(spatial, bbox="170,-10,-170,10") == []
    assert found(spatial, bbox="119,-90,-170,90") == list(every)
    assert found(spatial, datetime="2015-01-01/2016-12-31") == [n for n in every if park(n)[0]["opened"][:4] in ("2015", "2016")]  # fmt: skip
    day = park(4)[0]["opened"]
    assert found(spatial, datetime=f"{day}T00:00:00+08:00") == [
        n for n in every if park(n)[0]["opened"] == day
    ]
    assert found(spatial, datetime="2020-01-01/..") == [
        n for n in every if park(n)[0]["opened"] >= "2020-01-01"
    ]
    assert found(spatial, places="40") == [4]
    assert found(spatial, district="滨湖区", opened=day) == [n for n in every if park(n)[0]["district"] == "滨湖区" and park(n)[0]["opened"] == day]  # fmt: skip
    assert found(spatial, name="x' OR '1'='1") == []


@pytest.mark.parametrize(
    "query",
    [
        {"bbox": "1,2,3"}, {"bbox": "a,b,c,d"}, {"bbox": "0,10,1,5"}, {"bbox": "0,0,400,1"}, {"bbox": "nan,0,1,1"},
        {"bbox": "0,0,1e400,1"}, {"datetime": "yesterday"}, {"datetime": "../.."}, {"datetime": "2026-02-30"},
        {"datetime": "2026-01-02/2026-01-01"}, {"datetime": "0001-01-01T00:00:00+14:00/.."}, {"limit": "0"}, {"limit": "-1"},
        {"limit": "many"}, {"offset": "x"}, {"nosuch": "1"}, {"bbox-crs": "EPSG:4490", "bbox": "0,0,1,1"}, {"district": "\x00"},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_400(spatial: Portal, query: dict[str, str]) -> None:
    answer = get(spatial, "/collections/parks/items", **query)
    assert (answer.status_code, answer.json()["code"]) == (400, "feature_query_invalid")


def test_the_rest_of_the_standard(spatial: Portal) -> None:
    landing = get(spatial, "").json()
    assert {one["rel"] for one in landing["links"]} >= {"self", "service-desc", "conformance", "data"}
    assert "CGCS2000" in landing["description"]
    for link in landing["links"]:
        if "/ogc" in link["href"]:
            assert httpx.get(link["href"]).status_code == 200
    assert get(spatial, "/collections/nosuch").status_code == 404
    assert get(spatial, "/collections/parks/items/999").status_code == 404
    assert get(spatial, "/collections/parks/items/x").status_code == 404
    assert get(spatial, "/collections/closed-parks/items").status_code == 403
    assert get(spatial, "/collections/parks").headers["access-control-allow-origin"] == "*"


def test_many_geometries_have_their_box(spatial: Portal) -> None:
    kinds = {
        '{"type":"Polygon","coordinates":[[[1,2],[5,2],[5,9],[1,2]]]}': [1, 2, 5, 9],
        '{"type":"MultiPolygon","coordinates":[[[[1,2],[5,2],[5,9],[1,2]]],[[[-3,0,7],[0,1,7],[0,0,7],[-3,0,7]]]]}': [-3, 0, 5, 9],
        '{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[7,8]},{"type":"Point","coordinates":[9,1]}]}': [7, 1, 9, 8],
        '{"type":"Point","coordinates":[]}': None,
        "null": None,
        '{"type":"Point","coordinates":["a","b"]}': None,
    }  # fmt: skip
    for shape, box in kinds.items():
        assert spatial.owner("SELECT opendata.box_of($1::text::jsonb) AS box", shape)[0]["box"] == box


def test_a_box_over_the_antimeridian_is_two() -> None:
    assert read_box("170,-10,-170,10") == ((170.0, -10.0, 180.0, 10.0), (-180.0, -10.0, -170.0, 10.0))
    with pytest.raises(FeatureQueryInvalid):
        read_span("2026-01-01T00:00:00")
