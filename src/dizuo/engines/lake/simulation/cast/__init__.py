"""The named characters of the demonstration and some families with newborns (演示人物), delivered like everybody else.

They are one block more of the invented city: their rows stand in the departments' deliveries among all others, with slips of
their own, and come to the registers through the lake. Only sign-in knows who they are.
"""

from dizuo.engines.lake.demonstration import DemoPerson
from dizuo.engines.lake.simulation.cast.block import Company, company, write_cast

__all__ = ["Company", "DemoPerson", "company", "write_cast"]
