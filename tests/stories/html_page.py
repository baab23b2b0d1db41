"""A page as a person reads it: headings, links by their words, fields by their labels, buttons by their text.

Made from the bytes that the server sent, with the standard library's parser; no knowledge of ids or addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

_VOID = {"input", "meta", "link", "br", "hr", "img", "wbr", "path", "rect", "circle"}
_HIDDEN = {"script", "style", "title", "svg"}


@dataclass
class Node:
    """One element: ``children`` are nodes and pieces of text, in order."""

    tag: str
    attrs: dict[str, str]
    parent: Node | None = None
    children: list[Node | str] = field(default_factory=list)

    def all(self, *tags: str) -> Iterator[Node]:
        """Every element below, in the order of the page; all of them when no tag is named."""
        for child in self.children:
            if isinstance(child, Node):
                if not tags or child.tag in tags:
                    yield child
                yield from child.all(*tags)

    def text(self, *, visible: bool = True) -> str:
        """Its words, white space joined; ``visible`` leaves out what only machines read."""
        parts: list[str] = []
        self._gather(parts, visible)
        return " ".join("".join(parts).split())

    def _gather(self, parts: list[str], visible: bool) -> None:
        for child in self.children:
            if isinstance(child, str):
                parts.append(child)
            elif not (visible and child.tag in _HIDDEN):
                child._gather(parts, visible)
                if child.tag not in ("b", "i", "u", "mark", "span", "wbr", "a"):
                    parts.append(" ")

    def above(self, *tags: str) -> Node | None:
        """The nearest element around this one with such a tag."""
        node = self.parent
        while node is not None and node.tag not in tags:
            node = node.parent
        return node

    def get(self, name: str) -> str:
        return self.attrs.get(name, "")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.at = Node("#", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, self.at)
        self.at.children.append(node)
        if tag not in _VOID:
            self.at = node

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.at.children.append(Node(tag, {name: value or "" for name, value in attrs}, self.at))

    def handle_endtag(self, tag: str) -> None:
        node: Node | None = self.at
        while node is not None and node.tag != tag:
            node = node.parent
        if node is not None and node.parent is not None:
            self.at = node.parent

    def handle_data(self, data: str) -> None:
        self.at.children.append(data)


class NotOnPage(AssertionError):
    """The words that somebody looked for are not there; the message tells what is."""


@dataclass(frozen=True)
class FilledForm:
    """A form and what is in it: pairs in the order of the page, as a browser would send them."""

    action: str
    method: str
    pairs: tuple[tuple[str, str], ...]

    def value(self, name: str) -> str:
        return next((value for known, value in self.pairs if known == name), "")


class HtmlPage:
    """One answer of the server, read."""

    def __init__(self, url: str, status: int, html: str) -> None:
        reader = _Reader()
        reader.feed(html)
        reader.close()
        self.url = url
        self.status = status
        self.html = html
        self.root = reader.root

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def title(self) -> str:
        return next((node.text() for node in self.root.all("title")), "")

    @property
    def h1(self) -> str:
        return re.sub(r"\s", "", next((node.text() for node in self.root.all("h1")), ""))

    @property
    def main(self) -> Node:
        return next(self.root.all("main"), self.root)

    @property
    def text(self) -> str:
        """What the main part says."""
        return self.main.text()

    def says(self, words: str) -> bool:
        """Whether the main part or what stands beside it says so."""
        return words in self.root.text()

    def errors(self) -> list[str]:
        """The lines of the error summary."""
        box = next((n for n in self.root.all("div") if n.get("id") == "errsum"), None)
        return [] if box is None else [li.text() for li in box.all("li")]

    def facts(self) -> dict[str, str]:
        """Every pair of label and value on the page (dl)."""
        found: dict[str, str] = {}
        for box in self.root.all("div"):
            label, value = next(box.all("dt"), None), next(box.all("dd"), None)
            if label is not None and value is not None and "fact" in box.get("class").split():
                found[label.text()] = value.text()
        return found

    def links(self) -> list[tuple[str, str]]:
        """Words and address of every link."""
        return [(n.text(), urljoin(self.url, n.get("href"))) for n in self.root.all("a") if n.get("href")]

    def link(self, words: str, *, near: str = "") -> str:
        """The address of the link that says so: exactly, else beginning so, else containing it.

        ``near`` is text in the same row or card. Errors: NotOnPage.
        """
        for fits in (str.__eq__, str.startswith, str.__contains__):
            for node in self.root.all("a"):
                if node.get("href") and fits(node.text(), words) and (not near or _near(node, near)):
                    return urljoin(self.url, node.get("href"))
        told = sorted({text for text, _ in self.links() if text})
        raise NotOnPage(f"no link says {words!r} on {self.path} ({self.status}); links say {told}")

    def row(self, words: str) -> str:
        """The text of the smallest list entry or table row that contains the words. Errors: NotOnPage."""
        rows = [n.text() for n in self.main.all("li", "tr") if words in n.text()]
        if not rows:
            raise NotOnPage(f"no row says {words!r} on {self.path}: {self.text[:600]}")
        return min(rows, key=len)

    # --- forms

    def controls(self, form: Node, *tags: str) -> list[Node]:
        """Elements that belong to a form: those inside it, and those that name it from elsewhere on the page."""
        own = form.get("id")
        inside = {id(node) for node in form.all(*tags)}
        return [
            node
            for node in self.root.all(*tags)
            if (node.get("form") == own if "form" in node.attrs else id(node) in inside)
        ]

    def groups(self, form: Node) -> list[Node]:
        """Groups of options in which a control of the form stands."""
        mine = {id(node) for node in self.controls(form, "input")}
        groups = [
            n
            for n in self.root.all("fieldset", "div")
            if n.tag == "fieldset" or n.get("role") == "radiogroup"
        ]
        return [group for group in groups if any(id(node) in mine for node in group.all("input"))]

    def form_with(self, button: str) -> tuple[Node, Node]:
        """The form with a button that says so, and the button. Errors: NotOnPage."""
        forms = list(self.root.all("form"))
        for fits in (str.__eq__, str.startswith, str.__contains__):
            for form in forms:
                for node in self.controls(form, "button"):
                    if fits(node.text(), button):
                        return form, node
        told = [n.text() for form in forms for n in self.controls(form, "button")]
        raise NotOnPage(
            f"no button says {button!r} on {self.path} ({self.status}); buttons say {told}; {self.h1}"
        )

    def filled(
        self, button: str, answers: dict[str, str | bool], *, extra: tuple[tuple[str, str], ...] = ()
    ) -> FilledForm:
        """The form of that button with ``answers`` by label or legend, as a browser would send it.

        The value for a group of options is the words of one option (its beginning suffices); a bool ticks a box.
        Errors: NotOnPage when a label or an option is not there.
        """
        form, pressed = self.form_with(button)
        typed: dict[int, str] = {}
        picked: dict[str, Node | None] = {}
        for label, value in answers.items():
            self._answer(form, label, value, typed, picked)
        pairs: list[tuple[str, str]] = []
        for node in self.controls(form, "input", "textarea", "select"):
            name, kind = node.get("name"), node.get("type") or node.tag
            if not name or "disabled" in node.attrs or kind in ("submit", "button"):
                continue
            if kind in ("radio", "checkbox"):
                key = name if kind == "radio" else f"{name}={node.get('value')}"
                on = picked[key] is node if key in picked else "checked" in node.attrs
                if on:
                    pairs.append((name, node.get("value") or "on"))
            elif kind == "select":
                chosen = next(
                    (o for o in node.all("option") if "selected" in o.attrs), next(node.all("option"))
                )
                pairs.append((name, typed.get(id(node), chosen.get("value"))))
            else:
                own = node.text(visible=False) if node.tag == "textarea" else node.get("value")
                pairs.append((name, typed.get(id(node), own)))
        if pressed.get("name"):
            pairs.append((pressed.get("name"), pressed.get("value")))
        action = urljoin(self.url, form.get("action") or self.url)
        return FilledForm(action, (form.get("method") or "get").lower(), (*pairs, *extra))

    def _answer(
        self, form: Node, label: str, value: str | bool, typed: dict[int, str], picked: dict[str, Node | None]
    ) -> None:
        if isinstance(value, bool):
            box = self._box(form, label)
            picked[f"{box.get('name')}={box.get('value')}"] = box if value else None
            return
        for group in self.groups(form):
            if label in self._legend(group):
                option = _option(group, value)
                if option is not None:
                    picked[option.get("name")] = option
                    return
        field_ = self._field(form, label)
        if field_.tag == "select":
            found = next((o for o in field_.all("option") if o.text().startswith(value)), None)
            if found is None:
                raise NotOnPage(
                    f"{label!r} has no option {value!r}: {[o.text() for o in field_.all('option')]}"
                )
            value = found.get("value")
        typed[id(field_)] = value

    def _box(self, form: Node, label: str) -> Node:
        for box in self.controls(form, "input"):
            around = box.above("label")
            if box.get("type") == "checkbox" and around is not None and label in around.text():
                return box
        raise NotOnPage(
            f"no box to tick says {label!r} on {self.path}: {[n.text() for n in self.root.all('label')]}"
        )

    def _field(self, form: Node, label: str) -> Node:
        named = {n.get("for"): n.text() for n in self.root.all("label") if n.get("for")}
        for fits in (str.__eq__, str.startswith, str.__contains__):
            for node in self.controls(form, "input", "textarea", "select"):
                around = node.above("label")
                own = named.get(node.get("id")) or (around.text() if around else node.get("aria-label"))
                if own and fits(own, label) and node.get("type") not in ("radio", "checkbox", "hidden"):
                    return node
        told = [n.text() for n in self.root.all("label", "legend")]
        raise NotOnPage(f"no field is called {label!r} on {self.path}: {told}")

    def _legend(self, group: Node) -> str:
        if group.tag == "fieldset":
            return next((n.text() for n in group.all("legend")), "")
        named = group.get("aria-labelledby")
        return next((n.text() for n in self.root.all("span", "label", "legend") if n.get("id") == named), "")

    def options(self, legend: str) -> list[str]:
        """The words of every option of a group."""
        for form in self.root.all("form"):
            for group in self.groups(form):
                if legend in self._legend(group):
                    return [n.text() for n in group.all("label") if any(n.all("input"))]
        raise NotOnPage(f"no group asks {legend!r} on {self.path}")

    def questions(self) -> list[str]:
        """What the page asks, in order: labels and legends that begin with a number."""
        asked = [n.text() for n in self.main.all("label", "legend")]
        return [text for text in asked if re.match(r"\d+\. ", text)]


def _option(group: Node, words: str) -> Node | None:
    """A radio or check box by the words of its label."""
    for fits in (str.__eq__, str.startswith, str.__contains__):
        for around in group.all("label"):
            box = next((n for n in around.all("input") if n.get("type") in ("radio", "checkbox")), None)
            if box is not None and fits(around.text(), words):
                return box
    return None


def _near(node: Node, words: str) -> bool:
    around = node.above("li", "tr", "article", "section")
    return around is not None and words in around.text()
