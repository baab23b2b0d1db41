"""No substring is missed, in whatever way it is found; pinyin, other words, English, misspellings."""

from __future__ import annotations

import difflib
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dizuo.engines.opendata import Match, Speller, find, find_sets, marks, speller, terms_of
from dizuo.engines.opendata.folding import fold, gram, grams, needed, sounds
from dizuo.engines.opendata.indexing import forget_entries, write_entries

WORDS = [
    "无锡市",
    "人口",
    "企业",
    "社区",
    "村",
    "停车场",
    "滨湖",
    "梁溪",
    "鼋头渚",
    "2026年",
    "GB/T 2260",
    "统计",
    "事项",
    "法规",
    "出生",
]
MANY = 6_000


@pytest.fixture(scope="module")
async def filled(pg: Any, published: Any) -> list[str]:
    """Thousands of entries beside Wuxi's own; nearly all of them hold 无锡. Gives their folded texts in order of weight."""
    dice = random.Random(7)
    texts = [fold("无锡 " + "".join(dice.choice(WORDS) for _ in range(6))) for _ in range(MANY)]
    texts[MANY // 2] = fold("只有这里有鼂氏一词")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dizuo.engines.opendata.indexing.CHUNK", 2_500)  # so that a dataset has several
        async with pg() as owner, owner.transaction():
            await write_entries(
                owner, [("villages", "row", text, str(at), text) for at, text in enumerate(texts, 10_000)]
            )
    async with pg() as owner:
        rows = await owner.fetch("SELECT folded FROM opendata.entry WHERE kind = 'row' ORDER BY rank")
    return [row["folded"] for row in rows]


@pytest.mark.parametrize("counted", [1_000, 0])  # up to so many are counted
async def test_every_substring_is_found_exactly_where_a_full_scan_finds_it(
    app_pool: Any, filled: list[str], monkeypatch: pytest.MonkeyPatch, counted: int
) -> None:
    monkeypatch.setattr("dizuo.engines.opendata.searching._COUNTED", counted)
    dice = random.Random(11)
    asked: set[str] = {"无锡", "锡", "鼂", "鼂氏一词", "市人", "gb/t 2260", "a", "2", "0年企", "口企业社"}
    while len(asked) < 60:
        text = dice.choice(filled)
        start = dice.randrange(len(text))
        piece = text[start : start + dice.randint(1, 7)].strip()
        if piece and "\n" not in piece and " " not in piece:
            asked.add(piece)
    for piece in sorted(asked):
        truth = [at for at, text in enumerate(filled) if piece in text]
        got = await find(app_pool, piece, "row", limit=40)
        assert [hit.folded for hit in got.hits] == [filled[at] for at in truth[:40]], piece
        if got.exact:
            assert got.total == len(truth), piece
        else:
            assert len(truth) >= 40, piece


async def test_every_dataset_is_found_however_often_others_hold_it_too(
    app_pool: Any, pg: Any, filled: list[str]
) -> None:
    """Thousands of rows of one dataset hold 无锡, one row of another does: both are told, each with its first entries."""
    async with pg() as owner:
        texts = await owner.fetch("SELECT dataset, kind, shown, folded FROM opendata.entry ORDER BY rank")
    dice = random.Random(13)
    asked = {
        "无锡",
        "锡",
        "市",
        "区",
        "12345",
        "锡山区",
        "无锡 区",
        "社区 村",
        "a",
        "1",
        "renkou",
        "rk",
        "gb/t 2260",
        "ＧＢ／Ｔ",
        "鼂",
        "没有这样的词",
    }
    while len(asked) < 60:
        text = dice.choice(texts)["folded"].split("\n")[0]
        start = dice.randrange(len(text))
        if piece := text[start : start + dice.randint(1, 7)].strip():
            asked.add(piece)
    common = 0
    for query in sorted(asked):
        terms = fold(query).split()
        truth: dict[str, dict[str, list[str]]] = {}
        for row in texts:
            if all(term in row["folded"] for term in terms):
                truth.setdefault(row["dataset"], {}).setdefault(row["kind"], []).append(row["shown"])
        got = await find_sets(app_pool, query)
        assert {dataset: [(one.kind, one.shown) for one in matches] for dataset, matches in got.items()} == {
            dataset: [(kind, shown) for kind, all_shown in kinds.items() for shown in all_shown[:3]]
            for dataset, kinds in truth.items()
        }, query
        common += sum(len(shown) for kinds in truth.values() for shown in kinds.values()) > 2_000
    assert common >= 5  # of those which so many hold were some


async def test_grams_that_stand_in_one_row_but_not_together_are_no_hit(
    app_pool: Any, pg: Any, filled: list[str]
) -> None:
    """All parts of 甲乙丙丁 stand in many rows, itself in the last one: the texts between are looked at in ever wider steps."""
    texts = ["甲乙丙、乙丙丁"] * 900 + ["这里有甲乙丙丁", "甲乙丙 乙丙丁"]
    async with pg() as owner:
        transaction = owner.transaction()
        await transaction.start()
        await forget_entries(owner, "laws")
        await write_entries(owner, [("laws", "row", text, str(at), text) for at, text in enumerate(texts)])
        assert await find_sets(owner, "甲乙丙丁") == {"laws": [Match("row", "这里有甲乙丙丁")]}
        got = await find(owner, "甲乙丙丁", "row")
        assert ([hit.place for hit in got.hits], got.total, got.exact) == (["900"], 1, True)
        await transaction.rollback()


class Between:
    """A connection between whose first and second statement something happens."""

    def __init__(self, connection: Any, happens: Callable[[], Awaitable[None]]) -> None:
        self._connection, self._happens = connection, happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def fetch(self, query: str, *args: object) -> Any:
        rows = await self._connection.fetch(query, *args)
        if "postings" in query and (happens := self._happens):
            self._happens = None
            await happens()
        return rows


async def test_rows_that_are_written_anew_while_somebody_searches_are_found(
    pg: Any, app_pool: Any, filled: list[str]
) -> None:
    async def again() -> None:
        async with pg() as owner, owner.transaction():
            await forget_entries(owner, "again")
            await write_entries(owner, [("again", "row", "鼍龙", "7", "鼍龙")])

    async with pg() as owner:
        await owner.execute(
            "INSERT INTO opendata.dataset (id, title, provider, open_type, cycle)"
            " VALUES ('again', '演示数据', 'data', 'unconditional', 'daily')"
        )
    await again()
    async with pg("dizuo_app") as conn:
        assert await find_sets(Between(conn, again), "鼍龙") == {"again": [Match("row", "鼍龙")]}  # pyright: ignore[reportArgumentType]
        found = await find(Between(conn, again), "鼍龙", "row")  # pyright: ignore[reportArgumentType]
        assert [hit.place for hit in found.hits] == ["7"]
    async with pg() as owner:
        await owner.execute("DELETE FROM opendata.dataset WHERE id = 'again'")
        assert not await owner.fetch("SELECT FROM opendata.posting WHERE gram = $1", gram("鼍龙"))
    assert await find_sets(app_pool, "鼍龙") == {}


async def test_a_dataset_that_is_withdrawn_or_written_anew_is_found_by_what_it_has_now(
    app_pool: Any, pg: Any, filled: list[str]
) -> None:
    assert "villages" in await find_sets(app_pool, "鼂氏")
    async with pg() as owner:
        transaction = owner.transaction()
        await transaction.start()
        await forget_entries(owner, "villages")
        assert "villages" not in await find_sets(owner, "无锡")
        await write_entries(owner, [("villages", "row", "新的一行", "1", "新的一行")])
        assert list(await find_sets(owner, "新的一行")) == ["villages"]
        assert "villages" not in await find_sets(owner, "鼂氏")
        await transaction.rollback()


async def test_pages_behind_one_another_give_all_hits_once(app_pool: Any, filled: list[str]) -> None:
    truth = sum("人口" in text for text in filled)
    seen: list[int] = []
    after = None
    while True:
        got = await find(app_pool, "人口", "row", limit=500, after=after)
        if not got.hits:
            break
        seen += [hit.rank for hit in got.hits]
        after = seen[-1]
    assert len(seen) == len(set(seen)) == truth


async def test_all_terms_must_stand_there(app_pool: Any, filled: list[str]) -> None:
    truth = [text for text in filled if "鼋头渚" in text and "停车场" in text]
    got = await find(app_pool, "停车场  鼋头渚", "row", limit=1000)
    assert [hit.folded for hit in got.hits] == truth
    assert terms_of("a b a　c d e f") == ("a", "b", "c", "d", "e")


@pytest.mark.parametrize(
    ("query", "dataset"),
    [
        ("人口", "population_by_age"),
        ("口", "population_by_age"),
        ("renkou", "population_by_age"),
        ("fqxfnldhjrk", "population_by_age"),
        ("老龄化", "population_by_age"),
        ("Population", "population_by_age"),
        ("ＰＯＰＵＬＡＴＩＯＮ", "population_by_age"),
        ("打疫苗", "vaccination_clinics"),
        ("yimiao", "vaccination_clinics"),
        ("公安局", "population_by_age"),
        ("社会民生", "population_by_age"),
        ("个体户", "enterprises_by_industry"),
    ],
)
async def test_people_find_it_by_their_own_words(
    app_pool: Any, published: Any, query: str, dataset: str
) -> None:
    assert dataset in {hit.dataset for hit in (await find(app_pool, query, "dataset")).hits}


async def test_columns_and_rows_are_found_too_but_no_row_of_a_conditional_dataset(
    app_pool: Any, published: Any
) -> None:
    columns = (await find(app_pool, "承诺时限", "column")).hits
    assert {hit.dataset for hit in columns} == {"service_items"}
    rows = (await find(app_pool, "东亭街道", "row", limit=1000)).hits
    assert "villages" in {hit.dataset for hit in rows}
    assert "population_by_town" not in {hit.dataset for hit in rows}


@pytest.mark.parametrize("query", ["", "   ", "%", "_", "'", "\\", "；", "%' OR 1=1 --", "\ud7ff", "​"])
async def test_signs_mean_themselves(app_pool: Any, filled: list[str], query: str) -> None:
    got = await find(app_pool, query, "row")
    assert all(fold(query) in hit.folded for hit in got.hits)


async def test_a_misspelling_of_the_same_sound_leads_to_the_word(app_pool: Any, published: Any) -> None:
    words = await speller(app_pool)
    assert "社区" not in words.near("社区")
    assert "疫苗" in words.near("一苗")
    assert "人口统计" in words.near("人口同计")
    assert words.near("qqqqxyz") == ()
    assert words.near("") == ()


def test_among_thousands_of_words_a_misspelt_one_is_the_nearest() -> None:
    """As when every word were compared letter by letter."""
    dice = random.Random(5)
    words = {
        f"w{n} {dice.getrandbits(1)}": "".join(
            dice.choice("aeioubdgjklmnstxyz") for _ in range(dice.randint(4, 30))
        )
        for n in range(3_000)
    }
    spelt = Speller(words)
    for word in dice.sample(sorted(words), 60):
        sound = words[word]
        at = dice.randrange(len(sound))
        asked = sound[:at] + dice.choice(("", "q", sound[at] + "q")) + sound[at + 1 :]
        nearest = difflib.get_close_matches(asked, words.values(), n=1, cutoff=0.72)
        assert [words[one] for one in spelt.near(asked)[:1]] == nearest, (asked, sound)


def test_marks_stand_where_the_terms_stand() -> None:
    assert marks("ＡＢ人口ab", ["ab", "人"]) == ((0, 3), (4, 6))
    assert marks("没有", ["人"]) == ()


def test_grams_of_a_part_are_among_the_grams_of_the_whole() -> None:
    whole = set(grams("无锡市人口\nrenkou"))
    assert set(needed("锡市人口")) <= whole
    assert set(needed("人")) <= whole
    assert not set(needed("口r")) <= whole  # nothing reaches over a line
    assert sounds("无锡市 GB 人口") == ("wuxishi\nrenkou", "wxs\nrk")
