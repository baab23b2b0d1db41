"""Departments' deliveries: from a file on a desk to golden records, with nothing lost and nothing believed unchecked.

A department delivers a source as it is declared. The lake keeps the bytes as they came, reads and standardises every cell, checks
the declared rules, links who is who, and hands golden records to the registers; each rejected row keeps its line and reason.

1. ``intake``    declared sources: land, pull or take pushes, read, hold and release; see its own front page.
2. ``pipeline``  every received delivery as far as it can go; ``taking`` brings a simulated folder; loaded by name.
3. ``simulation``, ``demonstrate``  an invented city's deliveries, and the whole way of the demonstration (演示数据); loaded by name.
4. ``sources_seen``, ``deliveries_of_source``, ``delivery_in_detail``, ``freshness``  where every declared source stands.
5. ``last_deliveries``  what came last for each register, in counts, for everybody.
6. ``review``   pairs of records that two officials judge.
7. ``read_demonstration``, ``demo_subjects``  who may be chosen at sign-in; ``represented`` (by name) who acts for which enterprise.
"""

from dizuo.engines.lake import intake, review
from dizuo.engines.lake.after import demo_subjects
from dizuo.engines.lake.delivered import LastDelivery, RejectedKind, last_deliveries
from dizuo.engines.lake.demonstration import MANIFEST, Demonstration, DemoPerson, read_demonstration
from dizuo.engines.lake.errors import DeliveryFolderUnusable, DeliveryRefused
from dizuo.engines.lake.freshness import Freshness, freshness
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

__all__ = [
    "MANIFEST",
    "DeliveryFolderUnusable",
    "DeliveryInDetail",
    "DeliveryRefused",
    "DemoPerson",
    "Demonstration",
    "FaultSeen",
    "Freshness",
    "LastDelivery",
    "QualitySeen",
    "RejectedKind",
    "SourceDeliverySeen",
    "SourcesSeen",
    "deliveries_of_source",
    "delivery_in_detail",
    "demo_subjects",
    "freshness",
    "intake",
    "last_deliveries",
    "read_demonstration",
    "review",
    "sources_seen",
]
