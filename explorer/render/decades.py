"""An axis on which every power of ten has the same room, on both sides of zero."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import NamedTuple

UNSEEN = 1e-3
"""A number that much smaller than the largest lies on the zero line of an even axis."""
MOST_UNSEEN = 0.25
"""Of the numbers; with more of them an even axis hides what happens."""
MOST_DECADES = 7
"""As many as float32 tells apart: what is smaller still beside the largest is as good as its rounding."""
MOST_TICKS = 5
"""On each side of zero."""


class Decades(NamedTuple):
    """Heights in powers of ten; below the smallest of them even, so that zero has its place.

    Args:
        lowest: The exponent of the smallest power of ten.
        above, below: The exponents of the largest ones over and under zero; None where no number is there.
    """

    lowest: int
    above: int | None
    below: int | None

    def height(self, number: float) -> float:
        """Where a number stands."""
        units = abs(number) / 10.0**self.lowest
        return math.copysign(units if units < 1 else 1 + math.log10(units), number)

    def ticks(self) -> list[float]:
        """Zero and powers of ten, evenly spaced, the same on both sides."""
        highest = max(end for end in (self.above, self.below) if end is not None)
        every = math.ceil((highest - self.lowest + 1) / MOST_TICKS)
        # The smallest would stand on the zero.
        exponents = range(highest, min(self.lowest, highest - 1), -every)
        sides = [
            [sign * 10.0**exponent for exponent in exponents if exponent <= end]
            for sign, end in ((-1, self.below), (1, self.above))
            if end is not None
        ]
        return sorted([0.0, *(tick for side in sides for tick in side)])


def scale_of(numbers: Sequence[float]) -> Decades | None:
    """The scale that numbers other than zero need; None where an even axis shows them all."""
    least = max(map(abs, numbers), default=0.0) / 10.0**MOST_DECADES
    sizes = sorted(size for size in map(abs, numbers) if size > least)
    if not sizes or sum(size < UNSEEN * sizes[-1] for size in sizes) <= MOST_UNSEEN * len(sizes):
        return None
    lowest = max(_exponent(sizes[0]), sys.float_info.min_10_exp)
    above, below = max(numbers), -min(numbers)
    return Decades(lowest, *(max(lowest, _exponent(end)) if end > 0 else None for end in (above, below)))


def _exponent(size: float) -> int:
    return math.floor(math.log10(size))
