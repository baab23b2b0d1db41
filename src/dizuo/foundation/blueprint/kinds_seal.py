"""What seal_grounds.yaml looks like: lawful reads that are told to the person concerned only later."""

from __future__ import annotations

from dizuo.foundation.blueprint.groups import Key, ListOf, MapOf, Record, sole
from dizuo.foundation.blueprint.kinds_city import DOTTED, ID
from dizuo.foundation.blueprint.model_seal import SealGround
from dizuo.foundation.blueprint.shape import Bool, Int
from dizuo.foundation.blueprint.values import LAW, WORDS

_GROUND = Record(
    SealGround,
    {
        "id": Key(ID, "代号"),
        "name": Key(WORDS, "名称，公开后当事人看到的用途"),
        "basis": Key(LAW, "依法保密的依据", lack="unsourced", why="封存没有写法律依据（basis）。"),
        "term_basis": Key(
            LAW, "最长期限的依据", lack="unsourced", why="封存的最长期限没有写依据（term_basis）。"
        ),
        "longest": Key(Int(1, 3650), "每次最多封存多少个自然日"),
        "organisation": Key(ID, "哪个部门"),
        "orders": Key(ListOf(DOTTED, 1), "可以提出的岗位"),
        "approves": Key(ListOf(DOTTED, 1), "批准、延长、提前公开的岗位；不能是提出的岗位"),
        "overseer": Key(ID, "监督的机关，看得到每一次封存，看不到当事人"),
        "tells": Key(Bool(), "公开之前，当事人能不能知道有这样一条"),
        "reads": Key(MapOf(ListOf(ID, 1), r"[a-z][a-z0-9_]*", "写登记簿的代号"), "登记簿 → 可以调取的字段"),
        "verified": Key(
            Bool(),
            "是否有人对照过官方原文",
            lack="verification-unmarked",
            why="没有标明是否对照过官方原文（verified）。",
        ),
    },
)
SEAL_GROUNDS = Record(
    sole,
    {"grounds": Key(ListOf(_GROUND), "封存的依据")},
    "依法暂不告知当事人的调取：依据、期限、谁提出、谁批准、谁监督",
    kind="seal_grounds/1",
)
