"""Operations that slide a window over their input: convolution, pooling, unfolding, and how gradients go back."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from explorer.rules.arrays import Array, Sizes, expand, room, zeros

MOST_PLACES = 20_000
"""No window may have more places, nor a pooling more windows: a recording is untrusted."""

EVERY = slice(None)


def places_in(sizes: Sizes) -> Iterator[tuple[int, ...]]:
    """Every place of a window."""
    return itertools.product(*map(range, room(sizes, MOST_PLACES)))


def padded(x: Array, padding: Sizes) -> Array:
    """With a border of zeros around the last dimensions."""
    border = [(0, 0)] * (x.ndim - len(padding)) + [(pad, pad) for pad in padding]
    room([size + sum(pair) for size, pair in zip(x.shape, border, strict=True)])
    return np.pad(x, border)


def seen_from(channels: slice, place: Sizes, stride: Sizes, dilation: Sizes, outputs: Sizes) -> Any:
    """The index of the inputs that a place of the window meets while it slides: one for each output."""
    starts = [k * apart for k, apart in zip(place, dilation, strict=True)]
    slices = zip(starts, stride, outputs, strict=True)
    return (EVERY, channels, *(slice(start, start + step * (size - 1) + 1, step) for start, step, size in slices))


def weight_at(channels: slice, place: Sizes) -> Any:
    """The index of a place of the window in some channels' weights."""
    return (channels, EVERY, *place)


def conv(x: Array, weight: Array, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int) -> Array:
    """The convolution: x (N, C, …), weight (O, C / groups, …)."""
    kernel = weight.shape[2:]
    stride, padding, dilation = (_each(given, len(kernel)) for given in (stride, padding, dilation))
    x = padded(x, padding)
    sizes = zip(x.shape[2:], kernel, stride, dilation, strict=True)
    outputs = tuple((size - apart * (width - 1) - 1) // step + 1 for size, width, step, apart in sizes)
    out = zeros((x.shape[0], weight.shape[0], *outputs), x)
    for inputs, made in _groups(x.shape[1], weight.shape[0], groups):
        for place in places_in(kernel):
            seen = x[seen_from(inputs, place, stride, dilation, outputs)]
            out[:, made] += np.einsum("nc...,oc->no...", seen, weight[weight_at(made, place)])
    return out


def conv_input(
    g: Array, weight: Array, sizes: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Array:
    """What a convolution sends to its input: `g` through the window the other way."""
    stride, padding, dilation = (_each(given, len(sizes) - 2) for given in (stride, padding, dilation))
    into = padded(zeros(sizes, g), padding)
    for inputs, made in _groups(sizes[1], weight.shape[0], groups):
        for place in places_in(weight.shape[2:]):
            sent = np.einsum("no...,oc->nc...", g[:, made], weight[weight_at(made, place)])
            into[seen_from(inputs, place, stride, dilation, g.shape[2:])] += sent
    inside: Any = tuple(slice(pad, pad + size) for pad, size in zip(padding, sizes[2:], strict=True))
    return into[(EVERY, EVERY, *inside)]


def conv_weight(g: Array, x: Array, sizes: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int) -> Array:
    """What a convolution sends to its weight: at each place of the window, what it met times what came back."""
    stride, padding, dilation = (_each(given, len(sizes) - 2) for given in (stride, padding, dilation))
    x, into = padded(x, padding), zeros(sizes, g)
    for inputs, made in _groups(x.shape[1], sizes[0], groups):
        for place in places_in(sizes[2:]):
            seen = x[seen_from(inputs, place, stride, dilation, g.shape[2:])]
            into[weight_at(made, place)] = np.einsum("nok,nck->oc", _flat(g[:, made]), _flat(seen))
    return into


def _flat(x: Array) -> Array:
    """All dimensions but batch and channels as one."""
    return x.reshape(*x.shape[:2], math.prod(x.shape[2:]))


def _groups(inputs: int, outputs: int, groups: int) -> Iterator[tuple[slice, slice]]:
    """Which input channels lead to which output channels."""
    for group in range(min(groups, inputs, outputs)):
        wide, made = inputs // groups, outputs // groups
        yield slice(group * wide, (group + 1) * wide), slice(group * made, (group + 1) * made)


# Pooling


def scatter_planes(g: Array, indices: Array, sizes: Sizes, ndim: int) -> Array:
    """Zeros to which each element of `g` is added where its maximum was found, in its own plane."""
    into = zeros(sizes, g)
    planes = into.reshape(-1, math.prod(sizes[-ndim:]))
    rows = np.arange(planes.shape[0])[:, None]
    np.add.at(planes, (rows, indices.reshape(planes.shape[0], -1)), g.reshape(planes.shape[0], -1))
    return into


def gather_planes(g: Array, indices: Array, ndim: int) -> Array:
    """The elements of `g` at the places that the indices name in each plane."""
    planes = g.reshape(-1, math.prod(g.shape[-ndim:]))
    return np.take_along_axis(planes, indices.reshape(planes.shape[0], -1), axis=1).reshape(indices.shape)


def avg_pool_back(
    g: Array,
    sizes: Sizes,
    ndim: int,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    count_border: bool,
    divisor: int | None,
) -> Array:
    """Each element of `g` shared evenly among the elements of its window."""
    kernel, stride, padding = (_each(given, ndim) for given in (kernel, stride or kernel, padding))
    into = zeros(sizes, g)
    for place in places_in(g.shape[-ndim:]):
        window: list[Any] = [...]
        area = 1
        for at, width, step, pad, size in zip(place, kernel, stride, padding, sizes[-ndim:], strict=True):
            start = at * step - pad
            end = min(start + width, size + pad)
            area *= (end - start) if count_border else min(end, size) - max(start, 0)
            window.append(slice(max(start, 0), min(end, size)))
        into[tuple(window)] += _element(g, place) / (divisor or area)
    return into


def adaptive_avg_pool_back(g: Array, sizes: Sizes, ndim: int) -> Array:
    """Each element of `g` shared evenly among the elements that it was the mean of."""
    into = zeros(sizes, g)
    for place in places_in(g.shape[-ndim:]):
        bounds = zip(place, sizes[-ndim:], g.shape[-ndim:], strict=True)
        window = [slice(at * size // made, -((at + 1) * size // -made)) for at, size, made in bounds]
        at_window: Any = (..., *window)
        into[at_window] += _element(g, place) / math.prod(one.stop - one.start for one in window)
    return into


def _element(g: Array, place: Sizes) -> Array:
    """What came in at a place of the last dimensions, to be spread over a window of them."""
    at: Any = (..., *place)
    return np.expand_dims(g[at], tuple(range(-len(place), 0)))


def upsample_back(g: Array, sizes: Sizes, *scales: float | None) -> Array:
    """The sum over the copies that upsampling to the nearest made of each element."""
    into = zeros(sizes, g)
    nearest = [
        np.minimum(np.floor(np.arange(made) * (1 / scale if scale else size / made)).astype(int), size - 1)
        for size, made, scale in zip(sizes[2:], g.shape[2:], scales, strict=True)
    ]
    np.add.at(into, (EVERY, EVERY, *np.ix_(*nearest)), g)
    return into


def fold(g: Array, sizes: Sizes, dim: int, size: int, step: int) -> Array:
    """What windows along a dimension send back, added up where they overlap."""
    into = zeros(sizes, g)
    if not sizes:
        return np.reshape(g, ())
    moved, g = np.moveaxis(into, dim, -1), np.moveaxis(g, dim % into.ndim, -2)
    for window in range(g.shape[-2]):
        moved[..., window * step : window * step + size] += g[..., window, :]
    return into


def causal(query: Array, key: Array, is_causal: bool) -> Array | float:
    """What is added to attention scores so that no query sees a later key."""
    if not is_causal:
        return 0.0
    return np.triu(np.full(room((query.shape[-2], key.shape[-2])), -np.inf), 1)


def _each(given: Sizes, ndim: int) -> tuple[int, ...]:
    """One number per dimension, where one number may have been given for all."""
    return tuple(given) * ndim if len(given) == 1 else tuple(given)


# Windows as columns


def _in_windows(sizes: Sizes, kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes) -> Array:
    """Flat places in a padded image, (places of the window, windows)."""
    kernel, dilation, padding, stride = (_each(given, len(sizes)) for given in (kernel, dilation, padding, stride))
    wide = room([size + 2 * pad for size, pad in zip(sizes, padding, strict=True)])
    rows, columns = (_along_axis(*one) for one in zip(wide, kernel, dilation, stride, strict=True))
    room((rows.size * columns.size,))
    flat = rows[:, None, :, None] * wide[1] + columns[None, :, None, :]
    return np.asarray(flat.reshape(rows.shape[0] * columns.shape[0], -1))


def _along_axis(size: int, width: int, apart: int, step: int) -> Array:
    """Places along one dimension, (places of the window, windows)."""
    width, windows = room((width, (size - apart * (width - 1) - 1) // step + 1))
    return np.arange(width)[:, None] * apart + np.arange(windows)[None] * step


def im2col(x: Array, kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes) -> Array:
    """Windows of an image (…, C, H, W) as columns (…, C · places, windows)."""
    at = _in_windows(x.shape[-2:], kernel, dilation, padding, stride)
    x = padded(x, _each(padding, 2))
    return _one_line(x)[..., at].reshape(*x.shape[:-3], x.shape[-3] * at.shape[0], at.shape[1])


def col2im(g: Array, sizes: Sizes, kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes) -> Array:
    """Columns added up where their windows were in an image of these sizes (…, C, H, W)."""
    at, border = _in_windows(sizes[-2:], kernel, dilation, padding, stride), _each(padding, 2)
    into = padded(zeros(sizes, g), border)
    flat = _one_line(into)
    everywhere: Any = (..., at)
    np.add.at(flat, everywhere, g.reshape(*sizes[:-2], *at.shape))
    inside: Any = tuple(slice(pad, pad + size) for pad, size in zip(border, sizes[-2:], strict=True))
    return flat.reshape(into.shape)[(..., *inside)]


def _one_line(x: Array) -> Array:
    """The rows of each image one after the other."""
    return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def windows_along(x: Array, dim: int, size: int, step: int) -> Array:
    """Windows along a dimension, in a new last one, as `Tensor.unfold` has them."""
    if x.ndim == 0:
        return expand(x, (size,))
    every = np.lib.stride_tricks.sliding_window_view(x, size, axis=dim)
    seen = every[(*(EVERY,) * (dim % x.ndim), slice(None, None, step))]
    room(seen.shape)
    return seen


def channel_unshuffle(g: Array, groups: int) -> Array:
    """Channels back in their groups."""
    batch, channels = g.shape[:2]
    apart = g.reshape(batch, channels // groups, groups, math.prod(g.shape[2:]))
    return apart.swapaxes(1, 2).reshape(g.shape)
