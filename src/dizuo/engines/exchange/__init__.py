"""Lawful exchange between departments (政务数据共享): what there is, who may use it for what, and every use on record.

1. ``catalogue``  what data there is and under which conditions (资源目录), audited against what is really there.
2. ``requests``   a department asks, the law's clock runs, a grant is agreed, used, ended or disputed (供需对接).
3. ``delivery``   signed calls under a grant: one subject, a batch, a subscription, all of it; refused outside the grant.
"""

from dizuo.engines.exchange import catalogue
from dizuo.engines.exchange.catalogue import Resource, ResourceField, publish_catalogue, resource, resources

__all__ = [
    "Resource",
    "ResourceField",
    "catalogue",
    "publish_catalogue",
    "resource",
    "resources",
]
