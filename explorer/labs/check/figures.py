"""The lab's chart: error against step size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.i18n import Language, text
from explorer.labs.check.reading import STEPS, Precision, Reading, best_step, worst_errors
from explorer.labs.check.verdict import step_text
from explorer.model.text import number_text
from explorer.render.chart_style import apply_style, pale, plain
from explorer.render.palette import PALETTES, Theme, pass_color

HEIGHT_PIXELS = 400
MOST_LINES = 4
"""Elements that disagree and get a line of their own."""
FLOOR = 1e-17
"""Where an error of exactly 0 is drawn: a logarithmic axis has no place for it."""


def error_chart(reading: Reading, step: int, theme: Theme, language: Language) -> go.Figure:
    """How far the central difference is from autograd, over the step size, both axes logarithmic.

    Args:
        reading: The check.
        step: The step size that is looked at, as an index of `STEPS`.
        theme, language: As the page.
    """
    palette = PALETTES[theme]
    figure = go.Figure()
    agrees = reading.agrees
    if agrees.any():
        precisions = [reading.double] + ([reading.own] if reading.own.dtype != reading.double.dtype else [])
        for k, precision in enumerate(precisions):
            errors = [float(error) for error in worst_errors(precision, agrees)]
            color, dash = pass_color(theme, k), ("solid", "dash")[k]
            figure.add_scatter(**_line(plain(precision.dtype), errors, color, dash))
            figure.add_scatter(**_best(precision, errors, best_step(precision, agrees), color, language))
    for element in np.flatnonzero(~agrees)[:MOST_LINES]:
        name = text("lab_check.chart.disagrees", language, name=reading.names[element])
        errors = [float(error) for error in reading.double.errors[:, element]]
        figure.add_scatter(**_line(plain(name), errors, palette.failed, "dot"))
    apply_style(figure, text("lab_check.chart.errors", language), theme, HEIGHT_PIXELS)
    figure.add_vline(x=STEPS[step], line={"color": palette.running, "width": 2})
    for x, name, anchor in ((0.01, "rounding", "left"), (0.99, "curvature", "right")):
        figure.add_annotation(
            text=plain(text(f"lab_check.chart.{name}", language)),
            x=x,
            y=1.0,
            xref="paper",
            yref="paper",
            xanchor=anchor,
            yanchor="bottom",
            showarrow=False,
            font={"color": palette.muted, "size": 11},
        )
    figure.update_layout(legend={"orientation": "h", "y": -0.22, "yanchor": "top"}, margin={"t": 56})
    grid = {"type": "log", "tickfont": {"size": 11}, "exponentformat": "power", "gridcolor": pale(palette.muted)}
    figure.update_xaxes(title_text=text("lab_check.chart.step", language), dtick=2, **grid)
    figure.update_yaxes(title_text=text("lab_check.chart.error", language), dtick=2, **grid)
    return figure


def _line(name: str, errors: Sequence[float], color: str, dash: str) -> dict[str, Any]:
    return {
        "name": name,
        "x": STEPS,
        "y": [_drawn(error) for error in errors],
        "mode": "lines+markers",
        "line": {"color": color, "width": 2, "dash": dash},
        "marker": {"color": color, "size": 5},
        "customdata": [[step_text(h), number_text(error)] for h, error in zip(STEPS, errors, strict=True)],
        "hovertemplate": "h = %{customdata[0]}: %{customdata[1]}<extra>%{fullData.name}</extra>",
    }


def _best(precision: Precision, errors: Sequence[float], best: int, color: str, language: Language) -> dict[str, Any]:
    said = text("lab_check.chart.best", language, step=step_text(STEPS[best]), dtype=precision.dtype)
    return {
        "name": plain(said),
        "x": [STEPS[best]],
        "y": [_drawn(errors[best])],
        "mode": "markers",
        "marker": {"symbol": "star", "size": 14, "color": color},
        "hovertemplate": f"{plain(said)}<extra></extra>",
    }


def _drawn(error: float) -> float | None:
    if not math.isfinite(error):
        return None
    return max(error, FLOOR)
