"""Templates: minijinja environments, compiled once per door and language, escaping always on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path

import minijinja

from .format import FILTERS
from .icons import ICONS
from .words import LANGUAGES, PLACE, load_words

WEB = Path(__file__).parent
_WORDS = re.compile(r"\{\{ w\.(\w+)\.(\w+)(?:\|fill\(((?:\w+=[^(){},]+(?:, )?)+)\))? \}\}")
"""A sentence put on the page as it is, or with its places filled."""
_LONGEST = 120
"""So much of a failing expression goes to the log."""
_PATH = re.compile(rb"[A-Za-z0-9_.]+$")


class TemplateFailed(Exception):
    """A template that could not be filled: its name, its line, and the expression as written there.

    Never a value: what stands on a page is about a person, and this goes to the log.
    """

    def __init__(self, template: str, error: Exception) -> None:
        found = error if isinstance(error, minijinja.TemplateError) else None
        name, line = (found.name or template, found.line or 0) if found is not None else (template, 0)
        what = type(error).__name__ if found is None else found.kind
        super().__init__(f"{name}:{line} {what}{_expression(found)}")


def _expression(error: minijinja.TemplateError | None) -> str:
    """The words of the template that failed; of the template itself, so that nothing of the page is in them."""
    if error is None or error.range is None or not error.template_source:
        return ""
    start, end = error.range
    # The range counts bytes, and begins at the last step of a path.
    source = error.template_source.encode()
    begun = _PATH.search(source[:start])
    words = source[start if begun is None else begun.start() : end].decode(errors="replace")
    return f" `{words[:_LONGEST]}`"


class Templates:
    """The pages of one door. Names beginning ``web/`` are the shell's components, the others the door's own."""

    def __init__(self, folder: Path, more: Mapping[str, object] | None = None) -> None:
        self._sources = {
            **_sources(WEB / "templates", "web/"),
            **_sources(folder / "templates", ""),
        }
        shell_words = load_words(WEB)
        door_words: dict[str, dict[str, dict[str, str]]] = (
            load_words(folder) if (folder / "words.zh.yaml").exists() else {"zh": {}, "en": {}}
        )
        self.words: dict[str, dict[str, dict[str, str]]] = {}
        self._environments: dict[str, minijinja.Environment] = {}
        for language in LANGUAGES:
            shared = shell_words[language].keys() & door_words[language].keys()
            if shared:
                raise ValueError(f"{folder}: pages of words already used by the shell: {sorted(shared)}")
            self.words[language] = {**shell_words[language], **door_words[language]}
            self._environments[language] = self._environment(language, more or {})

    def _environment(self, language: str, more: Mapping[str, object]) -> minijinja.Environment:
        words = self.words[language]
        sources = {name: _with_words(name, source, words) for name, source in self._sources.items()}
        environment = minijinja.Environment(
            loader=sources.get,
            filters=dict(FILTERS),
            globals={"w": words, "ICONS": ICONS, "LANG": language, **more},
            undefined_behavior="strict",
            auto_escape_callback=_always_escape,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        for name, source in sources.items():  # a template that does not compile stops the start, not a reader
            environment.add_template(name, source)
        return environment

    def names(self) -> list[str]:
        """All template names, for tests."""
        return sorted(self._sources)

    def render(self, language: str, name: str, context: Mapping[str, object]) -> str:
        """The page as HTML text. Errors: TemplateFailed, also for a value that was not given."""
        try:
            return self._environments[language].render_template(name, **context)
        except Exception as error:  # whatever a filter raises, its message may hold what it was given
            raise TemplateFailed(name, error) from None


def _with_words(name: str, source: str, words: Mapping[str, Mapping[str, str]]) -> str:
    """The template with its plain sentences written in, once and not at every reader.

    Errors: ValueError for a sentence that the language does not have.
    """

    def sentence(place: re.Match[str]) -> str:
        text = words.get(place[1], {}).get(place[2])
        if text is None:
            raise ValueError(f"{name}: there are no words {place[1]}.{place[2]}")
        values = dict(one.split("=", 1) for one in place[3].split(", ")) if place[3] else {}
        pieces = PLACE.split(text)
        # Sentence and name of a place in turns; nothing in a sentence is ever template language.
        pieces[::2] = [escape(piece).replace("{", "&#123;") for piece in pieces[::2]]
        pieces[1::2] = [
            f"{{{{ {values[one]} }}}}" if one in values else f"&#123;{one}}}" for one in pieces[1::2]
        ]
        return "".join(pieces)

    return _WORDS.sub(sentence, source)


def _always_escape(name: str) -> bool:
    return True


def _sources(folder: Path, prefix: str) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    return {
        prefix + path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.html"))
    }
