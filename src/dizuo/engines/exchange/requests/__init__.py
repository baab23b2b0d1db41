"""Requests for data between departments (供需对接): need, check, reply on its clock, agreement, use, end.

1. ``Grant``, ``grants_of``, ``grant``  who may use what for what; ``Grant.usable(day)`` decides at use, ``version`` tells a cache.
2. ``open_grant``, ``suspend``, ``resume``, ``revoke``, ``give_up``, ``sweep_expired``  what becomes of a right, at once.
3. ``note_use``  the delivery tells that a right was used.
4. ``publish_departments``  whom the declarations name: nobody else is ever a consumer.
"""

from dizuo.engines.exchange.requests.errors import (
    BeyondResource,
    GrantFixed,
    GrantOver,
    GrantUnknown,
    NotADepartment,
    NotShared,
    ResourceNotOffered,
)
from dizuo.engines.exchange.requests.grants import (
    give_up,
    grant,
    grants_of,
    note_use,
    open_grant,
    resume,
    revoke,
    suspend,
    sweep_expired,
)
from dizuo.engines.exchange.requests.model import Grant, NewGrant
from dizuo.engines.exchange.requests.publish import publish_departments

__all__ = [
    "BeyondResource",
    "Grant",
    "GrantFixed",
    "GrantOver",
    "GrantUnknown",
    "NewGrant",
    "NotADepartment",
    "NotShared",
    "ResourceNotOffered",
    "give_up",
    "grant",
    "grants_of",
    "note_use",
    "open_grant",
    "publish_departments",
    "resume",
    "revoke",
    "suspend",
    "sweep_expired",
]
