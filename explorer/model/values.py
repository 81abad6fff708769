"""Tensors as plain numbers."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from math import prod
from typing import Annotated, Literal

import msgspec

_REAL = r"(?:nan|inf|[0-9]{1,20}(?:\.[0-9]{1,20})?(?:e[-+]?[0-9]{1,3})?)"

NumberText = Annotated[str, msgspec.Meta(pattern=rf"^(?:nan|-?inf|-?{_REAL}(?:[-+]{_REAL})?j)$", max_length=64)]
"""What JSON has no number for: nan, inf, -inf, and complex numbers as Python writes them, without parentheses."""

Number = float | int | bool | NumberText
"""One element."""

Count = Annotated[int, msgspec.Meta(ge=0)]
Size = Annotated[int, msgspec.Meta(ge=0, le=2**62)]

NonFinite = Literal["nan", "inf", "-inf"]


class Frozen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """What every part of a recording is: immutable, named fields, validated when decoded.

    Python's garbage collector need not look at parts: what cannot change cannot come to hold itself.
    """


class Stats(Frozen, frozen=True, kw_only=True):
    """What a tensor's elements have in common.

    Args:
        min, max, mean: Over the finite elements; None if there are none, or if the numbers are complex.
        norm: The l2 norm over the finite elements; the largest float where it is larger still.
        nan, inf, zero: How many elements are that.
    """

    min: float | None = None
    max: float | None = None
    mean: float | None = None
    norm: float = 0.0
    nan: Count = 0
    inf: Count = 0
    zero: Count = 0


class TensorValue(Frozen, frozen=True, kw_only=True):
    """A tensor as it was at one moment.

    Args:
        shape: Sizes, one per dimension; () for a scalar.
        dtype: torch's name without `torch.`: "float32".
        values: Elements in row-major order, exact: all of them, or those at `indices`.
        indices: Flat indices of a sample; None where `values` holds every element.
        summary: Statistics of all elements, kept where `values` is a sample.
    """

    shape: tuple[Size, ...]
    dtype: str
    values: tuple[Number, ...]
    indices: tuple[Count, ...] | None = None
    summary: Stats | None = None

    def __post_init__(self) -> None:
        expected = prod(self.shape) if self.indices is None else len(self.indices)
        if len(self.values) != expected:
            raise ValueError(f"{len(self.values)} values where {expected} belong")
        if self.indices and max(self.indices) >= self.numel:
            raise ValueError(f"an index beyond the {self.numel} elements")

    @property
    def numel(self) -> int:
        """Number of elements of the tensor, held here or not."""
        return prod(self.shape)

    @property
    def complete(self) -> bool:
        """Whether `values` holds every element."""
        return self.indices is None

    @property
    def stats(self) -> Stats:
        """Statistics of all elements."""
        return self.summary or stats_of(self.values)


def to_float(number: Number) -> float:
    """The number as a float, for plotting; the magnitude where it is complex."""
    if isinstance(number, str) and number.endswith("j"):
        parts = complex(number)
        return math.hypot(parts.real, parts.imag)
    try:
        return float(number)
    except OverflowError:
        return math.inf if int(number) > 0 else -math.inf


def floats(values: Iterable[Number]) -> list[float]:
    """The numbers as floats; finite ones, which most are, quickly."""
    return [value if type(value) is float else to_float(value) for value in values]


def from_float(number: float) -> float | NonFinite:
    """The number as JSON can hold it."""
    if math.isfinite(number):
        return number
    if math.isnan(number):
        return "nan"
    return "inf" if number > 0 else "-inf"


def stats_of(values: Sequence[Number] | Iterable[Number]) -> Stats:
    """Statistics of numbers in plain Python."""
    numbers = floats(values)
    finite = [number for number in numbers if math.isfinite(number)]
    nan = sum(map(math.isnan, numbers))
    return Stats(
        min=min(finite, default=None),
        max=max(finite, default=None),
        mean=_mean(finite) if finite else None,
        norm=min(math.hypot(*finite), sys.float_info.max),
        nan=nan,
        inf=len(numbers) - len(finite) - nan,
        zero=finite.count(0.0),
    )


def _mean(numbers: Sequence[float]) -> float:
    try:
        return math.fsum(numbers) / len(numbers)
    except OverflowError:
        return math.fsum(number / len(numbers) for number in numbers)
