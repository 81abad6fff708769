"""Jacobian of a function of a vector: its rows by backward passes, its columns by forward mode."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Annotated, NamedTuple

import msgspec
import numpy as np

from explorer.labs.function_text import MOST_CHARACTERS, function_source, imports_for
from explorer.labs.reading import Array, array, tensor, written_numbers
from explorer.labs.settings import Coordinate, LabSettings
from explorer.model import Recording

MOST_ELEMENTS = 6
"""Of x, and of y: more numbers than that are no picture."""

Elements = Annotated[tuple[Coordinate, ...], msgspec.Meta(min_length=1, max_length=MOST_ELEMENTS)]
Weights = Annotated[tuple[Annotated[float, msgspec.Meta(ge=-2, le=2)], ...], msgspec.Meta(max_length=MOST_ELEMENTS)]


class JacobianSettings(LabSettings, frozen=True, kw_only=True):
    """What the Jacobian lab shows.

    Args:
        f: The function's text, of the vector `x`.
        x: The point.
        v: The gradient that a backward pass starts from, one number for each element of y; missing ones are 0.
        u: The direction that forward mode goes, one number for each element of x; missing ones are 0.
    """

    f: Annotated[str, msgspec.Meta(max_length=MOST_CHARACTERS)] = (
        "torch.stack([x[0] * x[1], x[0] + x[1], torch.sin(x[0])])"
    )
    x: Elements = (1.0, 2.0)
    v: Weights = (1.0,)
    u: Weights = (1.0,)


@cache
def functions_offered() -> tuple[JacobianSettings, ...]:
    """The functions offered; the first is the default."""
    table = tomllib.loads(resources.files(__package__).joinpath("jacobians.toml").read_text("utf-8"))
    return tuple(msgspec.convert(entry, JacobianSettings) for entry in table["function"])


def program_text(settings: JacobianSettings) -> str:
    """The program: the Jacobian twice, row by row and column by column; v and u are not in it.

    Raises:
        ProgramInvalid: The function's text is none.
    """
    return f"""{imports_for(settings.f)}
from torch.autograd import forward_ad


{function_source(settings.f)}

x = torch.tensor({written_numbers(settings.x)}, dtype=torch.float64, requires_grad=True)
y = f(x).reshape(-1)

# Reverse mode: a backward pass that starts from a single 1 gives one row.
ones = torch.eye(len(y), dtype=y.dtype)
rows = [torch.autograd.grad(y, x, grad_outputs=one, retain_graph=True)[0] for one in ones]
jacobian = torch.stack(rows)

# Forward mode: a direction that is a single 1 gives one column.
ones = torch.eye(len(x), dtype=x.dtype)
with torch.no_grad(), forward_ad.dual_level():
    results = [f(forward_ad.make_dual(x.detach(), one)).reshape(-1) for one in ones]
    by_columns = torch.stack([forward_ad.unpack_dual(result).tangent for result in results], dim=1)
"""


def backward_program(settings: JacobianSettings, v: Sequence[float]) -> str:
    """The one backward pass that computes v transposed times the Jacobian, as the graph page opens it."""
    return f"""{imports_for(settings.f)}


{function_source(settings.f)}

x = torch.tensor({written_numbers(settings.x)}, requires_grad=True)
y = f(x).reshape(-1)
y.backward(gradient=torch.tensor({written_numbers(v)}))
print(x.grad)
"""


class Jacobian(NamedTuple):
    """What torch said of a function of a vector.

    Args:
        x, y: (n,) and (m,).
        matrix: (m, n), by backward passes.
        by_columns: The same, by forward mode.
        v, u: (m,) and (n,), as chosen.
    """

    x: Array
    y: Array
    matrix: Array
    by_columns: Array
    v: Array
    u: Array

    @property
    def backward(self) -> Array:
        """What `backward(gradient=v)` puts into `x.grad`: the rows, weighted by v and added up, (n,)."""
        return _combined(self.v, self.matrix)

    @property
    def forward(self) -> Array:
        """What forward mode gives along u: the columns, weighted by u and added up, (m,)."""
        return _combined(self.u, self.matrix.T)

    @property
    def modes_agree(self) -> bool:
        """Whether forward and reverse mode give the same matrix."""
        return bool(np.allclose(self.matrix, self.by_columns, rtol=1e-6, atol=1e-9, equal_nan=True))


def read_jacobian(recording: Recording, settings: JacobianSettings) -> Jacobian:
    """The Jacobian in the recording of its program."""
    x, y = array(tensor(recording, "x")), array(tensor(recording, "y"))
    return Jacobian(
        x=x,
        y=y,
        matrix=array(tensor(recording, "jacobian")),
        by_columns=array(tensor(recording, "by_columns")),
        v=padded(settings.v, len(y)),
        u=padded(settings.u, len(x)),
    )


def advice_on(recording: Recording) -> str | None:
    """Key of the advice on a function whose Jacobian cannot be drawn; None where it can."""
    y = tensor(recording, "y")
    if y.dtype.startswith("complex"):
        return "labs.advice.complex"
    return None if 1 <= y.numel <= MOST_ELEMENTS else "labs.advice.many"


def padded(numbers: Sequence[float], count: int) -> Array:
    """As many numbers as asked for: the first ones, then zeros."""
    return np.array([*numbers, *[0.0] * count][:count])


def _combined(weights: Array, rows: Array) -> Array:
    """The rows, weighted and added up; a row of weight 0 does not count, not even nan."""
    some = weights != 0
    total: Array = weights[some] @ rows[some]
    return total
