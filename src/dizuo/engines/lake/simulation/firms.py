"""Invented enterprises and individual businesses of a block, each represented by one of its people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.dice import Dice, Flags, Ints, scattered
from dizuo.engines.lake.simulation.numbers import telephones, unified_codes
from dizuo.engines.lake.simulation.people import STRIDE, People, Plan
from dizuo.engines.lake.simulation.places import Addresses, Places
from dizuo.engines.lake.simulation.text import Column, Days, Digits, column, join, take, where

FIRMS_A_PERSON = 1_100_000 / 7_500_000
_NEW_A_DAY = 60 / 1_000_000
_COMPANIES = 0.38
_MARKS = [
    "鑫",
    "盛",
    "达",
    "源",
    "泰",
    "恒",
    "瑞",
    "祥",
    "华",
    "宏",
    "金",
    "永",
    "隆",
    "昌",
    "顺",
    "丰",
    "益",
    "康",
    "诚",
    "信",
    "德",
    "惠",
    "润",
    "泽",
    "锡",
    "梁",
    "湖",
    "春",
    "申",
    "澄",
    "阳",
    "羡",
    "云",
    "林",
    "海",
    "天",
    "博",
    "雅",
    "晟",
    "凯",
    "亿",
    "通",
    "联",
    "创",
    "新",
    "科",
    "优",
    "佳",
    "美",
    "乐",
    "嘉",
    "欣",
    "旺",
    "福",
    "吉",
    "安",
    "和",
    "平",
    "正",
    "大",
    "远",
    "航",
    "腾",
    "飞",
    "龙",
    "江",
    "东",
    "南",
    "北",
    "中",
    "星",
    "月",
    "明",
    "光",
    "辉",
    "耀",
    "荣",
    "富",
    "贵",
    "宝",
    "玉",
    "翔",
    "宇",
    "伟",
    "业",
    "兴",
    "茂",
    "立",
    "方",
    "圆",
    "特",
    "耐",
    "力",
    "强",
    "固",
    "普",
]
MARKS = column(_MARKS)
# How each mark is misheard: the next of the same sound in the list of homophones below.
_SOUNDS = {"鑫": "欣", "盛": "晟", "达": "大", "源": "圆", "恒": "横", "瑞": "锐", "祥": "翔", "华": "骅", "宏": "鸿",
           "金": "锦", "永": "勇", "昌": "畅", "丰": "峰", "益": "亿", "诚": "成", "信": "新", "惠": "慧", "泽": "则",
           "锡": "熙", "春": "椿", "阳": "洋", "云": "芸", "林": "琳", "博": "铂", "佳": "嘉", "嘉": "佳", "福": "富",
           "吉": "极", "和": "禾", "东": "冬", "星": "兴", "明": "铭", "耀": "曜", "荣": "容", "翔": "祥", "宇": "羽",
           "伟": "炜", "业": "烨", "兴": "星", "立": "力", "力": "立"}  # fmt: skip
MISHEARD = column([_SOUNDS.get(mark, mark) for mark in _MARKS])
CAN_MISHEAR = np.array([mark in _SOUNDS for mark in _MARKS])

# GB/T 4754-2017 classes; name part and scope in our own words. The first part for companies, the rest for shops.
TRADES = (
    ("3484", "精密机械", "机械零部件加工、销售", 0), ("6513", "软件科技", "软件开发；信息技术咨询服务", 0),
    ("1713", "纺织", "纺织品加工、销售", 0), ("5437", "物流", "道路货物运输；仓储服务", 0),
    ("3812", "电气设备", "电气机械设备销售；电线电缆制造", 0), ("5199", "贸易", "日用品、五金产品批发", 0),
    ("4790", "建筑工程", "建设工程施工；建筑劳务分包", 0), ("5011", "装饰工程", "住宅室内装饰装修", 0),
    ("7212", "企业管理", "企业管理咨询；商务信息咨询", 0), ("3972", "半导体", "电子元器件制造、销售", 0),
    ("2929", "塑料制品", "塑料制品制造、销售", 0), ("3311", "金属结构", "金属结构制造、安装", 0),
    ("7320", "新能源科技", "新能源技术研发、技术推广", 0), ("5177", "医疗器械", "第一类、第二类医疗器械销售", 0),
    ("7251", "广告传媒", "广告设计、代理、发布", 0), ("7840", "园林绿化", "园林绿化工程施工、苗木种植", 0),
    ("6210", "饭店", "餐饮服务", 1), ("6220", "快餐店", "餐饮服务；外卖递送服务", 1),
    ("6232", "咖啡馆", "咖啡馆服务；预包装食品销售", 1), ("5219", "便利店", "食品、日用品零售", 1),
    ("5211", "百货商行", "日用百货销售", 1), ("8040", "美容美发店", "理发、美容服务", 1),
    ("5232", "服装店", "服装服饰零售", 1), ("5223", "水果店", "新鲜水果、蔬菜零售", 1),
    ("8111", "汽车维修店", "机动车修理和维护", 1), ("5274", "五金店", "五金产品零售", 1),
    ("5251", "药店", "药品零售；保健食品销售", 1), ("6110", "民宿", "住宿服务", 1),
)  # fmt: skip
INDUSTRY = column([t[0] for t in TRADES])
TRADE = column([t[1] for t in TRADES])
SCOPE = column([t[2] for t in TRADES])
_COMPANY_TRADES = sum(t[3] == 0 for t in TRADES)


@dataclass(slots=True)
class Firms:
    """Enterprises of a block. Shapes: arrays of one length; `representative` is a place among its people.

    `mark` (firms, 3) and `was` (the former name's) are places in MARKS, -1 for no third character.
    """

    number: Ints
    company: Flags
    code: Digits
    district: Ints
    mark: Ints
    was: Ints
    has_former: Flags
    trade: Ints
    representative: Ints
    founded: Days
    born_day: Ints
    state: Ints
    capital: Ints
    phone: Ints
    address: Ints
    addresses: Addresses
    place_names: Column

    def __len__(self) -> int:
        return len(self.number)

    def names(self, rows: Ints, former: Flags, slipped: Flags, short: Flags, brackets: Flags) -> Column:
        """Names in words; with a misheard first mark, without legal form, with half-width brackets where flagged."""
        mark = np.where(former[:, None], self.was[rows], self.mark[rows])
        first = where(slipped, take(MISHEARD, mark[:, 0]), take(MARKS, mark[:, 0]))
        company = self.company[rows]
        tail = where(company & ~short, "有限公司", "")
        sign = where(short, "", where(brackets, "(演示)", "（演示）"))
        place = where(short, "", take(self.place_names, self.district[rows] * 2 + company))
        third = where(mark[:, 2] < 0, "", take(MARKS, np.maximum(mark[:, 2], 0)))
        return join(place, first, take(MARKS, mark[:, 1]), third, take(TRADE, self.trade[rows]), tail, sign)


def establish(places: Places, plan: Plan, block: int, people: People) -> Firms:
    """The enterprises of one block, those included that will be founded within the plan's days."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([plan.seed, block, 2])))
    dice = Dice(plan.seed, f"firms/{block}")
    size = plan.size(block)
    # Even a hamlet has one shop, so that nothing that speaks of enterprises is without any.
    now = max(round(size * FIRMS_A_PERSON), 1)
    fresh = int(_NEW_A_DAY * size + 0.5)
    rows = np.arange(now + fresh * plan.days, dtype=np.int64)
    born_day = np.where(rows < now, 0, (rows - now) // max(fresh, 1) + 1)
    ages = people.ages()
    adults = np.flatnonzero(people.alive() & (ages >= 20) & (ages < 72))
    adults = adults if len(adults) else np.arange(len(people), dtype=np.int64)
    ages_ago = (dice.unit("age", rows) ** 2 * 9_000).astype(np.int64) + 1
    founded = text.shifted(people.today, np.where(born_day > 0, born_day, -ages_ago))
    company = dice.chance("company", rows, _COMPANIES)
    trade = np.where(
        company,
        dice.below("trade", rows, _COMPANY_TRADES),
        _COMPANY_TRADES + dice.below("trade", rows, len(TRADES) - _COMPANY_TRADES),
    )
    addresses = places.draw(rng, now)
    if len(rows) > now:
        later = np.random.Generator(np.random.PCG64(np.random.SeedSequence([plan.seed, block, 3])))
        addresses = addresses.plus(places.draw(later, len(rows) - now))
    addresses.rural[:] = False
    district = places.district_of[addresses.community]
    number = rows + block * STRIDE
    kind = np.where(company, 91, 92)
    serial = rows * plan.blocks + block
    words = places.district_words()
    place_names = column([w for name in words for w in (name, name if name.endswith("市") else places.city)])
    return Firms(
        number, company, unified_codes(kind, places.district_regions[district], serial), district,
        _marks(dice, rows), _marks(dice.within("was"), rows), dice.chance("renamed", rows, 0.06), trade,
        adults[dice.below("representative", rows, len(adults))], founded, born_day,
        np.where(born_day > 0, 0, np.searchsorted([0.80, 0.88], dice.unit("state", rows))).astype(np.int64),
        np.where(company, np.array([10, 50, 100, 200, 500, 1000, 5000])[dice.below("capital", rows, 7)],
                 1 + dice.below("capital", rows, 20)),
        telephones(number, 163), rows.copy(), addresses, place_names,
    )  # fmt: skip


def _marks(dice: Dice, rows: Ints) -> Ints:
    marks = np.stack([dice.below(f"mark{n}", rows, len(_MARKS)) for n in range(3)], axis=1)
    marks[:, 1] = np.where(marks[:, 1] == marks[:, 0], (marks[:, 1] + 1) % len(_MARKS), marks[:, 1])
    marks[:, 2] = np.where(dice.chance("third", rows, 0.92), marks[:, 2], -1)
    return marks


def employers(dice: Dice, firms: Firms, people: Ints) -> Ints:
    """An employer among the companies founded so far for each person, few of them large; -1 without any."""
    choice = np.flatnonzero(firms.company & (firms.born_day == 0) & (firms.state == 0))
    if not len(choice):
        return np.full(len(people), -1, np.int64)
    rank = (dice.unit("employer", people) ** 3 * len(choice)).astype(np.int64)
    return choice[scattered(rank, 10, 2) % len(choice)]
