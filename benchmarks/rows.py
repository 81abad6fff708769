"""What a benchmark reports, and how repetitions become a figure."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """One line of the table.

    Args:
        name: What was measured.
        figure: What came out, with its unit.
        target: What was asked for; empty where nothing was.
        is_met: Whether the figure keeps to the target; None where there is none.
    """

    name: str
    figure: str
    target: str = ""
    is_met: bool | None = None


def at_most(name: str, value: float, target: float, unit: str, detail: str = "") -> Row:
    """A figure that should not exceed a target."""
    return Row(name, shown(value, unit) + detail, f"≤ {target:g} {unit}", value <= target)


def shown(value: float, unit: str) -> str:
    """Three digits that mean something, and the unit."""
    return f"{value:.{max(0, 2 - len(str(int(abs(value)))) + 1)}f} {unit}"


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def percentile(values: Sequence[float], percent: int) -> float:
    """What that many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


def milliseconds(act: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000
