"""Numbers as torch prints them, from a `TensorValue` in plain Python.

torch chooses one style for all elements of a tensor: whole numbers ("4."), four digits ("0.5000") or powers of ten
("1.0000e-05"). A student who compares the page with a print must find the same characters.
"""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Iterator, Sequence
from typing import Literal

from explorer.model.values import Number, Stats, TensorValue, to_float

DIGITS = 4
"""torch's default `precision`."""
SUMMARIZED_ABOVE = 1000
"""torch's default `threshold`: tensors with more elements are printed with "..." in them."""
EDGE_ITEMS = 3
"""How many elements torch then prints at each end of a dimension."""

FEWEST_CHARACTERS = 3
"""What an element takes at the least, its share of brackets, commas and blanks included: "[1, 2]"."""

NORM, CONSTANT = "‖·‖", "≡"
"""What stands before the number that a tensor too long to be written out is known by: its norm, all its elements."""

Style = Literal["whole", "fixed", "powers"]


def tensor_text(value: TensorValue) -> str:
    """What torch prints between `tensor(` and `)`, on one line, without `dtype=`, `requires_grad=` and `grad_fn=`.

    Where `value` holds only a sample: shape and statistics.
    """
    if not value.complete:
        return f"{shape_text(value.shape)}, {_statistics_text(value.stats)}"
    if not value.values:
        return "[]"
    return _nested(cells(value), value.shape, 0, summarized=value.numel > SUMMARIZED_ABOVE)


def cells(value: TensorValue) -> tuple[str, ...]:
    """Each element's text, in order, in the style that torch chooses for the whole tensor, without padding."""
    deciding = _printed_values(value)
    if value.dtype.startswith("complex"):
        return _complex_cells([complex(str(x)) for x in value.values], [complex(str(x)) for x in deciding])
    if _is_floating(value.dtype):
        style = _style([to_float(x) for x in deciding])
        return tuple(_element_text(to_float(x), style) for x in value.values)
    return tuple(str(x) for x in value.values)


def short_text(value: TensorValue, max_characters: int = 28) -> str:
    """The tensor's text if it fits; else its shape and what is best known of it: a constant, nan, inf, or the norm."""
    may_fit = value.complete and FEWEST_CHARACTERS * value.numel <= max_characters
    if may_fit and len(full := tensor_text(value)) <= max_characters:
        return full
    shape = shape_text(value.shape)
    compact = f"{shape} {_gist(value)}"
    return compact if len(compact) <= max_characters else shape


def shape_text(shape: Sequence[int]) -> str:
    """The shape as Python prints a tuple: "()", "(3,)", "(4, 3)"."""
    return str(tuple(shape))


def number_text(number: float) -> str:
    """One number as torch prints a tensor of no dimension: of float32, or of float64 where that is out of its reach."""
    rounded = _to_float32(number)
    if not rounded or math.isinf(rounded):
        rounded = number
    return _element_text(rounded, _style([rounded]))


def _style(numbers: Sequence[float]) -> Style:
    """torch's choice: zeros, nan and inf have no say in it."""
    magnitudes = [abs(x) for x in numbers if x and math.isfinite(x)]
    if not magnitudes:
        return "whole"
    least, most = min(magnitudes), max(magnitudes)
    if most / least > 1000 or most > 1e8 or least < 1e-4:
        return "powers"
    return "whole" if all(x.is_integer() for x in magnitudes) else "fixed"


def _element_text(number: float, style: Style) -> str:
    if style == "powers":
        return f"{number:.{DIGITS}e}"
    if style == "fixed":
        return f"{number:.{DIGITS}f}"
    return f"{number:.0f}." if math.isfinite(number) else f"{number:.0f}"


def _complex_cells(numbers: Sequence[complex], deciding: Sequence[complex]) -> tuple[str, ...]:
    """torch chooses one style for the real parts and another for the imaginary parts."""
    real_style = _style([x.real for x in deciding])
    imaginary_style = _style([x.imag for x in deciding])
    return tuple(
        _element_text(x.real, real_style) + _signed(_element_text(x.imag, imaginary_style)) + "j" for x in numbers
    )


def _signed(number: str) -> str:
    return number if number.startswith("-") else f"+{number}"


def _is_floating(dtype: str) -> bool:
    return dtype.startswith(("float", "bfloat"))


def _printed_values(value: TensorValue) -> Sequence[Number]:
    """The elements that torch prints, which alone decide the style."""
    if not value.complete or len(value.values) <= SUMMARIZED_ABOVE:
        return value.values
    strides = [math.prod(value.shape[i + 1 :]) for i in range(len(value.shape))]
    shown = itertools.product(*([k for k in _shown(size) if k is not None] for size in value.shape))
    return [value.values[sum(k * stride for k, stride in zip(index, strides, strict=True))] for index in shown]


def _shown(size: int) -> Iterator[int | None]:
    """The indices along one dimension of a summarized tensor; None stands for the gap."""
    if size <= 2 * EDGE_ITEMS:
        yield from range(size)
        return
    yield from range(EDGE_ITEMS)
    yield None
    yield from range(size - EDGE_ITEMS, size)


def _nested(texts: Sequence[str], shape: Sequence[int], start: int, *, summarized: bool) -> str:
    if not shape:
        return texts[start]
    stride = math.prod(shape[1:])
    indices = _shown(shape[0]) if summarized else range(shape[0])
    inner = (
        "..." if k is None else _nested(texts, shape[1:], start + k * stride, summarized=summarized) for k in indices
    )
    return f"[{', '.join(inner)}]"


def _gist(value: TensorValue) -> str:
    stats = value.stats
    if stats.nan or stats.inf:
        return "· " + _counts_text(stats)
    if stats.min is not None and stats.min == stats.max:
        return f"{CONSTANT} {number_text(stats.min)}"
    return f"· {NORM} {number_text(stats.norm)}"


def _statistics_text(stats: Stats) -> str:
    named = {"min": stats.min, "max": stats.max, "mean": stats.mean, NORM: stats.norm}
    known = [f"{name} {number_text(number)}" for name, number in named.items() if number is not None]
    return ", ".join(filter(None, (*known, _counts_text(stats))))


def _counts_text(stats: Stats) -> str:
    return ", ".join(f"{count} {name}" for name, count in (("nan", stats.nan), ("inf", stats.inf)) if count)


def _to_float32(number: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", number))[0])
    except OverflowError:
        return math.copysign(math.inf, number)
