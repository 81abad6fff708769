"""Derivative and differential: a function of one number, its derivative everywhere, and dy against Δy at one point."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Annotated, NamedTuple, Self

import msgspec
import numpy as np

from explorer.labs.advice import advice_on_values
from explorer.labs.function_text import MOST_CHARACTERS, function_source, imports_for
from explorer.labs.reading import Array, array, grad, returned, tensor, written_numbers
from explorer.labs.settings import Coordinate, LabSettings, Reach
from explorer.model import Recording, TensorValue

HALF = 200
"""Points of the curve on each side of 0, which is one more."""
POINTS = 2 * HALF + 1
SIDE_STEP = 1e-6
"""How far beside each point the slopes on its two sides are measured, in float64."""
SHRINKING = 33
"""How many steps dx, from 1 down to 1e-4, the gap between Δy and dy is measured at."""
SUDDEN = 1000
"""A gap so many times as large as what rounding makes does not shrink to nothing by the next smaller dx; it ends."""

EPSILON = {"float64": 2.3e-16, "float32": 1.2e-7, "float16": 9.8e-4, "bfloat16": 7.9e-3}
"""Relative rounding error by type."""


class DerivativeSettings(LabSettings, frozen=True, kw_only=True):
    """What the derivative lab shows.

    Args:
        f: The function's text, of `x`.
        reach: The curve goes from -reach to reach.
        at: The chosen point; the curve's point next to it counts.
        dx: The chosen step, likewise.
        second: Whether the second derivative is computed too.
    """

    f: Annotated[str, msgspec.Meta(max_length=MOST_CHARACTERS)] = "x**2"
    reach: Reach = 2.0
    at: Coordinate = 0.5
    dx: Coordinate = 1.0
    second: bool = False

    @property
    def spacing(self) -> float:
        """Distance of two neighbours on the curve."""
        return self.reach / HALF

    def snapped(self) -> Self:
        """The same, with point and step on the curve's points and the step's end still on the curve."""
        place = self.place
        steps = min(max(round(self.dx / self.spacing), -place), POINTS - 1 - place)
        return msgspec.structs.replace(self, at=(place - HALF) * self.reach / HALF, dx=steps * self.reach / HALF)

    @property
    def place(self) -> int:
        """Index of the curve's point next to the chosen one."""
        return min(max(round(self.at / self.spacing) + HALF, 0), POINTS - 1)


def advice_on(recording: Recording) -> str | None:
    """Key of the advice on a function whose curve cannot be drawn; None where it can."""
    return advice_on_values(recording, ("y", "x"), ("y", "x"), alone=-1)


@cache
def curves() -> tuple[DerivativeSettings, ...]:
    """The functions offered, each with the settings that it opens with; the first is the default."""
    table = tomllib.loads(resources.files(__package__).joinpath("curves.toml").read_text("utf-8"))
    return tuple(msgspec.convert(entry, DerivativeSettings) for entry in table["curve"])


def program_text(settings: DerivativeSettings) -> str:
    """The program: the whole curve with its derivative in one pass, then one point with ever smaller steps dx.

    Raises:
        ProgramInvalid: The function's text is none.
    """
    settings = settings.snapped()
    return f"""{imports_for(settings.f)}


{function_source(settings.f)}

# One run, many points: the gradient of the sum is the derivative at every point.
x = torch.arange({-HALF}, {HALF + 1}, dtype=torch.float64) * {settings.reach!r} / {HALF}
x.requires_grad_(True)
y = f(x)
{_SECOND if settings.second else "y.sum().backward()"}

# The slopes of f just left and just right of every point.
h = {SIDE_STEP}
with torch.no_grad():
    right = (f(x + h) - f(x)) / h
    left = (f(x) - f(x - h)) / h

# One point: how far the curve (Δy) and its tangent (dy) are apart, for ever smaller dx.
at = torch.tensor({settings.at!r}, dtype=torch.float64, requires_grad=True)
(slope,) = torch.autograd.grad(f(at), at)
with torch.no_grad():
    dx = torch.logspace(0, -4, {SHRINKING}, dtype=torch.float64)
    gap_right = (f(at + dx) - f(at)) - slope * dx
    gap_left = (f(at - dx) - f(at)) + slope * dx
"""


_SECOND = """(first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
second = torch.zeros_like(x)
if first.requires_grad:  # else f′ does not depend on x
    (second,) = torch.autograd.grad(first.sum(), x, materialize_grads=True)"""


def point_program(settings: DerivativeSettings) -> str:
    """The function at the chosen point alone, as the graph page opens it."""
    settings = settings.snapped()
    return f"""{imports_for(settings.f)}


{function_source(settings.f)}

x = torch.tensor({settings.at!r}, requires_grad=True)
y = f(x)
y.backward()
print(x.grad)
"""


def sum_program(settings: DerivativeSettings) -> str:
    """The function at three points, differentiated by one pass through the sum of its values."""
    settings = settings.snapped()
    points = sorted({settings.at, *(settings.at + shift * settings.reach / 4 for shift in (-1, 1))})
    return f"""{imports_for(settings.f)}


{function_source(settings.f)}

x = torch.tensor({written_numbers(points)}, requires_grad=True)
y = f(x)
y.sum().backward()
print(x.grad)
"""


class Curve(NamedTuple):
    """What torch said of a function: arrays over the points `x`.

    Args:
        x, y, slope: The points, f and f′ there.
        second: f″; None where it was not asked for.
        left, right: The slopes measured on the two sides.
        dx, gap_left, gap_right: Steps, and Δy - dy at the chosen point to the left and to the right.
        rounding: The relative rounding error of f's type.
        place: Index of the chosen point.
        steps: The chosen dx in points.
    """

    x: Array
    y: Array
    slope: Array
    second: Array | None
    left: Array
    right: Array
    dx: Array
    gap_left: Array
    gap_right: Array
    rounding: float
    place: int
    steps: int

    @property
    def step(self) -> float:
        """The chosen dx."""
        return float(self.x[self.place + self.steps] - self.x[self.place])

    @property
    def dy(self) -> float:
        """The differential: how far the tangent rises over dx."""
        return float(self.slope[self.place] * self.step)

    @property
    def rise(self) -> float:
        """Δy: how far the curve rises over dx."""
        return float(self.y[self.place + self.steps] - self.y[self.place])

    @property
    def gap(self) -> float:
        """How far Δy and dy are apart."""
        return self.rise - self.dy


def read_curve(recording: Recording, settings: DerivativeSettings) -> Curve:
    """The curve in the recording of its program.

    Args:
        recording: Of `program_text` with settings that differ at most in dx.
        settings: What is chosen.
    """
    settings = settings.snapped()
    result = _result(recording)
    slope, second = _derivatives(recording, settings)
    return Curve(
        x=array(tensor(recording, "x")),
        y=array(result),
        slope=slope,
        second=second,
        **{name: array(tensor(recording, name)) for name in ("left", "right", "dx", "gap_left", "gap_right")},
        rounding=EPSILON.get(result.dtype, EPSILON["float64"]),
        place=settings.place,
        steps=round(settings.dx / settings.spacing),
    )


def shrinking_power(curve: Curve) -> float | None:
    """The power p in |Δy - dy| ~ |dx|^p for small dx, by least squares on a log-log scale.

    2 where f is smooth and bends, 1 at a kink, 3 at a turning point of f′; None where f is straight and the gap 0, also
    where that ends at a kink farther off.
    """
    gap = np.abs(curve.gap_left if curve.steps < 0 else curve.gap_right)
    noise = 1000 * curve.rounding * max(1.0, abs(float(curve.y[curve.place])))
    usable = np.isfinite(gap) & (gap > noise) & (curve.dx <= 0.1)
    if usable.sum() < 3 or (not usable[-1] and gap[usable][-1] > SUDDEN * noise):
        return None
    return float(np.polyfit(np.log(curve.dx[usable]), np.log(gap[usable]), 1)[0])


def _result(recording: Recording) -> TensorValue:
    """f's result, which is x itself where f returns its argument."""
    try:
        return tensor(recording, "y")
    except KeyError:
        return tensor(recording, "x")


def _derivatives(recording: Recording, settings: DerivativeSettings) -> tuple[Array, Array | None]:
    if not settings.second:
        return array(grad(recording, "x")), None
    first, *rest = (values[0] for values in returned(recording)[:-1])  # the last pass is that of the one point
    second = rest[0] if rest and rest[0] is not None else tensor(recording, "second")
    assert first is not None
    return array(first), array(second)
