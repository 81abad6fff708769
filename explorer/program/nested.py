"""Nested lists of numbers as tensors' shapes want them."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Iterator, Sequence

from explorer.model import Number
from explorer.program.complex_numerals import complex_of, complex_text, is_complex, read_complex, write_complex
from explorer.program.numerals import as_real, read_number, write_number


def read_element(node: ast.expr) -> Number | None:
    """The real or complex number an expression writes; None if it is anything else."""
    number = read_number(node)
    return read_complex(node) if number is None else number


def write_element(number: Number, kind: str) -> str:
    """A number so that torch reads it as the kind: "complex", "float", "int" or "bool".

    Raises:
        ProgramInvalid: It is no such number.
    """
    return write_complex(number) if kind == "complex" else write_number(number, kind)


def read_nested(node: ast.expr) -> tuple[tuple[int, ...], tuple[Number, ...]] | None:
    """Shape and flat values of nested lists of numbers; None if it is anything else, or ragged."""
    if not isinstance(node, ast.List | ast.Tuple):
        number = read_element(node)
        return None if number is None else ((), (number,))
    parts = [read_nested(element) for element in node.elts]
    shapes = {part[0] for part in parts if part is not None}
    if None in parts or len(shapes) > 1:
        return None
    inner = shapes.pop() if shapes else ()
    return (len(parts), *inner), tuple(itertools.chain.from_iterable(part[1] for part in parts if part is not None))


def kind_of(values: Sequence[Number]) -> str:
    """The narrowest kind that all numbers are written as: "complex", "float" or "int"."""
    if any(map(is_complex, values)):
        return "complex"
    return "float" if any(isinstance(value, float | str) for value in values) else "int"


def write_nested(values: Sequence[Number], shape: Sequence[int], kind: str) -> str:
    """Flat values as nested lists: `[[1.0, 2.0], [3.0, 4.0]]`; no size may be 0.

    Args:
        values: Row-major elements, as many as the shape holds.
        shape: Sizes; () writes a bare number.
        kind: "complex", "float", "int" or "bool"; where a value is no whole number, all are written as floats.
    """
    if kind in ("int", "bool") and any(not math.isfinite(as_real(value)) or as_real(value) % 1 for value in values):
        kind = "float"
    pieces = [write_element(value, kind) for value in values]
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
    """Numbers that continue a sequence: 0, 1, 2 goes on with 3; complex or irregular ones go up by 1 from the end."""
    if not values or isinstance(values[-1], bool):
        return itertools.repeat(False if values else 1.0)
    if any(map(is_complex, values)):
        return (complex_text(complex_of(values[-1]) + i) for i in itertools.count(1))
    numbers = [as_real(value) for value in values]
    steps = {float(f"{b - a:.9g}") for a, b in itertools.pairwise(numbers)}
    step = steps.pop() if len(steps) == 1 else 1.0
    if not math.isfinite(step) or not math.isfinite(numbers[-1]):
        return itertools.repeat(1.0)
    if isinstance(numbers[-1], int) and step % 1 == 0:
        return itertools.count(numbers[-1] + int(step), int(step))
    return (float(f"{numbers[-1] + step * i:.12g}") for i in itertools.count(1))
