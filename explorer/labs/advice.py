"""Why a typed function gives no picture, and what to change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.labs.reading import Array, array, tensor
from explorer.model import BackwardStarted, Recording, TensorValue

SAID = {
    "does not require grad": "constant",
    "appears to not have been used": "constant",
    "implicitly created only for scalar outputs": "several_values",
    "implicitly created only for real scalar outputs": "complex",
    "Boolean value of Tensor": "branches",
    "can be converted to Python scalars": "numbers_only",
    "cannot be converted to Scalar": "numbers_only",
    "'tuple' object has no attribute": "comma",
    "can only concatenate tuple": "comma",
    "object has no attribute 'sum'": "no_tensor",
    "object has no attribute 'reshape'": "no_tensor",
    "object has no attribute 'backward'": "no_tensor",
    "is not defined": "unknown_name",
    "stack expects a non-empty TensorList": "many",
}
"""What torch or Python says, and the key of the advice below `labs.advice`."""


def advice_on_error(recording: Recording | None) -> str | None:
    """Key of the advice on the error that ended a lab's program; None where there is none beyond the error's words."""
    if recording is None or recording.error is None:
        return None
    message = recording.error.message
    return next((f"labs.advice.{name}" for said, name in SAID.items() if said in message), None)


def advice_on_values(recording: Recording, shape_of: Sequence[str], among: Sequence[str], alone: int) -> str | None:
    """Key of the advice on a function that ran but cannot be drawn; None where it can be.

    Args:
        recording: Of a program that computes f on many points and, alone, at one of them: `at`.
        shape_of: Names of f's values and of a coordinate, which should have one shape.
        among: Names of f's values, and of the points' coordinates, where `at` is one of the points.
        alone: The backward pass that starts from f at the one point.
    """
    values, places = (_found(recording, name) for name in shape_of)
    if values is not None and places is not None and values.shape != places.shape:
        return "labs.advice.other_shape"
    heights, *coordinates = (_found(recording, name) for name in among)
    if heights is None:
        return None  # f returned its argument
    if heights.dtype.startswith("complex"):
        return "labs.advice.complex"
    if not np.isfinite(array(heights)).any():
        return "labs.advice.nowhere"
    grid = [array(one) for one in coordinates if one is not None]
    return None if _agrees(recording, array(heights), grid, alone) else "labs.advice.mixes"


def _found(recording: Recording, name: str) -> TensorValue | None:
    try:
        return tensor(recording, name)
    except KeyError:
        return None


def _agrees(recording: Recording, heights: Array, coordinates: Sequence[Array], alone: int) -> bool:
    """Whether f gives the one point, alone, the value that it gives it among many."""
    passes = [event for event in recording.events if isinstance(event, BackwardStarted)]
    value = passes[alone].roots[0].value if passes[alone].roots else None
    if value is None or value.numel != 1:
        return True
    at = array(tensor(recording, "at")).reshape(-1)
    away = sum(np.abs(grid - one) for grid, one in zip(coordinates, at, strict=True))
    one = float(heights.ravel()[int(np.argmin(away))])
    return bool(np.isclose(float(array(value).reshape(())), one, rtol=1e-3, atol=1e-6, equal_nan=True))
