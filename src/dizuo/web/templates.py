"""Templates: minijinja environments, compiled once per door and language, escaping always on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import minijinja

from .format import FILTERS
from .icons import ICONS
from .words import LANGUAGES, load_words

WEB = Path(__file__).parent


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
        environment = minijinja.Environment(
            loader=self._sources.get,
            filters=dict(FILTERS),
            globals={"w": self.words[language], "ICONS": ICONS, "LANG": language, **more},
            undefined_behavior="strict",
            auto_escape_callback=_always_escape,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        for name in self._sources:  # a template that does not compile stops the start, not a reader
            environment.add_template(name, self._sources[name])
        return environment

    def names(self) -> list[str]:
        """All template names, for tests."""
        return sorted(self._sources)

    def render(self, language: str, name: str, context: Mapping[str, object]) -> str:
        """The page as HTML text. Errors: minijinja.TemplateError, also for a value that was not given."""
        return self._environments[language].render_template(name, **context)


def _always_escape(name: str) -> bool:
    return True


def _sources(folder: Path, prefix: str) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    return {
        prefix + path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.html"))
    }
