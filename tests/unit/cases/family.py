"""An invented family (演示数据) in the registers of the demonstration city, delivered by its departments."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from dizuo.foundation.blueprint import City
from dizuo.foundation.kernel.identity import citizen_check_digit

DELIVERED = dt.date(2026, 11, 20)


def number(region: str, birth: str, sequence: str) -> str:
    """A citizen number with the right check digit; the persons are invented."""
    body = f"{region}{birth}{sequence}"
    return body + citizen_check_digit(body)


MOTHER = number("320211", "19960315", "102")
FATHER = number("320203", "19940820", "441")
GRANDFATHER = number("320202", "19660101", "003")
STRANGER = number("320205", "19880808", "118")
OWNER = number("320206", "19850505", "207")
USCC = "92320206DEM00001X1"

Records = Mapping[str, Mapping[str, Mapping[str, Any]]]


def family(suffix: str = "", *, address_differs: bool = True) -> Records:
    """Records by register and key. ``suffix`` makes a second certificate of the same parents."""
    certificate = f"Z3202{suffix or '00001'}"
    return {
        "person": {
            MOTHER: _person(MOTHER, "林晓晴", "林", "2", "H2", "13812345678"),
            FATHER: _person(FATHER, "王启明", "王", "1", "H1", "13912345678"),
            GRANDFATHER: _person(GRANDFATHER, "王建国", "王", "1", "H1", "13712345678"),
            STRANGER: _person(STRANGER, "赵一·路人", "赵", "1", "H3", "13612345678"),
            OWNER: _person(OWNER, "周师傅", "周", "1", "H4", "13512345678"),
        },
        "household": {
            "H1": {"household_no": "H1", "kind": "1", "head_citizen_id": GRANDFATHER, "head_name": "王建国",
                   "address": "中山路 158 号 3 幢 402 室", "division": "320213001", "state": "1"},
            "H2": {"household_no": "H2", "kind": "1", "head_citizen_id": MOTHER, "head_name": "林晓晴",
                   "address": "金城西路 8 号 601 室", "division": "320211003", "state": "1"},
        },
        "birth_certificate": {
            certificate: {"number": certificate, "child_sex": "2", "born_at": "2026-11-16T08:42:00+08:00",
                          "birth_place": "江苏省无锡市", "hospital": "无锡市妇幼保健院", "issued_on": "2026-11-18",
                          "mother_name": "林晓晴", "mother_citizen_id": MOTHER, "father_name": "王启明",
                          "father_citizen_id": FATHER, "birth_order": "1", "division": "320213",
                          "household_state": "0", "state": "1", "weight_g": "3200"},
        },
        "marriage": {
            "M1": {"certificate_no": "M1", "husband_citizen_id": FATHER, "wife_citizen_id": MOTHER,
                   "registered_on": "2024-05-20", "state": "1"},
        },
        "real_estate": {
            "R1": {"unit_no": "R1", "owner_citizen_id": GRANDFATHER, "division": "320213001", "state": "1",
                   "usage": "1", "registered_on": "2018-11-03",
                   "address": "中山路 158 号 3 幢 420 室" if address_differs else "中山路 158 号 3 幢 402 室"},
        },
        "medical_insurance": {
            MOTHER: {"citizen_id": MOTHER, "kind": "310", "state": "1", "division": "320213", "maternity_state": "1",
                     "delivery_settled": "2", "delivery_cost": "2140.00", "employer_name": "演示公司"},
        },
        "social_insurance": {
            MOTHER: {"citizen_id": MOTHER, "bank_state": "1", "bank": "演示银行", "card_state": "1"},
        },
        "enterprise": {
            USCC: {"uscc": USCC, "name": "周记面馆", "state": "1", "scope": "餐饮服务", "address": "人民路 1 号",
                   "division": "320206001", "legal_name": "周师傅", "legal_citizen_id": OWNER, "phone": "13512345678"},
        },
    }  # fmt: skip


def _person(citizen: str, name: str, surname: str, sex: str, household: str, phone: str) -> dict[str, Any]:
    return {
        "citizen_id": citizen,
        "name": name,
        "surname": surname,
        "sex": sex,
        "ethnicity": "01",
        "household_no": household,
        "phone": phone,
        "residence_address": "中山路 158 号 3 幢 402 室",
        "residence_division": "320213001",
        "hukou_address": "中山路 158 号 3 幢 402 室",
        "division": "320213001",
        "state": "1",
    }


async def deliver(pg: Any, city: City, records: Records) -> None:
    """Land the records as each source department would: only the fields that are its to say."""
    by_source: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for register, rows in records.items():
        fields = city.registers[register].fields
        for key, row in rows.items():
            parts: dict[str, dict[str, Any]] = {}
            for name, value in row.items():
                if name in fields:
                    parts.setdefault(fields[name].source, {})[name] = value
            for source, data in parts.items():
                by_source.setdefault(source, []).append((register, key, data))
    async with pg("dizuo_loader") as loader:
        for source, rows in by_source.items():
            load = uuid.uuid4()
            await loader.copy_records_to_table(
                "intake",
                schema_name="registers",
                columns=["load", "line", "register", "key", "source", "source_date", "data"],
                records=[
                    (load, n, register, key, source, DELIVERED, data)
                    for n, (register, key, data) in enumerate(rows)
                ],
            )
            await loader.fetchval("SELECT registers.absorb($1, $2)", load, {"delivery": source})
    async with pg() as owner:
        # The tests' clock stands still while the database's runs: what was delivered was known since that day.
        await owner.execute(
            "UPDATE registers.record SET recorded_at = $1::date WHERE recorded_at > $1::date", DELIVERED
        )
        await owner.execute(
            "UPDATE registers.lookup SET known_from = $1::date WHERE known_from > $1::date", DELIVERED
        )
