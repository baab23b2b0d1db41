"""An invented catalogue for the tests of DCAT (演示数据), with everything in it that could break a writer."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from dizuo.engines.opendata.dcat import Agent, Catalogue, Dataset, Distribution, Licence, Said, Service

BASE = "https://data.city.example/open"
SHANGHAI = timezone(timedelta(hours=8))
LICENCE = Licence(f"{BASE}/licence", "无锡市公共数据开放利用协议（演示）")
LAW = ("https://data.city.example/open/laws/wuxi-open-2024", "无锡市公共数据开放实施细则")
OFFICE = Agent(f"{BASE}/organisations/data-bureau", Said("数据局", "Data bureau"))
AWKWARD = 'He said "quote" \\ back\\slash <b>&amp; tab\there\r\nnext line \x07 ]]> 𠮷野家 \u2028'
CATALOGUE = Catalogue(
    iri=f"{BASE}/catalog",
    title=Said("无锡公共数据开放目录", "Wuxi open data"),
    notes=Said("向社会开放的公共数据。", "Public data opened to everybody."),
    publisher=OFFICE,
    homepage=f"{BASE}",
    contact="12345",
    licence=LICENCE,
    issued=date(2026, 1, 1),
    modified=datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI),
    laws=(LAW,),
    services=(
        Service(
            iri=f"{BASE}/ogc",
            title=Said("空间数据接口", "OGC API Features"),
            endpoint=f"{BASE}/ogc",
            description=f"{BASE}/ogc/api",
            page=f"{BASE}",
            publisher=OFFICE,
            contact="12345",
            laws=(LAW,),
            hvd="geospatial",
        ),
    ),
)


def sample(number: int, **given: object) -> Dataset:
    """Dataset ``number`` with three distributions."""
    iri = f"{BASE}/datasets/set-{number}"
    facts: dict[str, object] = {
        "iri": iri,
        "id": f"set-{number}",
        "title": Said(f"公共停车场 {number}", f"Car parks {number}"),
        "notes": Said("每一处的位置和车位数。" * 3),
        "publisher": OFFICE,
        "landing": iri,
        "contact": "数据局 12345",
        "contact_page": BASE,
        "theme": "道路交通",
        "keywords": ("停车", "交通"),
        "issued": date(2026, 1, 1),
        "modified": datetime(2026, 11, 20, 8, 30, tzinfo=SHANGHAI),
        "cycle": "每月",
        "bbox": (119.5, 31.1, 120.6, 32.0),
        "period": (date(2020, 1, 1), date(2026, 10, 31)),
        "hvd": "geospatial",
        "laws": (LAW,),
        "distributions": tuple(
            Distribution(
                iri=f"{iri}.{kind}",
                title=Said(f"{kind} 文件"),
                access_url=iri,
                download_url=f"{iri}.{kind}",
                format=kind,
                bytes=1234 + number,
                sha256="ab" * 32,
                licence=LICENCE,
                rights="无条件开放",
                service=CATALOGUE.services[0] if kind == "geojson" else None,
            )
            for kind in ("csv", "geojson", "parquet")
        ),
    }
    return Dataset(**{**facts, **given})  # type: ignore[arg-type]


def awkward() -> list[Dataset]:
    """Datasets whose text tries to end a literal, an address or an element early."""
    return [
        sample(1, title=Said(AWKWARD), notes=Said(AWKWARD + "\ud800"), keywords=(AWKWARD, "", "  ")),
        sample(2, landing='https://x.example/a b"> . <evil:a> <evil:b> "', source="javascript:alert(1)"),
        sample(
            3,
            landing="",
            contact="",
            publisher=None,
            theme="没有这个领域",
            cycle="想起来就更新",
            hvd="",
            laws=(),
        ),
        sample(4, issued=None, modified=None, bbox=None, period=(None, date(2026, 1, 1)), distributions=()),
        sample(
            5,
            distributions=(
                Distribution(
                    iri=f"{BASE}/d/5", title=Said(""), access_url="not a url", media_type="a/b;c=<x>"
                ),
                Distribution(
                    iri=f"{BASE}/d/6", title=Said("x"), access_url="http://[::1]/x[1]?q=%zz", format="CSV"
                ),
            ),
        ),
    ]
