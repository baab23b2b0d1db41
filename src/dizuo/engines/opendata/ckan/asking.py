"""The arguments of an action, from a JSON object or from an address's query: read as what the action needs, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from .errors import CkanInvalid

_TRUE = frozenset({"true", "1", "yes", "t", "on"})
_LARGEST = 2**31 - 1


class Asked:
    """What was sent to one action."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.told = told

    def text(self, name: str, default: str = "", *, most: int = 2_000) -> str:
        """A text; numbers count as text. Errors: CkanInvalid."""
        value = self.told.get(name)
        if value is None:
            return default
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise CkanInvalid({name: "应为文字"})
        text = str(value)
        if len(text) > most:
            raise CkanInvalid({name: f"最长 {most} 个字"})
        if "\x00" in text or (not text.isascii() and _broken(text)):
            raise CkanInvalid({name: "有不能用的字符"})
        return text

    def needed(self, name: str) -> str:
        """A text that must be there. Errors: CkanInvalid."""
        if not (found := self.text(name).strip()):
            raise CkanInvalid({name: "必填"})
        return found

    def whole(self, name: str, default: int, *, most: int = _LARGEST) -> int:
        """A whole number from 0; more than ``most`` counts as ``most``. Errors: CkanInvalid."""
        value = self.told.get(name)
        if value is None or value == "":
            return default
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
            value = int(value) if len(value.strip()) <= 10 else most
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise CkanInvalid({name: "应为 0 以上的整数"})
        return min(value, most)

    def flag(self, name: str, default: bool = False) -> bool:
        """A yes or no."""
        value = self.told.get(name)
        if value is None or value == "":
            return default
        return value.lower() in _TRUE if isinstance(value, str) else bool(value)

    def words(self, name: str) -> tuple[str, ...]:
        """A list of texts: a JSON list, a JSON list written as text, or texts between commas. Errors: CkanInvalid."""
        value = self.loose(name)
        if value is None or value == "":
            return ()
        if isinstance(value, str):
            return tuple(one.strip() for one in value.split(",") if one.strip())[:200]
        if isinstance(value, list):
            found = cast("list[Any]", value)
            if len(found) <= 1_000 and all(isinstance(one, str) and not _broken(one) for one in found):
                return tuple(found)
        raise CkanInvalid({name: "应为文字的列表"})

    def thing(self, name: str) -> Mapping[str, Any]:
        """An object, or one written as JSON text. Errors: CkanInvalid."""
        value = self.loose(name)
        if value is None or value == "":
            return {}
        if isinstance(value, dict):
            return cast("Mapping[str, Any]", value)
        raise CkanInvalid({name: "应为对象"})

    def things(self, name: str) -> list[Mapping[str, Any]]:
        """A list of objects. Errors: CkanInvalid."""
        value = self.loose(name)
        if value is None or value == "":
            return []
        if isinstance(value, list):
            found = cast("list[Any]", value)
            if all(isinstance(one, dict) for one in found):
                return found
        raise CkanInvalid({name: "应为对象的列表"})

    def loose(self, name: str) -> Any:
        """A value as sent; JSON text that begins like a list or an object is read as one."""
        value = self.told.get(name)
        if isinstance(value, str) and value[:1] in ("[", "{"):
            try:
                return msgspec.json.decode(value)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                return value
        return value


def _broken(text: str) -> bool:
    return "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text)
