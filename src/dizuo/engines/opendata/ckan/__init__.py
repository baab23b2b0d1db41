"""CKAN's Action API v3 over the catalogue: what portals' programs already speak.

1. ``action``    an action by name; ``Portal`` and ``Asked`` are what it works with.
2. ``reading``   packages, organisations, groups, tags, licences; ``query`` and ``where``: the part of Solr's syntax that is taken.
3. ``datastore`` rows by filters, words and sorting; SQL of strangers is refused.
4. ``writing`` and ``rows``  load a catalogue from outside with a key; the gate decides what is seen.
"""

from .actions import ACTIONS, Action, action
from .asking import Asked
from .errors import (
    CkanActionUnknown,
    CkanDeclared,
    CkanInvalid,
    CkanKeyNeeded,
    CkanNotFound,
    CkanNotYours,
    CkanQueryInvalid,
    CkanTaken,
    SqlRefused,
)
from .keys import OpenKey, OpenKeyUnknown, find_key, keys, make_key, revoke_key
from .portal import Portal, Writer

__all__ = [
    "ACTIONS",
    "Action",
    "Asked",
    "CkanActionUnknown",
    "CkanDeclared",
    "CkanInvalid",
    "CkanKeyNeeded",
    "CkanNotFound",
    "CkanNotYours",
    "CkanQueryInvalid",
    "CkanTaken",
    "OpenKey",
    "OpenKeyUnknown",
    "Portal",
    "SqlRefused",
    "Writer",
    "action",
    "find_key",
    "keys",
    "make_key",
    "revoke_key",
]
