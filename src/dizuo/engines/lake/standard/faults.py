"""What can be wrong with a cell: codes that are counted, and what the department reads."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "missing": "这一栏不能为空。",
    "too_long": "这一格超过 4,000 个字符，可能是分隔符或引号错了，请核对。",
    "encoding": "有字节不能按约定的编码读出来，请核对文件的编码。",
    "formula": "以公式符号开头，像是表格软件的公式；请改为值再送。",
    "private_use": "含有自造字（私用区字符），别的系统显示不出；请改用 GB 18030 里的正式编码。",
    "not_a_name": "里面没有一个字，不是姓名或名称。",
    "bad_length": "号码的位数不对，请对照证件逐位核对。",
    "bad_character": "号码里有不该有的字符，请对照证件逐位核对。",
    "bad_check": "校验码不对，号码里可能有一位写错了，或者两位写颠倒了。",
    "bad_organisation_code": "第 9 至 17 位（组织机构代码）的校验码不对，请对照证照逐位核对。",
    "bad_region": "前 6 位在出生当时不是有效的行政区划代码，请核对。",
    "bad_date": "不是有效的日期；请写成 2026-11-23，月和日不要颠倒。",
    "bad_time": "日期对，时间不对；请写成 2026-11-23 08:30:00（北京时间）。",
    "bad_phone": "不是电话号码；请写 11 位手机号，或带区号的固定电话。",
    "several_phones": "一格里有几个电话，只取了第一个；请分开填写。",
    "bad_number": "不是数；请只写数字和小数点。",
    "bad_boolean": "请写“是”或“否”。",
    "bad_code": "不在代码表里；请按约定的代码或名称填写。",
    "bad_division": "不是申报过的行政区划代码或名称。",
}
"""Code of a fault → sentence. Codes are public: they are counted, shown and kept with rejected rows."""

KEPT = frozenset(["private_use", "several_phones"])
"""Faults that are counted while the value is kept."""
