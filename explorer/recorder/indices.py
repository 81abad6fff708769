"""Indices in names: what `h[t + 1]` is called while t is 0."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from operator import add, mul, sub
from typing import Any

from explorer.model.syntax import parsed_expression

LARGEST = 2**63
"""A number beyond is no index of torch's, and may have more digits than Python writes."""

SUMS = ast.Name | ast.Constant | ast.BinOp | ast.UnaryOp | ast.expr_context | ast.operator | ast.unaryop
"""What an index is made of that can be worked out here."""

COMPUTED: dict[type, Callable[[int, int], int]] = {ast.Add: add, ast.Sub: sub, ast.Mult: mul}


def with_numbers(name: str, variables: Mapping[str, Any]) -> str:
    """The name with the numbers that its indices are now; those that are no plain whole numbers stay as they are."""
    written = name.encode()
    for index in indices(name):
        if (number := number_of(index, variables)) is not None:
            written = written[: index.col_offset] + b"%d" % number + written[index.end_col_offset :]
    return written.decode()


@lru_cache(maxsize=1024)
def indices(name: str) -> tuple[ast.expr, ...]:
    """The indices in a name that variables decide about, the last one first."""
    if "[" not in name:
        return ()
    try:
        tree = parsed_expression(name)
    except (SyntaxError, ValueError):
        return ()
    parts = [part for node in ast.walk(tree) if isinstance(node, ast.Subscript) for part in _parts(node.slice)]
    return tuple(sorted(filter(_is_sum_of_variables, parts), key=lambda part: part.col_offset, reverse=True))


def _parts(place: ast.expr) -> Iterator[ast.expr]:
    match place:
        case ast.Tuple(elts=elements):
            for element in elements:
                yield from _parts(element)
        case ast.Slice(lower=lower, upper=upper, step=step):
            yield from (part for part in (lower, upper, step) if part is not None)
        case _:
            yield place


def _is_sum_of_variables(part: ast.expr) -> bool:
    inside = list(ast.walk(part))
    return any(isinstance(one, ast.Name) for one in inside) and all(isinstance(one, SUMS) for one in inside)


def number_of(part: ast.expr, variables: Mapping[str, Any]) -> int | None:
    """What an index is, worked out without any code of the program's; None where it is no plain whole number."""
    number: Any = None
    match part:
        case ast.Constant(value=value):
            number = value
        case ast.Name(id=name):
            number = variables.get(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand) if (one := number_of(operand, variables)) is not None:
            number = -one
        case ast.BinOp(left=left, op=op, right=right) if type(op) in COMPUTED:
            one, other = number_of(left, variables), number_of(right, variables)
            number = None if one is None or other is None else COMPUTED[type(op)](one, other)
    return number if type(number) is int and abs(number) < LARGEST else None
