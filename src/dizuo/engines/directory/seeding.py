"""Fills the directory as the owner: units from the declarations, representation from the enterprise register, and in a
demonstration city an invented official for every post of every unit (演示数据)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence

from dizuo.engines.directory.model import Representation, SeedPerson, Unit
from dizuo.engines.directory.rules import units
from dizuo.foundation.blueprint.divisions import chain
from dizuo.foundation.blueprint.model import City, Division, Organisation, Post
from dizuo.foundation.kernel.errors import Refused
from dizuo.foundation.store import Connection

_SURNAMES = "王李张陈刘周徐吴朱沈顾陆钱华许薛蒋尤杨孙赵唐冯曹"
_GIVEN = "敏静磊洋艳勇军杰娟涛超霞平刚玲辉鹏玉兰红萍鑫悦宁晨蕾婷浩伟岩峰晴雯颖佳欣然博文思远子涵"
# Officials whom stories name: power that picks the post, or organisation and post → name.
_NAMED: tuple[tuple[str, str, str], ...] = (
    ("district_service", "joint_reviewer", "周敏"),
    ("psb", "household_officer", "陈志刚"),
    ("health", "family_officer", "孙丽"),
    ("medical", "insurance_officer", "吴晓峰"),
    ("hrss", "card_officer", "钱静"),
    ("market", "food_officer", "徐建平"),
    ("urban", "appearance_officer", "蒋鹏"),
    ("fire", "fire_officer", "尤勇"),
    ("tobacco", "tobacco_officer", "华俊"),
    ("cdc", "vaccination_officer", "薛颖"),
    ("tax", "premium_officer", "冯霞"),
    ("civil", "welfare_officer", "唐文娟"),
    ("town_service", "town_clerk", "许蕾"),
    ("village", "village_helper", "朱玉兰"),
    ("district_service", "district_supervisor", "曹刚"),
    ("data", "steward", "沈博文"),
    ("data", "auditor", "顾岩"),
    ("market", "inspector", "潘国强"),
    ("market", "market_head", "邵静"),
    ("psb", "station_head", "施伟民"),
    ("district_service", "district_clerk", "龚晓燕"),
    ("data", "supervisor", "高志远"),
    ("civil", "civil_head", "谈国华"),
    ("hrss", "hrss_head", "强素芬"),
    ("health", "health_head", "荣立新"),
    ("medical", "medical_head", "秦岚"),
    ("dpf", "dpf_officer", "浦惠英"),
    ("psb", "investigator", "戴宏伟"),
    ("psb", "investigation_head", "孔令勇"),
    ("procuratorate", "prosecutor", "舒雅琴"),
    ("data", "licence_officer", "薛敏之"),
)
_HOME_TOWN = "崇安寺街道"


async def publish_units(conn: Connection, city: City) -> int:
    """Make the directory's units those of the declarations; a unit that is gone is retired, not deleted. Owner only."""
    wanted = list(units(city))
    async with conn.transaction():
        await conn.execute(
            """
            INSERT INTO directory.unit AS u (id, organisation, division, name)
            SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, retired_at = NULL
            WHERE u.name <> excluded.name OR u.retired_at IS NOT NULL
            """,
            *_columns(wanted),
        )
        await conn.execute(
            "UPDATE directory.unit SET retired_at = now() WHERE retired_at IS NULL AND id <> ALL ($1::text[])",
            [unit.id for unit in wanted],
        )
    return len(wanted)


async def publish_representations(conn: Connection, rows: Iterable[Representation]) -> int:
    """Replace who represents whom by what the enterprise register says now; an empty list changes nothing. Owner only."""
    lines = {(r.enterprise, r.person): r for r in rows}
    if not lines:
        return 0
    async with conn.transaction():
        await conn.execute("DELETE FROM directory.representation")
        await conn.execute(
            """
            INSERT INTO directory.representation (enterprise, person, name, as_of)
            SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::date[])
            """,
            [r.enterprise for r in lines.values()], [r.person for r in lines.values()],
            [r.name for r in lines.values()], [r.as_of for r in lines.values()],
        )  # fmt: skip
    return len(lines)


async def seed_demo(conn: Connection, city: City, people: Sequence[SeedPerson], today: dt.date) -> int:
    """Give invented residents and officials their accounts; may be repeated. Owner only.

    Errors: Refused when the city is not a demonstration. Returns how many officials there are.
    """
    if not city.demonstration:
        raise Refused("directory.demo", "个人信息保护法第五条", "这座城市不是演示环境，不能放演示账号。")
    officials = list(_officials(city))
    async with conn.transaction():
        # Another invented city may bring the same keys for other people: the former ones are no longer offered.
        await conn.execute(
            """
            UPDATE directory.account SET demo_key = 'former-' || id, demo_order = NULL
            WHERE kind = 'resident' AND demo_key = ANY ($1::text[]) AND subject <> ALL ($2::bigint[])
            """,
            [p.key for p in people],
            [p.subject for p in people],
        )
        await conn.execute(
            """
            INSERT INTO directory.account (kind, subject, name, demo_key, demo_note, demo_order)
            SELECT 'resident', p.subject, p.name, p.key, jsonb_build_object('zh', p.zh, 'en', p.en), p.ord
            FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS p(subject, name, key, zh, en, ord)
            ON CONFLICT (subject) WHERE kind = 'resident' DO UPDATE
            SET name = excluded.name, demo_key = excluded.demo_key, demo_note = excluded.demo_note, demo_order = excluded.demo_order
            """,
            [p.subject for p in people], [p.name for p in people], [p.key for p in people],
            [p.note_zh for p in people], [p.note_en for p in people],
        )  # fmt: skip
        known = await conn.fetchval("SELECT count(*) FROM directory.account WHERE kind = 'official'")
        if known == 0:
            await _insert_officials(conn, officials, today)
    return len(officials)


async def forget_sessions(conn: Connection, before: dt.datetime) -> int:
    """Delete sessions that ended before a moment: who acted for whom is in the ledger, the rest nobody needs. Owner only."""
    gone = await conn.fetchval(
        "WITH gone AS (DELETE FROM directory.session WHERE coalesce(ended_at, ends_at) < $1 AND ends_at < $1 RETURNING 1)"
        " SELECT count(*) FROM gone",
        before,
    )
    return int(gone)


class _Official:
    """An invented official at one post of one unit; `key` when the demonstration sign-in offers them."""

    __slots__ = ("key", "name", "note_en", "note_zh", "order", "post", "unit")

    def __init__(
        self, unit: Unit, post: Post, name: str, key: str | None, order: int | None, place_en: str
    ) -> None:
        self.unit = unit
        self.post = post
        self.name = name
        self.key = key
        self.order = order
        self.note_zh = f"{unit.name}，{post.name.zh}"
        self.note_en = f"{post.name.en or post.id}, {place_en}"


def _officials(city: City) -> Iterable[_Official]:
    home = _home_divisions(city)
    order = {(organisation, post): index for index, (organisation, post, _) in enumerate(_NAMED)}
    names = {(organisation, post): name for organisation, post, name in _NAMED}
    for unit in units(city):
        organisation: Organisation = city.organisations[unit.organisation]
        for post in organisation.posts:
            place = (unit.organisation, post.id)
            named = place in names and unit.division in home
            name = names[place] if named else _invented_name(f"{unit.id}:{post.id}")
            place_en = organisation.name.en or organisation.id
            yield _Official(
                unit, post, name, f"{unit.organisation}-{post.id}" if named else None,
                1000 + order[place] if named else None, place_en,
            )  # fmt: skip


def _home_divisions(city: City) -> frozenset[str]:
    """One division of each level where the stories play: a town, what is above it, and its first village."""
    towns = [d for d in city.divisions.values() if d.level == "town" and d.valid_to is None]
    if not towns:
        return frozenset({city.code})
    town: Division = next((t for t in towns if t.name == _HOME_TOWN), towns[0])
    above = {division.code for division in chain(city, town.code)}
    villages = sorted(
        d.code for d in city.divisions.values() if d.level == "village" and d.parent == town.code
    )
    return frozenset(above | set(villages[:1]) | {city.code})


def _invented_name(seed: str) -> str:
    digest = hashlib.sha256(seed.encode()).digest()
    given = _GIVEN[digest[1] % len(_GIVEN)]
    if digest[2] % 3:
        given += _GIVEN[digest[3] % len(_GIVEN)]
    return _SURNAMES[digest[0] % len(_SURNAMES)] + given


async def _insert_officials(conn: Connection, officials: Sequence[_Official], today: dt.date) -> None:
    since = today.replace(day=1) - dt.timedelta(days=365)
    await conn.execute(
        """
        WITH given AS (
            SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[])
                WITH ORDINALITY AS g(name, key, zh, en, ord, unit, post, line)
        ), made AS (
            INSERT INTO directory.account (kind, name, demo_key, demo_note, demo_order)
            SELECT 'official', name, coalesce(key, 'official-' || line), jsonb_build_object('zh', zh, 'en', en), ord
            FROM given ORDER BY line
            RETURNING id, demo_key
        )
        INSERT INTO directory.posting (account, post, unit, valid_from)
        SELECT m.id, g.post, g.unit, $8 FROM given g JOIN made m ON m.demo_key = coalesce(g.key, 'official-' || g.line)
        """,
        [o.name for o in officials], [o.key for o in officials], [o.note_zh for o in officials], [o.note_en for o in officials],
        [o.order for o in officials], [o.unit.id for o in officials], [o.post.id for o in officials], since,
    )  # fmt: skip


def _columns(rows: Sequence[Unit]) -> tuple[list[str], list[str], list[str], list[str]]:
    return (
        [u.id for u in rows],
        [u.organisation for u in rows],
        [u.division for u in rows],
        [u.name for u in rows],
    )
