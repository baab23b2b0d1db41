"""The icons that pages have; a matter names one of them."""

from __future__ import annotations

ICONS = frozenset(
    [
        "alert", "api", "baby", "bell", "book", "brief", "cam", "car", "check", "clock", "doc", "dot", "down", "eye",
        "flag", "grid", "heart", "home", "inbox", "leaf", "link", "lock", "more", "phone", "print", "school", "search",
        "sensor", "shield", "shop", "sun", "user",
    ]
)  # fmt: skip
