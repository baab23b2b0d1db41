"""The catalogue of data resources (政务数据资源目录): what there is, under which conditions, and whether that is true.

1. ``publish_catalogue``  makes it from the declarations; codes are for ever, nothing vanishes, every change is kept.
2. ``resources``, ``resource``, ``history``  read it.
"""

from dizuo.engines.exchange.catalogue.coding import BASES, CLASSES, THEMES, CodeParts, parts_of
from dizuo.engines.exchange.catalogue.model import (
    CYCLES,
    ITEM_TYPES,
    METHODS,
    OPEN_TYPES,
    SHARE_TYPES,
    STATES,
    Resource,
    ResourceField,
)
from dizuo.engines.exchange.catalogue.publishing import Published, publish_catalogue
from dizuo.engines.exchange.catalogue.reads import ResourceChange, history, resource, resources

__all__ = [
    "BASES",
    "CLASSES",
    "CYCLES",
    "ITEM_TYPES",
    "METHODS",
    "OPEN_TYPES",
    "SHARE_TYPES",
    "STATES",
    "THEMES",
    "CodeParts",
    "Published",
    "Resource",
    "ResourceChange",
    "ResourceField",
    "history",
    "parts_of",
    "publish_catalogue",
    "resource",
    "resources",
]
