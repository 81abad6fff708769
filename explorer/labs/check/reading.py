"""What a recording of the lab's program says: slopes by every way, element by element."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.labs.check.program import (
    FORWARD,
    GRADCHECK,
    LEAVES,
    MOST_ELEMENTS,
    POWERS,
    REVERSE,
    SLOPES,
    TANGENTS,
)
from explorer.model import BackwardEnded, Operation, Printed, Recording, TensorValue
from explorer.model.values import floats
from explorer.render.chart_style import element_name

Array = NDArray[np.float64]

STEPS: tuple[float, ...] = tuple(10.0**power for power in POWERS)
"""The step sizes h, the largest first."""

WIDE, REFERENCE = POWERS.index(-3.0), POWERS.index(-5.0)
"""Where finite differences in float64 are judged, far from rounding and from curvature; and a hundred times as wide."""

COARSE = POWERS.index(-2.0)
"""Where they are judged if the program makes numbers of less precision than float64."""

ABSOLUTE, RELATIVE = 1e-5, 1e-3
"""How far apart two slopes may be that count as equal: gradcheck's own defaults."""


@dataclass(frozen=True, eq=False)
class Precision:
    """The slopes in one type of numbers.

    Args:
        dtype: torch's name: "float64".
        reverse: From autograd, one per element.
        central, left, right: Slopes across both sides, to the left and to the right, by step size and element.
    """

    dtype: str
    reverse: Array
    central: Array
    left: Array
    right: Array

    @property
    def errors(self) -> Array:
        """How far the central difference is from autograd, by step size and element."""
        gaps: Array = np.abs(self.central - self.reverse)
        return gaps


@dataclass(frozen=True, eq=False)
class Reading:
    """What the table, the chart and the sentences show.

    Args:
        names: Of the elements: "x[0]".
        total: How many elements the leaves have; the first of them are checked.
        own: In the type the program is written in.
        double: In float64; its `dtype` says otherwise where the program makes other numbers itself.
        forward: From forward mode, one per element; None where torch has none for an operation.
        forward_error: Why not, in torch's words.
        gradcheck: What `torch.autograd.gradcheck` said; "" where it found nothing.
    """

    names: tuple[str, ...]
    total: int
    own: Precision
    double: Precision
    forward: Array | None
    forward_error: str
    gradcheck: str

    @property
    def agrees(self) -> NDArray[np.bool_]:
        """Whether autograd and the central difference agree, by element."""
        at, slack = (REFERENCE, 1.0) if self.double.dtype == "float64" else (COARSE, 20.0)
        allowed = ABSOLUTE + RELATIVE * np.abs(self.double.central[at])
        close: NDArray[np.bool_] = self.double.errors[at] <= slack * allowed
        return close

    @property
    def best(self) -> int:
        """Index of the step size at which the elements that agree are closest in float64."""
        return best_step(self.double, self.agrees)


def read(recording: Recording) -> Reading:
    """Reads a completed run of the lab's program."""
    own, double = _precisions(recording)
    names = _element_names(recording)
    tangents = [event.values[0] for event in _operations(recording, TANGENTS)]
    return Reading(
        names=names[:MOST_ELEMENTS],
        total=len(names),
        own=own,
        double=double,
        forward=np.array(floats(tangents[-1].values)) if tangents else None,
        forward_error=_printed(recording, FORWARD),
        gradcheck="" if (said := _printed(recording, GRADCHECK)) == "True" else said,
    )


def best_step(precision: Precision, wanted: NDArray[np.bool_]) -> int:
    """Index of the step size at which the worst of the wanted elements is closest to autograd."""
    errors = worst_errors(precision, wanted)
    return int(np.nanargmin(errors)) if wanted.any() and np.isfinite(errors).any() else REFERENCE


def worst_errors(precision: Precision, wanted: NDArray[np.bool_]) -> Array:
    """The largest error among the wanted elements, by step size."""
    worst: Array = precision.errors[:, wanted].max(axis=1, initial=0.0)
    return worst


def _precisions(recording: Recording) -> tuple[Precision, Precision]:
    made = [
        _precision(reverse.values[0], slopes.values[0])
        for reverse, slopes in zip(_operations(recording, REVERSE), _operations(recording, SLOPES), strict=True)
    ]
    return made[0], made[1]


def _precision(reverse: TensorValue, slopes: TensorValue) -> Precision:
    by_step = np.array(floats(slopes.values)).reshape(slopes.shape)
    return Precision(
        dtype=slopes.dtype,
        reverse=np.array(floats(reverse.values))[: slopes.shape[-1]],
        central=by_step[:, 0],
        left=by_step[:, 1],
        right=by_step[:, 2],
    )


def _operations(recording: Recording, variable: str) -> list[Operation]:
    return [event for event in recording.events if isinstance(event, Operation) and event.variable == variable]


def _element_names(recording: Recording) -> tuple[str, ...]:
    """The elements of what the last gradient was asked for: its pass ended right before they were joined."""
    joined = max(i for i, event in enumerate(recording.events) if event in _operations(recording, REVERSE)[-1:])
    ended = next(event for event in reversed(recording.events[:joined]) if isinstance(event, BackwardEnded))
    names = []
    for name, value in zip(_printed(recording, LEAVES).split(), ended.returned, strict=True):
        shape = value.shape if value else ()
        names += [element_name(name, flat, shape) for flat in range(math.prod(shape))]
    return tuple(names)


def _printed(recording: Recording, prefix: str) -> str:
    lines = [event.text for event in recording.events if isinstance(event, Printed) and event.text.startswith(prefix)]
    return lines[-1].removeprefix(prefix).strip() if lines else ""
