"""A newborn from home to delivered, as people do it: the steps that many stories share."""

from __future__ import annotations

import re
from typing import Any

from town import Town
from visitor import Visitor

Answers = dict[str, str | bool]
AGREE = "我确认信息属实"
LIN: Answers = {
    "宝宝姓什么": "王",
    "宝宝叫什么名字": "沐言",
    "户口落在谁那里": "跟爸爸",
    "在哪里打预防针": "崇安寺街道社区卫生服务中心",
    "证件怎么给您": "寄到家",
    AGREE: True,
}


def answers(**changed: str | bool | None) -> Answers:
    """Lin's answers with some changed or left out (None); keys are beginnings of the questions."""
    short = {"surname": "宝宝姓什么", "name": "宝宝叫什么名字", "household": "户口落在谁那里",
             "clinic": "在哪里打预防针", "delivery": "证件怎么给您", "agree": AGREE}  # fmt: skip
    found = dict(LIN)
    for name, value in changed.items():
        if value is None:
            found.pop(short[name], None)
        else:
            found[short[name]] = value
    return found


async def begin(town: Town, name: str) -> Visitor:
    """Somebody signs in and opens what the front page has prepared for them."""
    visitor = await town.signed_in(name)
    await visitor.follow("开始确认")
    return visitor


async def submit(visitor: Visitor, given: Answers) -> str:
    """Answer, submit, and read the number on the receipt."""
    await visitor.fill(given, "提交")
    assert visitor.page.h1 == "提交好了", (visitor.page.h1, visitor.page.errors(), visitor.page.text[:400])
    return number_on(visitor)


def number_on(visitor: Visitor) -> str:
    """The case number that the page shows."""
    found = re.search(r"WX\d{14}", visitor.page.text)
    assert found is not None, visitor.page.text[:400]
    return found[0]


async def agree(town: Town, name: str, number: str, *, yes: bool = True) -> Visitor:
    """A member of the family signs in, finds the request on the front page and answers it."""
    visitor = await town.signed_in(name)
    await visitor.follow("请您确认")
    assert number in visitor.page.url
    await visitor.fill({"您同意吗": "我同意" if yes else "我不同意"}, "提交答复")
    return visitor


async def states(visitor: Visitor, number: str) -> dict[str, str]:
    """Item by item, what the progress page says: name and tag."""
    await visitor.open(f"/cases/{number}")
    assert visitor.page.status == 200, visitor.page.h1
    track = next(n for n in visitor.page.main.all("ul") if "track" in n.get("class").split())
    rows = [n for n in track.all("li") if any(n.all("h3"))]
    return {_first(row, "h3"): _tag(row) for row in rows}


def _first(node: Any, tag: str) -> str:
    return next(node.all(tag)).text()


def _tag(node: Any) -> str:
    return next(n.text() for n in node.all("span") if "tag" in n.get("class").split())
