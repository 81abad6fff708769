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
"""So many elements are looked at or written down together; not more, for they should stay in the processor's cache."""

BITS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64, 16: torch.int64}
"""As what elements of so many bytes are compared: bit by bit, for 0.0 equals -0.0, and nan equals nothing."""

MOST_REMEMBERED = 2**25
"""How many bytes are remembered at most."""


class Statistics:
    """Computes statistics in memory of its own: new pages would cost more than the numbers in them."""

    def __init__(self) -> None:
        self._are_zero = numpy.empty(TOGETHER, dtype=bool)
        self._scaled: dict[torch.dtype, torch.Tensor] = {}

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
        norm = self._norms(real, list(map(max, map(operator.neg, low), high)))
        if not all(map(math.isfinite, norm)):
            norm = list(map(representable, norm))
        width, of_each = array.shape[1], zip(low, high, total, norm, self._zeros(array), strict=True)
        found = [Stats(min=a, max=b, mean=c / width, norm=d, zero=e) for a, b, c, d, e in of_each]
        if not all(map(math.isfinite, chain(low, high, total))):
            for i, row in enumerate(real):
                if not all(map(math.isfinite, (low[i], high[i], total[i]))):
                    found[i] = stats_of_finite(row.to(torch.float64))
        return found

    def _norms(self, rows: torch.Tensor, largest: list[float]) -> list[float]:
        """The l2 norm of each row, given the largest magnitude in each."""
        if min(filter(None, largest), default=1.0) > SAFE and max(largest) < 1 / SAFE:
            found: list[float] = torch.linalg.vector_norm(rows, dim=1).tolist()
            return found
        scales = [scale_of(one, rows.dtype) for one in largest]
        factors = torch.tensor(scales, dtype=rows.dtype, device="cpu").unsqueeze(1)
        norms = torch.linalg.vector_norm(torch.mul(rows, factors, out=self._memory_like(rows)), dim=1).tolist()
        return [norm / scale for norm, scale in zip(norms, scales, strict=True)]

    def _memory_like(self, rows: torch.Tensor) -> torch.Tensor:
        if rows.numel() > TOGETHER:
            return torch.empty_like(rows)
        if rows.dtype not in self._scaled:
            self._scaled[rows.dtype] = torch.empty(TOGETHER, dtype=rows.dtype, device="cpu")
        return self._scaled[rows.dtype][: rows.numel()].view(rows.shape)

    def _zeros(self, rows: numpy.ndarray[Any, Any]) -> list[int]:
        """How many elements of each row are 0."""
        found = [0] * len(rows)
        width = TOGETHER // len(rows)
        for start in range(0, rows.shape[1], width):
            piece = rows[:, start : start + width]
            are_zero = numpy.equal(piece, 0, out=self._are_zero[: piece.size].reshape(piece.shape))
            found = list(map(operator.add, found, map(int, map(numpy.count_nonzero, are_zero))))
        return found


class Remembered:
    """Statistics of memory that is looked at again and again, as a recurrent layer's weights are at every step.

    To compare with a copy is six times as quick as to compute, and sees what no version counter tells.
    """

    def __init__(self) -> None:
        self._known: LRUCache[Any, tuple[Stats, torch.Tensor | None]] = LRUCache(MOST_REMEMBERED, size_of)

    def of(self, key: Any, elements: torch.Tensor, compute: Callable[[torch.Tensor], Stats]) -> Stats:
        """The statistics of some elements.

        Args:
            key: Whose memory it is.
            elements: In a row.
            compute: Computes them.
        """
        if elements.is_neg() or elements.is_conj():
            return compute(elements)  # which torch shows as they are not in memory
        bits = elements.view(BITS[elements.element_size()])
        known = self._known.get(key)
        if known is not None and known[1] is not None and numpy.array_equal(known[1].numpy(), bits.numpy()):
            return known[0]
        # What is seen once may never be again, as most gradients are not.
        found = compute(elements), None if known is None else bits.clone()
        with suppress(ValueError):  # too large to be remembered
            self._known[key] = found
        return found[0]


def size_of(known: tuple[Stats, torch.Tensor | None]) -> int:
    """How many bytes it takes to remember statistics and what they are of."""
    return 200 if known[1] is None else known[1].nbytes


def scale_of(largest: float, dtype: torch.dtype) -> float:
    """A power of two that brings the largest magnitude near 1: to multiply by it rounds nothing."""
    most = math.frexp(torch.finfo(dtype).max)[1] - 2
    return math.ldexp(1.0, max(-most, min(most, -math.frexp(largest)[1])))


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
