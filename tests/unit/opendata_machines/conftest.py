"""One portal per test module, served."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from machines_world import Portal, portal_up


@pytest.fixture(scope="module")
def machines(database: Any) -> Iterator[Portal]:
    """A portal with nothing in it yet."""
    with portal_up(database) as portal:
        yield portal
