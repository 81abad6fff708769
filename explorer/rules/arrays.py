"""Shapes, reductions and matrices for the rules. As torch has them; sizes may be hostile, since a recording may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Dims = int | Sequence[int] | None
Sizes = Sequence[int]

MOST_ELEMENTS = 1_000_000
"""No array that a rule makes may have more: a recording is untrusted, and could ask for any size."""


def room(sizes: Sizes, most: int = MOST_ELEMENTS) -> tuple[int, ...]:
    """The sizes, if there is room for an array that large.

    Raises:
        ValueError: There is not.
    """
    sizes = tuple(int(size) for size in sizes)
    if min(sizes, default=0) < 0 or max(sizes, default=0) > most or math.prod(sizes) > most:
        raise ValueError(f"sizes {sizes}")
    return sizes


def zeros(sizes: Sizes, like: Array | None = None) -> Array:
    """Zeros, complex where `like` is."""
    return np.zeros(room(sizes), dtype=complex if like is not None and np.iscomplexobj(like) else float)


def conjugate(x: Any) -> Any:
    """The complex conjugate; real numbers are their own."""
    return np.conj(x) if np.iscomplexobj(x) else x


def sign(x: Array) -> Array:
    """The sign, or the direction of a complex number; 0 for 0."""
    return np.where(x == 0, 0, x / np.abs(x))


def single_quotient(x: float, y: float) -> float:
    """A quotient in single precision, where torch's source writes one so for every type."""
    return float(np.float32(x) / np.float32(y))


def complex_of(x: Array) -> Array:
    """Pairs of numbers in the last dimension as complex numbers."""
    return x[..., 0] + 1j * x[..., 1]


def pairs_of(x: Array) -> Array:
    """Complex numbers as pairs in a new last dimension."""
    return np.stack([np.real(x), np.imag(x)], axis=-1)


# Dimensions


def dims_of(dim: Dims, ndim: int) -> tuple[int, ...]:
    """The dimensions a reduction runs over, from 0; all of them where none is named."""
    if dim is None or dim == ():
        return tuple(range(ndim))
    dims = (dim,) if isinstance(dim, int | np.integer) else tuple(dim)
    return tuple(sorted(int(d) % ndim for d in dims)) if ndim else ()


def last_dims(sizes: Sizes) -> tuple[int, ...]:
    """As many dimensions, counted from the last, as there are sizes."""
    return tuple(range(-len(sizes), 0))


def but_channels(sizes: Sizes) -> tuple[int, ...]:
    """All dimensions but the second, which torch keeps for channels."""
    return tuple(d for d in range(len(sizes)) if d != 1)


def count(sizes: Sizes, dim: Dims) -> int:
    """How many elements a reduction makes one of."""
    return math.prod(sizes[d] for d in dims_of(dim, len(sizes)))


def along(x: Array, dim: Dims, keepdim: bool, sizes: Sizes) -> Array:
    """The result of a reduction with its dimensions back, of size 1, so that it broadcasts against what was reduced."""
    ndim = len(sizes)
    return np.expand_dims(x, dims_of(dim, ndim)) if not keepdim and np.ndim(x) < ndim else x


def channels(x: Array, sizes: Sizes) -> Array:
    """One number per channel, shaped to broadcast against a batch of these sizes."""
    return x if len(sizes) < 2 else np.reshape(x, (-1,) + (1,) * (len(sizes) - 2))


def expand(x: Array, sizes: Sizes) -> Array:
    """The elements repeated to a larger size, as `Tensor.expand` does."""
    return np.broadcast_to(x, room(sizes))


def spread(x: Array, dim: Dims, keepdim: bool, sizes: Sizes) -> Array:
    """The result of a reduction repeated over the dimensions it was reduced over."""
    return expand(along(x, dim, keepdim, sizes), sizes)


def reshape(x: Array, sizes: Sizes) -> Array:
    """The same elements in another shape."""
    return np.reshape(x, tuple(sizes))


def swap(x: Array, dim0: int, dim1: int) -> Array:
    """Two dimensions exchanged; a vector stays a vector."""
    return x if x.ndim < 2 else np.swapaxes(x, dim0, dim1)


def permute_back(x: Array, dims: Sizes) -> Array:
    """The permutation of dimensions undone."""
    return np.transpose(x, np.argsort([d % max(x.ndim, 1) for d in dims]))


# Reductions


def reduce_sum(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """The sum over some dimensions, or all."""
    return np.asarray(np.sum(x, axis=dims_of(dim, np.ndim(x)), keepdims=keepdim))


def mean(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """The mean over some dimensions, or all."""
    return np.asarray(np.mean(x, axis=dims_of(dim, np.ndim(x)), keepdims=keepdim))


def sum_over(x: Array, dims: Sequence[int]) -> Array:
    """The sum over some dimensions; over none of them the same."""
    return np.asarray(np.sum(x, axis=tuple(dims))) if len(dims) else x


def but_one(x: Array, dim: int) -> tuple[int, ...]:
    """All dimensions but one; all where there is no such one."""
    return tuple(d for d in range(x.ndim) if dim == -1 or d != dim)


def sum_to(x: Array, shape: Sizes) -> Array:
    """Summed over the dimensions along which `shape` was broadcast, as the engine does to what a node returns."""
    extra = tuple(range(x.ndim - len(shape)))
    x = x.sum(axis=extra) if extra else x
    ones = tuple(i for i, size in enumerate(shape) if size == 1 and x.shape[i] != 1)
    return np.asarray(x.sum(axis=ones, keepdims=True) if ones else x)


def cumsum(x: Array, dim: int) -> Array:
    """Sums of all elements up to each."""
    return np.cumsum(x, axis=dim) if x.ndim else x


def cumsum_back(x: Array, dim: int) -> Array:
    """Sums of all elements from each to the last."""
    return np.flip(np.cumsum(np.flip(x, dim), axis=dim), dim) if x.ndim else x


def cumprod(x: Array, dim: int) -> Array:
    """Products of all elements up to each."""
    return np.cumprod(x, axis=dim) if x.ndim else x


def cumprod_back(g: Array, x: Array, dim: int) -> Array:
    """For each element the sum over all products it stands in: what came in there times the other factors.

    Needs no division, so that factors may be 0; takes the square of the length.
    """
    if x.ndim == 0:
        return g
    g, x = np.moveaxis(g, dim, -1), np.moveaxis(x, dim, -1)
    length = x.shape[-1]
    room((*x.shape, length))
    sent = np.zeros_like(g)
    for k in range(length):
        others = x.copy()
        others[..., k] = 1
        sent[..., k] = (g * conjugate(np.cumprod(others, axis=-1)))[..., k:].sum(axis=-1)
    return np.moveaxis(sent, -1, dim)


def logcumsumexp_back(g: Array, x: Array, result: Array, dim: int) -> Array:
    """For each element x_k the sum of g_i exp(x_k - result_i) over all i from k on."""
    if x.ndim == 0:
        return g
    g, x, result = (np.moveaxis(one, dim, -1) for one in (g, x, result))
    room((*x.shape, x.shape[-1]))
    sent = np.zeros_like(g)
    for k in range(x.shape[-1]):
        shares = np.exp(x[..., k : k + 1] - result[..., k:])
        sent[..., k] = (g[..., k:] * conjugate(shares)).sum(axis=-1)
    return np.moveaxis(sent, -1, dim)


def product_of_others(x: Array, dim: int | None) -> Array:
    """For each element the product of all others, along one dimension or in all."""
    if dim is None or x.ndim == 0:
        return product_of_others(x.reshape(-1), 0).reshape(x.shape) if x.ndim else np.ones(())
    x = np.moveaxis(x, dim, -1)
    before = np.cumprod(np.concatenate([np.ones_like(x[..., :1]), x[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([np.ones_like(x[..., :1]), x[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return np.moveaxis(before * after, -1, dim)


# Matrices


def matmul(x: Array, y: Array) -> Array:
    """The matrix product."""
    return np.asarray(np.matmul(x, y))


def outer(x: Array, y: Array) -> Array:
    """The products of all elements of two vectors, or of each two in a batch."""
    room((*x.shape, y.shape[-1]))
    return np.asarray(x[..., :, None] * y[..., None, :])


def adjoint(x: Array) -> Array:
    """The conjugate transpose of a matrix, or of each in a batch."""
    return np.asarray(conjugate(swap(x, -2, -1)))


def eye(sizes: Sizes) -> Array:
    """Ones on the diagonal."""
    rows, columns = room(sizes)
    return np.eye(rows, columns)


def cross(x: Array, y: Array, dim: int) -> Array:
    """The vector product along a dimension of three."""
    x, y = np.broadcast_arrays(np.moveaxis(x, dim, -1), np.moveaxis(y, dim, -1))
    turned = x[..., [1, 2, 0]] * y[..., [2, 0, 1]] - x[..., [2, 0, 1]] * y[..., [1, 2, 0]]
    return np.moveaxis(turned, -1, dim)


def solve(a: Array, b: Array) -> Array:
    """X with A X = B; B may be a vector, or a batch of vectors."""
    return np.linalg.solve(a, b[..., None])[..., 0] if b.ndim == a.ndim - 1 else np.linalg.solve(a, b)


def cholesky_back(g: Array, lower: Array) -> Array:
    """What arrives at A where A = L Lᴴ: L⁻ᴴ Φ(Lᴴ g) L⁻¹, Φ being the Hermitian half of the lower triangle."""
    lower = np.tril(lower)
    inverse = np.linalg.inv(lower)
    half = np.tril(adjoint(lower) @ g)
    symmetric: Array = (half + adjoint(np.tril(half, -1))) / 2
    return matmul(adjoint(inverse), matmul(symmetric, inverse))
