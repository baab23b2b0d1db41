"""The second and third pass: references, then behaviour. Each module looks at one noun."""

from __future__ import annotations

from dizuo.foundation.blueprint.draft import Draft


def run(draft: Draft) -> None:
    """Every check of meaning; findings go to the draft's log."""
