"""The same small city behind a real port, for a real browser; and the browser."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from granian.constants import Interfaces
from granian.server.embed import Server as Granian
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright
from town import Town, town_up

from ports import free_port

CHROMIUM = "DIZUO_CHROMIUM"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-extensions",
]  # fmt: skip
_AXE = Axe()
_RUN = "async options => (await axe.run(document, options)).violations"
# By tags, because axe leaves the size of targets (WCAG 2.2, 2.5.8) out unless asked for level AA of 2.2.
_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "preload": False,
}


def chromium() -> str | None:
    """Where a Chromium is, or None: DIZUO_CHROMIUM, else what the system has."""
    named = os.environ.get(CHROMIUM)
    if named:
        return named
    return next(
        (
            found
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (found := shutil.which(name))
        ),
        None,
    )


@dataclass
class Served:
    """A city behind a port. ``run`` does something in the city's own loop and waits for it."""

    base: str
    town: Town
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=120)


@contextmanager
def served_city(database: Any) -> Iterator[Served]:
    """Serve the database on a free port of 127.0.0.1, in a thread with a loop of its own."""
    port = free_port()
    ready: dict[str, Any] = {}
    up, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with town_up(database) as town:
            server = Granian(
                town.app,
                address="127.0.0.1",
                port=port,
                interface=Interfaces.ASGINL,
                websockets=False,
                log_enabled=False,
            )
            task = asyncio.create_task(server.serve())
            ready.update(town=town, loop=asyncio.get_running_loop())
            await _answering(port)
            up.set()
            while not stop.is_set():
                await asyncio.sleep(0.05)
            server.stop()
            await asyncio.wait_for(task, timeout=20)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    if not up.wait(timeout=60):
        raise RuntimeError("the city did not come up within a minute")
    try:
        yield Served(f"http://127.0.0.1:{port}", ready["town"], ready["loop"])
    finally:
        stop.set()
        thread.join(timeout=30)


async def _answering(port: int) -> None:
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return
    raise RuntimeError(f"nothing listens on {port}")


@contextmanager
def browser_up(path: str) -> Iterator[Browser]:
    """One Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Seat:
    """Somebody before a browser window; ``wrong`` gathers what no page may do."""

    base: str
    context: BrowserContext
    page: Page
    wrong: list[str] = field(default_factory=list)

    def open(self, address: str) -> Page:
        """Type an address; the page may say no, but never break."""
        answer = self.page.goto(self.base + address if address.startswith("/") else address)
        assert answer is None or answer.status < 500, (address, answer.status)
        return self.page

    def follow(self, words: str) -> Page:
        """Click the first link that says so."""
        self.page.get_by_role("link", name=words).first.click()
        return self.page

    def sign_in(self, name: str) -> Page:
        self.open("/sign-in")
        for folded in self.page.locator("main details").all():
            folded.evaluate("node => node.open = true")
        self.page.get_by_role("button", name=name).first.click()
        self.page.wait_for_load_state()
        return self.page

    def axe(self) -> list[str]:
        """Violations of the page as it stands, one line each."""
        if not self.page.evaluate("typeof axe === 'object'"):
            self.page.evaluate(_AXE.axe_script)
        found = self.page.evaluate(_RUN, _OPTIONS)
        return [f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:160]}" for v in found]

    def too_wide(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(
            self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        )


def seat(
    browser: Browser, base: str, *, width: int = 1440, view: str = "plain.light.zh", scripts: bool = True
) -> Seat:
    """A new window of its own profile; requests to elsewhere and broken content rules are noted."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        java_script_enabled=scripts,
        locale="zh-CN",
        reduced_motion="reduce",
    )
    context.add_cookies([{"name": "dz_view", "value": view, "url": base}])
    context.set_default_timeout(15_000)
    page = context.new_page()
    made = Seat(base, context, page)
    home = urlsplit(base).netloc

    def on_request(request: Request) -> None:
        if not request.url.startswith("data:") and urlsplit(request.url).netloc != home:
            made.wrong.append(f"asked elsewhere: {request.url}")

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and (
            "Content Security Policy" in message.text or "Refused to" in message.text
        ):
            made.wrong.append(f"content policy: {message.text[:200]}")

    page.on("request", on_request)
    page.on("console", on_console)
    page.on("pageerror", lambda error: made.wrong.append(f"script error: {error}"))
    return made
