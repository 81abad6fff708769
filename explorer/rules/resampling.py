"""Images and signals at other places than their pixels: interpolation, and how gradients go back through it.

Every way of interpolating is linear in the image and, but for `grid_sample`, works along one dimension after the other:
it is a matrix per dimension, with a row for each new pixel.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from explorer.rules.arrays import Array, Sizes, room, zeros

CUBIC, CUBIC_ANTIALIASED = -0.75, -0.5
"""The free constant of the cubic convolution kernel (Keys, 1981), as torch has it."""
LINEAR_MODE, NEAREST_MODE = 0, 1
ZEROS_MODE, BORDER_MODE = 0, 1

Kernel = Callable[[Array], Array]
Weights = Callable[[int, int, bool, float | None], Array]


def tent(x: Array) -> Array:
    """The kernel of linear interpolation."""
    return np.asarray(np.maximum(1 - np.abs(x), 0))


def cubic(a: float) -> Kernel:
    """The kernel of cubic interpolation."""

    def kernel(x: Array) -> Array:
        x = np.abs(x)
        near = (a + 2) * x**3 - (a + 3) * x**2 + 1
        far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
        return np.where(x <= 1, near, np.where(x < 2, far, 0))

    return kernel


def resampled(kernel: Kernel, reach: int, clamped: bool) -> Weights:
    """Weights (made, size) of a kernel that reaches so many pixels to each side.

    Args:
        kernel: Of the distance from a pixel.
        reach: Of it.
        clamped: Whether places before the first pixel count as that pixel's own.
    """

    def weights(size: int, made: int, align_corners: bool, scale: float | None) -> Array:
        centers = _centers(size, made, align_corners, scale)
        centers = np.maximum(centers, 0) if clamped and not align_corners else centers
        into = np.zeros(room((made, size)))
        first = np.floor(centers).astype(int)
        for offset in range(1 - reach, reach + 1):
            pixels = np.clip(first + offset, 0, size - 1)
            np.add.at(into, (np.arange(made), pixels), kernel(centers - (first + offset)))
        return into

    return weights


def antialiased(kernel: Kernel, reach: int) -> Weights:
    """Weights (made, size) of a kernel that is widened where the image becomes smaller."""

    def weights(size: int, made: int, align_corners: bool, scale: float | None) -> Array:
        step = _step(size, made, align_corners, scale)
        wide = max(step, 1.0)
        centers = step * np.arange(made) if align_corners else step * (np.arange(made) + 0.5)
        first = np.maximum(np.trunc(centers - reach * wide + 0.5), 0)[:, None]
        last = np.minimum(np.trunc(centers + reach * wide + 0.5), size)[:, None]
        pixels = np.arange(size)[None, :]
        into = np.where((first <= pixels) & (pixels < last), kernel((pixels - centers[:, None] + 0.5) / wide), 0)
        return np.asarray(into / into.sum(axis=1, keepdims=True))

    return weights


def nearest(size: int, made: int, align_corners: bool, scale: float | None) -> Array:
    """Weights (made, size) that take the pixel whose middle is nearest."""
    pixels = np.floor(_step(size, made, False, scale) * (np.arange(made) + 0.5)).astype(int)
    room((made, size))
    return np.asarray(np.clip(pixels, 0, size - 1)[:, None] == np.arange(size)).astype(float)


def _step(size: int, made: int, align_corners: bool, scale: float | None) -> float:
    """How far apart the new pixels are."""
    if align_corners:
        return (size - 1) / (made - 1) if made > 1 else 0.0
    return 1 / scale if scale else size / made


def _centers(size: int, made: int, align_corners: bool, scale: float | None) -> Array:
    step = _step(size, made, align_corners, scale)
    places = np.arange(made)
    return step * places if align_corners else step * (places + 0.5) - 0.5


WEIGHTS: dict[str, Weights] = {
    "nearest": nearest,
    "linear": resampled(tent, 1, clamped=True),
    "cubic": resampled(cubic(CUBIC), 2, clamped=False),
    "linear antialiased": antialiased(tent, 1),
    "cubic antialiased": antialiased(cubic(CUBIC_ANTIALIASED), 2),
}


def resample_back(g: Array, mode: str, sizes: Sizes, align_corners: bool, *scales: float | None) -> Array:
    """What interpolation to another size sends back: along each dimension the transpose of its matrix."""
    sizes = room(sizes)
    for axis, scale in enumerate(scales, 2):
        weights = WEIGHTS[mode](sizes[axis], g.shape[axis], align_corners, scale)
        g = np.moveaxis(np.moveaxis(g, axis, -1) @ weights, -1, axis)
    return g


# Sampling at the places of a grid


def image_size(x: Array) -> Array:
    """Width, height and so on of images (N, C, …): a grid names the last dimension first."""
    return np.array(x.shape[:1:-1], dtype=float)


def grid_sample_back(
    g: Array, x: Array, pixels: Array, to_grid: bool, mode: int, padding: int, align_corners: bool
) -> Array:
    """What `grid_sample` sends back to the image or to the grid, for x (N, C, H, W) and g (N, C, …).

    `pixels` (N, …, 2) says where the grid looks, counted in pixels from the first one.
    """
    sizes = x.shape[:1:-1]
    slopes = [(size - 1) / 2 if align_corners else size / 2 for size in sizes]
    places = [pixels[..., d] for d in range(len(sizes))]
    if padding == BORDER_MODE:
        inside = [(place > 0) & (place < size - 1) for place, size in zip(places, sizes, strict=True)]
        slopes = [slope * within for slope, within in zip(slopes, inside, strict=True)]
        places = [np.clip(place, 0, size - 1) for place, size in zip(places, sizes, strict=True)]
    x, came = np.moveaxis(x, 1, -1), np.moveaxis(g, 1, -1)
    into, sent = zeros(x.shape), np.zeros_like(pixels)
    batch = np.arange(len(x)).reshape(-1, *(1,) * (pixels.ndim - 2))
    for corner in _corners(places, mode):
        whole = [at.astype(int) for at, _, _ in corner]
        known = np.logical_and.reduce([(at >= 0) & (at < size) for at, size in zip(whole, sizes, strict=True)])
        spots = [np.clip(at, 0, size - 1) for at, size in zip(whole, sizes, strict=True)]
        at = (batch, *spots[::-1])
        weight = np.prod([w for _, w, _ in corner], axis=0) * known
        np.add.at(into, at, came * weight[..., None])
        met = (came * x[at]).sum(-1) * known
        for d, (_, _, slope) in enumerate(corner):
            others = np.prod([w for e, (_, w, _) in enumerate(corner) if e != d], axis=0)
            sent[..., d] += met * others * slope * slopes[d]
    return sent if to_grid else np.moveaxis(into, -1, 1)


def _corners(places: list[Array], mode: int) -> list[tuple[tuple[Array, Array, Array | float], ...]]:
    """For every pixel that counts, per dimension: which it is, its weight, and how that changes with the place."""
    if mode == NEAREST_MODE:
        return [tuple((np.rint(place), np.ones_like(place), 0.0) for place in places)]
    sides = [
        ((np.floor(place), 1 - (place - np.floor(place)), -1.0), (np.floor(place) + 1, place - np.floor(place), 1.0))
        for place in places
    ]
    return list(product(*sides))


def affine_grid_back(g: Array, sizes: Sizes, align_corners: bool) -> Array:
    """What arrives at theta (N, d, d + 1) from an affine grid (N, …, d) over an image of these sizes."""
    spatial = room(sizes)[:1:-1]
    lines = [np.linspace(-1, 1, size) * (1 if align_corners else (size - 1) / size) if size > 1 else np.zeros(1)
             for size in spatial]  # fmt: skip
    base = np.stack([*np.meshgrid(*lines, indexing="ij"), np.ones(spatial)], axis=-1)
    base = np.swapaxes(base, 0, len(spatial) - 1).reshape(-1, len(spatial) + 1)
    return np.asarray(np.swapaxes(g.reshape(len(g), -1, len(spatial)), 1, 2) @ base)
