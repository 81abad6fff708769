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
from explorer.labs.drawing import axis, drawing
from explorer.model.text import number_text
from explorer.render.chart_style import plain
from explorer.render.palette import PALETTES, Theme, pass_color

HEIGHT_PIXELS = 400
MOST_LINES = 4
"""Elements that disagree and get a line of their own."""
SIDES = {"rounding": (0.01, "left"), "curvature": (0.99, "right")}
"""What makes the error at each end of the axis of step sizes, and where that is said."""
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
    said = {name: text(f"lab_check.chart.{name}", language) for name in ("errors", "step", "error")}
    grid: dict[str, Any] = {"type": "log", "tickfont": {"size": 11}, "exponentformat": "power", "dtick": 2}
    return drawing(
        _traces(reading, theme, language),
        theme,
        HEIGHT_PIXELS,
        said["errors"],
        shapes=[_marked_step(STEPS[step], palette.running)],
        annotations=[_side(name, theme, language) for name in SIDES],
        showlegend=True,
        legend={"orientation": "h", "y": -0.22, "yanchor": "top"},
        margin={"l": 4, "r": 4, "t": 56, "b": 4},
        xaxis=axis(theme, said["step"], **grid),
        yaxis={**axis(theme, range=_reach(reading), **grid), "title": {"text": said["error"], "standoff": 12}},
    )


def _traces(reading: Reading, theme: Theme, language: Language) -> list[dict[str, Any]]:
    """The worst error of the elements that agree, in both types, and the error of each that does not."""
    traces, agrees = [], reading.agrees
    if agrees.any():
        precisions = [reading.double] + ([reading.own] if reading.own.dtype != reading.double.dtype else [])
        for k, precision in enumerate(precisions):
            errors = worst_errors(precision, agrees).tolist()
            color, dash = pass_color(theme, k), ("solid", "dash")[k]
            traces.append(_line(plain(precision.dtype), errors, color, dash))
            traces.append(_best(precision, errors, best_step(precision, agrees), color, language))
    for element in np.flatnonzero(~agrees)[:MOST_LINES]:
        name = text("lab_check.chart.disagrees", language, name=reading.names[element])
        errors = reading.double.errors[:, element].tolist()
        traces.append(_line(plain(name), errors, PALETTES[theme].failed, "dot"))
    return traces


def _reach(reading: Reading) -> list[float]:
    """Powers of ten from the lowest to the highest error; a disagreement alone is not blown up to its own noise."""
    shown = [reading.double.errors, reading.own.errors] if reading.agrees.any() else [reading.double.errors]
    errors = np.concatenate([errors.reshape(-1) for errors in shown])
    powers = np.log10(np.maximum(errors[np.isfinite(errors)], FLOOR))
    if not powers.size:
        return [-12.0, 0.0]
    lowest = worst_errors(reading.double, reading.agrees).min() if reading.agrees.any() else 1e-8
    return [min(float(np.log10(max(lowest, FLOOR))), float(powers.max()) - 4) - 0.5, float(powers.max()) + 0.5]


def _marked_step(step: float, color: str) -> dict[str, Any]:
    """A line across the chart at the step size that is looked at."""
    line = {"color": color, "width": 2}
    return {"type": "line", "x0": step, "x1": step, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _side(name: str, theme: Theme, language: Language) -> dict[str, Any]:
    """What makes the error, at one end of the axis."""
    x, anchor = SIDES[name]
    place = {"x": x, "y": 1.0, "xref": "paper", "yref": "paper", "xanchor": anchor, "yanchor": "bottom"}
    font = {"color": PALETTES[theme].muted, "size": 11}
    return {"text": plain(text(f"lab_check.chart.{name}", language)), "showarrow": False, "font": font, **place}


def _line(name: str, errors: Sequence[float], color: str, dash: str) -> dict[str, Any]:
    return {
        "type": "scatter",
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
        "type": "scatter",
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
