"""CKAN's own client reads the catalogue and its rows; strangers' SQL stays text."""

from __future__ import annotations

from typing import Any

import ckanapi
import httpx
import pytest
from machines_world import Portal, park


@pytest.fixture(scope="module")
def ckan_client(machines: Portal) -> ckanapi.RemoteCKAN:
    machines.arrange("car-parks", "公共停车场", 60)
    machines.arrange("bus-stops", "公交站点", 3)
    machines.arrange("restricted", "有条件的", 2, open_type="conditional", theme="safety")
    return ckanapi.RemoteCKAN(machines.open)


def call(client: ckanapi.RemoteCKAN, name: str, /, **told: Any) -> Any:
    return client.call_action(name, told)


def test_packages_are_listed_and_shown(ckan_client: ckanapi.RemoteCKAN, machines: Portal) -> None:
    assert call(ckan_client, "package_list") == ["bus-stops", "car-parks", "restricted"]
    shown = call(ckan_client, "package_show", id="car-parks")
    assert shown["title"] == "公共停车场"
    assert shown["state"] == "active"
    assert {one["format"] for one in shown["resources"]} == {
        "CSV",
        "XLSX",
        "JSON",
        "JSONL",
        "PARQUET",
        "GEOJSON",
    }
    assert shown["resources"][0]["url"] == f"{machines.open}/data/car-parks/download/csv"
    assert {one["name"] for one in shown["tags"]} == {"停车", "车位", "transport"}
    with pytest.raises(ckanapi.NotFound):
        call(ckan_client, "package_show", id="nosuch")


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ({"q": "停车"}, {"car-parks", "bus-stops", "restricted"}),
        ({"q": "共停"}, {"car-parks"}),
        ({"q": "title:公交"}, {"bus-stops"}),
        ({"q": "停车 -title:公共"}, {"bus-stops", "restricted"}),
        ({"q": "", "fq": "theme:safety"}, {"restricted"}),
        ({"fq": "+organization:data +res_format:csv", "q": "*:*"}, {"car-parks", "bus-stops", "restricted"}),
        ({"fq_list": ["theme:transport", "-name:bus*"]}, {"car-parks"}),
        ({"q": "metadata_modified:[2020-01-01 TO *]"}, {"car-parks", "bus-stops", "restricted"}),
        ({"q": "metadata_modified:[* TO 2020-01-01]"}, set()),
        ({"q": "car%parks"}, set()),
        ({"q": "' OR 1=1"}, set()),
    ],
)  # fmt: skip
def test_packages_are_searched(
    ckan_client: ckanapi.RemoteCKAN, told: dict[str, Any], names: set[str]
) -> None:
    found = call(ckan_client, "package_search", **told)
    assert {one["name"] for one in found["results"]} == names
    assert found["count"] == len(names)


def test_hits_in_the_title_come_first_and_facets_count(ckan_client: ckanapi.RemoteCKAN) -> None:
    told = {"q": "停车", "facet.field": ["theme", "tags", "organization", "res_format"], "rows": 1}
    found = ckan_client.call_action("package_search", told)
    assert found["count"] == 3
    assert [one["name"] for one in found["results"]] == ["car-parks"]
    assert found["facets"]["theme"] == {"transport": 2, "safety": 1}
    assert found["facets"]["tags"]["停车"] == 3
    assert found["search_facets"]["res_format"]["items"][0]["count"] == 3
    assert ckan_client.call_action("package_search", {"q": "停车", "rows": 1, "start": 9})["count"] == 3


def test_errors_have_ckans_shape(ckan_client: ckanapi.RemoteCKAN, machines: Portal) -> None:
    with pytest.raises(ckanapi.SearchQueryError):
        call(ckan_client, "package_search", q="{!func}x")
    with pytest.raises(ckanapi.ValidationError):
        call(ckan_client, "package_search", rows="many")
    with pytest.raises(ckanapi.NotAuthorized):
        call(ckan_client, "package_create", name="x-y")
    unknown = httpx.get(f"{machines.open}/api/3/action/nosuch")
    assert (unknown.status_code, unknown.json()) == (400, "Bad request - Action name not known: nosuch")
    assert httpx.post(f"{machines.open}/api/3/action/package_list", content=b"[1]").json()["error"]["__type"] == "Validation Error"  # fmt: skip
    assert httpx.get(f"{machines.open}/api/3/action/package_create?name=x").status_code == 409


def test_get_reads_as_post_does(ckan_client: ckanapi.RemoteCKAN, machines: Portal) -> None:
    posted = call(ckan_client, "package_search", q="停车", rows=2)
    got = ckanapi.RemoteCKAN(machines.open, get_only=True).call_action(
        "package_search", {"q": "停车", "rows": 2}
    )
    assert posted == got


def rows(client: ckanapi.RemoteCKAN, **told: Any) -> list[dict[str, Any]]:
    return call(client, "datastore_search", resource_id="car-parks.csv", **told)["records"]


def test_rows_are_found_by_filters_words_and_sorting(ckan_client: ckanapi.RemoteCKAN) -> None:
    truth = [{"_id": n, **park(n)[0]} for n in range(1, 61)]
    assert rows(ckan_client) == truth
    assert rows(ckan_client, filters={"district": "滨湖区"}) == [
        one for one in truth if one["district"] == "滨湖区"
    ]
    assert rows(ckan_client, filters={"district": ["滨湖区", "锡山区"], "places": [40, "70"]}) == [
        one for one in truth if one["places"] in (40, 70)
    ]
    assert rows(ckan_client, filters={"_id": 5}) == [truth[4]]
    assert [one["places"] for one in rows(ckan_client, sort="places desc", limit=3)] == [600, 590, 580]
    assert rows(ckan_client, q="第1") == [one for one in truth if "第1" in one["name"]]
    assert rows(ckan_client, q={"district": "滨"}, limit=1) == [
        next(one for one in truth if "滨" in one["district"])
    ]
    assert rows(ckan_client, fields=["district"], distinct=True, sort="district") == [
        {"district": one} for one in sorted({one["district"] for one in truth})
    ]
    assert rows(ckan_client, limit=2, offset=58) == truth[58:]


def test_rows_have_their_forms_and_counts(ckan_client: ckanapi.RemoteCKAN) -> None:
    found = call(ckan_client, "datastore_search", resource_id="car-parks.csv", limit=0)
    assert (found["total"], found["records"]) == (60, [])
    assert [one["type"] for one in found["fields"]] == ["int", "text", "text", "int", "date"]
    text = call(ckan_client, "datastore_search", resource_id="car-parks.csv", limit=2, records_format="csv", fields=["_id", "places"])  # fmt: skip
    assert text["records"] == "1,10\n2,20\n"
    assert call(ckan_client, "datastore_info", id="car-parks.csv")["meta"]["count"] == 60


INJECTIONS = [
    {"filters": {"district'; DROP TABLE opendata.row; --": "x"}},
    {"filters": {"district": "x' OR '1'='1"}},
    {"filters": {"district": ["梁溪区') OR true --"]}},
    {"filters": {"places": "0 OR 1=1"}},
    {"q": "'); DELETE FROM opendata.row; --"},
    {"q": {"district": "%' OR true --"}},
    {"sort": "places; DROP TABLE opendata.row"},
    {"sort": "(SELECT 1) desc"},
    {"fields": ["places FROM opendata.row; --"]},
    {"limit": "1; DROP TABLE opendata.row"},
    {"offset": "-1"},
    {"distinct": True, "fields": ["places"], "sort": "places, (SELECT pg_sleep(9))"},
    {"records_format": "objects'; --"},
    {"resource_id": "car-parks.csv' OR '1'='1"},
    {"filters": {"district": {"$ne": ""}}},
    {"filters": {"district": "\x00"}},
]


@pytest.mark.parametrize("told", INJECTIONS)
def test_sql_in_a_filter_is_only_text(
    ckan_client: ckanapi.RemoteCKAN, machines: Portal, told: dict[str, Any]
) -> None:
    """Either nothing matches, or it is refused as a wrong argument; the rows are all there afterwards."""
    try:
        found = ckan_client.call_action("datastore_search", {"resource_id": "car-parks.csv", **told})
        assert found["records"] == []
    except (ckanapi.ValidationError, ckanapi.NotFound, ckanapi.SearchQueryError):
        pass
    assert machines.owner("SELECT count(*) AS n FROM opendata.row WHERE dataset = 'car-parks'")[0]["n"] == 60


def test_a_value_that_looks_like_sql_is_found_as_it_is(ckan_client: ckanapi.RemoteCKAN) -> None:
    name = park(7)[0]["name"]
    assert "DROP TABLE" in name
    assert {one["_id"] for one in rows(ckan_client, filters={"name": name})} == set(range(7, 61, 7))


def test_sql_itself_is_refused_with_the_way_out(ckan_client: ckanapi.RemoteCKAN, machines: Portal) -> None:
    answer = httpx.get(f"{machines.open}/api/3/action/datastore_search_sql", params={"sql": "SELECT 1"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "sql_refused"
    assert "datastore_search" in answer.json()["error"]["fix"]


def test_conditional_rows_are_not_given(ckan_client: ckanapi.RemoteCKAN) -> None:
    with pytest.raises(ckanapi.NotAuthorized):
        call(ckan_client, "datastore_search", resource_id="restricted.csv")


def test_the_other_lists_answer(ckan_client: ckanapi.RemoteCKAN) -> None:
    assert call(ckan_client, "site_read") is True
    assert call(ckan_client, "status_show")["extensions"] == ["datastore"]
    assert "data" in call(ckan_client, "organization_list")
    shown = call(ckan_client, "organization_show", id="data", include_datasets=True)
    assert shown["package_count"] == len(shown["packages"]) == 3
    assert call(ckan_client, "tag_list", query="停") == ["停车"]
    assert len(call(ckan_client, "tag_show", id="停车", include_datasets=True)["packages"]) == 3
    assert "wuxi-open" in {one["id"] for one in call(ckan_client, "license_list")}
    assert call(ckan_client, "resource_show", id="car-parks.csv")["package_id"] == "car-parks"
    assert call(ckan_client, "resource_search", query="format:parquet")["count"] == 3
    assert len(call(ckan_client, "current_package_list_with_resources", limit=2)) == 2
    assert "Errors" in call(ckan_client, "help_show", name="package_search")
    assert call(ckan_client, "group_list") == []
