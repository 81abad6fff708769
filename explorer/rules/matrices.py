"""Decompositions of matrices and Fourier transforms: how gradients go back through them."""

from __future__ import annotations

import numpy as np

from explorer.rules.arrays import Array, Sizes, adjoint, matmul, room

BY_ROOT, BY_SIZE = 1, 2
"""What torch divides a Fourier transform by; 0 is nothing."""


# Triangles


def triangle(x: Array, upper: bool, unit: bool) -> Array:
    """The triangle of a matrix that a solver looks at, with ones on its diagonal if so agreed."""
    kept = np.triu(x) if upper else np.tril(x)
    return kept + np.eye(x.shape[-1]) * (1 - x) if unit else kept


def strictly(x: Array, upper: bool, unit: bool) -> Array:
    """A triangle, without the diagonal where that was taken for ones."""
    return np.triu(x, int(unit)) if upper else np.tril(x, -int(unit))


def twice_symmetric(x: Array) -> Array:
    """A triangle and its mirror image, with one diagonal."""
    both = x + adjoint(x)
    return np.asarray(both - both * np.eye(x.shape[-1]) / 2)


# Eigenvalues and singular values


def _gaps(values: Array) -> Array:
    """values_j - values_i, with ones on the diagonal."""
    return values[..., None, :] - values[..., :, None] + np.eye(values.shape[-1])


def _on_diagonal(values: Array | None) -> Array | float:
    return 0.0 if values is None else values[..., None] * np.eye(values.shape[-1])


def eigh_back(vectors: Array, values: Array, g_values: Array | None, g_vectors: Array | None) -> Array:
    """What arrives at a Hermitian A = V diag(λ) Vᴴ: V (diag(g_λ) + Vᴴ g_V ⊘ (λ_j - λ_i)) Vᴴ, its Hermitian part."""
    inner: Array | float = _on_diagonal(g_values)
    if g_vectors is not None:
        turned = adjoint(vectors) @ g_vectors / _gaps(values)
        inner = inner + turned * (1 - np.eye(values.shape[-1]))
    sent = matmul(vectors @ inner, adjoint(vectors))
    return (sent + adjoint(sent)) / 2


def eigh_notation(vectors: Array, values: Array, g_values: Array | None, g_vectors: Array | None) -> str:
    """As it is written, without what is undefined."""
    of_vectors = r"!1^{\top} #4 \oslash \left(\lambda_j - \lambda_i\right)_{i \neq j}"
    parts = [r"\operatorname{diag}(#3)"] * (g_values is not None) + [of_vectors] * (g_vectors is not None)
    sent = rf"!1 \left( {' + '.join(parts)} \right) !1^{{\top}}"
    return sent if g_vectors is None else rf"\operatorname{{sym}}\left( {sent} \right)"


def svd_back(u: Array, s: Array, vh: Array, g_u: Array | None, g_s: Array | None, g_vh: Array | None) -> Array:
    """What arrives at a real A = U diag(S) Vᵀ (J. Townsend, "Differentiating the singular value decomposition")."""
    kept = s.shape[-1]
    u, vh = u[..., :kept], vh[..., :kept, :]
    v, gaps = adjoint(vh), _gaps(s**2)
    inner: Array | float = _on_diagonal(g_s)
    beside: Array | float = 0.0
    if g_u is not None:
        g_u = g_u[..., :kept]
        inner = inner + _skew(adjoint(u) @ g_u) / gaps * s[..., None, :]
        beside = beside + (g_u - u @ (adjoint(u) @ g_u)) / s[..., None, :] @ vh
    if g_vh is not None:
        g_v = adjoint(g_vh[..., :kept, :])
        inner = inner + s[..., :, None] * (_skew(adjoint(v) @ g_v) / gaps)
        beside = beside + u / s[..., None, :] @ adjoint(g_v - v @ (vh @ g_v))
    return np.asarray(u @ inner @ vh + beside)


def _skew(x: Array) -> Array:
    return x - adjoint(x)


def svd_notation(u: Array, s: Array, vh: Array, g_u: Array | None, g_s: Array | None, g_vh: Array | None) -> str:
    """As it is written, without what is undefined."""
    if g_u is None and g_vh is None:
        return r"!1 \operatorname{diag}(#5)\, !3"
    return r"\left(\tfrac{\partial\, \operatorname{svd}}{\partial A}\right)^{\top} (\ldots)"


# Fourier transforms


def fourier(x: Array, dim: Sizes, normalization: int, forward: bool) -> Array:
    """The transform over some dimensions or its inverse, divided as torch was told to."""
    size = np.prod([x.shape[d] for d in dim])
    plain = np.fft.fftn(x, axes=dim) if forward else np.fft.ifftn(x, axes=dim) * size
    return np.asarray(plain / {BY_ROOT: np.sqrt(size), BY_SIZE: size}.get(normalization, 1))


def padded_to(x: Array, dim: Sizes, sizes: Sizes) -> Array:
    """With zeros for the frequencies that a one-sided transform leaves out."""
    last = dim[-1]
    border = [(0, 0)] * x.ndim
    border[last] = (0, sizes[last] - x.shape[last])
    room([size + sum(pair) for size, pair in zip(x.shape, border, strict=True)])
    return np.pad(x, border)


def half_fourier(g: Array, dim: Sizes, normalization: int, sizes: Sizes) -> Array:
    """What arrives at the frequencies of a one-sided transform: those that stand for two count twice."""
    last = dim[-1]
    at = [slice(None)] * g.ndim
    at[last] = slice(0, sizes[last])
    half = fourier(g, dim, normalization, True)[tuple(at)].copy()
    at[last] = slice(1, 1 + g.shape[last] - sizes[last])
    half[tuple(at)] *= 2
    return half
