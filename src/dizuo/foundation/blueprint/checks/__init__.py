"""The second and third pass: references, then behaviour. Each module looks at one noun."""

from __future__ import annotations

from dizuo.foundation.blueprint.checks import (
    asks,
    datasets,
    examples,
    expressions,
    items,
    laws,
    organisations,
    parties,
    registers,
    seals,
    sources,
    words,
)
from dizuo.foundation.blueprint.draft import Draft


def run(draft: Draft) -> None:
    """Every check of meaning; findings go to the draft's log."""
    laws.check(draft)
    organisations.check(draft)
    registers.check(draft)
    sources.check(draft)
    datasets.check(draft)
    seals.check(draft)
    for matter in draft.matters.values():
        file = f"matters/{matter.id}/matter.yaml"
        parties.check(draft, matter, file)
        asks.check(draft, matter, file)
        items.check(draft, matter, file)
        expressions.check(draft, matter, file)
        words.check(draft, matter, file)
    examples.check(draft)
