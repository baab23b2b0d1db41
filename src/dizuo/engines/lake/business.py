"""Invented enterprises and individual businesses with their legal representatives (法定代表人)."""

from __future__ import annotations

from datetime import date, timedelta

from dizuo.engines.lake.families import Maker
from dizuo.engines.lake.numbering import unified_code
from dizuo.engines.lake.people import Cluster, Enterprise, Person

# GB/T 4754-2017 small classes with a name part and a scope in our own words.
TRADES: tuple[tuple[str, str, str, str], ...] = (
    ("6210", "正餐服务", "餐饮", "餐饮服务（正餐）"),
    ("6220", "快餐服务", "快餐", "餐饮服务（快餐）"),
    ("6232", "咖啡馆服务", "咖啡", "咖啡馆服务；预包装食品销售"),
    ("5211", "百货零售", "商贸", "日用百货销售"),
    ("5219", "其他综合零售", "超市", "食品、日用品零售"),
    ("6513", "应用软件开发", "软件科技", "软件开发；信息技术咨询"),
    ("3484", "机械零部件加工", "精密机械", "机械零件加工与销售"),
    ("1713", "棉印染精加工", "纺织", "纺织品加工与销售"),
    ("8040", "理发及美容服务", "美容", "理发、美容服务"),
    ("5437", "城市配送", "物流", "道路货物运输；仓储服务"),
)
_MARKS = [
    "梁味",
    "太湖",
    "锡源",
    "惠泉",
    "蠡园",
    "运河",
    "阳羡",
    "澄江",
    "春申",
    "梅园",
    "鼋渚",
    "东林",
    "泰伯",
    "芙蓉",
    "云林",
    "听松",
]


def enterprises(maker: Maker, cluster: Cluster, serial: int) -> int:
    """Give three working-age people in a hundred an enterprise; the next free serial number is returned."""
    rng = maker.rng
    for person in cluster.people:
        if person.died is None and 24 <= person.age(maker.today) < 62 and rng.random() < 0.05:
            cluster.enterprises.append(enterprise(maker, person, serial))
            serial += 1
    return serial


def enterprise(
    maker: Maker,
    legal: Person,
    serial: int,
    *,
    trade: int | None = None,
    name: str | None = None,
    days: int | None = None,
) -> Enterprise:
    """One enterprise (91) or individual business (92, 个体工商户), in or near its legal representative's district."""
    rng = maker.rng
    code, industry, part, scope = TRADES[rng.randrange(len(TRADES)) if trade is None else trade]
    home = legal.household.door.town if legal.household else maker.ground.town(rng)
    town = home if rng.random() < 0.5 else maker.ground.other_town(rng, home, True)
    individual = rng.random() < 0.45 and name is None
    kind = "92" if individual else "91"
    age = rng.randint(20, 5000) if days is None else days
    founded: date = max(maker.today - timedelta(days=age), legal.birth + timedelta(days=6700))
    district = maker.ground.names[town.parent]
    mark = rng.choice(_MARKS) + rng.choice("轩居坊记源丰和泰嘉")
    full = name or (
        f"{district}{mark}{part}店（个体工商户，演示{serial}）"
        if individual
        else f"{maker.ground.city}{mark}{part}有限公司（演示{serial}）"
    )
    return Enterprise(
        code=unified_code(kind, town.parent, serial), name=full, kind=kind, legal=legal, town=town,
        address=maker.ground.shop(rng, town), capital=rng.choice((5, 10, 50, 100, 200, 500)) * 10_000, industry=code,
        industry_name=industry, scope=scope, founded=founded, area=rng.choice((38, 60, 85, 120, 180, 260, 420)),
        staff=rng.randint(1, 60), state="存续" if rng.random() < 0.95 else rng.choice(("注销", "歇业", "吊销")),
    )  # fmt: skip
