"""dizuo (底座): the digital base of a city.

A city declares itself in plain files; dizuo checks the declaration like a compiler, runs the city
from it, proves what was done with whose data, and measures where to improve.
"""

__version__ = "0.1.0"
