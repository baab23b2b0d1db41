"""The same service in English: the words change, the case does not."""

from __future__ import annotations

import re

from html_page import Node
from newborn import number_on
from town import Town
from visitor import Visitor

CHINESE = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
TEXT_ONLY = ("title", "textarea", "option", "script", "style", "svg")
ANSWERS: dict[str, str | bool] = {
    "Which surname": "王",
    "What is your child's given name": "沐言",
    "With whom shall the child be registered": "With the father",
    "Where will your child be vaccinated": "崇安寺街道社区卫生服务中心",
    "How shall we give you the documents": "By post",
    "The information is true": True,
}


def unmarked(node: Node, lang: str = "en") -> list[str]:
    """Chinese text that does not say that it is Chinese."""
    lang = node.get("lang") or lang
    found: list[str] = []
    for child in node.children:
        if isinstance(child, Node):
            found += [] if child.tag in TEXT_ONLY else unmarked(child, lang)
        elif CHINESE.search(child) and not lang.startswith("zh"):
            found.append(child)
    return found


async def english(town: Town, name: str) -> Visitor:
    visitor = await town.signed_in(name)
    await visitor.follow("English")
    return visitor


async def test_the_form_in_english(town: Town) -> None:
    lin = await town.signed_in("林晓晴")
    await lin.follow("English")
    assert next(lin.page.root.all("html")).get("lang") == "en"
    await lin.open("/matters/newborn/apply")
    for question in ("What is your child's given name?", "With whom shall the child be registered?"):
        assert any(question in asked for asked in lin.page.questions())
    # Headings, labels, hints and buttons are English; names and addresses of the registers stay what they are.
    for node in lin.page.main.all("h1", "h2", "h3", "legend", "dt", "button"):
        assert not CHINESE.search(node.text()), node.text()


async def test_errors_speak_english_too(town: Town) -> None:
    lin = await town.signed_in("林晓晴")
    await lin.follow("English")
    await lin.open("/matters/newborn/apply")
    button = next(n.text() for n in lin.page.main.all("button") if n.get("value") == "submit")
    await lin.fill({}, button)
    assert lin.page.status == 422
    assert lin.page.errors()
    assert not [line for line in lin.page.errors() if CHINESE.search(line)]


async def test_a_wrong_answer_is_explained_in_english(town: Town) -> None:
    lin = await english(town, "林晓晴")
    await lin.open("/matters/newborn/apply")
    button = next(n.text() for n in lin.page.main.all("button") if n.get("value") == "submit")
    await lin.fill({**ANSWERS, "What is your child's given name": "沐1"}, button)
    assert lin.page.status == 422
    assert any("Character 2 of the name “1” (U+0031) is a digit" in line for line in lin.page.errors())
    # How far the clinics are is said in English; where they are is an address.
    assert re.search(r"about \d+(\.\d)? k?m · ", lin.page.text)
    assert "公里" not in lin.page.text


async def test_laws_districts_and_old_figures_have_english_names(town: Town) -> None:
    visitor = town.visitor()
    await visitor.open("/")
    await visitor.follow("English")
    await visitor.open("/matters/newborn")
    assert "Regulations on Household Registration, art. 7" in visitor.page.text
    assert "户口登记条例" not in visitor.page.text
    assert "reported from Qinghai" in visitor.page.text
    await visitor.open("/help")
    assert "Liangxi District" in visitor.page.text


async def test_what_stays_chinese_says_so_on_every_page(town: Town) -> None:
    lin = await english(town, "林晓晴")
    paths = ["/", "/matters", "/matters/newborn", "/search?q=baby", "/matters/newborn/apply", "/me", "/cases"]
    paths += ["/me/data", "/me/data/correct", "/me/documents", "/help", "/acting", "/check", "/sign-in"]
    for path in paths:
        await lin.open(path)
        assert lin.page.status == 200
        assert not unmarked(lin.page.root), path
    # Names and addresses are on the form as they are written, and marked.
    await lin.open("/matters/newborn/apply")
    spoken = [n.text() for n in lin.page.main.all("span") if n.get("lang") == "zh-CN"]
    assert "王启明" in spoken
    assert any("中山路158号" in text for text in spoken)


async def test_from_submission_to_progress(town: Town) -> None:
    lin = await english(town, "林晓晴")
    await lin.open("/matters/newborn/apply")
    await lin.fill(ANSWERS, "Submit 8")
    assert lin.page.h1 == "Submitted"
    number = number_on(lin)
    assert "A baby is born · 王沐言" in lin.page.text
    await lin.open("/")
    assert lin.page.says("3 of 8 done, all by")
    for path in ("/cases", f"/cases/{number}", f"/cases/{number}/withdraw", "/me", "/me/documents"):
        await lin.open(path)
        assert lin.page.status == 200
        assert not unmarked(lin.page.root), path
        assert "新生儿出生一件事" not in lin.page.h1
    # Messages are headed in English; the message itself stays as it was sent.
    await lin.open("/me")
    row = lin.page.row("预防接种档案建好了")
    assert row.startswith("Granted: Vaccination record")
    assert lin.page.row("已收到").startswith("We have your application")
    # Documents say what they are.
    await lin.open("/me/documents")
    assert "(预防接种证)" in lin.page.text
    await lin.follow("Vaccination")
    assert "Shown as issued, in Chinese." in lin.page.text
    assert not unmarked(lin.page.root)
    # The father is asked in English too: the question's own words and the option's.
    father = await english(town, "王启明")
    await father.follow("Please confirm: A baby is born")
    facts = father.page.facts()
    assert facts["Which surname"] == "the father"
    assert facts["With whom shall the child be registered"] == "With the father"
    assert facts["What is your child's given name"] == "沐言"
    assert not unmarked(father.page.root)


async def test_a_report_of_an_error_in_english(town: Town) -> None:
    lin = await english(town, "林晓晴")
    await lin.open("/me/data/correct")
    await lin.follow("Persons")
    field = lin.page.options("What is wrong")[0].split("recorded")[0].strip()
    await lin.fill({"What is wrong": field, "What should it be": "158 Zhongshan Road"}, "Send")
    row = lin.page.row("158 Zhongshan Road")
    assert row.startswith(f"Persons · {field}")
    assert not unmarked(lin.page.root)


async def test_a_page_that_is_not_there(town: Town) -> None:
    visitor = town.visitor()
    await visitor.open("/")
    await visitor.follow("English")
    await visitor.open("/no-such-page")
    assert visitor.page.status == 404
    assert "not" in visitor.page.h1.lower()


async def test_every_public_page_has_its_words(town: Town) -> None:
    visitor = town.visitor()
    await visitor.open("/")
    await visitor.follow("English")
    for path in (
        "/",
        "/matters",
        "/matters/newborn",
        "/matters/restaurant",
        "/help",
        "/accessibility",
        "/sign-in",
    ):
        await visitor.open(path)
        assert visitor.page.status == 200
        for node in visitor.page.main.all("h1", "h2", "h3"):
            assert not CHINESE.search(node.text()), (path, node.text())
