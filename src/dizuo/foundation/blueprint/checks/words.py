"""Sentences: every declared language has them, and they name the same things."""

from __future__ import annotations

from dizuo.foundation.blueprint.checks import uses
from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.findings import nearest
from dizuo.foundation.blueprint.model import Matter


def check(draft: Draft, matter: Matter, file: str) -> None:
    if "en" in draft.languages:
        _untranslated(draft, matter, file)
    for sentence in uses.sentences(matter):
        _same_places(draft, file, sentence.path, sentence.words.zh, sentence.words.en)
    _page_words(draft, matter)


def _untranslated(draft: Draft, matter: Matter, file: str) -> None:
    missing = [s for s in uses.sentences(matter) if s.words.zh and not s.words.en]
    if missing:
        draft.log.add(
            "language-missing",
            draft.at(file, *missing[0].path),
            f"这件事有 {len(missing)} 处没有英文，这是第一处：“{missing[0].words.zh[:40]}”。",
            fix="写成 {zh: …, en: …}。",
            severity="warning",
        )


def _same_places(draft: Draft, file: str, path: uses.Path, zh: str, en: str) -> None:
    if not zh or not en:
        return
    one = {name for name, _ in uses.placeholders(zh)}
    other = {name for name, _ in uses.placeholders(en)}
    if one != other:
        odd = "、".join("{" + name + "}" for name in sorted(one ^ other))
        draft.log.add(
            "placeholder-differs",
            draft.at(file, *path),
            f"中文和英文里的占位不一样：{odd} 只在其中一种语言里。",
            fix="让两种语言用同样的占位。",
            severity="warning",
        )


def _page_words(draft: Draft, matter: Matter) -> None:
    spoken = draft.words.get(matter.id, {})
    zh = spoken.get("zh", {})
    for language, words in spoken.items():
        file = f"matters/{matter.id}/words.{language}.yaml"
        for key, text in words.items():
            if language != "zh" and key not in zh:
                draft.log.add(
                    "unknown-words",
                    draft.key(file, "words", key),
                    f"中文里没有 `{key}` 这一句。",
                    suggest=nearest(key, zh),
                    fix=f"在 words.zh.yaml 写上它，或从 words.{language}.yaml 删掉。",
                )
            _same_places(draft, file, ("words", key), zh.get(key, ""), text if language != "zh" else "")
    for language in draft.languages:
        if language == "zh" or not zh:
            continue
        absent = [key for key in zh if key not in spoken.get(language, {})]
        if absent:
            draft.log.add(
                "language-missing",
                draft.key(f"matters/{matter.id}/words.zh.yaml", "words", absent[0]),
                f"words.{language}.yaml 缺 {len(absent)} 句：{'、'.join(absent[:5])}{' …' if len(absent) > 5 else ''}。",
                fix=f"在 words.{language}.yaml 补上。",
                severity="warning",
            )
