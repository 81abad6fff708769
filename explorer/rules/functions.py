"""The functions that rules may call: how each is computed, and how it is written."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.rules import arrays

Notation = str | Callable[..., str] | None


@dataclass(frozen=True)
class Function:
    """A function of the rules' language.

    Args:
        compute: On numpy arrays and plain numbers.
        notation: Its LaTeX as a macro: `#1` is the first argument, `!1` the same in parentheses unless it
            is a single symbol. Or a function that is given the values of the arguments and returns the macro.
            Or None: the first argument as it is, since only its shape changes, as by broadcasting.
        takes_none: Whether it can do with None as its first argument; otherwise its value is then None too.
        loose: Whether what it writes needs parentheses beside other things.
    """

    compute: Callable[..., Any]
    notation: Notation
    takes_none: bool = False
    loose: bool = False


def named(name: str, compute: Callable[..., Any], arguments: int = 1) -> Function:
    """A function written by its name."""
    return Function(compute, rf"\operatorname{{{name}}}({', '.join(f'#{i + 1}' for i in range(arguments))})")


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


def summed(x: Any, dim: Any = None, keepdim: bool = False) -> str:
    """A sum, with the dimensions it runs over where it does not run over all."""
    dims = arrays.dims_of(dim, np.ndim(x))
    under = "" if len(dims) == np.ndim(x) else rf"_{{\text{{dim }} {', '.join(map(str, dims))}}}"
    return rf"\textstyle\sum{under} !1"


FUNCTIONS: dict[str, Function] = {
    # Elementwise
    "exp": Function(np.exp, r"e^{#1}"),
    "log": Function(np.log, r"\ln(#1)"),
    "sin": Function(np.sin, r"\sin(#1)"),
    "cos": Function(np.cos, r"\cos(#1)"),
    "tan": Function(np.tan, r"\tan(#1)"),
    "sinh": Function(np.sinh, r"\sinh(#1)"),
    "cosh": Function(np.cosh, r"\cosh(#1)"),
    "tanh": Function(np.tanh, r"\tanh(#1)"),
    "sqrt": Function(np.sqrt, r"\sqrt{#1}"),
    "abs": Function(np.abs, r"\left|#1\right|"),
    "sign": named("sign", np.sign),
    "conj": Function(arrays.conjugate, lambda x: r"\overline{#1}" if np.iscomplexobj(x) else "#1"),
    "erf": named("erf", arrays.erf),
    "where": Function(np.where, None),  # written as cases
    "maximum": Function(np.maximum, r"\max(#1, #2)"),
    "minimum": Function(np.minimum, r"\min(#1, #2)"),
    # Shapes
    "expand": Function(arrays.expand, expanded),
    "spread": Function(arrays.spread, lambda x, dim, keepdim, to: expanded(x, to)),
    "along": Function(arrays.along, None),
    "reshape": Function(arrays.reshape, lambda x, to: rf"\operatorname{{reshape}}_{{{sizes(to)}}}(#1)"),
    "T": Function(lambda x: arrays.swap(x, -2, -1), r"!1^{\top}"),
    "numel": Function(lambda shape: math.prod(shape), r"\left|#1\right|"),
    # Sums and products
    "sum": Function(arrays.reduce_sum, summed, loose=True),
    "outer": Function(np.outer, r"!1\, !2^{\top}"),
}
