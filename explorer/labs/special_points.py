"""Where a curve has no derivative, or torch's answer is not the slope: found from the slopes on a point's two sides."""

from __future__ import annotations

from itertools import groupby
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.labs.derivative import SIDE_STEP, Curve
from explorer.labs.reading import Array

Kind = Literal["undefined", "edge", "jump", "kink", "differs", "between"]

TOLERANCE = 0.02
"""Slopes that differ by less, relative to themselves (or to 1), count as one."""
SHARPER = 10.0
"""So many times more than beside it must the curve bend between two points for a kink to be suspected there."""


class Special(NamedTuple):
    """A stretch of the curve, most often one point.

    Args:
        kind: Not defined; at the edge of where it is defined; f jumps; f bends; torch returns something else than the
            slope; it bends or jumps between two points of the curve.
        first, last: Indices of the points, both included.
        left, right: The slopes measured on the two sides.
        returned: What torch returned as derivative; nan for "between", where nobody asked it.
    """

    kind: Kind
    first: int
    last: int
    left: float
    right: float
    returned: float


def special_points(curve: Curve) -> tuple[Special, ...]:
    """Every stretch where the curve has no derivative, or another than torch says, from left to right."""
    with np.errstate(all="ignore"):  # nan and inf are what is looked for
        kinds, between = _kinds(curve), _between(curve)
    alike = [(kind, str(y) if kind == "undefined" else "") for kind, y in zip(kinds, curve.y.tolist(), strict=True)]
    found = []
    for (kind, _), run in groupby(range(len(kinds)), key=alike.__getitem__):
        places = list(run)
        if kind in ("undefined", "differs"):
            found.append(_special(curve, kind, places[0], places[-1]))
        elif kind is not None:
            found += [_special(curve, kind, place, place) for place in places]
    found += [
        _special(curve, "between", place, place + 1)
        for place in np.flatnonzero(between).tolist()
        if not (kinds[place] or kinds[place + 1])
    ]
    return tuple(sorted(found, key=lambda one: one.first))


def _special(curve: Curve, kind: Kind, first: int, last: int) -> Special:
    returned = float("nan") if kind == "between" else float(curve.slope[first])
    return Special(kind, first, last, float(curve.left[first]), float(curve.right[last]), returned)


def _kinds(curve: Curve) -> list[Kind | None]:
    """Each point's kind; None where there is nothing special."""
    left, right = curve.left, curve.right
    steepest = np.maximum(np.abs(left), np.abs(right))
    finite = curve.y[np.isfinite(curve.y)]
    height = float(np.ptp(finite)) if finite.size else 0.0
    # How far slopes may be apart without meaning anything: rounding moves them, too.
    allowed = TOLERANCE * np.maximum(1.0, steepest) + 8 * curve.rounding * np.abs(curve.y) / SIDE_STEP
    conditions: dict[Kind, NDArray[np.bool_]] = {
        "undefined": ~np.isfinite(curve.y),
        "edge": ~np.isfinite(steepest),
        "jump": steepest * SIDE_STEP > 1e-3 * (height or 1.0) + 8 * curve.rounding * np.abs(curve.y),
        "kink": np.abs(left - right) > allowed,
        "differs": ~(np.abs(curve.slope - (left + right) / 2) <= allowed),  # nan is within nothing
    }
    first = np.select([*conditions.values()], [*range(len(conditions))], len(conditions))
    names = (*conditions, None)
    return [names[index] for index in first.tolist()]


def _between(curve: Curve) -> NDArray[np.bool_]:
    """For each two neighbours, whether f bends or jumps far more between them than beside them."""
    bend = np.abs(curve.left[1:] - curve.right[:-1])
    rise = np.abs(np.diff(curve.y))
    spread = np.nanpercentile(rise, 90) if np.isfinite(rise).any() else 0.0
    least = TOLERANCE * np.maximum(1.0, np.abs(curve.slope)) + 8 * curve.rounding * np.abs(curve.y) / SIDE_STEP
    bends = (bend > SHARPER * _most_beside(bend)) & (bend > least[:-1])
    jumps = (rise > SHARPER * _most_beside(rise)) & (rise > SHARPER * spread) & (rise > 1e-6)
    return bends | jumps


def _most_beside(numbers: Array, reach: int = 3) -> Array:
    """The largest of the three numbers before and the three after each; nan where one of them is, or is missing."""
    padded = np.pad(numbers, reach, constant_values=np.nan)
    shifts = [padded[reach + k : len(padded) - reach + k] for k in range(-reach, reach + 1) if k]
    most: Array = np.max(shifts, axis=0)
    return most
