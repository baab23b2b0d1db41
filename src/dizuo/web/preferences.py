"""How a person wants the pages: elder view (长辈版), light or dark, Chinese or English.

Kept in one small cookie and changed by plain links, so that it works without scripts and on the same address.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal
from urllib.parse import parse_qsl, quote_plus

import msgspec

COOKIE = "dz_view"
ONE_YEAR = 365 * 24 * 3600
CHOICES = {"view": ("plain", "elder"), "theme": ("light", "dark", "auto"), "lang": ("zh", "en")}


class Preferences(msgspec.Struct, frozen=True):
    """One person's choices; the defaults are what a first visit gets."""

    view: Literal["plain", "elder"] = "plain"
    theme: Literal["light", "dark", "auto"] = "light"
    lang: Literal["zh", "en"] = "zh"

    @property
    def elder(self) -> bool:
        return self.view == "elder"

    @property
    def html_lang(self) -> str:
        return "zh-CN" if self.lang == "zh" else "en"

    def cookie(self) -> str:
        return ".".join((self.view, self.theme, self.lang))

    def with_choice(self, name: str, value: str) -> Preferences:
        """The same preferences with one choice changed; an unknown name or value changes nothing."""
        if value not in CHOICES.get(name, ()):
            return self
        known = {"view": self.view, "theme": self.theme, "lang": self.lang, name: value}
        return msgspec.convert(known, Preferences)


DEFAULT = Preferences()
_SEEN: dict[str, Preferences] = {
    f"{view}.{theme}.{lang}": msgspec.convert({"view": view, "theme": theme, "lang": lang}, Preferences)
    for view in CHOICES["view"]
    for theme in CHOICES["theme"]
    for lang in CHOICES["lang"]
}


def from_cookie(text: str | None) -> Preferences:
    """What the cookie says; a cookie that was tampered with is ignored."""
    return _SEEN.get(text or "", DEFAULT)


def local_path(text: str | None) -> str:
    """A path on this site, safe to redirect to; anything else becomes the front page.

    Refused: other hosts, protocol-relative addresses, backslashes and control characters (open redirects).
    """
    if not text or len(text) > 2000 or not text.startswith("/") or text.startswith("//"):
        return "/"
    if "\\" in text or any(ord(sign) < 0x21 or ord(sign) == 0x7F for sign in text):
        return "/"
    return text


def changed(query: str, current: Preferences) -> tuple[Preferences, str]:
    """Read ``view=elder&back=/x`` from a preference link: the new preferences and where to return."""
    back = "/"
    for name, value in parse_qsl(query, max_num_fields=8):
        if name == "back":
            back = local_path(value)
        else:
            current = current.with_choice(name, value)
    return current, back


def link(name: str, value: str, back: str) -> str:
    """The address of the link that changes one preference and comes back."""
    return f"/-/prefer?{quote_plus(name)}={quote_plus(value)}&back={_quoted(back)}"


@lru_cache(maxsize=1024)
def _quoted(back: str) -> str:
    """Every page asks five times for the same address."""
    return quote_plus(back)
