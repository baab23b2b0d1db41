"""Who is who: organisations' units down to village committees, posts, officials, residents' accounts, sessions, mandates.

1. ``Directory``  one object per process: sessions, accounts, acting for an enterprise, a giver of a mandate, a client.
2. A session's token is in the browser alone; the database knows its SHA-256. 30 minutes idle, 12 hours at most.
3. ``publish_units`` makes units from the declarations; posts and their powers are always read from the declarations.
4. ``publish_representations`` says who represents which enterprise; ``seed_demo`` gives invented people accounts.
5. A mandate has a period and matters, and ends at once when it is taken back; each use is in the ledger.
6. A clerk serves somebody who is present only with a post that has the power, and that person sees it.
"""

from dizuo.engines.directory.directory import Directory, prepare
from dizuo.engines.directory.model import (
    Account,
    Acting,
    DemoChoice,
    Mandate,
    Opened,
    PostAt,
    Representation,
    Represented,
    SeedPerson,
    Session,
)
from dizuo.engines.directory.rules import unit_for
from dizuo.engines.directory.seeding import (
    forget_sessions,
    publish_representations,
    publish_units,
    seed_demo,
)

__all__ = [
    "Account",
    "Acting",
    "DemoChoice",
    "Directory",
    "Mandate",
    "Opened",
    "PostAt",
    "Representation",
    "Represented",
    "SeedPerson",
    "Session",
    "forget_sessions",
    "prepare",
    "publish_representations",
    "publish_units",
    "seed_demo",
    "unit_for",
]
