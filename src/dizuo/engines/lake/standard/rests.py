"""What is left of an address behind its division, in one form: 中山路128号3幢2单元201室.

Departments write the same door as 3号楼二单元201, 3栋2单元201室 or 3-2-201. The road, the name of the estate and whatever
stands behind the room keep their words; only the marks and numerals of building, unit and room are made one.
"""

from __future__ import annotations

from collections.abc import Callable

from dizuo.engines.lake.standard.cells import Stage, Term, either, emptied, joined, nothing, text
from dizuo.engines.lake.standard.cutting import house_stages
from dizuo.engines.lake.standard.terms import Rows, Text, Value, ibis

_MARKS = "(?:号楼|#楼|单元|号门|房间|号房|[幢栋座门室房号#])\\z"
# Most addresses are written so already; for them nothing of the rest is computed.
_REGULAR = (
    "^[\u4e00-\u9fa5]{1,8}(?:路|街|大道|巷|弄|村|头|桥)[0-9]{1,5}号(?:[0-9]{1,4}幢(?:[0-9]{1,2}单元)?[0-9]{1,5}室)?\\z"
    "|^[^0-9A-Za-z一二三四五六七八九十#]*\\z"
)
_NUMERALS, _DIGITS = "一二三四五六七八九", "123456789"


def rest_stages(column: str, before: str, to: str) -> list[Stage]:
    """Stages that leave the one form of ``before`` under ``to``; null where there is nothing."""
    part = _part(column)

    def one_form(t: Rows) -> Value:
        street = joined(part("_road")(t), _numbered(part("_number")(t)))
        doors = joined(
            _marked(part("_building")(t), "幢"),
            _marked(part("_unit")(t), "单元"),
            _floor(part("__floor_here")(t)),
            _marked(part("_room")(t), "室"),
        )
        place = part("_place")(t)
        front = part("__r_front")(t)
        inner = place.substr(front.re_replace("^[-_ ]+", "").length())
        return emptied(joined(front, street, inner, doors, part("__behind")(t)))

    other = f"{column}__irregular"
    return [
        {other: lambda t: either((text(t, before).re_search(_REGULAR), nothing()), other=text(t, before))},
        *house_stages(column, other),
        {to: lambda t: either((text(t, other).isnull(), text(t, before)), other=one_form(t))},
    ]


def _part(column: str) -> Callable[[str], Term]:
    def named(suffix: str) -> Term:
        return lambda t: text(t, f"{column}{suffix}").fill_null("")

    return named


def _numbered(number: Text) -> Value:
    """128号 for 128 and 128#; 弄 stays."""
    bare = number.re_replace("[#号]\\z", "")
    return either((number == "", ""), (number.endswith("弄"), number), other=joined(bare, "号"))


def _marked(written: Text, mark: str) -> Value:
    """3幢 for 3号楼, 三栋 and 3; a plain 3号 stays, for it may be a house as well."""
    bare = written.re_replace(_MARKS, "")
    plain = either((bare.length() == 1, bare.translate(_NUMERALS, _DIGITS)), other=bare)
    return either(
        (written == "", ""),
        (written.re_search("号\\z") & ibis.literal(mark == "幢"), written),
        other=joined(plain, mark),
    )


def _floor(written: Text) -> Value:
    bare = written.re_replace("[楼层Ff]\\z", "")
    plain = either((bare.length() == 1, bare.translate(_NUMERALS, _DIGITS)), other=bare)
    return either((written == "", ""), other=joined(plain, "楼"))
