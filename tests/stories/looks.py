"""Looking at pages: something of every kind to look at, and one page in every width, by axe and by its sideways scroll."""

from __future__ import annotations

from dataclasses import dataclass

from desk_work import at_desk, pick_up
from newborn import LIN, agree, answers, begin, submit
from served import Seat
from town import Town

WIDTHS = (1440, 390, 320)
VIEWS = ("plain.light.zh", "plain.dark.zh", "elder.light.zh", "elder.dark.zh", "plain.light.en")
RESIDENT = "陆思琪"


@dataclass(frozen=True)
class Cases:
    """What is there to look at: numbers of cases in different states."""

    running: str
    shop: str
    correction: str


async def prepare(town: Town, *consents: str) -> Cases:
    """A twin applied for, a restaurant with a fix asked and a refusal, a reported error, a newborn with these consents."""
    lu = await begin(town, RESIDENT)
    await lu.fill({"出生医学证明": "宝宝性别 男"}, "下一步")
    await submit(lu, answers(surname="顾", name="嘉树", household=None, clinic="澄江街道"))
    shop = await _shop(town)
    wang = await begin(town, "王启明")
    await wang.follow("有误？更正联系电话")
    await wang.fill({"应该是什么": "13712340000"}, "提交更正")
    mother = await begin(town, "周婷婷")
    await mother.fill({"宝宝叫什么名字": "子墨"}, "先存着")
    family = await begin(town, "林晓晴")
    number = await submit(family, LIN)
    for name in consents:
        await agree(town, name, number)
    await town.settle(minutes=11)
    return Cases(number, shop, await town.owner.fetchval("SELECT number FROM cases.correction LIMIT 1"))


async def _shop(town: Town) -> str:
    zhou = await town.signed_in("周立新")
    await zhou.open("/acting?next=/matters/restaurant/apply")
    await zhou.fill({"替谁办": "无锡市梁味坊"}, "就这样办")
    given: dict[str, str | bool] = {
        "店开在哪里": "就在执照上的地址",
        "主要做什么": "奶茶",
        "店有多少平方米": "60",
        "要在店外挂招牌": "是",
        "店里要卖香烟": "是",
        "我确认信息属实": True,
    }
    shop = await submit(zhou, given)
    officer = await at_desk(town, "华俊")
    await pick_up(officer, "梁味坊")
    await officer.follow("告知补正")
    await officer.fill(
        {"第 1 条要补什么": "店面照片", "第 1 条为什么": "看不清", "理由": "看不清"}, "一次告知申请人"
    )
    other = await at_desk(town, "蒋鹏")
    await pick_up(other, "梁味坊")
    await other.fill({"决定": "不予", "理由": "招牌遮住了信号灯", "法律依据": "《"}, "确定")
    return shop


def look_at(look: Seat, address: str, found: list[str]) -> None:
    """Open one page and look at it in all widths; what is wrong goes into ``found``."""
    look.page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    look.open(address)
    look_here(look, address, found)


def look_here(look: Seat, name: str, found: list[str]) -> None:
    """The page that stands there (an answer to a form), in all widths."""
    for width in WIDTHS:
        look.page.set_viewport_size({"width": width, "height": 900})
        found += [f"{name} at {width}: {line}" for line in look.axe()]
        if look.too_wide() > 0:
            found.append(f"{name} at {width}: {look.too_wide()} px too wide")
    look.page.set_viewport_size({"width": WIDTHS[0], "height": 900})
