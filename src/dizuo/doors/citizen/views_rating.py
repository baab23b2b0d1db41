"""What became of a bad rating (差评), as whoever gave it reads it on the page of the case."""

from __future__ import annotations

from dizuo.engines.cases import FollowUpTold
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.web.format import day
from dizuo.web.words import fill

from .case_facts import FollowedView, Happened
from .declared import pick


def followed_view(told: FollowUpTold, lang: str, words: dict[str, str]) -> FollowedView:
    """The state in a sentence, and every step that was taken; officials stand by their department."""
    if told.outcome:
        says = words[f"outcome_{told.outcome}"]
    else:
        says = fill(
            words[f"state_{told.state.value}"],
            department=pick(told.department, lang) if told.department else words["somebody"],
            by=words["soon"] if told.due is None else fill(words["by"], day=day(told.due, lang)),
        )
    done = [
        Happened(
            f"{to_shanghai(one.at):%m-%d %H:%M}",
            one.at.isoformat(),
            words[f"did_{one.act}_{one.choice}" if one.choice else f"did_{one.act}"],
            " · ".join(
                part for part in (pick(one.department, lang) if one.department else "", one.says) if part
            ),
            "",
        )
        for one in reversed(told.done)
    ]
    return FollowedView(says, done)
