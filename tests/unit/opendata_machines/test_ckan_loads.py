"""A catalogue dumped by ckanapi and loaded elsewhere is the same; what the gate refuses stays a draft."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ckanapi
import pytest
from another_database import another
from machines_world import Portal, portal_up

ID_OF_NOBODY = "11010519491231002X"  # the example of the standard GB 11643, nobody's


@pytest.fixture(scope="module")
def writer(machines: Portal) -> ckanapi.RemoteCKAN:
    return ckanapi.RemoteCKAN(machines.open, apikey=machines.key())


def call(client: ckanapi.RemoteCKAN, action: str, **told: Any) -> Any:
    return client.call_action(action, told)


def package(name: str, **told: Any) -> dict[str, Any]:
    """An invented dataset with everything that a package may have (演示数据)."""
    return {
        "name": name,
        "title": f"演示数据 {name}",
        "notes": "一份外来目录里的数据。\n第二行。",
        "owner_org": "data",
        "license_id": "cc-by",
        "author": "演示单位",
        "maintainer_email": "open@city.example",
        "version": "1.2",
        "url": "https://elsewhere.example/set",
        "tags": [{"name": "绿化"}, {"name": "parks"}],
        "extras": [{"key": "theme", "value": "environment"}, {"key": "来源", "value": "演示"}],
        "resources": [
            {
                "name": "树木.csv", "url": "https://elsewhere.example/trees.csv", "format": "CSV", "mimetype": "text/csv",
                "size": 1234, "description": "每棵树一行", "hash": "abc", "custom_field": "kept",
            },
            {"name": "地图", "url": "https://elsewhere.example/map", "format": "HTML"},
        ],
        **told,
    }  # fmt: skip


@pytest.fixture
def second(machines: Portal, server: Any, template: str) -> Iterator[Portal]:
    """Another portal with a database of its own."""
    with another(server, template) as database, portal_up(database) as portal:
        yield portal


def ckanapi_command(portal: Portal, key: str, *words: str, stdin: str = "") -> str:
    """The command that CKAN's people use."""
    command = [str(Path(sys.executable).with_name("ckanapi")), *words, "-r", portal.open, "-a", key, "-q"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=60, env={**os.environ, "PATH": path}
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_a_catalogue_goes_round(machines: Portal, writer: ckanapi.RemoteCKAN, second: Portal) -> None:
    call(writer, "organization_create", name="parks-office", title="园林处", description="演示单位")
    call(writer, "group_create", name="green", title="绿色城市")
    office = call(writer, "organization_show", id="parks-office")
    for name in ("trees", "lawns", "lakes"):
        call(writer, "package_create", **package(name, owner_org=office["id"], groups=[{"name": "green"}]))
    there, here = machines.key(), second.key()
    for what in ("organizations", "groups", "datasets"):
        dumped = ckanapi_command(machines, there, "dump", what, "--all")
        lines = [line for line in dumped.splitlines() if json.loads(line)["id"] not in _declared(machines)]
        assert len(lines) == {"organizations": 1, "groups": 1, "datasets": 3}[what]
        ckanapi_command(second, here, "load", what, stdin="\n".join(lines) + "\n")
        again = ckanapi_command(second, here, "dump", what, "--all")
        after = [line for line in again.splitlines() if json.loads(line)["id"] not in _declared(machines)]
        assert [_same(one, second) for one in after] == [_same(one, machines) for one in lines]


def _declared(portal: Portal) -> set[str]:
    return set(portal.dizuo.city.organisations)


def _same(line: str, portal: Portal) -> Any:
    """A dumped thing without the moments at which each portal wrote it, and without where the portal stands."""
    told = json.loads(line.replace(portal.base, ""))
    for name in ("metadata_created", "metadata_modified", "created", "package_count"):
        told.pop(name, None)
    for one in [*told.get("resources", []), *told.get("groups", []), told.get("organization") or {}]:
        one.pop("metadata_modified", None)
        if "created" in one and "resource_type" not in one:
            one.pop("created")
    return told


def test_what_was_loaded_is_found_changed_and_taken_offline(
    writer: ckanapi.RemoteCKAN, machines: Portal
) -> None:
    made = call(writer, "package_create", **package("benches"))
    assert made["state"] == "active"
    reader = ckanapi.RemoteCKAN(machines.open)
    assert call(reader, "package_search", q="树木.csv", fq="name:benches")["count"] == 1
    assert call(reader, "package_search", fq="extras_theme:environment AND name:benches")["count"] == 1
    call(writer, "package_patch", id="benches", title="长椅")
    shown = call(reader, "package_show", id=made["id"])
    assert (shown["title"], shown["version"], len(shown["resources"])) == ("长椅", "1.2", 2)
    one = call(
        writer, "resource_create", package_id="benches", name="json", url="https://elsewhere.example/a.json"
    )
    call(writer, "resource_patch", id=one["id"], description="新")
    assert call(reader, "resource_show", id=one["id"])["description"] == "新"
    call(writer, "resource_delete", id=one["id"])
    assert len(call(reader, "package_show", id="benches")["resources"]) == 2
    call(writer, "package_delete", id="benches")
    with pytest.raises(ckanapi.NotFound):
        call(reader, "package_show", id="benches")
    assert (
        machines.owner("SELECT state FROM opendata.dataset WHERE id = 'benches'")[0]["state"] == "withdrawn"
    )
    assert machines.owner("SELECT count(*) AS n FROM ledger.entry WHERE kind = 'opendata.loaded' AND body->>'dataset' = 'benches'")[0]["n"] == 6  # fmt: skip


@pytest.mark.parametrize(
    "told",
    [
        {"name": "X Y"}, {"name": ""}, {"owner_org": ""}, {"owner_org": "nobody"}, {"tags": "a"}, {"resources": [1]},
        {"extras": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}, {"groups": [{"name": "nosuch"}]},
        {"title": "x" * 600}, {"state": "published"}, {"title": {"a": 1}},
    ],
)  # fmt: skip
def test_a_wrong_package_is_refused_field_by_field(writer: ckanapi.RemoteCKAN, told: dict[str, Any]) -> None:
    with pytest.raises(ckanapi.ValidationError) as refused:
        call(writer, "package_create", **{**package("wrong-one"), **told})
    assert set(told) & set(refused.value.error_dict)


def test_a_name_is_taken_once(writer: ckanapi.RemoteCKAN, machines: Portal) -> None:
    call(writer, "package_create", **package("only-once"))
    with pytest.raises(ckanapi.ValidationError):
        call(writer, "package_create", **package("only-once"))
    machines.arrange("declared-set", "本市声明的", 1)
    with pytest.raises(ckanapi.ValidationError):
        call(writer, "package_create", **package("declared-set"))
    with pytest.raises(ckanapi.NotAuthorized):
        call(writer, "package_update", id="declared-set", title="被改")
    with pytest.raises(ckanapi.NotAuthorized):
        call(writer, "datastore_create", resource_id="declared-set.csv", fields=[{"id": "a"}])


def test_a_key_is_good_for_its_organisation_only(machines: Portal, writer: ckanapi.RemoteCKAN) -> None:
    limited = ckanapi.RemoteCKAN(machines.open, apikey=machines.key("data"))
    call(limited, "package_create", **package("of-data"))
    with pytest.raises(ckanapi.NotAuthorized):
        call(limited, "package_create", **package("of-others", owner_org="civil"))
    call(writer, "package_create", **package("of-civil", owner_org="civil"))
    for action in ("package_patch", "package_delete"):
        with pytest.raises(ckanapi.NotAuthorized):
            call(limited, action, id="of-civil", title="x")
    with pytest.raises(ckanapi.NotAuthorized):
        call(limited, "package_patch", id="of-data", owner_org="civil")
    with pytest.raises(ckanapi.NotAuthorized):
        call(ckanapi.RemoteCKAN(machines.open, apikey="dzo_wrong"), "package_patch", id="of-data", title="x")


def test_texts_with_a_citizens_number_stay_a_draft(machines: Portal, writer: ckanapi.RemoteCKAN) -> None:
    made = call(writer, "package_create", **package("with-number", notes=f"联系人 {ID_OF_NOBODY}"))
    assert made["state"] == "draft"
    assert not made["gate"]["passed"]
    with pytest.raises(ckanapi.NotFound):
        call(ckanapi.RemoteCKAN(machines.open), "package_show", id="with-number")
    assert call(writer, "package_patch", id="with-number", notes="没有号码了")["state"] == "active"
    assert call(ckanapi.RemoteCKAN(machines.open), "package_show", id="with-number")["state"] == "active"


def table(writer: ckanapi.RemoteCKAN, name: str, **told: Any) -> tuple[str, Any]:
    made = call(writer, "package_create", **package(name))
    resource = made["resources"][0]["id"]
    fields = [{"id": "树种", "type": "text"}, {"id": "count", "type": "int"}]
    return resource, call(writer, "datastore_create", **{"resource_id": resource, "fields": fields, **told})


def test_rows_are_loaded_changed_and_released(machines: Portal, writer: ckanapi.RemoteCKAN) -> None:
    reader = ckanapi.RemoteCKAN(machines.open)
    rows = [{"树种": "香樟", "count": 5}, {"树种": "银杏", "count": "7"}]
    resource, made = table(writer, "tree-rows", records=rows, primary_key=["树种"])
    assert made["gate"]["passed"]
    call(writer, "datastore_upsert", resource_id=resource, records=[{"树种": "银杏", "count": 9}, {"树种": "桂花", "count": None}])  # fmt: skip
    found = call(reader, "datastore_search", resource_id=resource, sort="_id")
    assert [(one["树种"], one["count"]) for one in found["records"]] == [
        ("香樟", 5),
        ("银杏", 9),
        ("桂花", None),
    ]
    call(
        writer,
        "datastore_upsert",
        resource_id=resource,
        method="update",
        records=[{"树种": "桂花", "count": 1}],
    )
    call(writer, "datastore_delete", resource_id=resource, filters={"树种": "香樟"})
    found = call(
        reader, "datastore_search", resource_id=resource, filters={"count": [1, 9]}, sort="count desc"
    )
    assert [one["树种"] for one in found["records"]] == ["银杏", "桂花"]
    assert call(reader, "package_show", id="tree-rows")["resources"][0]["datastore_active"] is True
    with pytest.raises(ckanapi.ValidationError):
        call(
            writer,
            "datastore_upsert",
            resource_id=resource,
            method="update",
            records=[{"树种": "没有", "count": 1}],
        )
    with pytest.raises(ckanapi.ValidationError):
        call(writer, "datastore_upsert", resource_id=resource, records=[{"树种": "x", "count": "many"}])
    with pytest.raises(ckanapi.ValidationError):
        call(writer, "datastore_upsert", resource_id=resource, records=[{"nosuch": "x"}])


def test_rows_with_peoples_numbers_are_never_seen(machines: Portal, writer: ckanapi.RemoteCKAN) -> None:
    """The dataset goes back to draft, the report is kept, and what was open before is not served either."""
    reader = ckanapi.RemoteCKAN(machines.open)
    resource, made = table(writer, "people-rows", records=[{"树种": "香樟", "count": 1}])
    assert made["gate"]["passed"]
    told = call(writer, "datastore_upsert", resource_id=resource, method="insert", records=[{"树种": ID_OF_NOBODY, "count": 1}])  # fmt: skip
    assert not told["gate"]["passed"]
    assert ID_OF_NOBODY not in json.dumps(told)
    with pytest.raises(ckanapi.NotFound):
        call(reader, "datastore_search", resource_id=resource)
    kept = machines.owner(
        "SELECT passed, findings FROM opendata.gate_report WHERE dataset = 'people-rows' ORDER BY id"
    )
    assert [one["passed"] for one in kept] == [True, False]
    assert call(writer, "package_patch", id="people-rows", title="换个名字")["state"] == "draft"
    call(writer, "datastore_delete", resource_id=resource, filters={"树种": ID_OF_NOBODY})
    assert call(reader, "datastore_search", resource_id=resource)["total"] == 1


def test_a_link_is_a_web_address_or_none(writer: ckanapi.RemoteCKAN) -> None:
    made = call(
        writer,
        "package_create",
        **package(
            "links", url="javascript:alert(1)", resources=[{"name": "x", "url": "javascript:alert(1)"}]
        ),
    )
    assert (made["url"], made["resources"][0]["url"]) == ("", "")


def test_a_serving_process_cannot_write_what_was_harvested_or_declared(machines: Portal) -> None:
    """Not even with SQL of its own: the database refuses."""
    import asyncpg

    async def tried(sql: str, *values: object) -> None:
        await machines.dizuo.pool.execute(sql, *values)

    facts = {"title": "x", "abstract": "", "provider": "data", "theme": "", "open_type": "unconditional", "cycle": "never",
             "licence": "", "also": [], "formats": [], "state": "published", "extras": {}}  # fmt: skip
    for origin in ("harvested", "declared"):
        with pytest.raises(asyncpg.PostgresError) as refused:
            machines.run(tried("SELECT opendata.put_foreign($1, 'x-y', $2, 'me')", origin, facts))
        assert refused.value.sqlstate == "DZ076"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        machines.run(tried("UPDATE opendata.dataset SET title = 'x'"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        machines.run(tried("INSERT INTO opendata.machine_key (digest, organisation, made_by, expires_at) VALUES ('', '*', 'x', now())"))  # fmt: skip
