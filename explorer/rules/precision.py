"""How exact the numbers of a type are: rounding to it, and moving numbers as far as rounding may have moved them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

EPSILONS = {
    "float64": 2**-52,
    "complex128": 2**-52,
    "float32": 2**-23,
    "complex64": 2**-23,
    "float16": 2**-10,
    "complex32": 2**-10,
    "bfloat16": 2**-7,
}
"""The step from 1 to the next number, by type."""

LAST_BITS, HALF_OF_THEM, KEPT_BITS = 16, 0x7FFF, 0xFFFF0000
"""Of single precision: those that bfloat16 has not."""


def rounded(value: Any, dtype: str) -> Any:
    """The numbers as that type holds them: too large ones become infinite, as for torch. Others stay as they are."""
    if not isinstance(value, np.ndarray | np.inexact) or not np.issubdtype(value.dtype, np.inexact):
        return value
    if np.iscomplexobj(value):
        parts = dtype.replace("complex128", "float64").replace("complex64", "float32").replace("complex32", "float16")
        whole = np.empty(np.shape(value), dtype=complex)
        whole.real, whole.imag = _rounded(np.real(value), parts), _rounded(np.imag(value), parts)
        return whole  # not a sum of the two, in which infinity times i would have a real part that is nan
    return _rounded(value, dtype)


def _rounded(value: Any, dtype: str) -> NDArray[np.float64]:
    match dtype:
        case "float32" | "complex64":
            return np.asarray(value).astype(np.float32).astype(float)
        case "float16" | "complex32":
            return np.asarray(value).astype(np.float16).astype(float)
        case "bfloat16":
            return _to_bfloat16(np.asarray(value).astype(np.float32)).astype(float)
    return np.asarray(value, dtype=float)


def _to_bfloat16(value: NDArray[np.float32]) -> NDArray[np.float32]:
    """To the nearest, of two equally near ones to the even."""
    bits = value.view(np.uint32).astype(np.uint64)
    even = (bits >> LAST_BITS) & 1
    nearest = ((bits + HALF_OF_THEM + even) & KEPT_BITS).astype(np.uint32).view(np.float32)
    return np.where(np.isfinite(value), nearest, value).astype(np.float32)


def shaken(value: Any, dtype: str, dice: np.random.Generator) -> Any:
    """The numbers, each moved by no more than a step of that type: as good as the given ones to who computes in it.

    Computing with such numbers several times over shows how much of a result is rounding (D. S. Parker,
    "Monte Carlo arithmetic", 1997).
    """
    if not isinstance(value, np.ndarray | np.inexact) or not np.issubdtype(value.dtype, np.inexact):
        return value
    moved = value * (1 + EPSILONS.get(dtype, 0.0) * dice.uniform(-1, 1, np.shape(value)))
    return np.where(np.isfinite(value), moved, value)
