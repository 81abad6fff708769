"""The derivative lab's pictures: the curve with its tangent above its derivative, and how the gap shrinks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.i18n import Language, text
from explorer.labs.derivative import Curve, shrinking_power
from explorer.labs.drawing import ALWAYS, axis, drawing, still
from explorer.labs.reading import Array
from explorer.labs.special_points import Special
from explorer.render.chart_style import pale
from explorer.render.palette import PALETTES, Theme

CURVE_PIXELS, GAP_PIXELS = 500, 270
MOST_MARKS = 24
"""More marked stretches than this would hide the curve."""


def curve_figure(curve: Curve, special: Sequence[Special], theme: Theme, language: Language) -> go.Figure:
    """f with its tangent, dy and Δy at the chosen point; below it f′, and f″ where it is known.

    The axes depend on the curve alone, so that nothing moves while point and step do.
    """
    palette = PALETTES[theme]
    above = [
        *_triangle(curve, theme),
        _line(curve.x, curve.y, "f(x)", palette.sent, width=2.5),
        _point(curve, curve.y, palette.text),
        *_marks(curve, special, theme, language),
    ]
    below = [_line(curve.x, curve.slope, "f′(x)", palette.done, width=2)]
    if curve.second is not None:
        below.append(_line(curve.x, curve.second, "f″(x)", palette.cut, width=2, dash="dash"))
    below.append(_point(curve, curve.slope, palette.text))
    traces = [*above, *({**trace, "yaxis": "y2"} for trace in below)]
    return drawing(
        traces,
        theme,
        CURVE_PIXELS,
        **_axes(curve, theme),
        hovermode="x",
        hoverdistance=-1,
        shapes=_bands(curve, special, theme),
        annotations=_labels(curve, theme),
    )


def gap_figure(curve: Curve, theme: Theme, language: Language) -> go.Figure:
    """|Δy - dy| against |dx|, both on logarithmic axes, with a line of slope 2 to compare; the chosen dx is marked."""
    palette, power = PALETTES[theme], shrinking_power(curve)
    gap = np.abs(curve.gap_left if curve.steps < 0 else curve.gap_right)
    shown = np.where(gap > 0, gap, np.nan)
    traces: list[dict[str, Any]] = []
    if power is not None:
        drawn = np.flatnonzero(np.isfinite(shown))
        middle = drawn[len(drawn) // 2]
        hover = "dx = %{x:.3~g}<br>|Δy − dy| = %{y:.3~g}<extra></extra>"
        traces = [
            {
                "name": text("lab_derivative.slope_2", language),
                "x": curve.dx,
                "y": shown[middle] * (curve.dx / curve.dx[middle]) ** 2,
                "mode": "lines",
                "line": {"color": palette.muted, "dash": "dot", "width": 1.5},
                "hoverinfo": "name",
            },
            {
                "name": "|Δy − dy|",
                "x": curve.dx,
                "y": shown,
                "mode": "lines+markers",
                "marker": {"size": 4},
                "line": {"color": palette.cut, "width": 2},
                "hovertemplate": hover,
            },
        ]
    if power is not None and curve.gap and curve.steps:
        marker = {"size": 11, "color": palette.running, "line": {"color": palette.text, "width": 1.5}}
        point = {"x": [abs(curve.step)], "y": [abs(curve.gap)]}
        traces.append({"name": "dx", "mode": "markers", "marker": marker, "hovertemplate": hover, **point})
    log = {"type": "log", "exponentformat": "power", "zeroline": False, "visible": power is not None}
    log["tickfont"] = {"size": 11}
    return drawing(
        traces,
        theme,
        GAP_PIXELS,
        _gap_title(curve, power, language),
        xaxis=axis(theme, "|dx|", range=[-4.2, 0.9], dtick=1, **log),
        yaxis=axis(theme, "|Δy − dy|", nticks=6, **log),
    )


def view_of(numbers: Array) -> tuple[float, float]:
    """The range of an axis on which a curve can be seen: all of it, unless a few points run far away."""
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return -1.0, 1.0
    low, high = (float(edge) for edge in np.percentile(finite, [4, 96]))
    least, most = float(finite.min()), float(finite.max())
    if most - least <= 4 * (high - low) or high == low:
        low, high = least, most
    margin = 0.09 * (high - low) or max(1.0, abs(high)) * 0.5
    return low - margin, high + margin


def _line(x: Array, y: Array, name: str, color: str, width: float, dash: str = "solid") -> dict[str, Any]:
    """A curve whose points can be clicked: plotly selects markers only, so there are some that nobody sees."""
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "name": name,
        "mode": "lines+markers",
        "line": {"color": color, "width": width, "dash": dash, "simplify": False},  # else a curve shows corners
        "marker": {"size": 9, "opacity": 0},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
        "hovertemplate": name + " = %{y:.5~g}<extra></extra>",
    }


def _point(curve: Curve, numbers: Array, color: str) -> dict[str, Any]:
    place = curve.place
    return still("x", x=[curve.x[place]], y=[numbers[place]], mode="markers", marker={"size": 10, "color": color})


def _triangle(curve: Curve, theme: Theme) -> list[dict[str, Any]]:
    """Tangent, dx, and at its end Δy as a broad bar under dy as a line: what shows of only one of them is the gap."""
    palette = PALETTES[theme]
    start, end = float(curve.x[curve.place]), float(curve.x[curve.place + curve.steps])
    height, slope = float(curve.y[curve.place]), float(curve.slope[curve.place])
    if not (np.isfinite(height) and np.isfinite(slope)):
        return []
    reach = float(curve.x[-1])
    ends = [min(start - 0.8 * reach, end), max(start + 0.8 * reach, end)]
    color = palette.running
    return [
        still(
            "Δy",
            x=[end, end],
            y=[height, height + curve.rise],
            mode="lines",
            line={"color": pale(palette.sent), "width": 13},
        ),
        still(
            "tangent",
            x=ends,
            y=[height + slope * (one - start) for one in ends],
            mode="lines",
            line={"color": color, "width": 1.5, "dash": "dot"},
        ),
        still("dx", x=[start, end], y=[height, height], mode="lines", line={"color": palette.muted, "width": 2}),
        still("dy", x=[end, end], y=[height, height + curve.dy], mode="lines", line={"color": color, "width": 3.5}),
    ]


def _labels(curve: Curve, theme: Theme) -> list[dict[str, Any]]:
    """dx, dy and Δy beside their lines, where there is room for them."""
    start, end = float(curve.x[curve.place]), float(curve.x[curve.place + curve.steps])
    height, reach = float(curve.y[curve.place]), float(curve.x[-1])
    if abs(end - start) < 0.06 * reach or not np.isfinite([height, curve.dy, curve.rise]).all():
        return []
    palette, outward = PALETTES[theme], 1 if end > start else -1
    low, high = view_of(curve.y)
    parts = [("dx", (start + end) / 2, height, 0, 12 if curve.dy >= 0 else -12, palette.muted)]
    if abs(curve.dy) > 0.05 * (high - low):
        parts.append(("dy", end, height + curve.dy / 2, -15 * outward, 0, palette.running))
    if abs(curve.rise) > 0.05 * (high - low):
        parts.append(("Δy", end, height + curve.rise / 2, 18 * outward, 0, palette.sent))
    return [
        {
            "text": name,
            "x": x,
            "y": min(max(y, low), high),
            "xref": "x",
            "yref": "y",
            "xshift": right,
            "yshift": -down,
            "showarrow": False,
            "font": {"color": color, "size": 14},
        }
        for name, x, y, right, down, color in parts
    ]


def _marks(curve: Curve, special: Sequence[Special], theme: Theme, language: Language) -> list[dict[str, Any]]:
    """A diamond on each point without a derivative; hovering tells the slopes beside it and what torch returns."""
    points = [one for one in special if one.kind not in ("undefined", "differs")][:MOST_MARKS]
    if not points:
        return []
    palette = PALETTES[theme]
    return [
        {
            "type": "scatter",
            "name": text("lab_derivative.special", language),
            "showlegend": False,
            "x": [(curve.x[one.first] + curve.x[one.last]) / 2 for one in points],
            "y": [(curve.y[one.first] + curve.y[one.last]) / 2 for one in points],
            "text": [special_text(curve, one, language).replace("\n", "<br>") for one in points],
            "hovertemplate": "%{text}<extra></extra>",
            "mode": "markers",
            "marker": {
                "symbol": "diamond-open",
                "size": 15,
                "color": palette.failed,
                "line": {"width": 2.5, "color": palette.failed},
            },
            "selected": ALWAYS,
            "unselected": ALWAYS,
        }
    ]


def special_text(curve: Curve, one: Special, language: Language) -> str:
    """What is special about a stretch of the curve, and what torch returns there."""
    is_point = one.first == one.last
    return text(
        f"lab_derivative.special_{one.kind}" + ("" if is_point or one.kind == "between" else "_range"),
        language,
        x=number(float(curve.x[one.first])),
        end=number(float(curve.x[one.last])),
        y=number(float(curve.y[one.first])),
        left=number(one.left),
        right=number(one.right),
        returned=number(one.returned),
        count=one.last - one.first + 1,
    )


def number(value: float) -> str:
    """A number in a sentence: short, and without a sign before 0."""
    return f"{value + 0.0:.4g}"


def _axes(curve: Curve, theme: Theme) -> dict[str, Any]:
    """One axis for x, the curve's above the derivative's."""
    palette, reach = PALETTES[theme], float(curve.x[-1])
    below = curve.slope if curve.second is None else np.concatenate([curve.slope, curve.second])
    second = "" if curve.second is None else f" <span style='color:{palette.cut}'>f″(x)</span>"
    names = (
        f"<span style='color:{palette.sent}'>f(x)</span>",
        f"<span style='color:{palette.done}'>f′(x)</span>{second}",
    )
    return {
        "xaxis": axis(theme, range=[-reach, reach], anchor="y2"),
        "yaxis": axis(theme, names[0], range=view_of(curve.y), domain=[0.4, 1], tickformat="~g", nticks=7),
        "yaxis2": axis(theme, names[1], range=view_of(below), domain=[0, 0.34], tickformat="~g", nticks=5),
    }


def _bands(curve: Curve, special: Sequence[Special], theme: Theme) -> list[dict[str, Any]]:
    """Shades where f is not defined; a single point gets a line."""
    color, half = PALETTES[theme].muted, float(curve.x[1] - curve.x[0]) / 2
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": float(curve.x[one.first]) - half,
            "x1": float(curve.x[one.last]) + half,
            "y0": 0,
            "y1": 1,
            "fillcolor": pale(color),
            "line": {"width": 0},
            "layer": "below",
        }
        for one in special
        if one.kind == "undefined"
    ][:MOST_MARKS]


def _gap_title(curve: Curve, power: float | None, language: Language) -> str:
    """What the log-log plot says, in words."""
    if power is None:
        key = "gap_zero" if np.all(np.isfinite(curve.gap_right)) else "gap_unknown"
        return text(f"lab_derivative.{key}", language)
    return text("lab_derivative.gap", language, power=f"{power:.2f}")
