"""Derivative and differential: a function of one number, its tangent, and how dy and Δy differ."""

from __future__ import annotations

from typing import Annotated

import msgspec
import plotly.graph_objects as go

from explorer.i18n import Language, text
from explorer.labs.function_text import function_source
from explorer.labs.reading import array, grad, tensor
from explorer.labs.settings import LabSettings
from explorer.model import Recording
from explorer.render.chart_style import apply_style
from explorer.render.palette import PALETTES, Theme

POINTS = 401


class DerivativeSettings(LabSettings, frozen=True, kw_only=True):
    """What the derivative lab shows.

    Args:
        f: The function's text, of `x`.
        reach: The curve goes from -reach to reach.
        at: The chosen point.
        dx: The chosen step.
    """

    f: Annotated[str, msgspec.Meta(max_length=1500)] = "x**2"
    reach: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 4.0
    at: float = 1.0
    dx: float = 1.0


def program_text(settings: DerivativeSettings) -> str:
    """The program: the curve and its derivative at every point of it, in one backward pass.

    Raises:
        ProgramInvalid: The function's text is none.
    """
    return f"""import torch


{function_source(settings.f)}

x = torch.linspace({-settings.reach!r}, {settings.reach!r}, {POINTS}, dtype=torch.float64, requires_grad=True)
y = f(x)
y.sum().backward()
"""


def curve_figure(recording: Recording, settings: DerivativeSettings, theme: Theme, language: Language) -> go.Figure:
    """The curve, and below it the derivative."""
    x, y, slope = array(tensor(recording, "x")), array(tensor(recording, "y")), array(grad(recording, "x"))
    palette = PALETTES[theme]
    figure = go.Figure()
    figure.add_scatter(x=x, y=y, name="f(x)", line={"color": palette.sent})
    figure.add_scatter(x=x, y=slope, name="f′(x)", line={"color": palette.running})
    apply_style(figure, text("labs.derivative.name", language), theme, 420)
    return figure
