"""A real Chromium before the town: pages served over a socket, with or without scripts, checked by axe."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from axe_playwright_python.async_playwright import Axe
from granian.constants import Interfaces
from granian.server.embed import Server
from playwright.async_api import Browser, Page, async_playwright
from town import Town

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@dataclass
class Screen:
    """One browser at a town that is served; ``base`` is its address."""

    browser: Browser
    base: str
    town: Town

    async def page(
        self, *, session: str = "", prefer: str = "plain.light.zh", width: int = 1440, scripts: bool = False
    ) -> Page:
        """A new window of a person. Without scripts unless asked: the pages must not need them."""
        context = await self.browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=scripts, bypass_csp=scripts
        )
        cookies: list[Any] = [{"name": "dz_view", "value": prefer, "url": self.base}]
        if session:
            cookies.append({"name": "dz_session", "value": session, "url": self.base})
        await context.add_cookies(cookies)
        return await context.new_page()

    async def violations(self, page: Page) -> list[str]:
        """What axe finds on the page: rule and first place."""
        found = (await Axe().run(page, options=RULES)).response["violations"]
        return [f"{one['id']} at {one['nodes'][0]['target']}" for one in found]

    async def session(self, name: str) -> str:
        """The session token of an invented person."""
        visitor = await self.town.signed_in(name)
        token = visitor.client.cookies.get("dz_session")
        assert token
        return token


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def screen_up(town: Town) -> AsyncIterator[Screen]:
    """Serve the town over a socket and open a browser."""
    port = free_port()
    server = Server(
        town.app,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_enabled=False,
    )
    serving = asyncio.create_task(server.serve())
    try:
        await _answers(port)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            try:
                yield Screen(browser, f"http://127.0.0.1:{port}", town)
            finally:
                await browser.close()
    finally:
        server.stop()
        await serving


async def _answers(port: int) -> None:
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise AssertionError("the test server did not start")
