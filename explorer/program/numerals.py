"""Real numbers as Python writes them."""

from __future__ import annotations

import ast
import math
import struct

from explorer.errors import ProgramInvalid
from explorer.model import Number

_NAMED = {"inf": math.inf, "nan": math.nan, "pi": math.pi, "e": math.e, "tau": math.tau}
BEYOND_TENSORS = 2**64
"""A whole number that no type of torch's holds."""

_ROOTS = ("math", "torch", "np", "numpy")


def read_number(node: ast.expr) -> float | int | bool | None:
    """The number an expression writes: `-1.5`, `float("nan")`, `math.pi`, `1 / 3`; None if it is anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        number = _atom(node.operand)
        return None if number is None else -number if isinstance(node.op, ast.USub) else +number
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        above, below = _atom(node.left), _atom(node.right)
        return above / below if above is not None and below else None
    return _atom(node)


def _atom(node: ast.expr) -> float | int | bool | None:
    match node:
        case ast.Constant(value=bool() | float() as number):
            return number
        case ast.Constant(value=int() as number) if number < BEYOND_TENSORS:
            return number
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str() as spelled)], keywords=[]):
            return _spelled(spelled)
        case ast.Attribute(value=ast.Name(id=root), attr=name) if root in _ROOTS:
            return _NAMED.get(name)
    return None


def _spelled(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def write_number(number: Number, kind: str) -> str:
    """A real number so that torch reads it as the kind: "float", "int" or "bool".

    Raises:
        ProgramInvalid: It is no real number.
    """
    value = as_real(number)
    if not math.isfinite(value):
        return f'float("{value}")'
    if kind == "bool" and value in (0, 1):
        return str(bool(value))
    if kind == "int" and value == int(value):
        return str(int(value))
    return repr(float(value))


def as_real(number: Number) -> float | int:
    """The number that a recording may spell as text.

    Raises:
        ProgramInvalid: It is no real number.
    """
    try:
        value = float(number)
    except (ValueError, OverflowError) as error:
        raise ProgramInvalid("program.not_a_number", value=str(number)[:40]) from error
    return int(number) if isinstance(number, int) else value


def float32_of(number: float) -> float:
    """The number with the fewest digits that float32 cannot tell from this one."""
    try:
        bits = struct.pack("f", number)
    except OverflowError:
        return number
    shorter = (float(f"{number:.{digits}g}") for digits in range(1, 10))
    return next((short for short in shorter if struct.pack("f", short) == bits), number)
