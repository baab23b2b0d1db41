"""`dizuo policy`: the whole policy in force, as generated from the city's declarations."""

from __future__ import annotations

import argparse

from dizuo.foundation.blueprint import load_city
from dizuo.foundation.policy import Policy


def run(arguments: argparse.Namespace) -> int:
    """Print the Cedar policy text."""
    print(Policy.from_city(load_city(arguments.city)).text)
    return 0
