"""The expression language of declarations: a typed subset of FEEL (DMN 1.5).

A rule is read to a tree, checked against the facts it may use, explained in Chinese, and compiled to a Python
closure and to SQL with the same answers. Nothing is ever evaluated as code.

1. ``parse(text)`` → ``Tree``; faults are ``RuleErrors`` with a caret, a "did you mean" and a way out.
2. ``check(tree, environment({"child.birth_date": DATE}))`` → its ``Type``, or every fault at once.
3. ``compile_python(tree)(facts, today=…)`` → the answer; a missing fact is null.
4. ``compile_sql(tree, columns)`` → ``SqlFragment`` with ``$n`` places; what SQL cannot say is refused.
5. ``explain(tree, words)`` → plain Chinese; with values it tells which part held. ``paths(tree)`` → facts it reads.
"""

from dizuo.foundation.rules.check import check
from dizuo.foundation.rules.compile_python import Compiled, RuleTooLong, compile_python
from dizuo.foundation.rules.compile_sql import SqlColumn, SqlFragment, compile_sql
from dizuo.foundation.rules.errors import RuleError, RuleErrors
from dizuo.foundation.rules.explain_zh import Clause, clauses, explain
from dizuo.foundation.rules.parser import parse
from dizuo.foundation.rules.paths import paths
from dizuo.foundation.rules.tree import Months, Tree
from dizuo.foundation.rules.types import (
    ANY,
    BOOLEAN,
    BY_NAME,
    DATE,
    DATETIME,
    DAYS,
    MONTHS,
    NULL,
    NUMBER,
    TEXT,
    TIME,
    ContextType,
    ListType,
    Type,
    context,
    environment,
)

__all__ = [
    "ANY",
    "BOOLEAN",
    "BY_NAME",
    "DATE",
    "DATETIME",
    "DAYS",
    "MONTHS",
    "NULL",
    "NUMBER",
    "TEXT",
    "TIME",
    "Clause",
    "Compiled",
    "ContextType",
    "ListType",
    "Months",
    "RuleError",
    "RuleErrors",
    "RuleTooLong",
    "SqlColumn",
    "SqlFragment",
    "Tree",
    "Type",
    "check",
    "clauses",
    "compile_python",
    "compile_sql",
    "context",
    "environment",
    "explain",
    "parse",
    "paths",
]
