"""Special functions that neither numpy nor Python's standard library has for arrays."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from explorer.rules.arrays import Array

SHIFT = 12
"""How far arguments are moved up before the asymptotic series, which is then good to double precision."""
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
"""B₂, B₄, …"""
HIGHEST_ORDER = 20
CIRCLE = 256
"""Places of a circle at which a Bessel function's integral is evaluated."""

erf = np.vectorize(math.erf, otypes=[float])
_normal_quantile = np.vectorize(NormalDist().inv_cdf, otypes=[float])


def erfinv(x: Array) -> Array:
    """The inverse of erf, through the quantile of the normal distribution; ±inf at ±1, nan beyond."""
    inside = np.abs(x) < 1
    quantile = _normal_quantile(np.where(inside, (x + 1) / 2, 0.5)) / math.sqrt(2)
    return np.where(inside, quantile, np.where(np.abs(x) == 1, np.sign(x) * np.inf, np.nan))


def digamma(x: Array) -> Array:
    """ψ(x): recurrence up to x + 12, then ln x − 1/2x − Σ B₂ₖ / (2k x²ᵏ) (DLMF 5.5.2, 5.11.2); reflected below 0."""
    below = np.asarray(x < 0)
    mirrored = np.where(below, 1 - x, x)
    shifted = mirrored + SHIFT
    series = sum(b / (2 * k * shifted ** (2 * k)) for k, b in enumerate(BERNOULLI, 1))
    value = np.log(shifted) - 0.5 / shifted - series - sum(1 / (mirrored + i) for i in range(SHIFT))
    return np.asarray(np.where(below, value - np.pi / np.tan(np.pi * np.where(below, x, 0.5)), value))


def polygamma(n: int, x: Array) -> Array:
    """ψ⁽ⁿ⁾(x) for x > 0, by the n-th derivative of the series of ψ (DLMF 5.15.8 and 5.15.5).

    Raises:
        ValueError: Of higher order than is needed here.
    """
    if n == 0:
        return digamma(x)
    if not 0 < n <= HIGHEST_ORDER:
        raise ValueError(f"order {n}")
    shifted = x + SHIFT
    series = math.factorial(n - 1) / shifted**n + math.factorial(n) / (2 * shifted ** (n + 1))
    for k, b in enumerate(BERNOULLI, 1):
        series = series + b * math.factorial(2 * k + n - 1) / (math.factorial(2 * k) * shifted ** (2 * k + n))
    recurrence = math.factorial(n) * sum(1 / (x + i) ** (n + 1) for i in range(SHIFT))
    return np.asarray((-1) ** (n + 1) * (series + recurrence))


def bessel(n: int, x: Array) -> Array:
    """The modified Bessel function I_n(x): the mean over a circle of exp(x cos t) cos(n t) (DLMF 10.32.3).

    The trapezoidal rule is exact to rounding here, since what it integrates is periodic and smooth.
    """
    angles = 2 * np.pi * np.arange(CIRCLE) / CIRCLE
    return np.asarray(np.mean(np.exp(np.multiply.outer(x, np.cos(angles))) * np.cos(n * angles), axis=-1))


def multi_digamma(x: Array, p: int) -> Array:
    """The sum of ψ(x - j / 2) over j from 0 to p - 1: how the multivariate log-gamma function rises."""
    if not 0 < p <= HIGHEST_ORDER:
        raise ValueError(f"order {p}")
    return np.asarray(sum(digamma(x - j / 2) for j in range(p)))
