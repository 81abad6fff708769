"""Numpy functions that rules need and numpy does not have under one name. Shapes as in torch; sizes may be hostile."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Dims = int | Sequence[int] | None

MOST_ELEMENTS = 1_000_000
"""No array that a rule makes may have more: a recording is untrusted, and could ask for any size."""


def room(sizes: Sequence[int]) -> tuple[int, ...]:
    """The sizes, if there is room for an array that large.

    Raises:
        ValueError: There is not.
    """
    sizes = tuple(int(size) for size in sizes)
    if min(sizes, default=0) < 0 or math.prod(sizes) > MOST_ELEMENTS:
        raise ValueError(f"sizes {sizes}")
    return sizes


def zeros(sizes: Sequence[int]) -> Array:
    """Zeros."""
    return np.zeros(room(sizes))


def expand(x: Array, sizes: Sequence[int]) -> Array:
    """The elements repeated to a larger size, as `Tensor.expand` does."""
    return np.broadcast_to(x, room(sizes))


def reshape(x: Array, sizes: Sequence[int]) -> Array:
    """The same elements in another shape."""
    return np.reshape(x, tuple(sizes))


def swap(x: Array, dim0: int, dim1: int) -> Array:
    """Two dimensions exchanged; a vector stays a vector."""
    return x if x.ndim < 2 else np.swapaxes(x, dim0, dim1)


def conjugate(x: Any) -> Any:
    """The complex conjugate; real numbers are their own."""
    return np.conj(x) if np.iscomplexobj(x) else x


def dims_of(dim: Dims, ndim: int) -> tuple[int, ...]:
    """The dimensions a reduction runs over, from 0; all of them where none is named."""
    if dim is None or dim == ():
        return tuple(range(ndim))
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    return tuple(sorted(d % max(ndim, 1) for d in dims)) if ndim else ()


def along(x: Array, dim: Dims, keepdim: bool, sizes: Sequence[int]) -> Array:
    """The result of a reduction with its dimensions back, of size 1, so that it broadcasts against what was reduced."""
    ndim = len(sizes)
    if keepdim or ndim == 0:
        return x
    return np.expand_dims(x, dims_of(dim, ndim)) if np.ndim(x) < ndim else x


def spread(x: Array, dim: Dims, keepdim: bool, sizes: Sequence[int]) -> Array:
    """The result of a reduction repeated over the dimensions it was reduced over."""
    return expand(along(x, dim, keepdim, sizes), sizes)


def reduce_sum(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """The sum over some dimensions, or all."""
    return np.asarray(np.sum(x, axis=dims_of(dim, np.ndim(x)), keepdims=keepdim))


def sum_to(x: Array, shape: Sequence[int]) -> Array:
    """Summed over the dimensions along which `shape` was broadcast, as the engine does to what a node returns."""
    extra = tuple(range(x.ndim - len(shape)))
    x = x.sum(axis=extra) if extra else x
    ones = tuple(i for i, size in enumerate(shape) if size == 1 and x.shape[i] != 1)
    return np.asarray(x.sum(axis=ones, keepdims=True) if ones else x)


erf = np.vectorize(math.erf, otypes=[float])
