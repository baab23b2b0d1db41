"""Lawful exchange between departments (政务数据共享): what there is, who may use it for what, and every use on record.

1. ``catalogue``  what data there is and under which conditions (资源目录), audited against what is really there.
2. ``requests``   a department asks, the law's clock runs, a grant is agreed, used, ended or disputed (供需对接).
3. ``delivery``   signed calls under a grant: one subject, a batch, a subscription, all of it; refused outside the grant.
"""

from dizuo.engines.exchange import catalogue, delivery, requests
from dizuo.engines.exchange.catalogue import Resource, ResourceField, publish_catalogue, resource, resources
from dizuo.engines.exchange.delivery import connection
from dizuo.engines.exchange.delivery import subscribe_feeds as feeds
from dizuo.engines.exchange.requests import (
    Grant,
    NewGrant,
    give_up,
    grant,
    grants_of,
    note_use,
    open_grant,
    publish_departments,
    resume,
    revoke,
    suspend,
    sweep_expired,
)

__all__ = [
    "Grant",
    "NewGrant",
    "Resource",
    "ResourceField",
    "catalogue",
    "connection",
    "delivery",
    "feeds",
    "give_up",
    "grant",
    "grants_of",
    "note_use",
    "open_grant",
    "publish_catalogue",
    "publish_departments",
    "requests",
    "resource",
    "resources",
    "resume",
    "revoke",
    "suspend",
    "sweep_expired",
]
