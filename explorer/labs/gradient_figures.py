"""The gradient lab's pictures: map or surface with arrows, and the slope along every direction."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.i18n import Language, text
from explorer.labs.drawing import axis, drawing, still
from explorer.labs.gradient import GradientSettings, Surface, direction
from explorer.labs.map_style import (
    MAP_PIXELS,
    arrow_traces,
    map_layout,
    map_trace,
    places_trace,
    space_layout,
    surface_trace,
)
from explorer.labs.reading import Array
from explorer.render.palette import PALETTES, Theme

SLOPES_PIXELS = 215
ELLIPSE_DEGREES = 3


def contour_figure(surface: Surface, settings: GradientSettings, theme: Theme) -> go.Figure:
    """The map with gradient arrows; at the chosen point its gradient, the direction, and how f curves.

    The last trace holds the places that can be chosen, for clicks.
    """
    palette, settings = PALETTES[theme], settings.snapped()
    steep = float(np.hypot(*surface.gradient)) or 1.0
    ahead = surface.at + 0.45 * settings.reach * surface.gradient / steep
    beside = surface.at + 0.45 * settings.reach * direction(settings.angle)
    point = surface.at[None, :]
    traces = [
        map_trace(surface.map, theme),
        *arrow_traces(*_field(surface, settings.reach), palette.muted, 1.2, 6, "∇f"),
        *_curvature(surface, settings.reach, theme),
        *arrow_traces(point, beside[None, :], palette.running, 3, 13, "u"),
        *arrow_traces(point, ahead[None, :], palette.done, 3.5, 14, "∇f at the point"),
        _mark(surface.at, palette.text),
        places_trace(settings.reach),
    ]
    names = [
        _label("∇f", ahead, surface.at, palette.done, surface.steepest > 0),
        _label("u", beside, surface.at, palette.running, True),
    ]
    margin = {"l": 4, "r": 22, "t": 8, "b": 4}  # an arrow's name may stand beside the map
    return drawing(traces, theme, MAP_PIXELS, **map_layout(settings.reach, theme), annotations=names, margin=margin)


def surface_figure(surface: Surface, settings: GradientSettings, theme: Theme) -> go.Figure:
    """The surface in space with its tangent plane at the chosen point, and the gradient and the direction on it."""
    palette, settings = PALETTES[theme], settings.snapped()
    steep = float(np.hypot(*surface.gradient)) or 1.0
    side = np.array([-0.3, 0.3]) * settings.reach
    plane = surface.value + side[None, :] * surface.gradient[0] + side[:, None] * surface.gradient[1]
    traces = [
        surface_trace(surface.map, theme),
        {
            "type": "surface",
            "name": "tangent plane",
            "x": surface.at[0] + side,
            "y": surface.at[1] + side,
            "z": plane,
            "colorscale": [[0, palette.running], [1, palette.running]],
            "showscale": False,
            "opacity": 0.45,
            "hoverinfo": "skip",
        },
        _rise(surface, surface.gradient / steep, settings.reach, palette.done, "∇f"),
        _rise(surface, direction(settings.angle), settings.reach, palette.running, "u"),
        {
            "type": "scatter3d",
            "name": "point",
            "mode": "markers",
            "x": [surface.at[0]],
            "y": [surface.at[1]],
            "z": [surface.value],
            "marker": {"size": 5, "color": palette.text},
            "hoverinfo": "skip",
        },
    ]
    return drawing(traces, theme, MAP_PIXELS, **space_layout(surface.map, theme))


def slopes_figure(surface: Surface, settings: GradientSettings, theme: Theme, language: Language) -> go.Figure:
    """The slope along every direction: dots by forward mode, a line by the dot product with the gradient."""
    palette, settings = PALETTES[theme], settings.snapped()
    degrees = np.degrees(surface.angles)
    chosen = {"color": palette.running, "size": 12, "line": {"color": palette.text, "width": 1.5}}
    traces = [
        {
            "name": "∇f · u",
            "x": degrees,
            "y": surface.gradient[0] * np.cos(surface.angles) + surface.gradient[1] * np.sin(surface.angles),
            "mode": "lines",
            "line": {"color": palette.done, "width": 2},
            "hoverinfo": "skip",
        },
        {
            "name": "Jv",
            "x": degrees[::3],
            "y": surface.slopes[::3],
            "mode": "markers",
            "marker": {"color": palette.sent, "size": 5},
            "hovertemplate": "%{x:.0f}°: %{y:.4~g}<extra></extra>",
        },
        {
            "name": "u",
            "x": [settings.angle],
            "y": [surface.along(settings.angle)],
            "mode": "markers",
            "marker": chosen,
            "hoverinfo": "skip",
        },
    ]
    return drawing(
        traces,
        theme,
        SLOPES_PIXELS,
        text("lab_gradient.slopes", language),
        xaxis=axis(theme, range=[-8, 368], tickvals=[0, 90, 180, 270, 360], ticksuffix="°"),
        yaxis=axis(theme, tickformat="~g", nticks=5),
    )


def _field(surface: Surface, reach: float) -> tuple[Array, Array]:
    """Where the arrows start and end: the longest reaches the next one, and lengths are compressed by a square root."""
    starts = np.stack([surface.arrows_x.ravel(), surface.arrows_y.ravel()], axis=1)
    gradients = np.stack([surface.slope_x.ravel(), surface.slope_y.ravel()], axis=1)
    steep = np.hypot(*gradients.T)
    most = float(np.max(steep[np.isfinite(steep)], initial=0.0)) or 1.0
    spacing = 2 * reach / (len(surface.arrows_x) - 1)
    with np.errstate(all="ignore"):
        lengths = 0.85 * spacing * np.sqrt(steep / most)
        return starts, starts + gradients / steep[:, None] * lengths[:, None]


def _curvature(surface: Surface, reach: float, theme: Theme) -> list[dict[str, Any]]:
    """How far one has to go along each direction until f has bent by the same amount.

    An ellipse where f curves the same way everywhere, long where it is flat; branches of hyperbolas at a saddle. Drawn
    solid where f curves up, dotted where it curves down.
    """
    if surface.curvatures is None or not np.abs(surface.curvatures).max() > 0:
        return []
    angles = np.radians(np.arange(0, 360 + ELLIPSE_DEGREES, ELLIPSE_DEGREES))
    units = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    bends = np.einsum("ni,ij,nj->n", units, surface.hessian, units)
    most = float(np.abs(surface.curvatures).max())
    with np.errstate(divide="ignore"):  # f does not curve along some direction: never reached
        radius = np.minimum(0.22 * reach * np.sqrt(most / np.abs(bends)), 10 * reach)
    color = PALETTES[theme].cut
    traces = []
    for is_up, dash in ((True, "solid"), (False, "dot")):
        kept = (bends > 0) == is_up
        drawn = np.where((kept & (radius < 1.3 * reach))[:, None], surface.at + radius[:, None] * units, np.nan)
        if np.isfinite(drawn).any():
            line = {"color": color, "width": 2, "dash": dash}
            traces.append(still("curvature", x=drawn[:, 0], y=drawn[:, 1], mode="lines", line=line))
    return traces


def _rise(surface: Surface, unit: Array, reach: float, color: str, name: str) -> dict[str, Any]:
    """An arrow on the tangent plane, as a line with a dot at its end."""
    end = surface.at + 0.4 * reach * unit
    height = surface.value + 0.4 * reach * float(surface.gradient @ unit)
    return {
        "type": "scatter3d",
        "name": name,
        "mode": "lines+markers+text",
        "x": [surface.at[0], end[0]],
        "y": [surface.at[1], end[1]],
        "z": [surface.value, height],
        "text": ["", name],
        "textfont": {"color": color, "size": 14},
        "line": {"color": color, "width": 7},
        "marker": {"size": [0, 4], "color": color},
        "hoverinfo": "skip",
    }


def _mark(at: Array, color: str) -> dict[str, Any]:
    return still("point", x=[at[0]], y=[at[1]], mode="markers", marker={"size": 11, "color": color})


def _label(name: str, end: Array, start: Array, color: str, is_there: bool) -> dict[str, Any]:
    """An arrow's name beyond its head."""
    along = (end - start) / (float(np.hypot(*(end - start))) or 1.0)
    return {
        "text": f"<b>{name}</b>" if is_there else "",
        "x": end[0],
        "y": end[1],
        "xshift": 15 * along[0],
        "yshift": 15 * along[1],
        "showarrow": False,
        "font": {"color": color, "size": 14},
    }
