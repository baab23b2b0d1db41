"""Grounds to seal: two different posts, somebody else who oversees, no field that is not named, no claim beyond the law's."""

from __future__ import annotations

from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.model_seal import SealGround

FILE = "seal_grounds.yaml"


def check(draft: Draft) -> None:
    for index, ground in enumerate(draft.seal_grounds.values()):
        _posts(draft, index, ground)
        _overseer(draft, index, ground)
        _reads(draft, index, ground)
        _verified(draft, index, ground)


def _posts(draft: Draft, index: int, ground: SealGround) -> None:
    at = draft.at(FILE, "grounds", index, "organisation")
    if not draft.refer("organisation", "部门", ground.organisation, draft.organisations, at):
        return
    unit = draft.organisations[ground.organisation]
    known = [post.id for post in unit.posts]
    for group in ("orders", "approves"):
        posts: tuple[str, ...] = getattr(ground, group)
        for n, post in enumerate(posts):
            at = draft.at(FILE, "grounds", index, group, n)
            draft.refer("post", f"{unit.short.zh}的岗位", post, known, at)
            if group == "approves" and post in ground.orders:
                draft.log.add(
                    "seal-by-one",
                    at,
                    f"`{post}` 既提出又批准，等于一个人说了算。",
                    fix="换成另一个岗位批准。",
                )


def _overseer(draft: Draft, index: int, ground: SealGround) -> None:
    at = draft.at(FILE, "grounds", index, "overseer")
    if (
        draft.refer("organisation", "部门", ground.overseer, draft.organisations, at)
        and ground.overseer == ground.organisation
    ):
        draft.log.add(
            "seal-overseen-by-itself", at, "封存由自己监督，没有人能发现拖得太久。", fix="写另一个机关。"
        )


def _reads(draft: Draft, index: int, ground: SealGround) -> None:
    for name, fields in ground.reads.items():
        path = ("grounds", index, "reads", name)
        if not draft.refer("register", "登记簿", name, draft.registers, draft.key(FILE, *path)):
            continue
        register = draft.registers[name]
        if not register.subjects:
            draft.log.add(
                "seal-of-nobody",
                draft.key(FILE, *path),
                f"{register.name.zh}没有写与谁有关（subjects），没有人需要暂不告知。",
                fix="删掉它，照常调取。",
            )
        for n, one in enumerate(fields):
            draft.refer("field", f"{register.name.zh}的字段", one, register.fields, draft.at(FILE, *path, n))


def _verified(draft: Draft, index: int, ground: SealGround) -> None:
    for ref in (ground.basis, ground.term_basis):
        law = draft.laws.get(ref.law)
        article = law.articles.get(ref.article) if law is not None else None
        if ground.verified and article is not None and not article.verified:
            draft.log.add(
                "verified-beyond-law",
                draft.at(FILE, "grounds", index, "verified"),
                f"标为已对照原文，但它引用的 {ref.key} 没有对照过。",
                fix="改为 `verified: false`，或先对照原文。",
            )
            return
