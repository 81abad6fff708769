"""The language of the rules: names, numbers, arithmetic, comparisons, conditions and calls of a few functions.

An expression is a piece of Python syntax, read by `ast` and walked by us: once to compute its value with numpy
(`evaluation`), once to write it as LaTeX (`notation`). Nothing of it is ever executed as Python.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from explorer.errors import ExplorerError
from explorer.model.syntax import parsed_expression

ALLOWED = (
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.BoolOp,
    ast.IfExp,
    ast.Call,
    ast.keyword,
    ast.Subscript,
    ast.Tuple,
    ast.operator,
    ast.unaryop,
    ast.cmpop,
    ast.boolop,
)


class ExpressionInvalid(ExplorerError):
    """A rule is written in more than its language allows."""


@lru_cache(maxsize=2048)
def parse(text: str) -> ast.expr:
    """The syntax tree of an expression.

    Raises:
        ExpressionInvalid: It does not parse, or uses more of Python than the language has.
    """
    try:
        tree = parsed_expression(" ".join(text.split()))
    except SyntaxError as error:
        raise ExpressionInvalid("rules.expression_invalid", text=text) from error
    for part in ast.walk(tree):
        if not isinstance(part, ALLOWED) or (isinstance(part, ast.Call) and not isinstance(part.func, ast.Name)):
            raise ExpressionInvalid("rules.expression_invalid", text=text)
    return tree


@lru_cache(maxsize=2048)
def names_used(text: str) -> tuple[str, ...]:
    """The names that an expression uses, without those of functions."""
    return tuple(names_in(parse(text)))


def names_in(tree: ast.expr) -> Iterator[str]:
    """The names an expression uses, without those of functions."""
    called = {id(part.func) for part in ast.walk(tree) if isinstance(part, ast.Call)}
    return (part.id for part in ast.walk(tree) if isinstance(part, ast.Name) and id(part) not in called)


def functions_in(tree: ast.expr) -> Iterator[str]:
    """The functions an expression calls."""
    return (part.func.id for part in ast.walk(tree) if isinstance(part, ast.Call) and isinstance(part.func, ast.Name))
