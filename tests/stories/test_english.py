"""The same service in English: the words change, the case does not."""

from __future__ import annotations

import re

from town import Town

CHINESE = re.compile(r"[\u4e00-\u9fff]")


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
