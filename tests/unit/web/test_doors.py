"""Which door an address belongs to, and what a page that cannot be made leaves in the log."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response

from dizuo.web import Door, Route, Shell, Site, WebRequest, build, page

NAME = "王沐言"


LAYOUT = '{% extends "web/base.html" %}{% block body %}{% block main %}{% endblock %}{% endblock %}'


async def _of_page(request: WebRequest) -> Response:
    return page(request, "page.html", door=request.door.name)


def _door(folder: Path, name: str, prefix: str, *routes: Route, template: str = "<p>{{ door }}</p>") -> Door:
    """A door of one page in a folder of its own."""
    home = folder / name
    (home / "templates").mkdir(parents=True)
    (home / "static").mkdir()
    (home / "static" / f"{name}.css").write_text("main{color:inherit}")
    (home / "templates" / "layout.html").write_text(LAYOUT)
    (home / "templates" / "page.html").write_text(template)
    return Door(name, home, routes, css=(f"{name}.css",), sign_in="/sign-in", prefix=prefix)


def _shell(*doors: Door, demonstration: bool = True, log: io.StringIO | None = None) -> Shell:
    site = Site("灵锡", "Lingxi", "12345", demonstration=demonstration)
    return Shell(doors, site=site, secret=b"s" * 32, log=log)


@pytest.fixture
def three(tmp_path: Path) -> Shell:
    """A front door and two others, each with pages and their twins."""

    def rows(*paths: str) -> list[Route]:
        return [Route("GET", path, _of_page, purpose="A page.", who="public", json=True) for path in paths]

    return _shell(
        _door(tmp_path, "front", "/", *rows("/", "/database")),
        _door(tmp_path, "data", "/data", *rows("/data", "/data/ledger")),
        _door(tmp_path, "desk", "/desk", *rows("/desk", "/desk/cases/{number}")),
    )


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/data", "data"),
        ("/data.json", "data"),
        ("/data/ledger", "data"),
        ("/data/ledger.json", "data"),
        ("/desk.json", "desk"),
        ("/desk/cases/9.json", "desk"),
        ("/", "front"),
        ("/index.json", "front"),
        ("/database", "front"),
        ("/database.json", "front"),
        ("/nowhere.json", "front"),
    ],
)
def test_an_address_and_its_twin_belong_to_one_door(three: Shell, path: str, name: str) -> None:
    assert three.door_of(path).name == name


async def test_the_twin_of_a_doors_front_page_is_answered_by_that_door(three: Shell) -> None:
    app = build(three)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
        for path, name in (("/data.json", "data"), ("/desk.json", "desk"), ("/index.json", "front")):
            assert f"<p>{name}</p>" in (await client.get(path)).text


async def _fails(request: WebRequest) -> Response:
    return page(request, "page.html", person={"name": NAME})


@pytest.mark.parametrize("demonstration", [True, False])
@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("<p>\n{{ person.name }} {{ person.mother.name }}</p>", "page.html:2 UndefinedError `person.mother.name`"),
        # What a filter complains about is what it was given: as_date says "Invalid isoformat string: '王沐言'".
        ("<p>{{ person.name|short_day }}</p>", "page.html:0 ValueError"),
    ],
)  # fmt: skip
async def test_a_page_that_cannot_be_made_leaves_its_place_and_no_value(
    tmp_path: Path, template: str, told: str, demonstration: bool
) -> None:
    route = Route("GET", "/", _fails, purpose="A page that fails.", who="public")
    log = io.StringIO()
    door = _door(tmp_path, "broken", "/", route, template=template)
    app = build(_shell(door, demonstration=demonstration, log=log))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
        answer = await client.get("/")
    assert answer.status_code == 500
    written = log.getvalue()
    assert "TemplateFailed" in written
    assert (told in written) is demonstration
    assert NAME not in written + answer.text
