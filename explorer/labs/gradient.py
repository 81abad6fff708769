"""Gradient of a function of two numbers: a map of it, arrows, slopes along every direction, and how it curves."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Annotated, Literal, NamedTuple, Self

import msgspec
import numpy as np

from explorer.labs.advice import advice_on_values
from explorer.labs.function_text import MOST_CHARACTERS, function_source, imports_for
from explorer.labs.reading import Array, array, returned, tensor, tensors
from explorer.labs.settings import Coordinate, LabSettings, Reach
from explorer.model import Recording

MAP_HALF = 20
"""Points of the map, all of which can be chosen, on each side of 0, which is one more."""
ARROWS_HALF = 6
"""Points with an arrow on each side of 0."""
ANGLE_STEP = 5
"""Degrees between two directions."""

Bend = Literal["bowl", "dome", "saddle", "trough", "flat", "unknown"]


class GradientSettings(LabSettings, frozen=True, kw_only=True):
    """What the gradient lab shows.

    Args:
        f: The function's text, of `x` and `y`.
        reach: The map goes from -reach to reach in both directions.
        at_x, at_y: The chosen point; the place next to it counts.
        angle: The chosen direction in degrees, counterclockwise from the x axis.
        view: A map with contour lines, or the surface in space.
    """

    f: Annotated[str, msgspec.Meta(max_length=MOST_CHARACTERS)] = "x**2 + 2 * y**2"
    reach: Reach = 2.0
    at_x: Coordinate = 1.0
    at_y: Coordinate = 0.5
    angle: Annotated[int, msgspec.Meta(ge=0, lt=360)] = 0
    view: Literal["contour", "surface"] = "contour"

    @property
    def spacing(self) -> float:
        """Distance of two places that can be chosen."""
        return self.reach / MAP_HALF

    def snapped(self) -> Self:
        """The same, with point and direction on places that can be chosen."""
        place = {name: self._place(getattr(self, name)) for name in ("at_x", "at_y")}
        return msgspec.structs.replace(self, angle=round(self.angle / ANGLE_STEP) * ANGLE_STEP % 360, **place)

    def _place(self, coordinate: float) -> float:
        steps = min(max(round(coordinate / self.spacing), -MAP_HALF), MAP_HALF)
        return steps * self.reach / MAP_HALF


class Offered(NamedTuple):
    """A function that the labs offer.

    Args:
        gradient: The settings that the gradient lab opens with.
        start_x, start_y, lr: Where descent starts, and its learning rate.
    """

    gradient: GradientSettings
    start_x: float
    start_y: float
    lr: float


@cache
def surfaces() -> tuple[Offered, ...]:
    """The functions offered; the first is the default."""
    table = tomllib.loads(resources.files(__package__).joinpath("surfaces.toml").read_text("utf-8"))
    descent = ("start_x", "start_y", "lr")
    return tuple(
        Offered(
            msgspec.convert({name: value for name, value in entry.items() if name not in descent}, GradientSettings),
            *(entry[name] for name in descent),
        )
        for entry in table["surface"]
    )


def map_text(reach: float) -> str:
    """Program text that computes f on a map of points, `height`, row by row from low to high y."""
    return f"""# A map: f at {2 * MAP_HALF + 1} times {2 * MAP_HALF + 1} points.
side = torch.arange({-MAP_HALF}, {MAP_HALF + 1}, dtype=torch.float64) * {reach!r} / {MAP_HALF}
with torch.no_grad():
    map_y, map_x = torch.meshgrid(side, side, indexing="ij")
    height = f(map_x, map_y) + torch.zeros_like(map_x)"""


def map_program(f: str, reach: float) -> str:
    """A program that computes the map alone.

    Raises:
        ProgramInvalid: The function's text is none.
    """
    return f"{imports_for(f)}\n\n\n{function_source(f, 'x, y')}\n\n{map_text(reach)}\n"


def program_text(settings: GradientSettings) -> str:
    """The program: map, arrows from one backward pass, and at one point gradient, slopes and second derivatives.

    The direction is not in it: slopes along all directions are.

    Raises:
        ProgramInvalid: The function's text is none.
    """
    settings = settings.snapped()
    count = 360 // ANGLE_STEP
    return f"""{imports_for(settings.f)}
from torch.autograd import forward_ad


{function_source(settings.f, "x, y")}

{map_text(settings.reach)}

# Arrows: one pass through the sum gives the gradient at every point of a grid.
side = torch.arange({-ARROWS_HALF}, {ARROWS_HALF + 1}, dtype=torch.float64) * {settings.reach!r} / {ARROWS_HALF}
y, x = (part.clone().requires_grad_(True) for part in torch.meshgrid(side, side, indexing="ij"))
z = f(x, y)
z.sum().backward()

# One point: the gradient, by one backward pass.
at = torch.tensor([{settings.at_x!r}, {settings.at_y!r}], dtype=torch.float64, requires_grad=True)
value = f(at[0], at[1])
(gradient,) = torch.autograd.grad(value, at, create_graph=True)

# The slopes along {count} directions, by forward mode: no gradient is used.
angle = torch.arange(0, 360, {ANGLE_STEP}, dtype=torch.float64) * torch.pi / 180
with torch.no_grad(), forward_ad.dual_level():
    along_x = forward_ad.make_dual(at[0].repeat({count}), torch.cos(angle))
    along_y = forward_ad.make_dual(at[1].repeat({count}), torch.sin(angle))
    slopes = forward_ad.unpack_dual(f(along_x, along_y)).tangent.clone()

# How the gradient itself changes: the Hessian, one backward pass for each row, and its axes.
hessian = torch.zeros(2, 2, dtype=torch.float64)
if gradient.requires_grad:  # else it is the same everywhere
    rows = [torch.autograd.grad(part, at, retain_graph=True, materialize_grads=True)[0] for part in gradient]
    hessian = torch.stack(rows)
if hessian.isfinite().all():
    axes = torch.linalg.eigh(hessian)
"""


def point_program(settings: GradientSettings) -> str:
    """The function at the chosen point alone, as the graph page opens it."""
    settings = settings.snapped()
    return f"""{imports_for(settings.f)}


{function_source(settings.f, "x, y")}

x = torch.tensor({settings.at_x!r}, requires_grad=True)
y = torch.tensor({settings.at_y!r}, requires_grad=True)
z = f(x, y)
z.backward()
print(x.grad, y.grad)
"""


class Map(NamedTuple):
    """f on a grid of points.

    Args:
        side: The coordinates, of x as of y.
        height: f, a row for each y.
    """

    side: Array
    height: Array


class Surface(NamedTuple):
    """What torch said of a function of two numbers.

    Args:
        map: f on a grid.
        arrows_x, arrows_y: The coordinates of the points with arrows.
        slope_x, slope_y: The gradient at each.
        at: The chosen point, (2,).
        value: f there.
        gradient: (2,).
        angles, slopes: Directions in radians, and the slope along each by forward mode.
        hessian: (2, 2).
        curvatures, axes: The Hessian's eigenvalues and, as columns, its eigenvectors; None where it is not finite.
    """

    map: Map
    arrows_x: Array
    arrows_y: Array
    slope_x: Array
    slope_y: Array
    at: Array
    value: float
    gradient: Array
    angles: Array
    slopes: Array
    hessian: Array
    curvatures: Array | None
    axes: Array | None

    @property
    def steepest(self) -> float:
        """The gradient's length: the slope along it, which no direction exceeds."""
        return float(np.hypot(*self.gradient))

    @property
    def is_smooth(self) -> bool:
        """Whether forward mode finds the slope that the gradient promises along every direction."""
        promised = self.gradient[0] * np.cos(self.angles) + self.gradient[1] * np.sin(self.angles)
        return bool(np.allclose(promised, self.slopes, rtol=1e-4, atol=1e-6))

    @property
    def bend(self) -> Bend:
        """How f curves at the point."""
        if self.curvatures is None:
            return "unknown"
        low, high = self.curvatures
        least = 1e-9 * max(1.0, abs(low), abs(high))
        signs = tuple(sorted({int(np.sign(one)) if abs(one) > least else 0 for one in (low, high)}))
        names: dict[tuple[int, ...], Bend] = {(1,): "bowl", (-1,): "dome", (-1, 1): "saddle", (0,): "flat"}
        return names.get(signs, "trough")

    def along(self, degrees: float) -> float:
        """The directional derivative: the dot product of the gradient and the direction."""
        return float(self.gradient @ direction(degrees))


def advice_on(recording: Recording) -> str | None:
    """Key of the advice on a function that cannot be drawn; None where it can."""
    return advice_on_values(recording, ("z", "x"), ("height", "map_x", "map_y"), alone=1)


def direction(degrees: float) -> Array:
    """The direction's unit vector."""
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


def read_map(recording: Recording) -> Map:
    """The map in a recording of a program with `map_text` in it."""
    return Map(array(tensor(recording, "map_x"))[0], array(tensor(recording, "height")))


def read_surface(recording: Recording, settings: GradientSettings) -> Surface:
    """The surface in the recording of its program."""
    settings = settings.snapped()
    at = np.array([settings.at_x, settings.at_y])
    gradient = returned(recording)[1][0]
    assert gradient is not None
    axes = tensors(recording, "axes")
    return Surface(
        map=read_map(recording),
        arrows_x=array(tensor(recording, "x")),
        arrows_y=array(tensor(recording, "y")),
        slope_x=_slope(recording, "x"),
        slope_y=_slope(recording, "y"),
        at=at,
        value=float(array(tensor(recording, "value"))),
        gradient=array(gradient),
        angles=array(tensor(recording, "angle")),
        slopes=array(tensor(recording, "slopes")),
        hessian=array(tensor(recording, "hessian")),
        curvatures=array(axes[0]) if axes else None,
        axes=array(axes[1]) if axes else None,
    )


def _slope(recording: Recording, name: str) -> Array:
    """The gradient's part for one coordinate; 0 where torch left None, since f does not depend on it."""
    found = recording.grads.get(name)
    return np.zeros_like(array(tensor(recording, name))) if found is None else array(found)
