"""Requests of a demonstration city (演示数据): invented needs, brought to every state by the real steps on a clock in the past.

Nothing is written that an official could not have done: the same authorisation, clocks, records and ledger entries.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final, NamedTuple

from dizuo.engines.exchange.requests import rules
from dizuo.engines.exchange.requests.actions import new_request, save_request, take_step
from dizuo.engines.exchange.requests.errors import RightExists
from dizuo.engines.exchange.requests.grants import QUERIES, note_use, sweep_expired
from dizuo.engines.exchange.requests.model import Request, Wish
from dizuo.engines.exchange.requests.reads import point_out
from dizuo.engines.exchange.requests.sharing import Sharing, load, offered
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.clock_source import SHANGHAI, FrozenNow
from dizuo.foundation.store import Pool

Officials = Mapping[tuple[str, str], Actor]
"""(organisation, power) → an official who has it."""


class Act(NamedTuple):
    """One step: who takes it ('asks', 'checks', 'authority', 'rules', 'provides'), on which day after the first, words, reason."""

    who: str
    event: str
    day: int
    words: str = ""
    reason: str = ""


class Story(NamedTuple):
    """An invented need: who asks for what, when it began (days ago), until when (days ahead), and what became of it."""

    department: str
    kind: str
    of: str
    fields: tuple[str, ...]
    purpose: str
    basis: str
    used_in: str
    scope: str
    ago: int
    until: int
    acts: tuple[Act, ...]
    frequency: str = "realtime"
    method: str = "query"
    used: bool = False


def _sent(day: int = 0) -> tuple[Act, ...]:
    return (Act("asks", "submit", day), Act("checks", "pass", day + 1))


def _agreed(answer: int) -> tuple[Act, ...]:
    return (*_sent(), Act("authority", "forward", 2), Act("provides", "agree", answer))


def _opened(answer: int) -> tuple[Act, ...]:
    return (*_agreed(answer), Act("provides", "provision", answer + 2))


STORIES: Final = (
    Story(
        "civil", "register", "person", ("citizen_id", "name", "birth_date"), "核对高龄津贴申请人的身份和年龄", "elderly-2018:33",
        "senior", "本局和各区民政局福利科，核对本市申请人", 75, 300, _opened(6), used=True,
    ),
    Story(
        "health", "register", "household", ("household_no", "members", "address"), "核对育儿补贴申请家庭的子女数", "population-2021:25",
        "newborn", "本委家庭发展科，核对本市申请家庭", 61, 200, _opened(9), used=True,
    ),
    Story(
        "market", "register", "e_licence", ("number", "licence_type", "issuer"), "核对开办餐饮店要用的电子证照", "online-service-2019:10",
        "restaurant", "本局食品许可科，核对申请人名下证照", 48, 350, _opened(5), used=True,
    ),
    Story(
        "psb", "register", "e_licence", ("number", "licence_type"), "办出生登记时核对出生医学证明电子证照", "online-service-2019:10",
        "newborn", "各派出所户籍窗口，核对当前申请人", 12, 350, _opened(5),
    ),
    Story(
        "hrss", "register", "medical_insurance", ("citizen_id", "state"), "核对社保卡医保功能是否已开通", "social-insurance-2018:58",
        "newborn", "本局社保卡科，核对申领人", 54, 200,
        (*_opened(8), Act("provides", "suspend", 30, "近三天调用量是平时的十倍，先停下来核查")), used=True,
    ),
    Story(
        "civil", "register", "death", ("citizen_id", "died_on"), "停发已去世老年人的津贴", "elderly-2018:33", "senior",
        "本局福利科，每天核对在领人员", 95, -3, _opened(12), "daily", "batch", True,
    ),
    Story(
        "medical", "register", "social_insurance", ("citizen_id", "pension_state"), "核对参保人是否转为职工参保", "social-insurance-2018:25",
        "", "本局参保科，月度比对", 88, 180, (*_opened(20), Act("rules", "revoke", 40, "用途改变，主管部门收回")), "monthly", "bulk",
    ),
    Story(
        "psb", "register", "marriage", ("certificate_no", "state", "registered_on"), "办出生登记时核对父母婚姻登记", "hukou-1958:7",
        "newborn", "各派出所户籍窗口，核对当前申请人", 13, 300, _agreed(7),
    ),
    Story(
        "hrss", "register", "marriage", ("certificate_no", "husband_citizen_id", "wife_citizen_id"), "核对生育津贴申领人婚姻状况",
        "social-insurance-2018:56", "newborn", "本局待遇科", 40, 200,
        (*_sent(), Act("authority", "forward", 2), Act("provides", "refuse", 9, "发放生育津贴法律上不看婚姻状况，用不到", "beyond_duty")),
    ),
    Story(
        "market", "register", "person", ("name", "phone"), "联系拟注销的个体工商户", "market-registration-2021:19", "",
        "本局登记注册科", 33, 200,
        (*_sent(), Act("authority", "reject", 3, "所列条文只管登记，不管联系方式", "basis_missing")), "weekly", "batch",
    ),
    Story(
        "medical", "register", "person", ("citizen_id", "name", "division"), "核对新生儿参保登记的户籍", "social-insurance-2018:25",
        "newborn", "本局参保科，核对当前申请人", 27, 200, (*_sent(), Act("authority", "forward", 2)),
    ),
    Story(
        "health", "register", "residence_permit", ("permit_no", "state", "valid_to"), "核对流动人口家庭的育儿补贴资格", "population-2021:25",
        "newborn", "本委家庭发展科", 6, 300, (*_sent(), Act("authority", "forward", 2)),
    ),
    Story(
        "civil", "register", "disability_certificate", ("certificate_no", "kind", "level"), "核对护理补贴对象的残疾等级", "elderly-2018:33",
        "senior", "本局福利科", 30, 200,
        (*_sent(), Act("authority", "forward", 2), Act("provides", "refuse", 8, "目录写明按事项使用，申请没有写到事项", "no_condition"),
         Act("checks", "dispute", 12, "高龄护理补贴就是按残疾等级发的")),
    ),
    Story(
        "medical", "source", "births", ("certificate_no", "mother_id"), "核对生育医疗费报销的母婴关系", "social-insurance-2018:55",
        "newborn", "本局待遇科，核对当前申请人", 24, 200,
        (*_sent(), Act("authority", "negotiate", 2, "原始交付不予共享，请两家先协商"),
         Act("checks", "escalate", 12, "协商一次，对要不要母亲证件号没有一致")),
    ),
    Story(
        "psb", "register", "social_insurance", ("citizen_id", "employer"), "核对居住证申领人的就业", "residence-permit-2016:2", "",
        "各派出所户籍窗口", 7, 200,
        (*_sent(), Act("authority", "ask_more", 2, "请补上为什么要工作单位，以及核对到哪一步为止")),
    ),
    Story(
        "hrss", "register", "enterprise", ("uscc", "name", "state"), "核对用人单位的登记状态", "social-insurance-2018:58", "",
        "本局参保登记科", 2, 300, _sent(),
    ),
    Story(
        "civil", "register", "social_insurance", ("citizen_id", "pension_state"), "核对困难老人的养老金领取情况", "elderly-2018:33", "senior",
        "本局福利科，核对当前申请人", 1, 200, (Act("asks", "submit", 0),),
    ),
    Story("health", "register", "school_enrolment", ("student_no",), "掌握儿童入学情况", "", "", "", 1, 90, ()),
)  # fmt: skip


async def demonstrate(pool: Pool, city: City, officials: Officials, now: dt.datetime) -> int:
    """Bring invented requests to every state; returns how many there are then. Does nothing where any request exists.

    ``officials``: who acts, by organisation and power. A story whose officials, resource or fields the city lacks is left out.
    """
    if await pool.fetchval(QUERIES["any_request"]):
        return 0
    clock = FrozenNow(now)
    sharing = Sharing(pool, city, clock)
    told = 0
    for story in STORIES:
        told += await _tell(sharing, clock, officials, story, now)
    clock.set(now)
    await sweep_expired(pool, now.date())
    await _point_out(sharing, officials)
    return told


async def _tell(
    sharing: Sharing, clock: FrozenNow, officials: Officials, story: Story, now: dt.datetime
) -> bool:
    code = await sharing.pool.fetchval(QUERIES["code_of"], story.kind, story.of)
    resource = await offered(sharing.pool, code or "")
    asker = officials.get((story.department, rules.ASK))
    if resource is None or asker is None or resource.provider == story.department:
        return False
    who = {
        "asks": asker,
        "checks": officials.get((story.department, rules.CHECK)),
        "authority": _any(officials, rules.REVIEW),
        "rules": _any(officials, rules.SETTLE),
        "provides": officials.get((resource.provider, rules.ANSWER)),
    }
    fields = tuple(one for one in story.fields if one in {field[0] for field in resource.fields})
    if not fields or any(who[act.who] is None for act in story.acts):
        return False
    clock.set(_morning(sharing, now, story.ago))
    number = await new_request(sharing, (asker,))
    await save_request(
        sharing, (asker,), number, _wish(sharing.city, story, resource.code, fields, now.date()), 1
    )
    for act in story.acts:
        actor = who[act.who]
        assert actor is not None
        clock.set(_morning(sharing, now, story.ago - act.day))
        request = await _take(sharing, actor, number, act)
        if story.used and act.event in ("provision", "conform") and request.grant_id is not None:
            await note_use(sharing.pool, request.grant_id)
    return True


async def _take(sharing: Sharing, actor: Actor, number: str, act: Act) -> Request:
    version = (await load(sharing.pool, number)).version
    return await take_step(sharing, (actor,), number, act.event, version, act.words, act.reason)


def _wish(city: City, story: Story, code: str, fields: tuple[str, ...], today: dt.date) -> Wish:
    """Complete where the story sends it: a matter that the city lacks becomes a standing duty."""
    matter = story.used_in if story.used_in in city.matters else ""
    return Wish(
        resource=code,
        fields=fields,
        purpose=story.purpose,
        basis=story.basis,
        matter=matter,
        duty="" if matter or not story.basis else story.purpose,
        scope=story.scope,
        methods=(story.method,),
        until=today + dt.timedelta(days=story.until),
        frequency=story.frequency,
        per_day=2000,
        responsible="演示人员，分管负责人",
        committed=bool(story.acts),
    )


def _any(officials: Officials, power: str) -> Actor | None:
    return next((actor for (_, held), actor in officials.items() if held == power), None)


def _morning(sharing: Sharing, now: dt.datetime, days: int) -> dt.datetime:
    """Ten in the morning of the last working day at least so many days ago, never later than now."""
    day = now.date() - dt.timedelta(days=max(days, 0))
    while sharing.calendar.is_workday(day) is False:
        day -= dt.timedelta(days=1)
    return min(now, dt.datetime.combine(day, dt.time(10, 0), SHANGHAI))


async def _point_out(sharing: Sharing, officials: Officials) -> None:
    """One who would ask again for what is there, and a matter's question that a register answers."""
    first = STORIES[0]
    asker = officials.get((first.department, rules.ASK))
    code = await sharing.pool.fetchval(QUERIES["code_of"], first.kind, first.of)
    register = sharing.city.registers.get(first.of)
    if asker is None or code is None or register is None:
        return
    number = await new_request(sharing, (asker,))
    wish = _wish(sharing.city, first, code, ("citizen_id", "name"), sharing.today)
    version = await save_request(sharing, (asker,), number, wish, 1)
    try:
        await take_step(sharing, (asker,), number, "submit", version)
    except RightExists:
        pass
    field = register.fields.get("name")
    if field is not None:
        await point_out(sharing, (asker,), first.department, field.datum, first.used_in)
