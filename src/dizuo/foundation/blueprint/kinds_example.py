"""What the examples of a matter look like: Given/When/Then in plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from dizuo.foundation.blueprint.findings import Log
from dizuo.foundation.blueprint.groups import Key, ListOf, MapOf, Record, may, sole, told
from dizuo.foundation.blueprint.kinds_city import DOTTED, ID
from dizuo.foundation.blueprint.kinds_matter import FACT
from dizuo.foundation.blueprint.model import Place
from dizuo.foundation.blueprint.nodes import Node, Scalar, plain_value
from dizuo.foundation.blueprint.shape import Bool, Date, Int, Schema, Shape, Text, wrong


class Example(NamedTuple):
    """One Given/When/Then of tests.yaml, as plain data; the planner runs it.

    ``given``: today, applicant, facts (party → field → value; a list of such for several records).
    ``answers``: question → answer. ``then``: what the plan must say.
    """

    matter: str
    name: str
    given: Mapping[str, Any]
    answers: Mapping[str, Any]
    then: Mapping[str, Any]
    place: Place


@dataclass(frozen=True)
class AnyValue(Shape["object"]):
    """Plain data of any shape."""

    def read(self, node: Node, log: Log) -> object:
        return plain_value(node)

    def hole(self, place: Place) -> object:
        return None

    def schema(self) -> Schema:
        return {}


@dataclass(frozen=True)
class Fields(Shape["object"]):
    """The facts of one example: party to its record, to a list of records, or to null for "not found"."""

    def read(self, node: Node, log: Log) -> object:
        if isinstance(node, Scalar):
            wrong(node, log, "一组键值", fix="写成 `参与方: {字段: 值}`。")
            return {}
        return plain_value(node)

    def hole(self, place: Place) -> object:
        return {}

    def schema(self) -> Schema:
        return {"type": "object"}


_GIVEN = Record(
    told,
    {
        "today": Key(Date(), "哪一天"),
        "applicant": may(Text(), "申请人是谁"),
        "facts": may(Fields(), "登记簿里有什么", {}),
    },
)
_COUNTS = Record(
    told,
    {
        "asked": may(Int(), "要填的项数"),
        "questions": may(Int(), "编号的问题数"),
        "known": may(Int(), "城市已经填好的项数"),
        "needed": may(Int(), "一共需要的项数"),
        "materials": may(Int(), "要交的材料数"),
        "visits": may(Int(), "要跑的次数"),
        "links": may(Int(), "要经过的环节数"),
        "days": may(Int(), "到承诺日期的工作日数"),
    },
)
_THEN = Record(
    told,
    {
        "eligible": may(Bool(), "能不能办"),
        "applies": may(ListOf(ID), "要办的事项，一个不多一个不少"),
        "not_applies": may(ListOf(ID), "不适用的事项，一个不多一个不少"),
        "done_already": may(ListOf(ID), "已经办过的事项，一个不多一个不少"),
        "exceptions": may(ListOf(DOTTED), "要人判断的例外，写成 事项.核对，一个不多一个不少"),
        "waits": may(MapOf(ListOf(ID)), "哪个事项等哪些事项"),
        "asked": may(ListOf(ID), "要问的问题，一个不多一个不少"),
        "not_asked": may(ListOf(ID), "不问的问题"),
        "silent": may(ListOf(ID), "因为登记簿里没有才问的问题，一个不多一个不少"),
        "errors": may(ListOf(ID), "回答得不对或还没有回答的问题，一个不多一个不少"),
        "choose": may(ListOf(ID), "要从几个里选一个的参与方，一个不多一个不少"),
        "reads": may(ListOf(FACT), "会调取的"),
        "not_read_includes": may(ListOf(FACT), "不会调取的"),
        "consents": may(ListOf(ID), "要别人同意的，一个不多一个不少"),
        "materials": may(ListOf(ID), "要交的材料，一个不多一个不少"),
        "documents": may(ListOf(ID), "办成后发的证照，一个不多一个不少"),
        "promised": may(Text(), "承诺日期，或 unknown"),
        "counts": may(_COUNTS, "数量"),
        "values": may(MapOf(AnyValue()), "表达式的值"),
        "title": may(Text(), "标题"),
        "where": may(Text(), "在哪里办（行政区划代码）"),
    },
)
THEN_KEYS: Final = frozenset(_THEN.keys)
"""What an example can say of the plan; the planner has an answer to each."""


def _example(place: Place, **values: Any) -> Example:
    return Example(matter="", place=place, **values)


EXAMPLES = Record(
    sole,
    {
        "examples": Key(
            ListOf(
                Record(
                    _example,
                    {
                        "name": Key(Text(), "说明"),
                        "given": Key(_GIVEN, "已知"),
                        "answers": may(MapOf(AnyValue()), "回答", {}),
                        "then": Key(_THEN, "结果应当是"),
                    },
                )
            ),
            "例子",
        )
    },
    "用例子说明这件事该怎么办",
    kind="examples/1",
)
