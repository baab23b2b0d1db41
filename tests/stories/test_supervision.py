"""督办: the supervisor sees late work and not the person, presses with a reason, and the officer is told."""

from __future__ import annotations

import pytest
from desk_work import at_desk, pick_up, to_queue
from newborn import LIN, agree, begin, submit
from town import Town

REASON = "群众来电催办，请今天办结"


@pytest.fixture
async def late(town: Town) -> str:
    """A newborn's registration whose promise has run out, on the desk."""
    lin = await begin(town, "林晓晴")
    number = await submit(lin, LIN)
    await agree(town, "王启明", number)
    await agree(town, "王建国", number)
    await town.settle(minutes=1)
    await town.settle(days=6)
    return number


async def test_late_work_is_pressed_and_the_officer_is_told(town: Town, late: str) -> None:
    seer = await at_desk(town, "曹刚")
    await seer.follow("督办")
    row = next(n.text() for n in seer.page.main.all("li") if late in n.text())
    assert "超 " in row
    for personal in ("王沐言", "林晓晴"):
        assert personal not in seer.page.html
    await seer.follow("出生", near=late)
    assert seer.page.status == 200, seer.page.text[:300]
    assert seer.here() == f"/desk/supervised/{late}"
    for personal in ("王沐言", "林晓晴", "王启明", "王建国", "中山路"):
        assert personal not in seer.page.html
    assert "走到哪一步，在谁手里" in seer.page.text
    twin = await seer.client.get(f"/desk/supervised/{late}.json")
    assert twin.status_code == 200
    assert "林晓晴" not in twin.text

    await seer.fill({"督办的理由和要求": ""}, "督办")
    assert seer.page.status == 422
    assert seer.page.errors()
    await seer.fill({"督办的理由和要求": REASON}, "督办")
    assert seer.page.status == 200
    assert "已督办" in seer.page.text
    assert REASON in seer.page.text

    officer = await at_desk(town, "周敏")
    await to_queue(officer)
    assert any("王沐言" in n.text() and "督办" in n.text() for n in officer.page.main.all("li"))
    await pick_up(officer, "王沐言")
    assert "督办要求" in officer.page.text
    assert REASON in officer.page.text

    # The look and the press are the parent's to see.
    await town.settle(minutes=1)
    kinds = [e["kind"] for e in await town.entries("case.supervise_view") if e["payload"]["case"] == late]
    assert kinds
    (pressed,) = [e for e in await town.entries("case.press") if e["payload"]["case"] == late]
    assert pressed["payload"]["reason"] == REASON
    assert REASON not in str(pressed["body"])

    # A number that was pasted into the search leads to the same page.
    await seer.open(f"/desk/search?q={late}")
    assert seer.here() == f"/desk/supervised/{late}"

    # Whoever supervises does not open the case itself, and what is in time is not open at all.
    await seer.open(f"/desk/cases/{late}")
    assert seer.page.status == 403
    assert "林晓晴" not in seer.page.html
    for path in (f"/desk/supervised/{late}", "/desk/supervised/32020000000000000"):
        await officer.open(path)
        assert officer.page.status == 403
    await seer.open("/desk/supervised/32020000000000000")
    assert seer.page.status == 404
