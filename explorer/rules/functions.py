"""The functions that rules may call: how each is computed, and how it is written."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.rules import arrays, matrices, places, resampling, special, windows

Notation = str | Callable[..., str] | None


@dataclass(frozen=True)
class Function:
    """A function of the rules' language.

    Args:
        compute: On numpy arrays and plain numbers.
        notation: Its LaTeX as a macro: `#1` is the first argument, `!1` the same in parentheses unless it
            is a single symbol, `~1` unless it is a symbol or a power.
            Or a function that is given the values of the arguments and returns the macro.
            Or None: the first argument as it is, since only its shape changes, as by broadcasting.
        loose: Whether what it writes needs parentheses beside other things.
    """

    compute: Callable[..., Any]
    notation: Notation
    loose: bool = False


def named(name: str, compute: Callable[..., Any], arguments: int = 1) -> Function:
    """A function written by its name."""
    return Function(compute, rf"\operatorname{{{name}}}({', '.join(f'#{i + 1}' for i in range(arguments))})")


def sized(name: str, compute: Callable[..., Any]) -> Function:
    """A function whose second argument is the sizes of its result."""
    return Function(compute, lambda x, to, *rest: rf"\operatorname{{{name}}}_{{{sizes(to)}}}(#1)")


def back(name: str, compute: Callable[..., Any], by: int | None = None) -> Function:
    """The transpose of a linear operation, which is how gradients go back through it.

    Args:
        name: The operation's.
        compute: The transpose.
        by: Which argument, from 1, says how the operation works: a weight, an index.
    """
    under = "" if by is None else f"_{{#{by}}}"
    return Function(compute, rf"\operatorname{{{name}}}{under}^{{\top}}(#1)")


def triangle(part: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's half of a matrix, which takes a diagonal only by a whole number, as torch does."""
    return lambda matrix, diagonal=0: part(matrix, operator.index(diagonal))


# Notations


def sizes(of: Any) -> str:
    """Sizes with crosses between them."""
    return r" \times ".join(str(int(size)) for size in of) or "()"


def expanded(x: Any, to: Any) -> str:
    """A number is multiplied with ones, anything else is repeated."""
    return (
        rf"!1 \cdot \mathbf{{1}}_{{{sizes(to)}}}"
        if np.ndim(x) == 0
        else rf"\operatorname{{expand}}_{{{sizes(to)}}}(#1)"
    )


def over(sign: str) -> Callable[..., str]:
    """A sum or the like, with the dimensions it runs over where it does not run over all."""

    def notation(x: Any, dim: Any = None, keepdim: bool = False) -> str:
        dims = arrays.dims_of(dim, np.ndim(x))
        under = "" if len(dims) == np.ndim(x) else rf"_{{\text{{dim }} {', '.join(map(str, dims))}}}"
        return rf"{sign}{under} ~1"

    return notation


def subscript(dim: int, ndim: int, *bounds: int | None) -> str:
    """A slice as Python writes it: "[:, 1:3]"."""
    one = str(bounds[0]) if len(bounds) == 1 else _slice_text(*bounds)
    return rf"[{':, ' * (dim % max(ndim, 1))}{one}]"


def _slice_text(start: int | None, end: int | None, step: int | None = None) -> str:
    shown = "" if end is None or end >= 2**62 else str(end)
    return f"{start or ''}:{shown}" + (f":{step}" if step not in (None, 1) else "")


ADDED = r"\mathrel{{+}{=}}"


def zeros_with(place: str, to: Any, sign: str = "=") -> str:
    """Zeros of some size, but for a place that holds, or has added to it, the first argument."""
    return rf"\mathbf{{0}}_{{{sizes(to)}}}\big|_{{{place} {sign} #1}}"


def without(place: str) -> str:
    """The first argument with zeros at a place."""
    return rf"!1\big|_{{{place} = 0}}"


def _part_of_list(g: Any, dim: int, shapes: Any, slot: int) -> str:
    dim %= np.ndim(g)
    if 0 in shapes[slot]:
        return rf"\mathbf{{0}}_{{{sizes(shapes[slot])}}}"
    start = places.cat_start(g, dim, shapes, slot)
    return "!1" + subscript(dim, np.ndim(g), start, start + shapes[slot][dim], None)


def _rolled(g: Any, shifts: Any, dims: Any) -> str:
    return rf"\operatorname{{roll}}_{{{', '.join(str(-shift) for shift in shifts)}}}(#1)"


def fourier_name(forward: bool) -> str:
    """The discrete Fourier transform or its inverse."""
    return r"\mathcal{F}" if forward else r"\mathcal{F}^{-1}"


FUNCTIONS: dict[str, Function] = {
    # Elementwise
    "exp": Function(np.exp, r"e^{#1}"),
    "log": Function(np.log, r"\ln(#1)"),
    "sqrt": Function(np.sqrt, r"\sqrt{#1}"),
    "sin": Function(np.sin, r"\sin(#1)"),
    "cos": Function(np.cos, r"\cos(#1)"),
    "tan": Function(np.tan, r"\tan(#1)"),
    "arcsin": Function(np.arcsin, r"\arcsin(#1)"),
    "arccos": Function(np.arccos, r"\arccos(#1)"),
    "arctan": Function(np.arctan, r"\arctan(#1)"),
    "arctan2": named("atan2", np.arctan2, 2),
    "sinh": Function(np.sinh, r"\sinh(#1)"),
    "cosh": Function(np.cosh, r"\cosh(#1)"),
    "tanh": Function(np.tanh, r"\tanh(#1)"),
    "arcsinh": named("arsinh", np.arcsinh),
    "arccosh": named("arcosh", np.arccosh),
    "arctanh": named("artanh", np.arctanh),
    "sigmoid": Function(lambda x: 1 / (1 + np.exp(-x)), r"\sigma(#1)"),
    "abs": Function(np.abs, r"\left|#1\right|"),
    "sign": named("sign", arrays.sign),
    "floor": Function(np.floor, r"\left\lfloor #1 \right\rfloor"),
    "trunc": named("trunc", np.trunc),
    "isfinite": Function(np.isfinite, r"[\,#1 \text{ finite}\,]"),
    "maximum": Function(np.maximum, r"\max(#1, #2)"),
    "minimum": Function(np.minimum, r"\min(#1, #2)"),
    "where": Function(np.where, None),  # written as cases
    "conj": Function(arrays.conjugate, lambda x: r"\overline{#1}" if np.iscomplexobj(x) else "#1"),
    "real": Function(np.real, r"\operatorname{Re}(#1)"),
    "imag": Function(np.imag, r"\operatorname{Im}(#1)"),
    "complex_of": Function(arrays.complex_of, r"!1_{[\ldots, 0]} + i\, !1_{[\ldots, 1]}", loose=True),
    "pairs_of": Function(arrays.pairs_of, r"(\operatorname{Re} !1, \operatorname{Im} !1)"),
    "is_complex": Function(np.iscomplexobj, None),
    "single": Function(arrays.single_quotient, r"\left(\tfrac{#1}{#2}\right)_{\text{float32}}"),
    "erf": named("erf", special.erf),
    "erfinv": Function(special.erfinv, r"\operatorname{erf}^{-1}(#1)"),
    "digamma": Function(special.digamma, r"\psi(#1)"),
    "polygamma": Function(special.polygamma, r"\psi^{(#1)}(#2)"),
    # Shapes
    "sizes": Function(np.shape, None),
    "zeros": Function(arrays.zeros, lambda to: rf"\mathbf{{0}}_{{{sizes(to)}}}"),
    "numel": Function(np.size, lambda x: str(np.size(x))),
    "count": Function(arrays.count, lambda of, dim: str(arrays.count(of, dim))),
    "last_size": Function(lambda x: x.shape[-1], lambda x: str(x.shape[-1])),
    "last_dims": Function(arrays.last_dims, None),
    "but_channels": Function(arrays.but_channels, None),
    "expand": Function(arrays.expand, expanded),
    "spread": Function(arrays.spread, lambda x, dim, keepdim, to: expanded(x, to)),
    "along": Function(arrays.along, None),
    "channels": Function(arrays.channels, None),
    "reshape": sized("reshape", arrays.reshape),
    "T": Function(lambda x: arrays.swap(x, -2, -1), r"!1^{\top}"),
    "swap": Function(arrays.swap, r"\operatorname{transpose}_{#2, #3}(#1)"),
    "permute": Function(np.transpose, r"\operatorname{permute}_{#2}(#1)"),
    "permute_back": Function(arrays.permute_back, r"\operatorname{permute}_{#2}^{-1}(#1)"),
    "flip": Function(lambda x, dims: np.flip(x, tuple(dims)), r"\operatorname{flip}_{#2}(#1)"),
    "rotate": Function(np.rot90, r"\operatorname{rot90}_{#2}(#1)"),
    "roll_back": Function(places.roll_back, _rolled),
    "triu": Function(triangle(np.triu), r"\operatorname{triu}_{#2}(#1)"),
    "tril": Function(triangle(np.tril), r"\operatorname{tril}_{#2}(#1)"),
    "repeat_back": back("repeat", places.repeat_back, 2),
    "unpad": back("pad", places.unpad, 2),
    "pad_back": back("pad", places.pad_back, 3),
    "pixel_shuffle": named(r"pixel\_shuffle", places.pixel_shuffle),
    "pixel_unshuffle": named(r"pixel\_unshuffle", places.pixel_unshuffle),
    # Parts and where they go
    "get_slice": Function(places.get_slice, lambda g, dim, *bounds: "!1" + subscript(dim, np.ndim(g), *bounds)),
    "put_slice": Function(
        places.put_slice, lambda g, to, dim, *bounds: zeros_with(subscript(dim, len(to), *bounds), to)
    ),
    "without_slice": Function(
        places.without_slice, lambda g, dim, *bounds: without(subscript(dim, np.ndim(g), *bounds))
    ),
    "half": Function(places.half, lambda x, dim, which: f"!1_{{{which + 1}/2}}"),
    "cat": Function(places.cat, r"\operatorname{cat}(#1,\; #2)"),
    "cat_part": Function(places.cat_part, _part_of_list),
    "diagonal_block": Function(places.diagonal_block, r"\operatorname{block}_{#3}(#1)"),
    "stack": Function(places.stack, r"\operatorname{stack}(#1)"),
    "join": Function(places.join, r"\operatorname{cat}(#1)"),
    "diagonal": named("diag", places.diagonal),
    "put_diagonal": Function(places.put_diagonal, lambda g, to, *where: zeros_with(r"\operatorname{diag}", to)),
    "without_diagonal": Function(places.without_diagonal, without(r"\operatorname{diag}")),
    "index_add": Function(places.index_add, lambda g, to, index: zeros_with("[#3]", to, ADDED)),
    "get_index": Function(places.get_index, "!1[#2]"),
    "without_index": Function(places.without_index, without("[#2]")),
    "select_add": Function(places.select_add, lambda g, to, dim, index: zeros_with("[#4]", to, ADDED)),
    "index_select": Function(places.index_select, "!1[#3]"),
    "without_rows": Function(places.without_rows, without("[#3]")),
    "unique": Function(np.unique, None),
    "scatter_add": Function(places.scatter_add, lambda g, dim, index, to: zeros_with("[#3]", to, ADDED)),
    "scatter": Function(places.scatter_add, lambda g, dim, index, to: zeros_with("[#3]", to)),
    "gather": Function(places.gather, "!1[#3]"),
    "take_along": Function(lambda x, dim, index: np.take_along_axis(x, index, dim), "!1[#3]"),
    "without_places": Function(places.without_places, without("[#3]")),
    "take_add": Function(places.take_add, lambda g, index, to: zeros_with("[#2]", to, ADDED)),
    "taken": Function(places.taken, "!1[#2]"),
    "without_taken": Function(places.without_taken, without("[#2]")),
    "masked_put": Function(places.masked_put, lambda g, mask, to: zeros_with("[#2]", to)),
    "masked_part": Function(places.masked_part, "!1[#2]"),
    "embedding_back": Function(
        places.embedding_back, lambda g, index, rows, *rest: zeros_with("[#2]", (rows, g.shape[-1]), ADDED)
    ),
    "lookup": Function(lambda g, index: g[index], "!1[#2]"),
    "one_hot": Function(places.one_hot, r"\operatorname{onehot}(#1)"),
    # Sums and products
    "sum": Function(arrays.reduce_sum, over(r"\textstyle\sum"), loose=True),
    "mean": Function(arrays.mean, over(r"\operatorname{mean}"), loose=True),
    "prod": Function(lambda x: np.asarray(np.prod(x)), over(r"\textstyle\prod"), loose=True),
    "any_zero": Function(lambda x: not np.all(x), None),
    "max": Function(np.max, over(r"\max")),
    "min": Function(np.min, over(r"\min")),
    "count_true": Function(np.count_nonzero, lambda x: str(np.count_nonzero(x))),
    "cumsum": Function(arrays.cumsum, r"\operatorname{cumsum}(#1)"),
    "cumsum_back": back("cumsum", arrays.cumsum_back),
    "cumprod_back": Function(
        arrays.cumprod_back, r"\textstyle\sum_{i \geq k} !1_{i} \prod_{j \leq i,\, j \neq k} !2_{j}", loose=True
    ),
    "logcumsumexp_back": Function(
        arrays.logcumsumexp_back, r"\textstyle\sum_{i \geq k} !1_{i}\, e^{!2_{k} - !3_{i}}", loose=True
    ),
    "cumprod": Function(arrays.cumprod, r"\operatorname{cumprod}(#1)"),
    "product_of_others": Function(arrays.product_of_others, r"\textstyle\prod_{j \neq i} !1_{j}"),
    "outer": Function(arrays.outer, r"!1\, !2^{\top}"),
    "cross": Function(arrays.cross, r"!1 \times !2", loose=True),
    "eye": Function(arrays.eye, lambda to: rf"I_{{{sizes(to)}}}"),
    "inv": Function(np.linalg.inv, r"!1^{-1}"),
    "solve": Function(arrays.solve, r"!1^{-1}\, !2"),
    "rank": Function(np.ndim, None),
    "cholesky_back": Function(arrays.cholesky_back, r"!2^{-\top}\, \operatorname{sym}(!2^{\top}\, #1)\, !2^{-1}"),
    "ones": Function(lambda to: np.ones(arrays.room(to)), lambda to: rf"\mathbf{{1}}_{{{sizes(to)}}}"),
    "unsqueezed": Function(lambda x, dims: np.expand_dims(x, dims), None),
    "sum_over": Function(
        arrays.sum_over, lambda x, dims: over(r"\textstyle\sum")(x, dims) if dims else "#1", loose=True
    ),
    "but_one": Function(arrays.but_one, None),
    "rows": Function(lambda x: x.shape[-2], None),
    "columns": Function(lambda x: x.shape[-1], None),
    "triangle": Function(matrices.triangle, lambda x, *how: "#1"),
    "strictly": Function(matrices.strictly, lambda x, upper, unit: rf"\operatorname{{tri{'u' if upper else 'l'}}}(#1)"),
    "twice_symmetric": Function(matrices.twice_symmetric, r"\operatorname{copyltu}(#1)"),
    "eigh_back": Function(matrices.eigh_back, matrices.eigh_notation),
    "svd_back": Function(matrices.svd_back, matrices.svd_notation),
    "fourier": Function(matrices.fourier, lambda g, dim, how, forward: fourier_name(forward) + "(#1)"),
    "half_fourier": Function(matrices.half_fourier, r"\operatorname{irfft}^{\top}(#1)"),
    "padded_to": Function(matrices.padded_to, r"\operatorname{pad}(#1)"),
    # Windows
    "conv": Function(windows.conv, r"\operatorname{conv}_{#2}(#1)"),
    "conv_input": back("conv", windows.conv_input, 2),
    "conv_weight": back("conv", windows.conv_weight, 2),
    "scatter_planes": Function(windows.scatter_planes, lambda g, index, to, ndim: zeros_with("[#2]", to, ADDED)),
    "gather_planes": Function(windows.gather_planes, "!1[#2]"),
    "avg_pool_back": back(r"avg\_pool", windows.avg_pool_back),
    "adaptive_avg_pool_back": back(r"adaptive\_avg\_pool", windows.adaptive_avg_pool_back),
    "upsample_back": back("upsample", windows.upsample_back),
    "resample_back": back("interpolate", resampling.resample_back),
    "grid_sample_back": Function(
        resampling.grid_sample_back,
        lambda g, x, pixels, to_grid, *how: (
            rf"\left(\tfrac{{\partial\, \text{{sample of }} #2 \text{{ at }} #3}}"
            rf"{{\partial\, \text{{{'grid' if to_grid else 'image'}}}}}\right)^{{\top}} #1"
        ),
    ),
    "image_size": Function(resampling.image_size, lambda x: rf"({', '.join(map(str, x.shape[:1:-1]))})"),
    "affine_grid_back": back(r"affine\_grid", resampling.affine_grid_back),
    "im2col": named("unfold", windows.im2col),
    "col2im": named("fold", windows.col2im),
    "channel_shuffle": back(r"channel\_shuffle", windows.channel_unshuffle),
    "windows_along": named("unfold", windows.windows_along),
    "bag_back": Function(places.bag_back, lambda g, index, *rest: zeros_with("[#2]", (rest[3], g.shape[-1]), ADDED)),
    "bag_weights_back": Function(places.bag_weights_back, r"\textstyle\sum #2[#3] \odot #1", loose=True),
    "unpacked": back(r"pack", places.unpacked),
    "multi_margin": Function(places.multi_margin, r"\tfrac{\partial\, \text{margin loss}}{\partial #1}"),
    "samples": Function(lambda of: of[0] if len(of) > 1 else 1, lambda of: str(of[0] if len(of) > 1 else 1)),
    "bessel": Function(special.bessel, "I_{#1}(#2)"),
    "multi_digamma": Function(
        special.multi_digamma, r"\textstyle\sum_{j=1}^{#2} \psi(!1 + \tfrac{1 - j}{2})", loose=True
    ),
    "fold": back("unfold", windows.fold),
    "causal": Function(windows.causal, lambda query, key, is_causal: r"\operatorname{causal}" if is_causal else "0"),
}

CONSTANTS = {"pi": math.pi, "inf": math.inf, "i": 1j}
"""Names with a meaning of their own, and their values."""
