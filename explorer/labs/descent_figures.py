"""The descent lab's picture: the path on the map or the surface, the loss beside it, step by step."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from explorer.i18n import Language, text
from explorer.labs.descent import Descent, DescentSettings
from explorer.labs.drawing import ALWAYS, axis, drawing
from explorer.labs.gradient import Map
from explorer.labs.map_image import map_image
from explorer.labs.map_style import map_layout, places_trace, shown_range, space_layout, surface_trace
from explorer.labs.reading import Array
from explorer.render.palette import PALETTES, Theme

FRAME_MILLISECONDS = 140
FAR = 1e6
"""Coordinates beyond so many times the map's are drawn no further out; plotly stumbles over huge ones."""


class Room(NamedTuple):
    """Where the parts of the picture stand, as parts of its width and height.

    Args:
        pixels: The whole picture's height.
        ground, losses: From where to where the map and the curve reach.
        slider: How long the slider is.
    """

    pixels: int
    ground: dict[str, list[float]]
    losses: dict[str, list[float]]
    slider: float


BESIDE = Room(560, {"x": [0, 0.6], "y": [0, 1]}, {"x": [0.68, 1], "y": [0, 1]}, 0.6)
BELOW = Room(740, {"x": [0, 1], "y": [0.44, 1]}, {"x": [0, 0.88], "y": [0, 0.32]}, 1)
"""For a phone, on which the map takes the whole width."""


def descent_figure(
    drawn: Map,
    descent: Descent | None,
    right: Descent | None,
    settings: DescentSettings,
    theme: Theme,
    language: Language,
    room: Room = BESIDE,
) -> go.Figure:
    """The path and its losses, with a frame for each step, buttons to play and pause, and a slider.

    Args:
        drawn: The function's map.
        descent: The way that was gone; None where the program raised an error.
        right: The way without mistakes, to compare; None where none was made.
        settings, theme, language: As the page.
        room: Where its parts stand.
    """
    in_space = settings.view == "surface"
    palette = PALETTES[theme]
    names = {key: text(f"lab_descent.{key}", language) for key in ("path", "right", "loss", "step")}
    traces = [surface_trace(drawn, theme) if in_space else places_trace(settings.reach)]
    start = Descent(np.array([[settings.start_x, settings.start_y]]), np.array([np.nan]))
    gone = descent or start
    if right is not None:
        traces += _way(right, drawn, names["right"], palette.muted, in_space, dash="dot")
        traces.append(_losses(right, names["right"], palette.muted, dash="dot"))
    fixed = len(traces)
    traces += _moving(gone, len(gone.path) - 1, drawn, names, theme, in_space)
    if in_space:
        layout = space_layout(drawn, theme, domain=room.ground)
    else:
        layout = {**map_layout(settings.reach, theme, room.ground), "images": [map_image(drawn, theme)]}
    layout |= _loss_axes(gone, right, names["loss"], names["step"], theme, room)
    if descent is not None:
        layout |= _controls(len(gone.path), names["step"], palette.text, room, redraw=in_space)
    frames = []
    if descent is not None:
        still = [{"type": trace["type"]} for trace in traces[:fixed]]
        every = list(range(len(traces)))  # plotly.js loses those left out
        for step in range(len(gone.path)):
            moved = [_place(trace) for trace in _moving(gone, step, drawn, names, theme, in_space)]
            frames.append({"name": str(step), "traces": every, "data": [*still, *moved]})
    return drawing(_listed(traces), theme, room.pixels, frames=frames, **layout)


def _place(trace: dict[str, Any]) -> dict[str, Any]:
    """Of a trace what a step changes."""
    kept: dict[str, Any] = {key: trace[key] for key in ("type", "x", "y", "z") if key in trace}
    return _listed([kept])[0]


def _moving(
    way: Descent, step: int, drawn: Map, names: dict[str, str], theme: Theme, in_space: bool
) -> list[dict[str, Any]]:
    """What a step changes: the way so far, where it has come to, the losses so far, the last of them."""
    palette = PALETTES[theme]
    so_far = Descent(way.path[: step + 1], way.losses[: step + 1])
    last = Descent(way.path[step : step + 1], way.losses[step : step + 1])
    return [
        *_way(so_far, drawn, names["path"], palette.running, in_space),
        *_way(last, drawn, names["step"], palette.text, in_space, size=12),
        _losses(so_far, names["loss"], palette.running),
        {
            **_losses(last, names["step"], palette.text),
            "mode": "markers",
            "marker": {"size": 9, "color": palette.text},
            "x": [step],
        },
    ]


def _listed(traces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The traces with plain lists: while frames play, plotly.js does not unpack arrays that were packed."""
    return [
        {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in trace.items()}
        for trace in traces
    ]


def _way(
    way: Descent, drawn: Map, name: str, color: str, in_space: bool, dash: str = "solid", size: int = 6
) -> list[dict[str, Any]]:
    far = FAR * float(drawn.side[-1])
    x, y = np.clip(way.path, -far, far).T
    line = {"color": color, "width": 2.5 if not in_space else 5, "dash": dash}
    common = {"name": name, "x": x, "y": y, "mode": "lines+markers", "line": line}
    if in_space:
        low, high = shown_range(drawn.height)
        inside = (np.abs(way.path) <= drawn.side[-1]).all(axis=1)
        height = np.where(inside, np.clip(way.losses, low, high), np.nan)
        marker = {"color": color, "size": size * 0.6}
        return [{"type": "scatter3d", "z": height, "marker": marker, "hoverinfo": "skip", **common}]
    return [
        {
            "type": "scatter",
            "marker": {"color": color, "size": size},
            "customdata": np.arange(len(x)),
            "hovertemplate": "%{customdata}: (%{x:.4~g}, %{y:.4~g})<extra></extra>",
            "selected": ALWAYS,
            "unselected": ALWAYS,
            **common,
        }
    ]


def _losses(way: Descent, name: str, color: str, dash: str = "solid") -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": name,
        "x": np.arange(len(way.losses)),
        "y": np.where(np.isfinite(way.losses), way.losses, np.nan),
        "mode": "lines",
        "line": {"color": color, "width": 2.5, "dash": dash},
        "xaxis": "x2",
        "yaxis": "y2",
        "hovertemplate": "%{x}: %{y:.5~g}<extra></extra>",
    }


def _loss_axes(way: Descent, right: Descent | None, name: str, step: str, theme: Theme, room: Room) -> dict[str, Any]:
    """The loss's axes: logarithmic where it stays above 0 and falls or grows a lot."""
    ways = [way] if right is None else [way, right]
    every = np.concatenate([one.losses for one in ways])
    count = max(max(len(one.losses) for one in ways) - 1, 1)
    across = {"domain": room.losses["x"], "anchor": "y2", "range": [-0.5, count + 0.5]}
    upward = {"domain": room.losses["y"], "anchor": "x2", "side": "right", "tickformat": "~g", **_loss_scale(every)}
    return {
        "xaxis2": axis(theme, step, zeroline=False, **across),
        "yaxis2": axis(theme, name, zeroline=False, **upward),
    }


def _loss_scale(losses: Array) -> dict[str, Any]:
    finite = losses[np.isfinite(losses)]
    if finite.size and finite.min() > 0 and finite.max() / finite.min() > 50:
        return {"type": "log", "exponentformat": "power", "nticks": 7}
    return {"type": "linear"}


def _controls(count: int, step: str, color: str, room: Room, redraw: bool) -> dict[str, Any]:
    """Play, pause, and a slider over the steps; all in the browser, without the server."""
    frame = {"frame": {"duration": FRAME_MILLISECONDS, "redraw": redraw}, "transition": {"duration": 0}}
    at_once = {"mode": "immediate", "frame": {"duration": 0, "redraw": redraw}, "transition": {"duration": 0}}
    buttons = [
        {"label": "▶", "method": "animate", "args": [None, {**frame, "fromcurrent": True, "mode": "immediate"}]},
        {"label": "❚❚", "method": "animate", "args": [[None], at_once]},
    ]
    moves = [{"label": str(k), "method": "animate", "args": [[str(k)], at_once]} for k in range(count)]
    button_style = {
        "bgcolor": "rgba(128,128,128,0.15)",
        "bordercolor": "rgba(128,128,128,0.35)",
        "font": {"color": color},
    }
    return {
        "margin": {"t": 8, "r": 4, "b": 88, "l": 4},
        "updatemenus": [
            {
                "type": "buttons",
                "direction": "left",
                "buttons": buttons,
                "showactive": False,
                "x": 0,
                "xanchor": "left",
                "y": 0,
                "yanchor": "top",
                "pad": {"t": 50},
                **button_style,
            }
        ],
        "sliders": [
            {
                "active": count - 1,
                "steps": moves,
                "x": 0,
                "len": room.slider,
                "y": 0,
                "yanchor": "top",
                "pad": {"t": 42, "l": 105},
                "currentvalue": {"prefix": f"{step} ", "font": {"size": 12, "color": color}, "xanchor": "right"},
                "bgcolor": "rgba(128,128,128,0.25)",
                "activebgcolor": "rgba(128,128,128,0.6)",
                "bordercolor": "rgba(128,128,128,0.5)",
                "ticklen": 0,
                "minorticklen": 0,
                "font": {"color": "rgba(0,0,0,0)", "size": 1},
            }
        ],
    }
