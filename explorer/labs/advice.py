"""Why a typed function gives no picture, and what to change."""

from __future__ import annotations

import numpy as np

from explorer.labs.reading import Array, array, tensor
from explorer.model import BackwardStarted, Recording, TensorValue

SAID = {
    "does not require grad": "constant",
    "appears to not have been used": "constant",
    "implicitly created only for scalar outputs": "several_values",
    "Boolean value of Tensor": "branches",
    "can be converted to Python scalars": "numbers_only",
    "cannot be converted to Scalar": "numbers_only",
    "object has no attribute 'sum'": "no_tensor",
    "is not defined": "unknown_name",
}
"""What torch or Python says, and the key of the advice below `labs.advice`."""


def advice_on_error(recording: Recording | None) -> str | None:
    """Key of the advice on the error that ended a lab's program; None where there is none beyond the error's words."""
    if recording is None or recording.error is None:
        return None
    message = recording.error.message
    return next((f"labs.advice.{name}" for said, name in SAID.items() if said in message), None)


def advice_on_values(recording: Recording) -> str | None:
    """Key of the advice on a function that ran but cannot be drawn; None where it can be.

    Args:
        recording: Of a program that computes `y = f(x)` on many points and differentiates f at one of them last.
    """
    points, values = tensor(recording, "x"), _result(recording)
    if values is None:
        return None  # f returned its argument
    if values.shape != points.shape:
        return "labs.advice.other_shape"
    if values.dtype.startswith("complex"):
        return "labs.advice.complex"
    numbers = array(values)
    if not np.isfinite(numbers).any():
        return "labs.advice.nowhere"
    return None if _agrees_alone(recording, numbers) else "labs.advice.mixes"


def _result(recording: Recording) -> TensorValue | None:
    try:
        return tensor(recording, "y")
    except KeyError:
        return None


def _agrees_alone(recording: Recording, numbers: Array) -> bool:
    """Whether f gives the one point, alone, the value that it gives it among many."""
    last = [event for event in recording.events if isinstance(event, BackwardStarted)][-1]
    alone = last.roots[0].value if last.roots else None
    if alone is None or alone.numel != 1:
        return True
    nearest = np.abs(array(tensor(recording, "x")) - array(tensor(recording, "at")))
    among = float(numbers[int(np.argmin(nearest))])
    return bool(np.isclose(float(array(alone).reshape(())), among, rtol=1e-3, atol=1e-6, equal_nan=True))
