"""The icons that pages have; a matter names one of them. A test holds this list to the drawings of the web shell."""

from __future__ import annotations

ICONS = frozenset(
    [
        "alert", "api", "arrow", "baby", "bell", "book", "brief", "cam", "car", "check", "clock",
        "cross", "doc", "dot", "down", "elder", "eye", "flag", "food", "grid", "heart", "home",
        "inbox", "leaf", "link", "lock", "mail", "more", "pause", "people", "phone", "pin", "print",
        "school", "search", "sensor", "shield", "shop", "sun", "user", "water",
    ]
)  # fmt: skip
