"""Laws, articles, clocks and purposes: every value that law fixes cites an article that is declared."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.findings import Span, nearest
from dizuo.foundation.blueprint.model import ClockDef, LawRef


def check(draft: Draft) -> None:
    for ref in _references(draft):
        _article(draft, ref)
    for law in draft.laws.values():
        if "en" in draft.languages and law.title.zh and not law.title.en:
            draft.log.add(
                "language-missing",
                draft.at(f"laws/{law.id}.yaml", "title"),
                "这部法律没有英文名称，英文页面上只能写中文。",
                fix="写成 {zh: …, en: …}。",
                severity="warning",
            )
        if law.effective_to is not None and law.effective_to < law.effective_from:
            at = draft.at(f"laws/{law.id}.yaml", "effective", "to")
            draft.log.add("range-reversed", at, "失效日期早于施行日期。", fix="检查两个日期。")
    for index, clock in enumerate(draft.clocks.values()):
        _clock(draft, index, clock)
    for index, purpose in enumerate(draft.purposes.values()):
        wider = purpose.id.rpartition(".")[0]
        if wider and wider not in draft.purposes:
            draft.log.add(
                "purpose-without-parent",
                draft.at("purposes.yaml", "purposes", index, "id"),
                f"`{purpose.id}` 比 `{wider}` 窄，但没有声明过 `{wider}`。",
                suggest=nearest(wider, draft.purposes),
                fix=f"先声明 `{wider}`。",
            )


def references(value: object) -> Iterator[LawRef]:
    """Every citation inside a structure."""
    if isinstance(value, LawRef):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from references(getattr(value, name))
    elif isinstance(value, (tuple, list)):
        for inner in value:  # pyright: ignore[reportUnknownVariableType]
            yield from references(inner)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, dict):
        for inner in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from references(inner)  # pyright: ignore[reportUnknownArgumentType]


def _references(draft: Draft) -> Iterator[LawRef]:
    for group in (
        draft.clocks,
        draft.purposes,
        draft.seal_grounds,
        draft.organisations,
        draft.registers,
        draft.sources,
        draft.matters,
    ):
        yield from references(group)


def _article(draft: Draft, ref: LawRef) -> None:
    at = Span(ref.place, len(ref.key))
    if not draft.refer("law", "法律", ref.law, draft.laws, at, f"在 laws/{ref.law}.yaml 中声明它。"):
        return
    law = draft.laws[ref.law]
    if ref.article not in law.articles:
        guess = nearest(ref.article, law.articles)
        draft.log.add(
            "unknown-article",
            at,
            f"{law.title.zh}中没有声明过第 {ref.article} 条。",
            suggest=f"{ref.law}:{guess}" if guess else None,
            fix=f"在 laws/{ref.law}.yaml 的 articles 中写上这一条的大意，或改引其他条。",
        )


def _clock(draft: Draft, index: int, clock: ClockDef) -> None:
    path = ("clocks", index)
    if clock.extension is not None and not clock.extension_approver:
        at = draft.at("clocks.yaml", *path, "extension")
        draft.log.add(
            "extension-without-approver",
            at,
            "写了可以延长，没有写谁批准（extension_approver）。",
            fix="补上 `extension_approver: …`，或删掉 extension。",
        )
    law = draft.laws.get(clock.law.law)
    article = law.articles.get(clock.law.article) if law is not None else None
    if clock.verified and article is not None and not article.verified:
        draft.log.add(
            "verified-beyond-law",
            draft.at("clocks.yaml", *path, "verified"),
            f"时限标为已对照原文，但它引用的 {clock.law.key} 没有对照过。",
            fix="改为 `verified: false`，或先对照原文。",
        )
