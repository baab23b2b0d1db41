"""Tokens to a tree: precedence climbing over the FEEL subset, with a way out for every fault."""

from __future__ import annotations

from decimal import Decimal
from typing import NoReturn

from dizuo.foundation.rules.calls import FUNCTION_NAMES, CallReader
from dizuo.foundation.rules.errors import RuleErrors
from dizuo.foundation.rules.lexer import KEYWORDS, Token
from dizuo.foundation.rules.tree import (
    AnyNode,
    Arithmetic,
    Between,
    Binding,
    Compare,
    ContextOf,
    Entry,
    Expression,
    Filter,
    For,
    If,
    In,
    ListOf,
    Literal,
    Logic,
    Member,
    Name,
    Negative,
    Quantified,
    Range,
    Span,
    Test,
    Tree,
    UnaryTest,
    children,
    walk,
)
from dizuo.foundation.rules.values import QUOTIENT_PLACES

MAX_DEPTH = 64
MAX_LIST = 1_000
MAX_POWER = 8
MAX_DIGITS = 2_000
_FACT_DIGITS = 40

_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
# Binding strength, weakest first; a comparison does not chain.
_OR, _AND, _COMPARE, _SUM, _PRODUCT, _POWER = range(1, 7)
_STRENGTH = {
    "or": _OR,
    "and": _AND,
    "between": _COMPARE,
    "in": _COMPARE,
    **dict.fromkeys(_COMPARISONS, _COMPARE),
    "+": _SUM,
    "-": _SUM,
    "*": _PRODUCT,
    "/": _PRODUCT,
    "**": _POWER,
}


def parse(text: str) -> Tree:
    """The tree of a rule.

    Errors: RuleErrors. A fault of grammar ends the reading; unknown functions, wrong constants and broken limits
    (text of 4,000 characters, nesting of 64, lists of 1,000) are collected.
    """
    parser = _Parser(text)
    root = parser.whole()
    deepest, at = max(((depth, node.span) for node, depth in walk(root)), key=lambda found: found[0])
    if deepest > MAX_DEPTH:
        parser.fault("规则嵌套太深。", at, f"最多 {MAX_DEPTH} 层，请拆成几条规则。")
    elif _digits(root) > MAX_DIGITS:
        parser.fault("算出的数字可能太大。", root.span, f"最多 {MAX_DIGITS} 位，请减少乘法和乘方。")
    if parser.faults:
        raise RuleErrors(text, parser.faults)
    return Tree(text, root)


def _digits(node: AnyNode) -> int:
    """A bound on the digits of the numbers that an expression computes, so that no rule is a bomb."""
    below = [_digits(child) for child in children(node)]
    match node:
        case Literal(Decimal() as value):
            return len(value.as_tuple().digits)
        case Name() | Member():
            return _FACT_DIGITS
        case Arithmetic("*" | "/"):
            return below[0] + below[1] + QUOTIENT_PLACES + 1
        case Arithmetic("**", _, Literal(Decimal() as exponent)):
            return below[0] * max(int(exponent), 1)
        case _:
            return max(below, default=0) + 1


class _Parser(CallReader):
    # --- expressions --------------------------------------------------------------------------------------

    def whole(self) -> Expression:
        if self.at_end():
            self.stop("规则是空的。", self.now.span, "至少写一个条件，例如 child.age < 1")
        root = self.expression()
        if not self.at_end():
            self.left_over()
        return root

    def left_over(self) -> NoReturn:
        before = self.tokens[self.place - 1]
        if before.kind == "name" and self.now.kind == "name" and self.now.text.lower() not in KEYWORDS:
            span = before.span.to(self.now.span)
            close = self.similar(f"{before.text} {self.now.text}", FUNCTION_NAMES)
            self.stop(
                "名称里不能有空格。", span, close or f"写成 {before.text}_{self.now.text}，或补上运算符"
            )
        self.unexpected("这里应该是运算符或结尾")

    def expression(self, weakest: int = _OR) -> Expression:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.stop("规则嵌套太深。", self.now.span, f"最多 {MAX_DEPTH} 层，请拆成几条规则。")
        left = self.unary()
        while True:
            operator = self.now.text if self.now.kind in ("symbol", "keyword") else ""
            strength = _STRENGTH.get(operator, 0)
            if strength < weakest or strength == 0:
                break
            left = self.operation(left, operator, strength)
        self.depth -= 1
        return left

    def operation(self, left: Expression, operator: str, strength: int) -> Expression:
        token = self.take()
        match operator:
            case "or" | "and":
                right = self.expression(strength + 1)
                span = left.span.to(right.span)
                # A chain is one node; a group in parentheses stays its own node only when the operator differs.
                before = left.items if isinstance(left, Logic) and left.op == operator else (left,)
                return Logic(operator, (*before, right), span=span)
            case "between":
                low = self.expression(_SUM)
                self.expect("and", "between 写成 x between 1 and 5")
                high = self.expression(_SUM)
                node = Between(left, low, high, span=left.span.to(high.span))
            case "in":
                tests = self.tests()
                node = In(left, tests, span=left.span.to(self.tokens[self.place - 1].span))
            case "=" | "!=" | "<" | "<=" | ">" | ">=":
                right = self.expression(_SUM)
                node = Compare(operator, left, right, span=left.span.to(right.span))
            case "+" | "-" | "*" | "/" | "**":
                right = self.expression(strength + 1)
                if operator == "**":
                    self.check_power(right)
                return Arithmetic(operator, left, right, span=left.span.to(right.span))
            case _:
                self.stop(f"不认识的运算符“{operator}”。", token.span)
        if self.is_at(*_COMPARISONS, "in", "between"):
            self.stop(
                "比较不能连写。", node.span.to(self.now.span), "写成 x between 1 and 5，或用 and 连接两个比较"
            )
        return node

    def check_power(self, exponent: Expression) -> None:
        value = exponent.value if isinstance(exponent, Literal) else None
        if not isinstance(value, Decimal) or value != int(value) or not 0 <= value <= MAX_POWER:
            self.fault("指数只能是 0 到 8 的整数。", exponent.span, "例如 x ** 2")

    def unary(self) -> Expression:
        if self.is_at("-"):
            start = self.take().span
            self.depth += 1
            if self.depth > MAX_DEPTH:
                self.stop("规则嵌套太深。", start, f"最多 {MAX_DEPTH} 层。")
            operand = self.unary()
            self.depth -= 1
            span = start.to(operand.span)
            if isinstance(operand, Literal) and isinstance(operand.value, Decimal):
                return Literal(operand.value.copy_negate(), span=span)
            return Negative(operand, span=span)
        return self.postfix(self.primary())

    def postfix(self, node: Expression) -> Expression:
        while True:
            if self.is_at("."):
                self.take()
                if self.now.kind not in ("name", "keyword"):
                    self.unexpected("“.”后面应该是名称")
                name = self.take()
                node = Member(node, name.text, span=node.span.to(name.span))
            elif self.is_at("["):
                self.take()
                condition = self.expression()
                end = self.expect("]", "筛选写成 list[条件]").span
                node = Filter(node, condition, span=node.span.to(end))
            else:
                return node

    def primary(self) -> Expression:
        called = self.callable_here()
        if called is not None:
            return self.call(called)
        token = self.now
        match token.kind, token.text:
            case "number", text:
                self.take()
                return Literal(Decimal(text), span=token.span)
            case "text", text:
                self.take()
                return Literal(text, span=token.span)
            case "name", text:
                return self.name(token)
            case "keyword", "true" | "false" | "null":
                self.take()
                return Literal({"true": True, "false": False}.get(token.text), span=token.span)
            case "keyword", "if":
                return self.if_then_else()
            case "keyword", "some" | "every":
                return self.quantified()
            case "keyword", "for":
                return self.loop()
            case "symbol", "(":
                self.take()
                inner = self.expression()
                self.expect(")", "补上右括号")
                return inner
            case "symbol", "[":
                return self.list_of()
            case "symbol", "{":
                return self.context_of()
            case "symbol", "@":
                return self.at_literal()
            case _:
                return self.unexpected("这里应该是一个值、名称或括号")

    def name(self, token: Token) -> Expression:
        self.take()
        if token.text == "not":
            self.stop("not 后面要有括号。", token.span, "写成 not(条件)")
        if self.is_at("("):
            close = self.similar(token.text, FUNCTION_NAMES)
            self.stop(f"没有函数“{token.text}”。", token.span, close or "可用的函数见 docs/know/rules.md")
        return Name(token.text, span=token.span)

    # --- in -----------------------------------------------------------------------------------------------

    def tests(self) -> tuple[Test, ...]:
        if self.is_at("("):
            open_at = self.place
            self.take()
            first = self.test()
            if self.is_at(".."):
                self.place = open_at
                return (self.range(),)
            found = [first]
            while self.is_at(","):
                self.take()
                found.append(self.test())
            self.expect(")", "补上右括号")
            self.limit(len(found), self.tokens[open_at].span)
            return tuple(found)
        return (self.test(),)

    def test(self) -> Test:
        token = self.now
        if token.kind == "symbol" and token.text in _COMPARISONS:
            self.take()
            right = self.expression(_SUM)
            return UnaryTest(token.text, right, span=token.span.to(right.span))
        if self.is_at("[", "(") and self.range_ahead():
            return self.range()
        return self.expression(_SUM)

    def range_ahead(self) -> bool:
        """Whether the bracket here holds ``..`` at its own level."""
        level = 0
        for token in self.tokens[self.place :]:
            if token.kind == "symbol":
                if token.text in "([{":
                    level += 1
                elif token.text in ")]}":
                    level -= 1
                elif token.text == ".." and level == 1:
                    return True
                elif token.text == "," and level == 1:
                    return False
            if level == 0 or token.kind == "end":
                return False
        return False

    def range(self) -> Range:
        opening = self.take()
        low = self.expression(_SUM)
        self.expect("..", "区间写成 [1..5]")
        high = self.expression(_SUM)
        if not self.is_at("]", ")"):
            self.unexpected("区间要以 ] 或 ) 结束", "含端点用 ]，不含用 )")
        closing = self.take()
        return Range(low, high, opening.text == "[", closing.text == "]", span=opening.span.to(closing.span))

    # --- compound forms -----------------------------------------------------------------------------------

    def if_then_else(self) -> Expression:
        start = self.take().span
        fix = "写成 if 条件 then 值 else 值"
        condition = self.expression()
        self.expect("then", fix)
        then = self.expression()
        self.expect("else", fix)
        otherwise = self.expression()
        return If(condition, then, otherwise, span=start.to(otherwise.span))

    def bindings(self, fix: str) -> tuple[Binding, ...]:
        found: list[Binding] = []
        while True:
            if self.now.kind != "name":
                self.unexpected("这里应该是变量名", fix)
            name = self.take()
            self.expect("in", fix)
            source = self.expression(_SUM)
            found.append(Binding(name.text, source, span=name.span.to(source.span)))
            if not self.is_at(","):
                return tuple(found)
            self.take()

    def quantified(self) -> Expression:
        token = self.take()
        fix = f"写成 {token.text} x in 列表 satisfies 条件"
        bindings = self.bindings(fix)
        self.expect("satisfies", fix)
        condition = self.expression()
        kind = "some" if token.text == "some" else "every"
        return Quantified(kind, bindings, condition, span=token.span.to(condition.span))

    def loop(self) -> Expression:
        start = self.take().span
        fix = "写成 for x in 列表 return 值"
        bindings = self.bindings(fix)
        self.expect("return", fix)
        body = self.expression()
        return For(bindings, body, span=start.to(body.span))

    def list_of(self) -> Expression:
        if self.range_ahead():
            span = self.range().span
            self.stop("区间只能用在 in 后面。", span, "写成 x in [1..5]")
        start = self.take().span
        items: list[Expression] = []
        while not self.is_at("]"):
            items.append(self.expression())
            if not self.is_at(","):
                break
            self.take()
        end = self.expect("]", "补上右方括号").span
        self.limit(len(items), start)
        return ListOf(tuple(items), span=start.to(end))

    def context_of(self) -> Expression:
        start = self.take().span
        entries: list[Entry] = []
        while not self.is_at("}"):
            key = self.take()
            if key.kind not in ("name", "text", "keyword"):
                self.stop("记录的字段应该以名称开头。", key.span, "写成 {a: 1, b: 2}")
            self.expect(":", "写成 {a: 1, b: 2}")
            value = self.expression()
            if any(entry.key == key.text for entry in entries):
                self.fault(f"字段“{key.text}”写了两次。", key.span, "请删去一个")
            entries.append(Entry(key.text, value, span=key.span.to(value.span)))
            if not self.is_at(","):
                break
            self.take()
        end = self.expect("}", "补上右花括号").span
        self.limit(len(entries), start)
        return ContextOf(tuple(entries), span=start.to(end))

    def limit(self, count: int, span: Span) -> None:
        if count > MAX_LIST:
            self.fault(f"列表太长：{count} 项，最多 {MAX_LIST} 项。", span, "请改用代码表。")
