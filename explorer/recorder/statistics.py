"""What the elements of tensors too large to be kept have in common."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from typing import Any

import msgspec
import numpy
import torch
from cachetools import LRUCache

from explorer.model import Stats

SAFE = 1e-12
"""Squares of magnitudes around the largest one, if that is between this and its inverse, stay within float32's range:
they neither overflow, nor underflow to numbers that processors take a hundred times as long for."""

TOGETHER = 2**17
"""So many elements are looked at together; not more, for they should stay in the processor's cache."""

NEAR = 2**14
"""So many elements stay in the innermost cache from one operation to the next."""

BITS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64, 16: torch.int64}
"""As what elements of so many bytes are compared: bit by bit, for 0.0 equals -0.0, and nan equals nothing."""

Rows = numpy.ndarray[Any, Any]

MOST_REMEMBERED = 2**25
"""How many bytes are remembered at most."""


class Statistics:
    """Computes statistics in memory of its own: new pages would cost more than the numbers in them."""

    def __init__(self) -> None:
        self._are_zero = numpy.empty(TOGETHER, dtype=bool)
        self._scaled: dict[Any, Rows] = {}

    def of_rows(self, rows: torch.Tensor) -> list[Stats]:
        """Statistics of each row of a matrix of any type, by whichever of torch and NumPy is quicker at each.

        Many rows at once, since it is the calls that cost: a row of 4,096 numbers takes two microseconds among others,
        and ten alone. Sums are in the elements' own precision.
        """
        real = rows.abs() if rows.is_complex() else rows.resolve_neg()
        if real.dtype not in {torch.float32, torch.float64}:
            real = real.to(torch.float64)
        array = real.numpy()
        low: list[float] = numpy.minimum.reduce(array, axis=1).tolist()
        high: list[float] = numpy.maximum.reduce(array, axis=1).tolist()
        total: list[float] = real.sum(1).tolist()
        norm = self._norms(array, list(map(max, map(operator.neg, low), high)))
        if not all(map(math.isfinite, norm)):
            norm = list(map(representable, norm))
        width, of_each = array.shape[1], zip(low, high, total, norm, self._zeros(array), strict=True)
        found = [Stats(min=a, max=b, mean=c / width, norm=d, zero=e) for a, b, c, d, e in of_each]
        if not all(map(math.isfinite, chain(low, high, total))):
            for i, row in enumerate(real):
                if not all(map(math.isfinite, (low[i], high[i], total[i]))):
                    found[i] = stats_of_finite(row.to(torch.float64))
        return found

    def _norms(self, rows: Rows, largest: list[float]) -> list[float]:
        """The l2 norm of each row, given the largest magnitude in each."""
        if min(filter(None, largest), default=1.0) > SAFE and max(largest) < 1 / SAFE:
            return norms_of(rows)
        scales = scales_of(largest, rows.dtype)
        factors = scales[:, None]
        at_once = max(1, NEAR // rows.shape[1])
        found: list[float] = []
        with numpy.errstate(all="ignore"):  # of what is not finite
            for i in range(0, len(rows), at_once):
                few = rows[i : i + at_once]
                found += norms_of(numpy.multiply(few, factors[i : i + at_once], out=self._memory_like(few)))
        return list(map(operator.truediv, found, scales.tolist()))

    def _memory_like(self, rows: Rows) -> Rows | None:
        if rows.size > TOGETHER:
            return None
        if rows.dtype not in self._scaled:
            self._scaled[rows.dtype] = numpy.empty(TOGETHER, dtype=rows.dtype)
        return self._scaled[rows.dtype][: rows.size].reshape(rows.shape)

    def _zeros(self, rows: Rows) -> list[int]:
        """How many elements of each row are 0."""
        found = [0] * len(rows)
        width = TOGETHER // len(rows)
        for start in range(0, rows.shape[1], width):
            piece = rows[:, start : start + width]
            are_zero = numpy.equal(piece, 0, out=self._are_zero[: piece.size].reshape(piece.shape))
            if are_zero.any():  # which is quicker to tell than how many, and most have none
                found = list(map(operator.add, found, map(int, map(numpy.count_nonzero, are_zero))))
        return found


class Remembered:
    """Statistics of memory that is looked at again and again, as a recurrent layer's weights are at every step.

    To compare with a copy is six times as quick as to compute, and sees what no version counter tells.
    """

    def __init__(self) -> None:
        self._seen: set[Any] = set()
        self._known: LRUCache[Any, tuple[Stats, torch.Tensor]] = LRUCache(
            MOST_REMEMBERED, lambda known: known[1].nbytes
        )

    def of(self, key: Any, elements: torch.Tensor, compute: Callable[[torch.Tensor], Stats]) -> Stats:
        """The statistics of some elements.

        Args:
            key: Whose memory it is.
            elements: In a row.
            compute: Computes them.
        """
        if elements.is_neg() or elements.is_conj():
            return compute(elements)  # which torch shows as they are not in memory
        if key not in self._seen:  # what is seen once may never be again, as most gradients are not
            self._seen.add(key)
            return compute(elements)
        bits = elements.view(BITS[elements.element_size()])
        known = self._known.get(key)
        if known is not None and numpy.array_equal(known[1].numpy(), bits.numpy()):
            return known[0]
        found = compute(elements), bits.clone()
        with suppress(ValueError):  # too large to be remembered
            self._known[key] = found
        return found[0]


def norms_of(rows: Rows) -> list[float]:
    """The l2 norm of each row, whose squares neither overflow nor underflow.

    The scalar product takes a third of the time of torch's `vector_norm`, with a tenth of its rounding errors.
    """
    return list(map(math.sqrt, numpy.vecdot(rows, rows).tolist()))


def scales_of(largest: list[float], dtype: Any) -> Rows:
    """For each largest magnitude a power of two that brings it near 1: to multiply by it rounds nothing."""
    most = numpy.finfo(dtype).maxexp - 2
    scales: Rows = numpy.ldexp(dtype.type(1), numpy.clip(-numpy.frexp(largest)[1], -most, most))
    return scales


def stats_of_finite(real: torch.Tensor) -> Stats:
    """Statistics over the finite elements of a tensor that may hold others too."""
    finite = real[real.isfinite()]
    nan = int(real.isnan().sum())
    some = finite.numel() > 0
    return Stats(
        min=float(finite.min()) if some else None,
        max=float(finite.max()) if some else None,
        mean=representable(float(finite.mean())) if some else None,
        norm=representable(float(finite.norm())),
        nan=nan,
        inf=real.numel() - finite.numel() - nan,
        zero=int((finite == 0).sum()),
    )


def representable(number: float) -> float:
    """The number, or the largest there is where adding up has left the range: JSON has no infinity."""
    return max(-sys.float_info.max, min(sys.float_info.max, number))


def without_repetition(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor with each element once that `expand` repeats."""
    strides = tensor.stride()
    return tensor if 0 not in strides else tensor[tuple([slice(None if stride else 1) for stride in strides])]


def repeated(once: Stats, times: int) -> Stats:
    """Statistics of a tensor that holds others' elements several times."""
    if times == 1:
        return once
    norm = representable(once.norm * math.sqrt(times))
    return msgspec.structs.replace(once, norm=norm, nan=once.nan * times, inf=once.inf * times, zero=once.zero * times)


def in_memory_order(tensor: torch.Tensor) -> torch.Tensor:
    """The elements in a row: as they lie in memory if they lie there side by side, else copied."""
    if tensor.is_contiguous():
        return tensor.view(-1)
    strides = tensor.stride()
    return tensor.permute(sorted(range(tensor.dim()), key=strides.__getitem__, reverse=True)).reshape(-1)
