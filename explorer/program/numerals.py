"""Numbers as Python writes them, and lists of numbers as tensors' shapes want them."""

from __future__ import annotations

import ast
import itertools
import math
import struct
from collections.abc import Iterator, Sequence

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


def read_nested(node: ast.expr) -> tuple[tuple[int, ...], tuple[float | int | bool, ...]] | None:
    """Shape and flat values of nested lists of numbers; None if it is anything else, or ragged."""
    if not isinstance(node, ast.List | ast.Tuple):
        number = read_number(node)
        return None if number is None else ((), (number,))
    parts = [read_nested(element) for element in node.elts]
    shapes = {part[0] for part in parts if part is not None}
    if None in parts or len(shapes) > 1:
        return None
    inner = shapes.pop() if shapes else ()
    return (len(parts), *inner), tuple(itertools.chain.from_iterable(part[1] for part in parts if part is not None))


def write_number(number: Number, kind: str) -> str:
    """A number so that torch reads it as the kind: "float", "int" or "bool".

    Raises:
        ProgramInvalid: It is no real number.
    """
    value = _real(number)
    if not math.isfinite(value):
        return f'float("{value}")'
    if kind == "bool" and value in (0, 1):
        return str(bool(value))
    if kind == "int" and value == int(value):
        return str(int(value))
    return repr(float(value))


def _real(number: Number) -> float | int:
    try:
        value = float(number)
    except (ValueError, OverflowError) as error:
        raise ProgramInvalid("program.not_a_number", value=str(number)[:40]) from error
    return int(number) if isinstance(number, int) else value


def write_nested(values: Sequence[Number], shape: Sequence[int], kind: str) -> str:
    """Flat values as nested lists: `[[1.0, 2.0], [3.0, 4.0]]`; no size may be 0.

    Args:
        values: Row-major elements, as many as the shape holds.
        shape: Sizes; () writes a bare number.
        kind: "float", "int" or "bool"; where a value does not fit it, all are written as floats.
    """
    if kind != "float" and any(not math.isfinite(_real(value)) or _real(value) % 1 for value in values):
        kind = "float"
    pieces = [write_number(value, kind) for value in values]
    for size in reversed(shape):
        pieces = [f"[{', '.join(pieces[i : i + size])}]" for i in range(0, len(pieces), size)]
    return pieces[0]


def resized(values: Sequence[Number], old: Sequence[int], new: Sequence[int]) -> tuple[Number, ...]:
    """Values for another shape: elements stay at their place, new places count on.

    Args:
        values: Row-major elements of the old shape.
        old, new: Sizes; where one has more dimensions, they are aligned at the last one. Sizes that hold equally many
            elements are a reshape.
    """
    if math.prod(old) == math.prod(new):
        return tuple(values)
    dimensions = max(len(old), len(new))
    old, new = _padded(old, dimensions), _padded(new, dimensions)
    following = _following(values)
    flat: list[Number] = []
    for place in itertools.product(*map(range, new)):
        if all(i < size for i, size in zip(place, old, strict=True)):
            flat.append(values[_flat_index(place, old)])
        else:
            flat.append(next(following))
    return tuple(flat)


def _padded(shape: Sequence[int], dimensions: int) -> tuple[int, ...]:
    return (*(1 for _ in range(dimensions - len(shape))), *shape)


def _flat_index(place: Sequence[int], shape: Sequence[int]) -> int:
    index = 0
    for i, size in zip(place, shape, strict=True):
        index = index * size + i
    return index


def _following(values: Sequence[Number]) -> Iterator[Number]:
    """Numbers that continue a sequence: 0, 1, 2 goes on with 3; anything irregular goes up by 1 from its end."""
    if not values or isinstance(values[-1], bool):
        return itertools.repeat(False if values else 1.0)
    numbers = [_real(value) for value in values]
    steps = {float(f"{b - a:.9g}") for a, b in itertools.pairwise(numbers)}
    step = steps.pop() if len(steps) == 1 else 1.0
    if not math.isfinite(step) or not math.isfinite(numbers[-1]):
        return itertools.repeat(1.0)
    if isinstance(numbers[-1], int):
        return itertools.count(numbers[-1] + int(step), int(step))
    return (float(f"{numbers[-1] + step * i:.12g}") for i in itertools.count(1))


def float32_of(number: float) -> float:
    """The number with the fewest digits that float32 cannot tell from this one."""
    try:
        bits = struct.pack("f", number)
    except OverflowError:
        return number
    shorter = (float(f"{number:.{digits}g}") for digits in range(1, 10))
    return next((short for short in shorter if struct.pack("f", short) == bits), number)
