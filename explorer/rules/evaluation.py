"""The value of an expression, computed with numpy on what a step of the recording holds."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from explorer.rules.arrays import matmul
from explorer.rules.expression import parse
from explorer.rules.functions import CONSTANTS, FUNCTIONS

Value = Any
"""A numpy array, a plain number, flag, word or tuple, or None: an undefined gradient or an argument not given."""

ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
    ast.MatMult: matmul,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda element, group: element in group,
}
UNDEFINED: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda left, right: right if left is None else left,
    ast.Sub: lambda left, right: left if right is None else -right,
}
"""Arithmetic where a side is None: as with torch's undefined gradients, it adds nothing; a product with it is None."""

INAPPLICABLE = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, MemoryError)
"""What numpy and Python raise where a rule does not fit the values it meets."""


class Sampled(ValueError):
    """Not all elements of a tensor are known."""


class Evaluation:
    """The values of an expression and of all its parts.

    Args:
        names: What the names stand for; a name that is not there is None.
        definitions: Names that stand for expressions.
        each: What is done to the value of every part, such as rounding it.
    """

    def __init__(
        self,
        names: Mapping[str, Value],
        definitions: Mapping[str, str] | None = None,
        each: Callable[[Value], Value] | None = None,
    ) -> None:
        self.names = names
        self.definitions = {name: parse(text) for name, text in (definitions or {}).items()}
        self.each = each
        self.values: dict[ast.expr, Value] = {}
        """What each part of the expression came to, as far as it was needed."""

    def given(self, **names: Value) -> Evaluation:
        """The same afresh, with some names standing for something else."""
        other = Evaluation({**self.names, **names}, each=self.each)
        other.definitions = self.definitions
        return other

    def of(self, tree: ast.expr) -> Value:
        """The value of a tree.

        Raises:
            INAPPLICABLE: One of these, where the rule does not fit the values.
        """
        value = self._compute(tree)
        self.values[tree] = value = value if self.each is None else self.each(value)
        return value

    def _compute(self, tree: ast.expr) -> Value:
        match tree:
            case ast.Constant(value=constant):
                return constant
            case ast.Name(id=name):
                return self._named(name)
            case ast.BinOp(left=left, op=op, right=right):
                return self._arithmetic(op, self.of(left), self.of(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self.of(operand)
                return None if value is None else -value
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.of(operand)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                return self._comparison([left, *rights], ops)
            case ast.BoolOp(op=ast.And(), values=parts):
                return all(self.of(part) for part in parts)
            case ast.BoolOp(values=parts):
                return any(self.of(part) for part in parts)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.of(body if self.of(test) else orelse)
            case ast.Tuple(elts=parts):
                return tuple(self.of(part) for part in parts)
            case ast.Subscript(value=of, slice=index):
                return self.of(of)[self.of(index)]
            case ast.Call(func=ast.Name(id=name), args=args):
                return self._call(name, args)
        raise TypeError(tree)

    def _named(self, name: str) -> Value:
        if name in self.definitions:
            definition = self.definitions[name]
            return self.values[definition] if definition in self.values else self.of(definition)
        value = self.names.get(name, CONSTANTS.get(name))
        if isinstance(value, Sampled):
            raise value
        return value

    def _arithmetic(self, op: ast.operator, left: Value, right: Value) -> Value:
        if left is None or right is None:
            absent = UNDEFINED.get(type(op))
            return absent(left, right) if absent and (left is not None or right is not None) else None
        return ARITHMETIC[type(op)](left, right)

    def _comparison(self, sides: list[ast.expr], ops: list[ast.cmpop]) -> Value:
        values = [self.of(side) for side in sides]
        held = [COMPARISONS[type(op)](*pair) for op, pair in zip(ops, pairwise(values), strict=True)]
        return held[0] if len(held) == 1 else np.logical_and(*held)

    def _call(self, name: str, args: list[ast.expr]) -> Value:
        values = [self.of(arg) for arg in args]
        return None if values[0] is None else FUNCTIONS[name].compute(*values)
