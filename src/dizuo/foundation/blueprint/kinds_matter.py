"""What a matter (事项, 一件事), its words and its examples look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dizuo.foundation.blueprint.groups import Group, Key, ListOf, MapOf, Record, may, sole
from dizuo.foundation.blueprint.kinds_city import DOTTED, ID
from dizuo.foundation.blueprint.model import (
    Baseline,
    Check,
    Choice,
    Consent,
    Document,
    Expression,
    Item,
    Material,
    Need,
    Option,
    OptionsFrom,
    Party,
    Place,
    Question,
    Show,
    Step,
    Words,
    Write,
)
from dizuo.foundation.blueprint.shape import (
    Bool,
    Enum,
    Int,
    Optional,
    Text,
    words_of,
)
from dizuo.foundation.blueprint.values import EXPR, LAW, LENGTH, WORDS

FACT = Text(r"[a-z][a-z0-9_]*\.([a-z][a-z0-9_]*|\*)", "参与方.字段，例如 mother.name", 128)
_NONE = Words("")


def _party(place: Place, match: Mapping[str, str], **rest: Any) -> Party:
    pairs = tuple((tuple(name.strip() for name in own.split("|")), other) for own, other in match.items())
    return Party(match=pairs, place=place, **rest)


_PARTY = Record(
    _party,
    {
        "id": Key(ID, "名称"),
        "name": Key(WORDS, "页面上怎么称呼"),
        "register": Key(ID, "登记簿"),
        "given": may(Bool(), "就是登录的人，或他代表的企业", False),
        "match": may(
            MapOf(FACT, r"[a-z][a-z0-9_]*(\s*\|\s*[a-z][a-z0-9_]*)*", "写字段；两个字段任一相等，用 | 隔开"),
            "怎样找到：本登记簿的字段等于前面参与方的字段",
            {},
        ),
        "where": may(MapOf(Text()), "只要这些字段等于这些值的记录", {}),
        "pick": may(
            Enum({"one": "至多一条", "latest": "最新一条", "choose": "由申请人选"}), "找到几条时怎么办", "one"
        ),
        "order_by": may(Optional(ID), "按哪个字段算最新"),
        "label": may(ListOf(ID), "由申请人选时显示的字段", ()),
        "required": may(Bool(), "找不到就不能办", False),
    },
)


def _rule(place: Place, rule: Expression, says: Words) -> tuple[Expression, Words]:
    return rule, says


_ELIGIBLE = Record(_rule, {"rule": Key(EXPR, "条件"), "else": Key(WORDS, "不满足时的说明", to="says")})

_OPTION = Record(
    Option,
    {
        "value": Key(Text(r"[A-Za-z0-9_.-]{1,64}", "字母、数字、下划线、点或连字符"), "存下来的值"),
        "label": may(WORDS, "显示的文字"),
        "label_from": may(EXPR, "显示的文字由表达式给出"),
        "detail": may(WORDS, "补充说明"),
        "detail_from": may(EXPR, "补充说明由表达式给出"),
        "when": may(EXPR, "什么时候可选"),
    },
)
_OPTIONS_FROM = Record(
    OptionsFrom,
    {
        "places": Key(ID, "网点清单"),
        "near": Key(EXPR, "离哪个区划最近"),
        "take": may(Int(1, 50), "给出几个", 4),
    },
)
_QUESTION = Record(
    Question,
    {
        "id": Key(ID, "名称"),
        "asks": Key(WORDS, "问什么"),
        "hint": may(WORDS, "提示", _NONE),
        "reason": may(WORDS, "为什么要问", _NONE),
        "datum": Key(DOTTED, "问的是哪个数据项"),
        "type": Key(
            Enum(words_of(("text", "choice", "date", "boolean", "number", "address", "phone"))), "类型"
        ),
        "options": may(ListOf(_OPTION), "选项", ()),
        "options_from": may(_OPTIONS_FROM, "从网点清单中选"),
        "ask_when": may(EXPR, "什么时候问"),
        "if_silent": may(Optional(FACT), "登记簿没有这个值时才问"),
        "check": may(
            Enum(
                {
                    "none": "不检查",
                    "person_name": "姓名",
                    "phone": "电话",
                    "address": "地址",
                    "citizen_id": "身份号码",
                }
            ),
            "填写后怎样检查",
            "none",
        ),
        "max_length": may(Int(1, 2_000), "最多几个字", 100),
        "group": may(ID, "同一组的问题放在一起", ""),
        "autofill": may(Text(), "浏览器自动填写的类别", ""),
    },
)

_NEED = Record(
    Need,
    {
        "facts": Key(ListOf(FACT, 1), "要知道的事实"),
        "purpose": Key(
            DOTTED, "处理目的", lack="need-without-purpose", why="调取数据没有写处理目的（purpose）。"
        ),
        "basis": Key(LAW, "法律依据", lack="need-without-basis", why="调取数据没有写法律依据（basis）。"),
        "when": may(EXPR, "什么时候才需要"),
    },
)
_MATERIAL = Record(
    Material,
    {
        "id": Key(ID, "代号"),
        "name": Key(WORDS, "名称"),
        "licence": may(Optional(ID), "证照类型"),
        "issuer": may(Optional(Text()), "谁出具"),
        "basis": Key(LAW, "依据", lack="unsourced", why="要申请人交材料，却没有写依据（basis）。"),
        "when": may(EXPR, "什么时候才要"),
    },
)
_CHOICE = Record(
    Choice,
    {
        "id": Key(ID, "代号"),
        "name": Key(WORDS, "怎么处理"),
        "detail": may(WORDS, "后果", _NONE),
        "effect": Key(
            Enum({"continue": "继续办", "ask_applicant": "请申请人补正", "refer": "转给别人判断"}), "结果"
        ),
    },
)


def _check(place: Place, compare: tuple[str, ...], **rest: Any) -> Check:
    return Check(compare=(compare[0], compare[1]) if len(compare) == 2 else None, place=place, **rest)


_CHECK = Record(
    _check,
    {
        "id": Key(ID, "代号"),
        "rule": Key(EXPR, "系统自己核对的条件"),
        "says": Key(WORDS, "条件成立时的说明"),
        "exception": may(WORDS, "条件不成立时，要人判断什么", _NONE),
        "compare": may(ListOf(FACT, 2), "并排显示的两个事实", ()),
        "basis": may(Optional(LAW), "依据"),
        "choices": may(ListOf(_CHOICE), "可以怎么处理", ()),
    },
)
_STEP = Record(
    Step,
    {
        "id": Key(ID, "名称"),
        "name": Key(WORDS, "名称"),
        "kind": Key(
            Enum({"auto": "系统核对", "judge": "人来判断", "issue": "制作证照", "deliver": "送达"}), "种类"
        ),
        "power": may(Optional(DOTTED), "需要什么权限"),
        "after": may(ListOf(ID), "在哪些步骤之后", ()),
        "checks": may(ListOf(_CHECK), "核对什么", ()),
        "promise": may(Optional(LENGTH), "承诺时限"),
    },
)


def _write(place: Place, fields: Mapping[str, Expression], **rest: Any) -> Write:
    return Write(fields=tuple(fields.items()), place=place, **rest)


_WRITE = Record(
    _write,
    {
        "register": Key(ID, "登记簿"),
        "party": may(Optional(ID), "更新哪个参与方的记录；不写就是新建一条"),
        "fields": Key(MapOf(EXPR), "字段的新值"),
        "when": may(EXPR, "什么时候才写"),
    },
)
_ITEM = Record(
    Item,
    {
        "id": Key(ID, "名称"),
        "code": may(Text(), "国家事项编码", ""),
        "code_verified": may(Bool(), "编码是否对照过国家事项清单", False),
        "name": Key(WORDS, "名称"),
        "department": Key(ID, "哪个部门办"),
        "task_type": Key(Text(), "事项类型，例如 行政许可"),
        "project_type": Key(Enum({"instant": "即办件", "promised": "承诺件"}), "办件类型"),
        "basis": Key(
            ListOf(LAW, 1), "法律依据", lack="item-without-basis", why="事项没有写法律依据（basis）。"
        ),
        "applies": may(EXPR, "什么时候适用"),
        "not_applicable": may(WORDS, "不适用时的说明", _NONE),
        "needs": may(ListOf(_NEED), "要知道哪些事实", ()),
        "answers": may(ListOf(ID), "要哪些回答", ()),
        "materials": may(ListOf(_MATERIAL), "申请人还要交的材料", ()),
        "after": may(ListOf(ID), "等哪些事项办好", ()),
        "clock": Key(DOTTED, "法定时限"),
        "promise": Key(LENGTH, "承诺时限"),
        "place_of": may(EXPR, "由哪个区划的机构办"),
        "steps": Key(Group(_STEP), "步骤"),
        "document": may(Optional(ID), "发什么证照"),
        "granted": Key(WORDS, "办好后的说明"),
        "refused": Key(WORDS, "不予办理的说明"),
        "done_already": may(Optional(EXPR), "什么时候说明已经办过"),
        "writes": may(ListOf(_WRITE), "办好后登记簿有什么变化", ()),
        "visits": may(Int(0, 20), "要跑几次", 0),
    },
)


def _labelled(place: Place, label: Words, value: Expression) -> tuple[Words, Expression]:
    return label, value


_LINE = Record(_labelled, {"label": Key(WORDS, "名称"), "value": Key(EXPR, "内容")})
_DOCUMENT = Record(
    Document,
    {
        "id": Key(ID, "名称"),
        "name": Key(WORDS, "名称"),
        "issuer": Key(ID, "发证部门"),
        "licence_type": Key(ID, "证照类型"),
        "trust_level": Key(Enum(words_of("ABCD")), "可信等级"),
        "fields": Key(ListOf(_LINE, 1), "证照上的内容"),
    },
)
_SHOW = Record(
    Show,
    {
        "id": Key(ID, "名称"),
        "name": Key(WORDS, "名称"),
        "lines": Key(ListOf(_LINE, 1), "显示哪些内容"),
        "folded": may(Bool(), "先折叠", False),
    },
)
_CONSENT = Record(
    Consent,
    {
        "id": Key(ID, "名称"),
        "parties": Key(ListOf(ID, 1), "谁要同意"),
        "items": Key(ListOf(ID, 1), "哪些事项等这个同意"),
        "asks": Key(WORDS, "请他同意什么"),
        "when": may(EXPR, "什么时候需要"),
        "basis": Key(LAW, "依据", lack="unsourced", why="要别人同意，却没有写依据（basis）。"),
        "expires": Key(LENGTH, "多久不答复就失效"),
    },
)
_BASELINE = Record(
    Baseline,
    {
        "asked": Key(Int(0, 1_000), "以前要填多少项"),
        "materials": Key(Int(0, 1_000), "以前要多少材料"),
        "visits": Key(Int(0, 1_000), "以前要跑几次"),
        "links": Key(Int(0, 1_000), "以前有几个环节"),
        "days": Key(Int(0, 10_000), "以前要几天"),
        "source": Key(WORDS, "数字从哪里来", lack="unsourced", why="以前的数字没有写来源（source）。"),
        "verified": Key(
            Bool(), "是否核实过", lack="verification-unmarked", why="没有标明数字是否核实过（verified）。"
        ),
    },
)


class MatterHead(NamedTuple):
    """matter.yaml as read; the loader joins it with the words beside it."""

    values: dict[str, Any]
    place: Place


def _matter(place: Place, names: Mapping[str, Expression], **rest: Any) -> MatterHead:
    return MatterHead({**rest, "names": tuple(names.items()), "place": place}, place)


MATTER = Record(
    _matter,
    {
        "name": Key(WORDS, "名称"),
        "summary": Key(WORDS, "一句话说明"),
        "audience": Key(Enum({"person": "个人", "enterprise": "企业"}), "给谁办"),
        "theme": Key(Text(), "主题"),
        "icon": Key(ID, "图标"),
        "lead": Key(ID, "牵头部门"),
        "purpose": Key(DOTTED, "处理目的"),
        "basis": Key(ListOf(LAW, 1), "依据"),
        "search": may(ListOf(Text()), "大家会怎么搜", ()),
        "parties": Key(Group(_PARTY), "参与方，后面的由前面的找到"),
        "names": may(MapOf(EXPR), "有名字的表达式，按顺序计算", {}),
        "eligible": may(ListOf(_ELIGIBLE), "谁能办", ()),
        "questions": may(Group(_QUESTION), "只有申请人知道的", ()),
        "items": Key(Group(_ITEM), "包含的事项"),
        "documents": may(Group(_DOCUMENT), "办好后发的证照", ()),
        "shows": may(Group(_SHOW), "表单上已经填好的内容", ()),
        "consents": may(Group(_CONSENT), "要别人同意的", ()),
        "title_of": Key(EXPR, "办件的标题"),
        "place_of": Key(EXPR, "在哪个区划办"),
        "baseline": Key(_BASELINE, "以前怎么样"),
    },
    "一件事或一个事项",
    kind="matter/1",
)

WORDS_KIND = Record(
    sole,
    {"words": Key(MapOf(Text(), r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*", "由点隔开的小写词"), "页面上的句子")},
    "页面上的句子",
    kind="words/1",
)
