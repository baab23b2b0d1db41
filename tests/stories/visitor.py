"""Somebody at a browser without scripts: follows links by their words, fills forms by their labels, presses buttons."""

from __future__ import annotations

from urllib.parse import urlencode, urljoin, urlsplit

import httpx
from html_page import FilledForm, HtmlPage

BROWSER = {"accept": "text/html", "accept-encoding": "gzip", "accept-language": "zh-CN"}


class Visitor:
    """One person with one browser; ``page`` is what stands before their eyes."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.page = HtmlPage(str(client.base_url), 0, "")
        self.seen: list[str] = []

    async def open(self, address: str) -> HtmlPage:
        """Type an address (the front page, or one that a message carried)."""
        return await self._show(await self.client.get(urljoin(str(self.client.base_url), address)))

    async def follow(self, words: str, *, near: str = "") -> HtmlPage:
        """Follow the link that says so."""
        return await self.open(self.page.link(words, near=near))

    async def press(self, button: str, **answers: str | bool) -> HtmlPage:
        """Fill the form around the button (see ``fill``) and press it."""
        return await self.send(self.page.filled(button, dict(answers)))

    async def fill(self, answers: dict[str, str | bool], button: str) -> HtmlPage:
        """Answer by label or legend, then press the button."""
        return await self.send(self.page.filled(button, answers))

    async def send(self, form: FilledForm) -> HtmlPage:
        """Send a form as the browser would, with the headers that a browser adds."""
        if form.method == "get":
            return await self.open(form.action + "?" + urlencode(form.pairs))
        return await self._show(await self.post(form.action, form.pairs))

    async def post(
        self, address: str, pairs: tuple[tuple[str, str], ...] | bytes, **headers: str
    ) -> httpx.Response:
        """Send a form and return the first answer without following it."""
        content = pairs if isinstance(pairs, bytes) else urlencode(pairs).encode("ascii")
        own = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = urljoin(str(self.client.base_url), address)
        return await self.client.post(url, content=content, headers={**own, **named})

    async def _show(self, response: httpx.Response) -> HtmlPage:
        for _ in range(6):
            if response.status_code not in (302, 303):
                break
            response = await self.client.get(urljoin(str(response.url), response.headers["location"]))
        self.page = HtmlPage(str(response.url), response.status_code, response.text)
        self.seen.append(f"{self.page.status} {self.page.path}")
        return self.page

    async def sign_in(self, name: str) -> HtmlPage:
        """Sign in at the demonstration's list by the name (or the words under it)."""
        await self.open("/sign-in")
        page = await self.press(name)
        assert page.status == 200, (page.status, page.h1, page.text[:300])
        return page

    async def sign_out(self) -> HtmlPage:
        await self.follow("退出登录")
        return await self.press("退出登录")

    async def prefer(self, **choice: str) -> HtmlPage:
        """Use the page's own links for elder view, dark or English."""
        words = {"elder": "长辈版", "dark": "深色", "en": "English", "plain": "标准版", "light": "浅色"}
        page = self.page
        for value in choice.values():
            page = await self.follow(words[value])
        return page

    def here(self) -> str:
        """The path that is shown."""
        return urlsplit(self.page.url).path
