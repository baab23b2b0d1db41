"""Direct identifiers of people by content: what looks like a citizen number, a telephone, a name, an address …, is found.

Numbers are checked by their check digits, so that an order number does not stop a release; names and addresses are judged
by the whole column, because one short word that begins like a surname says nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final, Literal

from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.kernel.identity import CitizenId, UnifiedCode

Kind = Literal["citizen_id", "phone", "uscc", "name", "address", "email"]
KINDS: Final[Mapping[Kind, str]] = {
    "citizen_id": "公民身份号码",
    "phone": "手机号码",
    "uscc": "个体经营者的统一社会信用代码",
    "name": "姓名",
    "address": "门牌地址",
    "email": "电子邮箱",
}
_CITIZEN = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])")
_PHONE = re.compile(r"(?<![0-9])(?:\+?86[- ]?)?1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}(?![0-9])")
# 9 登记管理部门是市场监管，2 类别是个体工商户：the code is a person's.
_TRADER = re.compile(r"(?<![0-9A-Za-z])92[0-9]{6}[0-9A-Z]{10}(?![0-9A-Za-z])")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}")
_ADDRESS = re.compile(
    r"(?:路|街|巷|弄|道|里|村|小区|花园|新村|苑|庭)\s*[0-9０-９一二三四五六七八九十]+\s*(?:号|弄|幢|栋|室|单元)"
)
_NAME = re.compile(r"[㐀-鿿𠀀-𯿿]{2,4}|[㐀-鿿]{1,12}(?:[·•・][㐀-鿿]{1,12})+")
_NO_NAME = re.compile(
    r"(?:[区市县镇乡村路街局院所处会室科厅部类业等年月日级型项人度量数段岁]|社区|街道|中心|公司|学校)$"
)
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩邓冯曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范"
    "金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤华尤荣冯祝钮惠虞过浦薄言"
)
_DOUBLE = (
    "欧阳",
    "上官",
    "司马",
    "诸葛",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "夏侯",
    "司徒",
    "端木",
)
_NAME_SHARE: Final = 0.5
_ADDRESS_SHARE: Final = 0.05


def found(values: Iterable[object]) -> dict[Kind, list[str]]:
    """What a column's values give away: kind → the values in which it stands, in order. Empty for a harmless column."""
    hits: dict[Kind, list[str]] = {}
    texts = [
        unicodedata.normalize("NFKC", str(value)) for value in values if value is not None and value != ""
    ]
    for text in texts:
        for kind in _in_text(text):
            hits.setdefault(kind, []).append(text)
    # Numbers count wherever they stand; of addresses a few in a free text may be an office's.
    if len(hits.get("address", ())) < max(3, len(texts) * _ADDRESS_SHARE):
        hits.pop("address", None)
    names = _names(texts)
    if names:
        hits["name"] = names
    return hits


def _in_text(text: str) -> Iterable[Kind]:
    if len(text) >= 11:
        if any(map(_is_citizen, _CITIZEN.findall(text))):
            yield "citizen_id"
        if _PHONE.search(text):
            yield "phone"
        if any(map(_is_trader, _TRADER.findall(text.upper()))):
            yield "uscc"
    if "@" in text and _EMAIL.search(text):
        yield "email"
    if _ADDRESS.search(text):
        yield "address"


def _names(texts: list[str]) -> list[str]:
    """The values that read as people's names, when most of the column's different values do."""
    different = Counter(texts)
    if len(different) < 3:
        return []
    named = [
        text
        for text in different
        if _NAME.fullmatch(text)
        and not _NO_NAME.search(text)
        and ("·" in text or text[0] in _SURNAMES or text.startswith(_DOUBLE))
    ]
    return named if len(named) >= _NAME_SHARE * len(different) else []


def _is_citizen(text: str) -> bool:
    try:
        CitizenId.parse(text, date.max)
    except Invalid:
        return False
    return True


def _is_trader(text: str) -> bool:
    try:
        UnifiedCode.parse(text)
    except Invalid:
        return False
    return True


def masked(kind: Kind, text: str) -> str:
    """An example that may be kept in a report: where it stands is told, what it says is not."""
    shown = text[:24]
    if kind == "name":
        return shown[0] + "＊" * (len(shown) - 1)
    return re.sub(r"[0-9A-Za-z]", "＊", shown)
