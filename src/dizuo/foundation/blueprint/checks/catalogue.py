"""Terms of sharing and opening (共享属性、开放属性): a condition is stated where there is one, a refusal names its law."""

from __future__ import annotations

from collections.abc import Sequence

from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.model_catalogue import CatalogueTerms


def check(draft: Draft, terms: CatalogueTerms | None, file: str, personal: Sequence[str]) -> None:
    """The block ``catalogue`` of one file; ``personal`` are the names of its personal items."""
    if terms is None:
        return
    if terms.share is not None:
        _share(draft, terms, file, personal)
    if terms.open is not None:
        _open(draft, terms, file, personal)


def _share(draft: Draft, terms: CatalogueTerms, file: str, personal: Sequence[str]) -> None:
    share = terms.share
    assert share is not None
    at = draft.at(file, "catalogue", "share", "type")
    if share.type == "conditional" and not share.condition.zh:
        draft.log.add(
            "share-without-condition",
            at,
            "有条件共享，没有写条件（condition）。",
            fix="写明什么条件下可以共享；没有条件就改为 `type: unconditional`。",
        )
    if share.type == "none" and share.basis is None:
        draft.log.add(
            "share-without-basis",
            at,
            "不予共享，没有写法律依据（basis）：共享是原则，不共享要有法律、行政法规或国务院决定作依据。",
            fix="补上 `basis: 法律:条`，或改为 conditional、unconditional。",
        )
    if share.type == "unconditional" and personal and share.basis is None:
        draft.log.add(
            "shares-personal-freely",
            at,
            f"无条件共享，里面却有个人信息：{_named(personal)}；没有写哪条法律允许这样共享。",
            fix="改为 `type: conditional` 并写明条件；法律明文允许的，补上 `basis: 法律:条`。",
            severity="warning",
        )
    if share.type == "unconditional" and share.condition.zh:
        draft.log.add(
            "condition-unexpected",
            draft.at(file, "catalogue", "share", "condition"),
            "无条件共享又写了条件：不得擅自增设条件。",
            fix="删掉 condition，或改为 `type: conditional`。",
        )


def _open(draft: Draft, terms: CatalogueTerms, file: str, personal: Sequence[str]) -> None:
    opening = terms.open
    assert opening is not None
    at = draft.at(file, "catalogue", "open", "type")
    if opening.type == "conditional" and not opening.condition.zh:
        draft.log.add(
            "open-without-condition",
            at,
            "有条件开放，没有写条件（condition）。",
            fix="写明什么条件下开放；没有条件就改为 `type: unconditional`。",
        )
    if opening.type != "none" and personal:
        draft.log.add(
            "opens-personal",
            at,
            f"要开放，里面却有个人信息：{_named(personal)}。",
            fix="改为 `type: none`；要开放，先做成不含个人信息的统计数据。",
        )


def _named(personal: Sequence[str]) -> str:
    """The first three items, and how many there are."""
    return f"{'、'.join(personal[:3])}{'等' if len(personal) > 3 else ''}，共 {len(personal)} 项"
