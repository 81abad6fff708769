"""Parts of tensors and where they go: slices, indices, diagonals, lists. Gradients go back where elements came from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.rules.arrays import Array, Sizes, expand, reshape, room, zeros

Index = Sequence[Array | None]
Place = Any
"""What numpy takes in brackets."""


# Slices


def place(dim: int, ndim: int, *bounds: int | None) -> Place:
    """The index of a slice: one number selects, three are start, end and step."""
    one = bounds[0] if len(bounds) == 1 else slice(*bounds)
    return (slice(None),) * (dim % max(ndim, 1)) + (one,)


def put_slice(g: Array, sizes: Sizes, dim: int, *bounds: int | None) -> Array:
    """Zeros with `g` in a slice of them."""
    into = zeros(sizes, g)
    into[place(dim, into.ndim, *bounds)] = g
    return into


def get_slice(g: Array, dim: int, *bounds: int | None) -> Array:
    """A slice."""
    return np.asarray(g[place(dim, g.ndim, *bounds)])


def without_slice(g: Array, dim: int, *bounds: int | None) -> Array:
    """`g` with zeros in a slice of it."""
    rest = g.copy()
    rest[place(dim, g.ndim, *bounds)] = 0
    return rest


def half(x: Array, dim: int, which: int) -> Array:
    """The first or the second half along a dimension."""
    return np.split(x, 2, axis=dim)[which]


def cat(x: Array, y: Array, dim: int) -> Array:
    """One after the other."""
    return np.concatenate([x, y], axis=dim)


# Lists


def cat_start(g: Array, dim: int, shapes: Sequence[Sizes | None], slot: int) -> int:
    """Where the part of a list begins in what was joined.

    Raises:
        ValueError: Too many of the shapes are not known, since no gradient went there.
    """
    lengths = [None if shape is None else _length(shape, dim) for shape in shapes]
    if lengths[:slot].count(None) == 0:
        return int(sum(length for length in lengths[:slot] if length is not None))
    if lengths.count(None) > 1:
        raise ValueError("sizes not known")
    return int(g.shape[dim] - sum(length for length in lengths[slot:] if length is not None))


def _length(shape: Sizes, dim: int) -> int:
    """Along a dimension; torch lets an empty tensor of one dimension pass for any shape."""
    return 0 if tuple(shape) == (0,) else shape[dim]


def cat_part(g: Array, dim: int, shapes: Sequence[Sizes | None], slot: int) -> Array:
    """The part of `g` that belongs to one of the tensors that were joined."""
    dim, start = dim % g.ndim, cat_start(g, dim % g.ndim, shapes, slot)
    length = _length(shapes[slot] or (), dim)
    return get_slice(g, dim, start, start + length, None) if length else zeros(shapes[slot] or (), g)


def diagonal_block(g: Array, shapes: Sequence[Sizes], slot: int) -> Array:
    """One of the blocks along the diagonal."""
    sizes = [(1, 1) if len(shape) == 0 else (1, *shape) if len(shape) == 1 else shape for shape in shapes]
    row, column = (sum(size[axis] for size in sizes[:slot]) for axis in (0, 1))
    return reshape(g[row : row + sizes[slot][0], column : column + sizes[slot][1]], shapes[slot])


def stack(gs: Sequence[Array | None], dim: int, sizes: Sizes) -> Array:
    """The gradients one beside the other; zeros where there is none."""
    dim %= len(sizes)
    missing = zeros([size for axis, size in enumerate(sizes) if axis != dim])
    return np.stack([missing if g is None else g for g in gs], axis=dim)


def join(gs: Sequence[Array | None], dim: int, sizes: Sizes, lengths: int | Sizes) -> Array:
    """The gradients one after the other; zeros where there is none."""
    sizes, dim = room(sizes), dim % len(sizes)
    if isinstance(lengths, int):
        whole = sizes[dim]
        lengths = [min(lengths, whole - start) for start in range(0, max(whole, 1), max(lengths, 1))]
    parts = [
        zeros([*sizes[:dim], length, *sizes[dim + 1 :]]) if g is None else g
        for g, length in zip(gs, lengths, strict=True)
    ]
    return np.concatenate(parts, axis=dim)


# Diagonals


def diagonal(g: Array, offset: int, dim1: int, dim2: int) -> Array:
    """A diagonal."""
    return np.diagonal(g, offset, dim1, dim2)


def put_diagonal(g: Array, sizes: Sizes, offset: int, dim1: int, dim2: int) -> Array:
    """Zeros with `g` on a diagonal."""
    into = zeros(sizes, g)
    view = np.diagonal(into, offset, dim1, dim2)
    view.setflags(write=True)
    view[...] = g
    return into


def without_diagonal(g: Array, offset: int, dim1: int, dim2: int) -> Array:
    """`g` with zeros on a diagonal."""
    return g - put_diagonal(np.diagonal(g, offset, dim1, dim2), g.shape, offset, dim1, dim2)


# Indices


def full_index(indices: Index) -> Place:
    """What numpy takes for torch's list of indices, in which None stands for a whole dimension."""
    return tuple(slice(None) if index is None else index for index in indices)


def index_add(g: Array, sizes: Sizes, indices: Index) -> Array:
    """Zeros to which every element of `g` is added where it was taken from."""
    into = zeros(sizes, g)
    np.add.at(into, full_index(indices), g)
    return into


def get_index(g: Array, indices: Index) -> Array:
    """The elements at the indices."""
    return np.asarray(g[full_index(indices)])


def without_index(g: Array, indices: Index) -> Array:
    """`g` with zeros at the indices."""
    rest = g.copy()
    rest[full_index(indices)] = 0
    return rest


def select_add(g: Array, sizes: Sizes, dim: int, index: Array) -> Array:
    """Zeros to which every slice of `g` along a dimension is added where it was taken from."""
    if not room(sizes):
        return reshape(g.sum(), ())
    into = zeros(sizes, g)
    rows: Place = (slice(None),) * (dim % into.ndim) + (np.atleast_1d(index),)
    np.add.at(into, rows, g)
    return into


def index_select(g: Array, dim: int, index: Array, sizes: Sizes | None) -> Array:
    """The slices at the indices along a dimension."""
    if g.ndim == 0:
        return expand(g, sizes or ())
    taken = np.take(g, np.atleast_1d(index), axis=dim)
    return taken if sizes is None else reshape(taken, sizes)


def without_rows(g: Array, dim: int, index: Array) -> Array:
    """`g` with zeros in the slices at the indices along a dimension."""
    return np.zeros_like(g) if g.ndim == 0 else without_slice_at(g, dim, np.atleast_1d(index))


def without_slice_at(g: Array, dim: int, index: Array) -> Array:
    """`g` with zeros in several slices."""
    rest = g.copy()
    rest[(slice(None),) * (dim % g.ndim) + (index,)] = 0
    return rest


def grid(dim: int, index: Array) -> Place:
    """Where `gather` and `scatter` look: the index in one dimension, its own place in the others."""
    places: list[Array] = list(np.indices(index.shape))
    places[dim % index.ndim] = index
    return tuple(places)


def cut_to(g: Array, sizes: Sizes) -> Array:
    """The first elements in every dimension."""
    return g[tuple(slice(size) for size in sizes)]


def scatter_add(g: Array, dim: int, index: Array, sizes: Sizes) -> Array:
    """Zeros to which the elements of `g` are added at the index along a dimension."""
    if not room(sizes):
        return reshape(np.sum(g), ())
    if index.size == 0:
        return zeros(sizes, g)
    g, index = np.atleast_1d(g), np.atleast_1d(index)
    into = zeros(sizes, g)
    np.add.at(into, grid(dim, index), cut_to(g, index.shape))
    return into


def gather(g: Array, dim: int, index: Array, sizes: Sizes) -> Array:
    """The elements at the index along a dimension, for a source that may be larger than the index."""
    if g.ndim == 0:
        return expand(g, sizes)
    index = np.atleast_1d(index)
    found = g[grid(dim, index)]
    if found.size == math.prod(sizes):
        return reshape(found, sizes)
    into = zeros(sizes, g)
    into[tuple(slice(size) for size in index.shape)] = found
    return into


def without_places(g: Array, dim: int, index: Array) -> Array:
    """`g` with zeros at the index along a dimension."""
    if g.ndim == 0:
        return np.zeros_like(g)
    rest = g.copy()
    rest[grid(dim, np.atleast_1d(index))] = 0
    return rest


def take_add(g: Array, index: Array, sizes: Sizes) -> Array:
    """Zeros to which the elements of `g` are added at flat indices."""
    into = zeros([math.prod(sizes)], g)
    np.add.at(into, index, g)
    return reshape(into, sizes)


def taken(g: Array, index: Array) -> Array:
    """The elements at flat indices."""
    return np.asarray(g.reshape(-1)[index])


def without_taken(g: Array, index: Array) -> Array:
    """`g` with zeros at flat indices."""
    rest = g.reshape(-1).copy()
    rest[index] = 0
    return reshape(rest, g.shape)


def masked_put(g: Array, mask: Array, sizes: Sizes) -> Array:
    """Zeros with the elements of `g` where the mask is true, in order."""
    into = zeros(np.broadcast_shapes(mask.shape, tuple(sizes)), g)
    into[np.broadcast_to(mask, into.shape)] = g
    return into


def masked_part(g: Array, mask: Array, sizes: Sizes) -> Array:
    """The elements where the mask is true, in order, followed by zeros."""
    found = g[np.broadcast_to(mask, g.shape)]
    into = zeros([math.prod(sizes)], g)
    into[: found.size] = found
    return reshape(into, sizes)


def embedding_back(g: Array, indices: Array, rows: int, padding_idx: int, by_frequency: bool) -> Array:
    """For each row of the table the sum of the gradients of the places where it was looked up."""
    width = g.shape[-1]
    g, indices = g.reshape(-1, width), indices.reshape(-1)
    if by_frequency:
        _, place, times = np.unique(indices, return_inverse=True, return_counts=True)
        g = g / times[place][:, None]
    into = zeros([rows, width], g)
    np.add.at(into, indices[indices != padding_idx], g[indices != padding_idx])
    return into


def bags_of(indices: Array, offsets: Array) -> Array:
    """Which bag each index belongs to: the last one that begins before it."""
    return np.asarray(np.searchsorted(offsets, np.arange(len(indices)), side="right") - 1)


def bag_back(g: Array, indices: Array, offsets: Array, by_mean: bool, weights: Array | None, rows: int) -> Array:
    """For each row of the table the sum of the gradients of the bags it was in, or of its share in their means."""
    bags = bags_of(indices, offsets)
    sent = g[bags]
    if weights is not None:
        sent = sent * weights[:, None]
    if by_mean:
        sent = sent / np.bincount(bags, minlength=len(g))[bags][:, None]
    into = zeros([rows, g.shape[-1]], g)
    np.add.at(into, indices, sent)
    return into


def bag_weights_back(g: Array, table: Array, indices: Array, offsets: Array) -> Array:
    """For each index the product of its row with the gradient of its bag."""
    return np.asarray((g[bags_of(indices, offsets)] * table[indices]).sum(axis=-1))


def unpacked(g: Array, batch_sizes: Array, sizes: Sizes, batch_first: bool) -> Array:
    """Zeros with the steps of a packed sequence where they were taken from."""
    into = zeros(sizes, g)
    steps = np.swapaxes(into, 0, 1) if batch_first else into
    start = 0
    for step, count in enumerate(batch_sizes.astype(int)):
        steps[step, :count] = g[start : start + count]
        start += count
    return into


def multi_margin(x: Array, target: Array, p: int, margin: float, weight: Array | None) -> Array:
    """The slope of the multi-class margin loss of each sample."""
    rows, target = np.atleast_2d(x), np.atleast_1d(target)
    at = np.arange(len(rows)), target
    over = np.maximum(margin - rows[at][:, None] + rows, 0)
    slope = np.where(over > 0, p * over ** (p - 1), 0.0) / rows.shape[1]
    slope = slope if weight is None else slope * weight[target][:, None]
    slope[at] = 0
    slope[at] = -slope.sum(axis=1)
    return reshape(slope, x.shape)


def one_hot(target: Array, sizes: Sizes, ignore_index: int) -> Array:
    """1 at each target's class, in the dimension of classes; 0 for targets that are ignored."""
    classes, target = sizes[1 if len(sizes) > 1 else 0], np.asarray(target)[..., None]
    room((target.size, classes))
    hot = (np.arange(classes) == target) & (target != ignore_index)
    return np.moveaxis(hot.astype(float), -1, 1) if len(sizes) > 1 else hot.astype(float)


# Repetitions and borders


def repeat_back(g: Array, repeats: Sizes, sizes: Sizes) -> Array:
    """The sum over the copies that `repeat` made."""
    sizes = (*(1 for _ in range(len(repeats) - len(sizes))), *sizes)
    g = g.reshape([part for pair in zip(repeats, sizes, strict=True) for part in pair])
    return np.asarray(g.sum(axis=tuple(range(0, g.ndim, 2))))


def roll_back(g: Array, shifts: Sizes, dims: Sizes) -> Array:
    """Rolled back."""
    back = tuple(-shift for shift in shifts)
    return np.roll(g, back, axis=tuple(dims)) if dims else np.roll(g, back[0])


def borders_of(pad: Sizes, ndim: int) -> list[tuple[int, int]]:
    """(before, after) for every dimension; torch names the last one first."""
    pairs = list(zip(pad[::2], pad[1::2], strict=True))
    return [(0, 0)] * (ndim - len(pairs)) + pairs[::-1]


def unpad(g: Array, pad: Sizes) -> Array:
    """Without the border that was padded; a border less than nothing is zeros again."""
    pairs = borders_of(pad, g.ndim)
    inside = tuple(
        slice(max(before, 0), size - max(after, 0)) for (before, after), size in zip(pairs, g.shape, strict=True)
    )
    borders = [(max(-before, 0), max(-after, 0)) for before, after in pairs]
    room([size + sum(border) for size, border in zip(g.shape, borders, strict=True)])
    return np.pad(g[inside], borders)


def pad_back(g: Array, sizes: Sizes, padding: Sizes, mode: Any) -> Array:
    """The gradients of a border added to the elements it was copied from; a border less than nothing cuts off."""
    pairs = borders_of(padding, len(sizes))
    places = np.arange(math.prod(room(sizes))).reshape(tuple(sizes))
    room([size + before + after for size, (before, after) in zip(sizes, pairs, strict=True)])
    padded = np.pad(places, [(max(before, 0), max(after, 0)) for before, after in pairs], mode=mode)
    inside = tuple(
        slice(max(-before, 0), size - max(-after, 0)) for (before, after), size in zip(pairs, padded.shape, strict=True)
    )
    return take_add(g, padded[inside], sizes)


def pixel_shuffle(g: Array, factor: int) -> Array:
    """Channels laid out as squares of pixels."""
    *batch, channels, height, width = g.shape
    wide = (*batch, channels // factor**2, factor, factor, height, width)
    apart = np.moveaxis(g.reshape(wide), [-4, -3], [-3, -1])
    return apart.reshape(*batch, channels // factor**2, height * factor, width * factor)


def pixel_unshuffle(g: Array, factor: int) -> Array:
    """Squares of pixels laid out as channels."""
    *batch, channels, height, width = g.shape
    tall = (*batch, channels, height // factor, factor, width // factor, factor)
    apart = np.moveaxis(g.reshape(tall), [-3, -1], [-4, -3])
    return apart.reshape(*batch, channels * factor**2, height // factor, width // factor)
