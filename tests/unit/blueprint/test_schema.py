"""The editors' JSON Schema says the same as the checker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from broken_cities import GOOD
from jsonschema import Draft202012Validator

from dizuo.foundation.blueprint import KINDS, json_schema
from dizuo.foundation.blueprint.findings import Log
from dizuo.foundation.blueprint.nodes import plain_value, read_yaml

CITIES = Path(__file__).parents[3] / "cities"
FILES = sorted([*GOOD.rglob("*.yaml"), *CITIES.rglob("*.yaml")])


def value_of(file: Path) -> dict[str, Any]:
    log = Log()
    tree = read_yaml(file.name, file.read_text(encoding="utf-8"), log)
    assert tree is not None, log.sorted()
    value = plain_value(tree)
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_schemas_are_valid_and_described(kind: str) -> None:
    schema = json_schema(kind)
    Draft202012Validator.check_schema(schema)
    assert schema["description"]
    undescribed = [
        name for name, inner in schema["properties"].items() if "description" not in inner and name != "kind"
    ]
    assert undescribed == []


@pytest.mark.parametrize("file", FILES, ids=lambda f: "/".join(f.parts[-3:]))
def test_valid_files_validate_and_unknown_keys_fail(file: Path) -> None:
    value = value_of(file)
    validator = Draft202012Validator(json_schema(value["kind"]))
    assert [error.json_path for error in validator.iter_errors(value)] == []
    assert not validator.is_valid({**value, "workflow": "bpmn"})
    assert not validator.is_valid({**value, "kind": "other/1"})


def test_deep_unknown_keys_and_missing_keys_fail() -> None:
    matter = value_of(GOOD / "matters" / "birth" / "matter.yaml")
    validator = Draft202012Validator(json_schema("matter/1"))
    need = matter["items"]["household"]["needs"][0]
    need["purpse"] = "birth"
    assert not validator.is_valid(matter)
    del need["purpse"]
    assert validator.is_valid(matter)
    del need["basis"]
    assert not validator.is_valid(matter)
