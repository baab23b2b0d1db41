"""“有误？” stands only beside what the reader may report: every such link of a form opens, for either parent."""

from __future__ import annotations

import pytest
from town import Town


@pytest.mark.parametrize(
    ("name", "mine", "anothers"),
    [("王启明", "爸爸", "妈妈的医保"), ("林晓晴", "妈妈的医保", "爸爸"), ("许曼", "妈妈的户籍地址", "")],
)
async def test_every_link_to_report_an_error_opens(town: Town, name: str, mine: str, anothers: str) -> None:
    parent = await town.signed_in(name)
    await parent.open("/matters/newborn/apply")
    form = parent.page
    found = {text: href for text, href in form.links() if "/me/data/correct?entry=" in href}
    assert len(found) > 10
    said = [text.partition("更正")[2] for text in found]
    assert mine in said
    assert (anothers == "") == ("没有“有误？”链接的" not in form.text)
    if anothers:
        assert anothers not in said
        assert anothers in form.text  # the fact itself is shown
    dead = []
    for text, href in found.items():
        await parent.open(href)
        if parent.page.status != 200:
            dead.append(text)
    assert not dead
