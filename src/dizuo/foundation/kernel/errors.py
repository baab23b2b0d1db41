"""Errors are part of the product: what happened, why, and the way out.

A class's docstring is the message that a person reads when none is given; its first paragraph may hold
``{named}`` places that the keyword arguments of the error fill. Everything after the first blank line is
for the developer. A subclass therefore is usually three lines::

    class CaseClosed(Conflict):
        \"\"\"办件 {case} 已经办结，不能再改。\"\"\"

        fix = "如需更正，请重新提出申请。"

    raise CaseClosed(case="WX2026-0001")

``code`` is the snake_case of the class name unless the class says otherwise. Codes are public: each has a
heading in docs/know/errors.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _first_paragraph(text: str) -> str:
    return " ".join(text.strip().split("\n\n", 1)[0].split())


class _Kept(dict[str, object]):
    """A place that nobody filled stays visible; a message must never fail while an error is being told."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


class DizuoError(Exception):
    """事情没有办成。"""

    code: ClassVar[str] = "dizuo_error"
    http: ClassVar[int] = 500
    fix: str | None = None
    message: str
    params: Mapping[str, object]

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if "code" not in cls.__dict__:
            cls.code = _WORD_START.sub("_", cls.__name__).lower()

    def __init__(self, message: str | None = None, *, fix: str | None = None, **params: object) -> None:
        self.params = params
        self.message = self._from_docstring(params) if message is None else message
        # The class may carry a way out with the same {named} places; an instance may bring a better one.
        if fix is not None:
            self.fix = fix
        elif self.fix is not None and params:
            self.fix = self.fix.format_map(_Kept(params))
        super().__init__(self.message)

    @classmethod
    def _from_docstring(cls, params: Mapping[str, object]) -> str:
        for kind in cls.__mro__:
            if issubclass(kind, DizuoError) and kind.__doc__:
                template = _first_paragraph(kind.__doc__)
                return template.format_map(_Kept(params)) if params else template
        return cls.code  # python -OO strips docstrings: the code still tells which error it is

    def as_json(self) -> dict[str, object]:
        """The error as the body of an API answer.

        Keys: ok (always False), code, message, fields (name → message), fix (or None). Families add their own.
        """
        return {"ok": False, "code": self.code, "message": self.message, "fields": {}, "fix": self.fix}

    def __str__(self) -> str:
        return self.message if self.fix is None else f"{self.message} {self.fix}"


class Invalid(DizuoError):
    """填写的内容有问题，请按提示修改。

    ``fields`` maps the field's name to the sentence shown beside it. With one field and no message given,
    the field's sentence is the message.
    """

    http = 422
    fields: dict[str, str]

    def __init__(
        self,
        fields: Mapping[str, str],
        message: str | None = None,
        *,
        fix: str | None = None,
        **params: object,
    ) -> None:
        self.fields = dict(fields)
        if message is None and len(self.fields) == 1:
            message = str(next(iter(self.fields.values())))
        super().__init__(message, fix=fix, **params)

    def as_json(self) -> dict[str, object]:
        return {**super().as_json(), "fields": {name: str(says) for name, says in self.fields.items()}}


class SignInNeeded(DizuoError):
    """请先登录。"""

    http = 401
    fix = "登录后会回到这一页，已填的内容不会丢。"


class Refused(DizuoError):
    """您没有权限做这件事。

    ``rule`` names the rule that refused (for the log and the official), ``law`` its legal source (for everyone).
    """

    http = 403
    rule: str
    law: str

    def __init__(
        self, rule: str, law: str, message: str | None = None, *, fix: str | None = None, **params: object
    ) -> None:
        self.rule = rule
        self.law = law
        super().__init__(message, fix=fix, **params)

    def as_json(self) -> dict[str, object]:
        return {**super().as_json(), "rule": self.rule, "law": self.law}


class NotFound(DizuoError):
    """没有找到您要的内容。"""

    http = 404
    fix = "请检查地址或编号是否完整。"


class Conflict(DizuoError):
    """现在不能这样办：情况已经变了。"""

    http = 409


class Stale(Conflict):
    """这一页打开后，内容已被别人更新，您的修改没有保存。"""

    fix = "请刷新页面，看过最新内容后再提交。"


class Unavailable(DizuoError):
    """系统暂时办不了，您已填的内容没有丢。

    ``retry_after`` is in seconds, for the Retry-After header.
    """

    http = 503
    fix = "请稍后再试。"
    retry_after: int

    def __init__(
        self, retry_after: int, message: str | None = None, *, fix: str | None = None, **params: object
    ) -> None:
        self.retry_after = retry_after
        super().__init__(message, fix=fix, **params)

    def as_json(self) -> dict[str, object]:
        return {**super().as_json(), "retry_after": self.retry_after}
