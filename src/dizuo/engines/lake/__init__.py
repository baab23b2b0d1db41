"""Departments' deliveries: from a file on a desk to golden records, with nothing lost and nothing believed unchecked.

A department delivers a CSV for a register. The lake keeps the bytes as they came, checks every cell against the
city's declaration, keeps each rejected row with its line and reason, and hands what is good to the registers, which
take from a department only the fields it is the source of.

1. ``simulate``  invents a city's people and writes what every department would deliver (演示数据).
2. ``load``      lands, checks, rejects, publishes; may be repeated and may be killed.
3. ``rejected_rows``  what a department has to correct, as a file it can open safely.
4. ``last_deliveries``  what came last from whom, in counts, for everybody.
5. ``intake``    declared sources: land, pull or take pushes, read, hold and release; see its own front page.
6. ``sources_seen``, ``deliveries_of_source``, ``delivery_in_detail``, ``freshness``  where every declared source stands.
7. ``review``   pairs of records that two officials judge.
8. ``demo_subjects`` and ``representatives``  what the directory needs to know after a load.
"""

from dizuo.engines.lake import intake, review
from dizuo.engines.lake.after import Represents, demo_subjects, rejected_rows, representatives
from dizuo.engines.lake.characters import DemoPerson
from dizuo.engines.lake.delivered import LastDelivery, RejectedKind, last_deliveries
from dizuo.engines.lake.delivery import DeliveryFile, Manifest, read_manifest
from dizuo.engines.lake.errors import DeliveryFolderUnusable, DeliveryRefused
from dizuo.engines.lake.freshness import Freshness, freshness
from dizuo.engines.lake.loading import Loaded, LoadReport, load
from dizuo.engines.lake.seen import (
    DeliveryInDetail,
    FaultSeen,
    QualitySeen,
    SourceDeliverySeen,
    SourcesSeen,
    deliveries_of_source,
    delivery_in_detail,
    sources_seen,
)
from dizuo.engines.lake.simulate import Progress, simulate

__all__ = [
    "DeliveryFile",
    "DeliveryFolderUnusable",
    "DeliveryInDetail",
    "DeliveryRefused",
    "DemoPerson",
    "FaultSeen",
    "Freshness",
    "LastDelivery",
    "LoadReport",
    "Loaded",
    "Manifest",
    "Progress",
    "QualitySeen",
    "RejectedKind",
    "Represents",
    "SourceDeliverySeen",
    "SourcesSeen",
    "deliveries_of_source",
    "delivery_in_detail",
    "demo_subjects",
    "freshness",
    "intake",
    "last_deliveries",
    "load",
    "read_manifest",
    "rejected_rows",
    "representatives",
    "review",
    "simulate",
    "sources_seen",
]
