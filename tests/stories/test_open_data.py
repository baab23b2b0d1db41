"""Open data: somebody finds, looks at, takes, applies for and corrects it; officials answer; a scraper hurts nobody."""

from __future__ import annotations

import csv
import html
import io
import shlex
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser
from served import Served, seat
from town import CITY, Town, town_up
from visitor import BROWSER, Visitor

from dizuo.commands import open_data
from dizuo.doors.open.pace import BURST, Pace
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.kernel.clock_source import FrozenNow

PURPOSE = "研究街镇人口和小学学位的关系，写成毕业论文"


@pytest.fixture(scope="module")
async def town(city_copy: Any) -> AsyncIterator[Town]:
    """The city with its datasets published, as ``dizuo up`` publishes them."""
    async with town_up(city_copy) as up:
        told = await open_data.publish(city_copy, load_city(CITY), CITY, now=up.now)
        assert {one.outcome for one in told} <= {"released", "same"}, [
            o for o in told if o.outcome == "refused"
        ]
        yield up


def somebody(town: Town) -> Visitor:
    return town.visitor()


async def official(town: Town, name: str) -> Visitor:
    """An official of that name, signed in."""
    return await town.signed_in(name)


async def test_found_by_a_part_of_a_word_looked_at_and_taken(town: Town) -> None:
    reader = somebody(town)
    await reader.open("/open")
    await reader.fill({"用您自己的话找": "龄段户"}, "找")
    assert "分区县分年龄段户籍人口" in reader.page.text
    await reader.follow("分区县分年龄段户籍人口")
    assert "差分隐私" in reader.page.text
    assert "ε = 0.5" in reader.page.text
    await reader.follow("锡山区")
    assert "19 行" in reader.page.text
    taken = await reader.client.get("/open/data/population_by_age/download/csv?district=锡山区")
    rows = list(csv.DictReader(io.StringIO(taken.text)))
    assert len(rows) == 19
    assert {row["district"] for row in rows} == {"锡山区"}
    assert all(int(row["people"]) >= 0 for row in rows)


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("renkou", "户籍人口"),
        ("dayimiao", "预防接种门诊"),
        ("Villages", "社区和村名录"),
        ("门楼社区", "社区和村名录"),
    ],
)
async def test_found_by_sound_other_words_english_and_what_stands_in_the_rows(
    town: Town, words: str, title: str
) -> None:
    reader = somebody(town)
    await reader.open(f"/open?q={words}")
    assert title in reader.page.text


async def test_a_misspelling_leads_on(town: Town) -> None:
    reader = somebody(town)
    await reader.open("/open?q=一苗")
    assert "您是不是要找" in reader.page.text
    await reader.follow("疫苗")
    assert "预防接种门诊" in reader.page.text


async def test_no_count_of_people_below_the_threshold_is_shown(town: Town) -> None:
    reader = somebody(town)
    for name, column, least in (
        ("births_by_month", "births", 5),
        ("enterprises_by_industry", "enterprises", 3),
    ):
        told = (await reader.client.get(f"/open/data/{name}/download/json")).json()
        shown = [row[column] for row in told if row[column] is not None]
        assert told
        assert not [number for number in shown if 0 < number < least]
        assert all(row["note"] for row in told if row[column] is None)


async def test_what_the_gate_found_is_shown(town: Town) -> None:
    reader = somebody(town)
    await reader.open("/open/data/service_windows/gate")
    assert "对外服务机构的地址" in reader.page.text
    told = (await reader.client.get("/open/data/service_windows/gate.json")).json()
    assert told["reports"][0][0]["passed"] is True


async def test_a_conditional_dataset_from_application_to_expiry(town: Town) -> None:
    address = "/open/data/population_by_town"
    lin = await town.signed_in("林晓晴")
    for kind in ("download/csv", "download/parquet"):
        assert (await lin.client.get(f"{address}/{kind}")).status_code == 403
    assert (await lin.client.get(f"{address}.json")).status_code == 403
    await lin.open(address)
    assert "分街镇分性别户籍人口" in lin.page.h1
    await lin.follow("申请使用")
    await lin.fill({"要做什么，怎么用": "论文", "用到哪一天": "2030-01-01"}, "提交申请")
    assert lin.page.status == 422
    await lin.fill({"要做什么，怎么用": PURPOSE, "用到哪一天": "2027-06-30"}, "提交申请")
    assert "申请已提交" in lin.page.text

    police = await official(town, "陈志刚")
    await police.open("/open/desk")
    assert PURPOSE in police.page.text
    await police.press("受理")
    await police.press("同意开放")
    await lin.open("/open/mine")
    assert "待您签协议" in lin.page.text
    await lin.fill({"我同意并遵守": True}, "签协议")
    assert "已经" in lin.page.text or "已向您开放" in lin.page.text
    taken = await lin.client.get(f"{address}/download/csv")
    assert taken.status_code == 200
    assert taken.headers["cache-control"] == "no-store"
    entered = await town.entries("opendata.take")
    assert entered[-1]["body"]["dataset"] == "population_by_town"
    other = await town.signed_in("许曼")
    assert (await other.client.get(f"{address}/download/csv")).status_code == 403


async def test_a_correction_goes_to_the_provider_with_a_clock_and_comes_back(town: Town) -> None:
    lin = await town.signed_in("林晓晴")
    await lin.open("/open/data/population_by_age")
    await lin.follow("发现错了，告诉我们")
    await lin.fill({"请写明": "错了"}, "提交")
    assert lin.page.status == 422
    await lin.fill({"是哪一种": "数据纠错", "请写明": "锡山区好像少了一个年龄段"}, "提交")
    assert "2026-12-07 前答复" in lin.page.text  # ten working days after Monday 23 November
    police = await official(town, "陈志刚")
    await police.open("/open/desk")
    await police.fill({"答复": "年龄段齐全，85 岁起并为一段", "问和答里没有个人信息": True}, "不采纳并答复")
    await lin.open("/open/asks")
    assert "85 岁起并为一段" in lin.page.text
    assert "林晓晴" not in (await somebody(town).open("/open/asks")).text


async def test_a_showcase_is_seen_only_after_its_review(town: Town) -> None:
    lin = await town.signed_in("林晓晴")
    await lin.open("/open/showcases/new?dataset=vaccination_clinics")
    given = {
        "成果名称": "最近的接种点",
        "网址": "https://example.org/clinics",
        "作者": "小晴",
        "一句话说明": "在地图上找最近的预防接种门诊",
    }
    await lin.fill({**given, "网址": "javascript:alert(1)"}, "提交审核")
    assert lin.page.status == 422
    await lin.fill(given, "提交审核")
    assert "审核中" in lin.page.text
    await lin.open("/open/showcases")
    assert "最近的接种点" not in lin.page.text
    steward = await official(town, "沈博文")
    await steward.open("/open/desk")
    await steward.press("同意展示")
    await lin.open("/open/data/vaccination_clinics")
    assert "最近的接种点" in lin.page.text


@pytest.mark.parametrize(
    "address",
    [
        "/open/data/nope", "/open/data/..%2f..", "/open/data/villages/download/exe", "/open/data/villages/download/geojson",
        "/open/data/villages.json?x=1", "/open/data/villages.json?_limit=99999", "/open/data/villages.json?code__gt[]=1",
        "/open/data/villages.json?_sort=code;select", "/open/data/villages/download/csv?name__regex=.*", "/open/data/" + "a" * 300,
        "/open/data/villages.json?name=%00", "/open/data/%E6%97%A0",
    ],
)  # fmt: skip
async def test_bad_input_is_told_and_breaks_nothing(town: Town, address: str) -> None:
    answer = await somebody(town).client.get(address)
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:200])


@pytest.mark.parametrize(
    "query",
    ["?page=0", "?page=99999999999", "?q=%00", "?theme=nothing", "?sort=x", "?q=" + "长" * 300, "?q=%25_'"],
)
async def test_the_list_takes_whatever_stands_in_its_address(town: Town, query: str) -> None:
    assert (await somebody(town).client.get(f"/open{query}")).status_code == 200


async def test_a_release_that_one_has_is_not_sent_again(town: Town) -> None:
    client = somebody(town).client
    first = await client.get("/open/data/villages/download/csv")
    assert "public" in first.headers["cache-control"]
    again = await client.get(
        "/open/data/villages/download/csv", headers={"if-none-match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    other = await client.get(
        "/open/data/villages/download/csv?district=锡山区", headers={"if-none-match": first.headers["etag"]}
    )
    assert other.status_code == 200


async def test_what_the_gate_stopped_is_told_to_those_who_can_mend_it_and_to_nobody_else(town: Town) -> None:
    city = load_city(CITY)
    windows = city.datasets["service_windows"]
    fields = {id: replace(field, institution=Words("")) for id, field in windows.fields.items()}
    undeclared = replace(windows, id="windows_undeclared", title=Words("没有说明的窗口"), fields=fields)
    (told,) = await open_data.publish(
        town.database,
        replace(city, datasets={undeclared.id: undeclared}),
        CITY,
        now=town.now,
        only=undeclared.id,
    )
    assert told.outcome == "refused"
    steward = await official(town, "沈博文")
    await steward.open("/open/desk")
    assert "还没有发布过" in steward.page.text
    await steward.follow("没有说明的窗口")
    assert "拦下，没有发布" in steward.page.text
    assert "可以这样改" in steward.page.text or "门牌地址" in steward.page.text
    assert (
        "没有说明的窗口",
        f"http://dizuo.test/open/data/{undeclared.id}",
    ) not in steward.page.links()  # no page to lead to
    assert (await steward.client.get(f"/open/data/{undeclared.id}")).status_code == 404
    for other in (somebody(town), await town.signed_in("林晓晴"), await official(town, "陈志刚")):
        assert (await other.client.get(f"/open/data/{undeclared.id}/gate")).status_code == 404
    police = await official(town, "陈志刚")
    await police.open("/open/desk")
    assert "没有说明的窗口" not in police.page.text
    assert "没有被拦下的数据集" in police.page.text


@pytest.mark.parametrize("format", ["csv", "json", "jsonl", "xlsx", "parquet", "geojson"])
async def test_a_download_that_broke_off_goes_on_where_it_stopped(town: Town, format: str) -> None:
    client, address = somebody(town).client, f"/open/data/vaccination_clinics/download/{format}"
    whole = await client.get(address)
    assert whole.headers["accept-ranges"] == "bytes"
    mark, size = whole.headers["etag"], len(whole.content)
    cut = size // 3
    rest = await client.get(address, headers={"range": f"bytes={cut}-", "if-range": mark})
    assert (rest.status_code, rest.headers["content-range"]) == (206, f"bytes {cut}-{size - 1}/{size}")
    assert whole.content[:cut] + rest.content == whole.content
    assert int(rest.headers["content-length"]) == len(rest.content)
    assert rest.headers["etag"] == mark
    assert (await client.get(address, headers={"range": "bytes=-7"})).content == whole.content[-7:]
    beyond = await client.get(address, headers={"range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    changed = await client.get(address, headers={"range": f"bytes={cut}-", "if-range": '"an older release"'})
    assert (changed.status_code, changed.content) == (200, whole.content)
    asked = await client.head(address)
    assert (asked.status_code, asked.content, asked.headers["etag"]) == (200, b"", mark)


async def test_a_file_is_called_by_its_title_and_tools_get_its_id(town: Town) -> None:
    answer = await somebody(town).client.get("/open/data/villages/download/csv?district=锡山区")
    plain, _, starred = answer.headers["content-disposition"].partition("; filename*=UTF-8''")
    assert plain == 'attachment; filename="villages-v1.csv"'
    assert starred.isascii()
    assert unquote(starred) == "社区和村名录-v1.csv"


async def test_the_rest_of_a_download_is_not_counted_as_another_one(town: Town) -> None:
    async def taken() -> int:
        return await town.owner.fetchval(
            "SELECT coalesce(sum(uses), 0) FROM opendata.usage WHERE dataset = 'villages' AND kind = 'download'"
        )

    client, address, before = somebody(town).client, "/open/data/villages/download/csv", await taken()
    await client.get(address)
    await client.get(address, headers={"range": "bytes=100-"})
    assert await taken() == before + 1


async def test_the_address_of_a_dataset_is_the_interface_when_the_client_says_so(town: Town) -> None:
    client, address = somebody(town).client, "/open/data/villages?district=锡山区&_limit=2"
    told = await client.get(address, headers={"accept": "application/json"})
    assert told.headers["content-type"] == "application/json"
    assert "accept" in ", ".join(told.headers.get_list("vary"))
    assert (told.json()["total"], len(told.json()["rows"])) == (129, 2)
    assert told.json() == (await client.get("/open/data/villages.json?district=锡山区&_limit=2")).json()
    wrong = await client.get("/open/data/villages?x=1", headers={"accept": "application/json"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "rows_query_invalid")
    gone = await client.get("/open/data/nope", headers={"accept": "application/json"})
    assert (gone.status_code, gone.json()["code"]) == (404, "dataset_unknown")
    sheet = await client.get(
        "/open/data/villages?district=锡山区", headers={"accept": "text/csv"}, follow_redirects=True
    )
    assert len(list(csv.DictReader(io.StringIO(sheet.text)))) == 129
    listed = await client.get("/open?q=锡山区", headers={"accept": "application/json"})
    assert (
        listed.json()["total"] >= 8
    )  # every dataset with a row about the district, not only the first sixty rows
    assert (await client.get(address)).headers["content-type"].startswith("text/html")


async def test_the_example_is_a_command_that_may_be_pasted(town: Town) -> None:
    def example(source: str) -> list[str]:
        after = source.partition('<pre class="mono"')[2].partition(">")[2]
        return shlex.split(html.unescape(after.partition("\n# ")[0]))

    client = somebody(town).client
    words = example((await client.get("/open/data/villages?district=锡山区&_sort=-name")).text)
    assert words[:2] == ["curl", "-G"]
    assert words[3:] == ["--data-urlencode", "district=锡山区", "--data-urlencode", "_sort=-name"]
    evil = "\"; $(touch x) `touch y` '"
    words = example((await client.get("/open/data/villages", params={"q": evil})).text)
    assert words[3:] == ["--data-urlencode", f"q={evil}"]  # one word to the shell, whatever stands in it


async def test_values_beyond_the_first_ten_are_there_and_a_filtered_download_says_what_it_takes(
    town: Town,
) -> None:
    reader = somebody(town)
    await reader.open("/open/data/population_by_age")
    assert "还有 9 项" in reader.page.text
    await reader.follow("85 岁及以上")
    assert "7 行" in reader.page.text
    assert "只下载符合条件的行" in reader.page.text
    assert reader.page.link("全部 133 行").endswith(
        "/open/data/population_by_age/download/csv?bom=1&titled=1"
    )
    some = await reader.client.get(reader.page.link("下载 CSV · 7 行 · 约 1 KB"))
    table = list(csv.reader(io.StringIO(some.content.decode("utf-8-sig"))))
    assert len(table) == 8
    assert any("（" in cell for cell in table[0])


async def test_ten_thousand_tiny_requests_of_one_address_are_turned_away_and_others_are_served(
    town: Town,
) -> None:
    def client(host: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(town.app, client=(host, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://dizuo.test", headers=BROWSER)

    async with client("203.0.113.9") as scraper, client("203.0.113.10") as reader:
        codes = [(await scraper.get("/open/asks.json")).status_code for _ in range(BURST + 60)]
        assert codes[0] == 200
        assert 429 in codes
        refused = await scraper.get("/open/asks.json")
        if refused.status_code == 429:
            assert int(refused.headers["retry-after"]) > 0
        assert (await reader.get("/open/asks.json")).status_code == 200


def test_of_ten_thousand_questions_in_a_second_few_are_answered_and_memory_stays_bounded() -> None:
    pace = Pace()
    assert sum(pace.take("a", n / 10_000) for n in range(10_000)) <= BURST + 10
    assert pace.take("b", 1.0)
    for n in range(60_000):
        pace.take(f"address {n}", 2.0)
    assert len(pace._buckets) <= 20_001


VIEWS = (("plain.light.zh", 1440), ("plain.dark.zh", 390), ("elder.light.zh", 390), ("plain.light.en", 320))
PAGES = ("/open", "/open?q=社区", "/open?q=没有这个", "/open/data/population_by_age", "/open/data/villages?district=锡山区&_sort=-name",
         "/open/data/population_by_town", "/open/data/service_windows/gate", "/open/showcases", "/open/asks")  # fmt: skip


@pytest.mark.browser
@pytest.mark.parametrize(("view", "width"), VIEWS)
def test_pages_by_axe_at_every_width_and_light_enough(
    browser: Browser, served: Served, view: str, width: int
) -> None:
    served.run(
        open_data.publish(served.town.database, served.town.city, CITY, now=FrozenNow(served.town.now()))
    )
    made = seat(browser, served.base, view=view, width=width)
    found: list[str] = []
    for address in PAGES:
        made.open(address)
        found += [f"{address}: {line}" for line in made.axe()]
        if made.too_wide() > 0:
            found.append(f"{address}: {made.too_wide()} px too wide")
    made.context.close()
    assert not found, "\n".join(found)
