"""The node (部门节点): what a department installs to use the base, and to answer it from its own database or file.

Stands alone: of dizuo it needs the kernel and the signing room, no database of its own, no city. Everything is in one folder.

1. ``NodeHome``   the folder: who we are, our signing keys, the base's keys that we believe, the log of what we asked.
2. ``BaseClient`` signs every call (RFC 9421), notes it before it leaves, and believes no answer that is not signed for it;
   ``client.keys`` follows the base to its next keys.
3. ``follow``     reads a subscription's events in order, each verified, and remembers how far it came.
4. ``download``   fetches everything in parts, goes on where it stopped, holds each part against its digest.
5. ``Provider``   answers the base's signed questions as a declared adapter file says, and nothing outside it.
"""

from dizuo.node.adapter import Adapter, read_adapter
from dizuo.node.client import BaseClient
from dizuo.node.downloading import download
from dizuo.node.following import follow
from dizuo.node.home import NodeHome
from dizuo.node.journal import Journal
from dizuo.node.provider import Provider
from dizuo.node.pushes import verify_push
from dizuo.node.serving import serving

__all__ = [
    "Adapter",
    "BaseClient",
    "Journal",
    "NodeHome",
    "Provider",
    "download",
    "follow",
    "read_adapter",
    "serving",
    "verify_push",
]
