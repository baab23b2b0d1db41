"""Intake (接入): from delivered bytes in any declared format to raw rows, with every row accounted for.

1. ``land``  keeps the bytes as they came, named by their content, read-only and on disk.
2. ``read_file``  turns them into raw rows and rejected rows, with one reader for each format behind one protocol.
3. Wrappers are unfolded as streams and counted; nothing is unpacked under a name that an archive chose.
4. Columns are held against the declaration by name and by what stands in them.
"""

from dizuo.engines.lake.intake.landing import Landed, land
from dizuo.engines.lake.intake.limits import Limits
from dizuo.engines.lake.intake.places import Places
from dizuo.engines.lake.intake.reading import Outcome, read_file

__all__ = ["Landed", "Limits", "Outcome", "Places", "land", "read_file"]
