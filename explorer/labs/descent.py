"""Descent: an optimizer's steps down a function of two numbers, and what three common mistakes do to them."""

from __future__ import annotations

import textwrap
from typing import Annotated, Literal, NamedTuple

import msgspec
import numpy as np

from explorer.labs.function_text import MOST_CHARACTERS, function_source, imports_for
from explorer.labs.reading import Array, array, tensor
from explorer.labs.settings import Coordinate, LabSettings, Reach
from explorer.model import Recording

MOST_STEPS = 100

Optimizer = Literal["sgd", "momentum", "adam", "hand"]


class DescentSettings(LabSettings, frozen=True, kw_only=True):
    """What the descent lab shows.

    Args:
        f: The function's text, of `x` and `y`.
        reach: The map goes from -reach to reach in both directions.
        start_x, start_y: Where descent starts.
        optimizer: One of torch's, or the update written by hand.
        lr: The learning rate.
        momentum: Of SGD with momentum.
        steps: How many.
        forget_zero_grad: The mistake of not clearing `.grad`, so that gradients of all steps add up.
        forget_no_grad: The mistake of changing a leaf under autograd's eyes; only where the update is by hand.
        step_first: The mistake of stepping before this step's gradient is there.
        view: A map with contour lines, or the surface in space.
    """

    f: Annotated[str, msgspec.Meta(max_length=MOST_CHARACTERS)] = "x**2 + 2 * y**2"
    reach: Reach = 2.0
    start_x: Coordinate = -1.6
    start_y: Coordinate = 1.2
    optimizer: Optimizer = "sgd"
    lr: Annotated[float, msgspec.Meta(gt=0, le=100)] = 0.1
    momentum: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.9
    steps: Annotated[int, msgspec.Meta(ge=1, le=MOST_STEPS)] = 30
    forget_zero_grad: bool = False
    forget_no_grad: bool = False
    step_first: bool = False
    view: Literal["contour", "surface"] = "contour"

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The names of the mistakes that are made."""
        made = {
            "forget_zero_grad": self.forget_zero_grad,
            "forget_no_grad": self.forget_no_grad and self.optimizer == "hand",
            "step_first": self.step_first,
        }
        return tuple(name for name, is_made in made.items() if is_made)

    def without_mistakes(self) -> DescentSettings:
        """The same, done right."""
        return msgspec.structs.replace(self, forget_zero_grad=False, forget_no_grad=False, step_first=False)


def program_text(settings: DescentSettings) -> str:
    """The program: a training loop of the plainest kind that keeps its path and its losses.

    Raises:
        ProgramInvalid: The function's text is none.
    """
    start = f"[{settings.start_x!r}, {settings.start_y!r}]"
    return f"""{imports_for(settings.f)}


{function_source(settings.f, "x, y")}

point = torch.tensor({start}, dtype=torch.float64, requires_grad=True)
{_made(settings)}path, losses = [], []
for step in range({settings.steps}):
    loss = f(point[0], point[1])
    path.append(point.tolist())
{textwrap.indent(_body(settings), "    ")}
    losses.append(loss.item())
with torch.no_grad():
    losses.append(f(point[0], point[1]).item())
path = torch.tensor([*path, point.tolist()], dtype=torch.float64)
losses = torch.tensor(losses, dtype=torch.float64)
"""


class Descent(NamedTuple):
    """A way down.

    Args:
        path: (steps + 1, 2).
        losses: f at each, (steps + 1,).
    """

    path: Array
    losses: Array

    @property
    def first_not_finite(self) -> int | None:
        """The first step after which point or loss is nan or infinite."""
        bad = ~(np.isfinite(self.path).all(axis=1) & np.isfinite(self.losses))
        return int(np.argmax(bad)) if bad.any() else None


def read_descent(recording: Recording) -> Descent:
    """The way in the recording of its program."""
    return Descent(array(tensor(recording, "path")), array(tensor(recording, "losses")).reshape(-1))


def _made(settings: DescentSettings) -> str:
    """The line that makes the optimizer."""
    arguments = f"[point], lr={settings.lr!r}"
    made = {
        "sgd": f"torch.optim.SGD({arguments})",
        "momentum": f"torch.optim.SGD({arguments}, momentum={settings.momentum!r})",
        "adam": f"torch.optim.Adam({arguments})",
    }
    return f"optimizer = {made[settings.optimizer]}\n" if settings.optimizer in made else ""


def _body(settings: DescentSettings) -> str:
    """Clear, differentiate, step: in the right order and complete, but for the mistakes."""
    by_hand = settings.optimizer == "hand"
    clear = "point.grad = None" if by_hand else "optimizer.zero_grad()"
    step = _step_by_hand(settings) if by_hand else "optimizer.step()"
    if settings.forget_zero_grad:
        clear = f"# {clear} is missing: gradients add up"
    parts = [clear, "loss.backward()", step]
    if settings.step_first:
        parts = [clear, f"{step}  # too early: this step's gradient is not there yet", "loss.backward()"]
    return "\n".join(parts)


def _step_by_hand(settings: DescentSettings) -> str:
    update = f"point -= {settings.lr!r} * point.grad"
    if settings.forget_no_grad:
        return update
    return f"with torch.no_grad():\n    {update}"
