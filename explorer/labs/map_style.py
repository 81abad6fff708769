"""What the pictures of functions of two numbers share: the map with contour lines, the surface in space, axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.labs.drawing import axis, still
from explorer.labs.gradient import MAP_HALF, Map
from explorer.labs.reading import Array
from explorer.render.chart_style import pale
from explorer.render.palette import PALETTES, Theme

MAP_PIXELS = 500
LEVELS = 14
"""Bands between contour lines."""


def height_scale(theme: Theme) -> list[list[Any]]:
    """Colours from low to high: one hue, so that it can be told from the colours that mean something else."""
    low, high = {"light": ("#f4f7fb", "#8fb4d9"), "dark": ("#131a24", "#3d5f85")}[theme]
    return [[0, low], [1, high]]


def shown_range(heights: Array) -> tuple[float, float]:
    """From the lowest to the highest that is drawn; what runs far away takes the last colour."""
    finite = heights[np.isfinite(heights)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(np.percentile(finite, 97))
    return (low, high) if high > low else (low - 1, low + 1)


def map_trace(drawn: Map, theme: Theme) -> dict[str, Any]:
    """The map with contour lines; through it the mouse reaches what lies above it."""
    low, high = shown_range(drawn.height)
    return {
        "type": "contour",
        "name": "f",
        "x": drawn.side,
        "y": drawn.side,
        "z": np.where(np.isfinite(drawn.height), np.clip(drawn.height, low, high), np.nan),
        "colorscale": height_scale(theme),
        "contours": {"start": low, "end": high, "size": (high - low) / LEVELS},
        "line": {"width": 1, "color": pale(PALETTES[theme].muted)},
        "showscale": False,
        "hoverinfo": "skip",
    }


def surface_trace(drawn: Map, theme: Theme) -> dict[str, Any]:
    """The surface in space."""
    low, high = shown_range(drawn.height)
    size = {"start": low, "end": high, "size": (high - low) / LEVELS}
    lines = {"show": True, "color": PALETTES[theme].muted, "width": 1, **size}
    return {
        "type": "surface",
        "name": "f",
        "x": drawn.side,
        "y": drawn.side,
        "z": np.where(np.isfinite(drawn.height), np.clip(drawn.height, low, high), np.nan),
        "colorscale": [[0, "#dfe9f5"], [1, "#4f86bd"]] if theme == "light" else [[0, "#1d2a3a"], [1, "#6fa3d8"]],
        "showscale": False,
        "opacity": 0.8,
        "contours": {"z": lines},
        "hovertemplate": "x = %{x:.3~g}<br>y = %{y:.3~g}<br>f = %{z:.4~g}<extra></extra>",
    }


def places_trace(reach: float) -> dict[str, Any]:
    """The map's points as markers that nobody sees: plotly tells of clicks on markers only."""
    side = np.arange(-MAP_HALF, MAP_HALF + 1) * reach / MAP_HALF
    y, x = np.meshgrid(side, side, indexing="ij")
    unseen = {"marker": {"opacity": 0}}
    return {
        "type": "scatter",
        "name": "places",
        "mode": "markers",
        "x": x.ravel(),
        "y": y.ravel(),
        "marker": {"size": 12, "opacity": 0},
        "selected": unseen,
        "unselected": unseen,
        "hovertemplate": "x = %{x:.3~g}<br>y = %{y:.3~g}<extra></extra>",
    }


def map_layout(reach: float, theme: Theme, room: dict[str, list[float]] | None = None) -> dict[str, Any]:
    """The axes of a square map that stays as it is while things move on it.

    Args:
        reach: How far they go from 0.
        theme: The page's.
        room: From where to where it reaches in its picture, along x and y; the whole picture where it is None.
    """
    fields = {"range": [-reach, reach], "showgrid": False, "zeroline": False, "constrain": "domain"}
    across, upward = ({"domain": room[name]} if room else {} for name in ("x", "y"))
    return {
        "xaxis": axis(theme, "x", **fields, **across),
        "yaxis": axis(theme, "y", **fields, **upward, scaleanchor="x"),
    }


def space_layout(drawn: Map, theme: Theme, **scene: Any) -> dict[str, Any]:
    """A box in space that keeps the view that a hand has turned it to."""
    low, high = shown_range(drawn.height)
    lines = {"gridcolor": pale(PALETTES[theme].muted), "backgroundcolor": "rgba(0,0,0,0)"}
    ends = [float(drawn.side[0]), float(drawn.side[-1])]
    heights = [low - 0.05 * (high - low), high + 0.15 * (high - low)]
    return {
        "uirevision": "space",
        "scene": {
            "xaxis": {**lines, "title": {"text": "x"}, "range": ends},
            "yaxis": {**lines, "title": {"text": "y"}, "range": ends},
            "zaxis": {**lines, "title": {"text": "f"}, "range": heights},
            "aspectmode": "manual",
            "aspectratio": {"x": 1.15, "y": 1.15, "z": 0.8},
            "camera": {"eye": {"x": 1.5, "y": -1.65, "z": 1.1}, "center": {"x": 0, "y": 0, "z": -0.12}},
            "dragmode": "orbit",
            "uirevision": "space",
            **scene,
        },
    }


def arrow_traces(starts: Array, ends: Array, color: str, width: float, head: float, name: str) -> list[dict[str, Any]]:
    """Arrows as two traces: all shafts in one line with gaps, all heads as markers turned along them.

    Args:
        starts, ends: (n, 2); an arrow without length, or with nan in it, is left out.
        color: Of all arrows.
        width: Of the shafts, in pixels.
        head: Size of the heads, in pixels.
        name: Of both traces.
    """
    along = ends - starts
    some = np.isfinite(along).all(axis=1) & (np.hypot(*along.T) > 0)
    starts, ends, along = starts[some], ends[some], along[some]
    gaps = np.full_like(starts, np.nan)
    shafts = np.stack([starts, ends, gaps], axis=1).reshape(-1, 2)
    turned = 90 - np.degrees(np.arctan2(along[:, 1], along[:, 0]))  # plotly counts clockwise from the top
    heads = {"symbol": "triangle-up", "size": head, "angle": turned, "color": color, "line": {"width": 0}}
    return [
        still(name, mode="lines", x=shafts[:, 0], y=shafts[:, 1], line={"color": color, "width": width}),
        still(name, mode="markers", x=ends[:, 0], y=ends[:, 1], marker=heads),
    ]
