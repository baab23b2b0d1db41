"""Reading calls: function names of several words, positional and named arguments, constants of time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import cast

from dizuo.foundation.rules.cursor import Cursor
from dizuo.foundation.rules.functions import FUNCTIONS, Function
from dizuo.foundation.rules.literals import CONSTRUCTORS, at_literal
from dizuo.foundation.rules.tree import Call, Expression, Literal, Not, Span

FUNCTION_NAMES = sorted({*FUNCTIONS, *CONSTRUCTORS, "not"}, key=lambda name: -len(name.split()))
# As words, longest first: "date and time" before "date".
_WORDS = [tuple(name.split()) for name in FUNCTION_NAMES]


class CallReader(Cursor, ABC):
    """The part of the parser that reads calls; the rest of the grammar comes from ``expression``."""

    @abstractmethod
    def expression(self) -> Expression: ...

    def callable_here(self) -> str | None:
        if self.now.kind != "name":
            return None
        for words in _WORDS:
            end = self.place + len(words)
            if end < len(self.tokens) and self.tokens[end].text == "(" and self.tokens[end].kind == "symbol":
                here = self.tokens[self.place : end]
                if all(
                    t.kind in ("name", "keyword") and t.text == w for t, w in zip(here, words, strict=True)
                ):
                    return " ".join(words)
        return None

    def call(self, name: str) -> Expression:
        start = self.now.span
        self.place += len(name.split()) + 1
        told = len(self.faults)
        positional, named = self.arguments()
        span = start.to(self.tokens[self.place - 1].span)
        if len(self.faults) > told:
            return Literal(None, span=span)  # a count of wrong arguments would only repeat it
        if name == "not":
            if len(positional) != 1 or named:
                self.fault("not 只接受一个条件。", span, "写成 not(条件)")
                return Literal(None, span=span)
            return Not(positional[0], span=span)
        if name in CONSTRUCTORS and len(positional) == 1 and isinstance(positional[0], Literal):
            constant = positional[0].value
            if isinstance(constant, str):
                return self.constant(name, constant, span)
        function = FUNCTIONS.get(name)
        if function is None or (name in CONSTRUCTORS and len(positional) != 1):
            self.fault(f"{name} 里要写一个常量文本。", span, CONSTRUCTORS[name][1])
            return Literal(None, span=span)
        return Call(name, self.in_order(function, positional, named, span), span=span)

    def constant(self, name: str, text: str, span: Span) -> Expression:
        read, usage = CONSTRUCTORS[name]
        value = read(text)
        if value is None:
            self.fault(f"“{text[:40]}”不是有效的{usage[: usage.index('写成')]}。", span, usage)
        return Literal(value, span=span)

    def at_literal(self) -> Expression:
        at = self.take()
        if self.now.kind != "text":
            self.unexpected("“@”后面应该是日期文本", '写成 @"2026-11-01"')
        text = self.take()
        span = at.span.to(text.span)
        value = at_literal(text.text)
        if value is None:
            self.fault(f"“{text.text[:40]}”不是日期、时刻或时长。", span, '写成 @"2026-11-01" 或 @"P1M"')
        return Literal(value, span=span)

    def arguments(self) -> tuple[list[Expression], dict[str, Expression]]:
        positional: list[Expression] = []
        named: dict[str, Expression] = {}
        while not self.is_at(")"):
            start = self.place
            name = self.argument_name()
            value = self.expression()
            if name is None and named:
                self.fault("带名称的参数后面不能再有不带名称的。", value.span, "请给它写上名称")
            elif name is None:
                positional.append(value)
            elif name in named:
                self.fault(f"参数“{name}”写了两次。", self.tokens[start].span, "请删去一个")
            else:
                named[name] = value
            if not self.is_at(","):
                break
            self.take()
        self.expect(")", "补上右括号")
        return positional, named

    def argument_name(self) -> str | None:
        at = self.place
        while self.tokens[at].kind in ("name", "keyword"):
            at += 1
        if at == self.place or self.tokens[at].text != ":" or self.tokens[at].kind != "symbol":
            return None
        name = " ".join(token.text for token in self.tokens[self.place : at])
        self.place = at + 1
        return name

    def in_order(
        self, function: Function, positional: list[Expression], named: dict[str, Expression], span: Span
    ) -> tuple[Expression, ...]:
        """The arguments in the order of the parameters; faults are told once, with the usage."""
        usage = f"用法：{function.usage()}"
        if function.spread or function.variadic:
            if named and set(named) != {function.parameters[0].name}:
                self.fault(f"{function.name} 没有这个参数。", span, usage)
            given = (*positional, *named.values())
            if not given:
                self.fault(f"{function.name} 缺少参数。", span, usage)
            return given
        slots: list[Expression | None] = [*positional]
        names = [parameter.name for parameter in function.parameters]
        for name, value in named.items():
            if name not in names:
                close = self.similar(name, names)
                self.fault(f"{function.name} 没有参数“{name}”。", value.span, close or usage)
                return ()
            index = names.index(name)
            slots += [None] * (index + 1 - len(slots))
            if slots[index] is not None:
                self.fault(f"参数“{name}”写了两次。", value.span, usage)
                return ()
            slots[index] = value
        required = sum(not parameter.optional for parameter in function.parameters)
        if len(slots) > len(names) or len(slots) < required or None in slots:
            wanted = f"{required}" if required == len(names) else f"{required} 到 {len(names)}"
            given_count = len(positional) + len(named)
            self.fault(f"{function.name} 需要 {wanted} 个参数，这里有 {given_count} 个。", span, usage)
            return ()
        return tuple(cast("list[Expression]", slots))
