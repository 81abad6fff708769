"""The inputs of a program: top-level assignments of tensors that it spells out, and of plain numbers."""

from __future__ import annotations

import math
from typing import Literal

from explorer.model import Number, Span
from explorer.model.values import Frozen
from explorer.program.complex_numerals import is_complex
from explorer.program.constructors import as_dtype, dtype_named, keyword, read_sizes
from explorer.program.nested import read_element
from explorer.program.places import Place, cast_dtype, find_places
from explorer.program.source import Source, read


class Input(Frozen, frozen=True, kw_only=True):
    """A tensor or number that the program's text spells out.

    Args:
        name: The variable.
        span: The expression that makes it.
        kind: "literal" for `torch.tensor`, "constructor" for `torch.ones` and its like, "scalar" for a plain number.
        constructor: "tensor", "arange", …; "float", "int" or "complex" for a plain number.
        values: Row-major elements; None where only running tells.
        shape: Sizes; None where only running tells.
        dtype: torch's name for its type, written or implied; None for a plain number or where only running tells.
        requires_grad: Whether it is marked when the first backward pass starts.
    """

    name: str
    span: Span
    kind: Literal["literal", "constructor", "scalar"]
    constructor: str
    values: tuple[Number, ...] | None = None
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    requires_grad: bool = False


def find_inputs(text: str) -> tuple[Input, ...]:
    """The inputs in a program text, in order; the first assignment where a name is assigned twice.

    Raises:
        ProgramInvalid: Python cannot read the text.
    """
    source = read(text)
    return tuple(_described(source, place) for place in find_places(source))


def _described(source: Source, place: Place) -> Input:
    span = source.span(place.expression)
    if place.number is not None:
        number = read_element(place.number)
        assert number is not None
        kind = "complex" if is_complex(number) else type(number).__name__
        return Input(name=place.name, span=span, kind="scalar", constructor=kind, values=(number,), shape=())
    assert place.made is not None
    shape, dtype, values = _shape(place), dtype_of(source, place), place.made.values
    return Input(
        name=place.name,
        span=span,
        kind="literal" if place.constructor == "tensor" else "constructor",
        constructor=place.constructor,
        values=None if values is None or shape is None else as_dtype(values, dtype),
        shape=shape,
        dtype=dtype,
        requires_grad=bool(place.marks) and place.marks[-1].is_on,
    )


def _shape(place: Place) -> tuple[int, ...] | None:
    assert place.made is not None
    shape = place.made.shape
    for link in place.links:
        if cast_dtype(link) is None:
            shape = _reshaped(shape, read_sizes(link.args, lowest=-1) or ())
    return shape


def _reshaped(old: tuple[int, ...] | None, new: tuple[int, ...]) -> tuple[int, ...] | None:
    """The new sizes, a -1 among them worked out; None if the elements do not fit."""
    if -1 in new and old is not None:
        rest = math.prod(size for size in new if size != -1)
        new = tuple(math.prod(old) // rest if size == -1 and rest else size for size in new)
    if min(new, default=0) < 0 or (old is not None and math.prod(old) != math.prod(new)):
        return None
    return new


def dtype_of(source: Source, place: Place) -> str | None:
    """The tensor's type as the text says or implies it."""
    assert place.call is not None
    assert place.made is not None
    casts = [dtype for link in place.links if (dtype := cast_dtype(link)) is not None]
    if casts:
        return casts[-1]
    if (word := keyword(place.call, "dtype")) is not None:
        return dtype_named(word.value)
    default_is_known = "set_default_dtype" not in source.text
    return place.made.dtype if place.made.dtype not in ("float32", "complex64") or default_is_known else None
